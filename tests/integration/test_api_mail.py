"""A raw mail over the API, as a mail server's pipe hands it over."""

from io import BytesIO

from storage.models import KeptMail, Ticket, TicketMessage
from tests.intake_site import Site
from tests.mail_data import raw

PATH = "/api/tickets.email"


async def test_a_mail_becomes_a_ticket_and_the_answer_a_message(both: Site) -> None:
    status, number = await both.call(PATH, data=raw("plain"))
    assert status == 201
    answer = raw("reply_outlook").replace(b"<sent.9@desk.example>", b"<first.1@mail.example.org>")
    assert await both.call("/api/http.php/tickets.email", data=answer) == (201, number)
    [ticket] = await both.rows(Ticket)
    assert (str(ticket.number), ticket.intake) == (number, "email")
    assert [message.sender for message in await both.rows(TicketMessage)] == [
        None,
        "Moe, Toni <toni@example.com>",
    ]


async def test_the_same_mail_counts_once(both: Site) -> None:
    answers = {await both.call(PATH, data=raw("plain")) for _twice in range(2)}
    assert len(answers) == 1
    assert len(await both.rows(Ticket)) == 1


async def test_what_is_no_mail_is_kept_whole(here: Site) -> None:
    assert await here.call(PATH, data=b"nothing\x00\xff") == (201, "aside")
    [kept] = await here.rows(KeptMail)
    assert (kept.data, kept.mailbox, kept.reason) == (b"nothing\x00\xff", "api", "unreadable")


async def test_it_asks_for_a_key_before_it_reads(here: Site) -> None:
    refused = await here.call(PATH, headers={"X-API-Key": "wrong"}, data=raw("plain"))
    assert refused[0] == 401
    assert await here.rows(Ticket) == []


async def test_too_large_a_mail_stays_with_the_mail_server(here: Site) -> None:
    status, _text = await here.call(PATH, data=BytesIO(b"From: a@b.example\n\n" + b"x" * 26 * 1024 * 1024))
    assert status == 413
    assert await here.rows(KeptMail) == []
