"""What can be typed after a slash."""

from itertools import cycle
from typing import Final

from bot.demo import pictures
from bot.demo.cast import MAILS, MailSample
from bot.demo.interactive import Desk, Order

_SUBJECT: Final = 60
_samples: Final = cycle(MAILS)


async def write_mail(desk: Desk, typed: str) -> None:
    """Somebody writes to the help desk; words of one's own go to the team whose room this is."""
    sample = next(_samples)
    if typed:
        region = desk.room if desk.room in ("freiburg", "berlin") else ""
        subject = typed if len(typed) <= _SUBJECT else f"{typed[: _SUBJECT - 1]}…"
        sample = MailSample(region, sample.name, sample.email, subject, typed)
    await desk.stage.post.write(sample)
    _mind_the_dead(desk)


async def answer_mail(desk: Desk, typed: str) -> None:
    """The requester of a ticket answers, as `1 Thank you!`."""
    number, _, text = typed.partition(" ")
    digits = number.removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and text.strip()):
        desk.complain("What do they answer, about which ticket? For example: /answer 1 Thank you!")
    elif await desk.stage.post.answer(int(digits), text.strip()) is None:
        desk.complain(f"No mail about #{digits} has gone out that they could answer. /mails shows all.")
    else:
        _mind_the_dead(desk)


async def show_mails(desk: Desk, typed: str) -> None:
    """All mails, or the one with that number."""
    mails = {str(letter.place): letter for letter in desk.stage.post.letters}
    if not typed:
        desk.tell(desk.pictures.letters(tuple(mails.values())))
    elif typed in mails:
        desk.tell(pictures.whole_letter(mails[typed]))
    else:
        desk.complain(f"There is no mail {typed}. /mails lists those that there are.")


def _mind_the_dead(desk: Desk) -> None:
    if not desk.stage.bot.running:
        desk.complain("The bot is dead: the mail waits in its mailbox until /start.")


ORDERS: Final = {
    order.name: order
    for order in (
        Order("as", "anna", "be somebody else", Desk.be),
        Order("room", "berlin", "go to another room", Desk.go),
        Order("people", "", "who there is, and their passwords", Desk.list_people),
        Order("rooms", "", "which rooms there are", Desk.list_rooms),
        Order("tap", "1 take", "tap a reaction on a card: take, wait, close, spam or undo", Desk.tap),
        Order("in", "1 !note …", "say something in a ticket's thread", Desk.say_in_thread),
        Order("show", "", "this whole room as a Matrix client shows it", Desk.show_room),
        Order("form", "", "where the contact form is", Desk.show_form),
        Order("ticket", "", "file another request", Desk.file_ticket),
        Order("write", "", "somebody writes an e-mail; your own words may follow", write_mail),
        Order("answer", "1 …", "the requester answers the last e-mail about a ticket", answer_mail),
        Order("mails", "", "all e-mails; /mails 3 shows the third, whole", show_mails),
        Order("kill", "", "kill the bot (kill -9)", Desk.kill_bot),
        Order("start", "", "start it again: nothing is lost, nothing comes twice", Desk.start_bot),
        Order("help", "", "this list", Desk.help),
        Order("quit", "", "end bot and homeserver; Ctrl-C and Ctrl-D do so too", Desk.quit),
    )
}
