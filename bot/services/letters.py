"""Mails to a requester: written in the commit of what they tell of, sent by the mail courier."""

import secrets
from dataclasses import dataclass
from typing import Any, Final

from bot.domain.errors import MailNotSetUp, NoMailAddress
from bot.domain.lifecycle import decide
from bot.domain.mail import LetterKind, LetterState, MailPolicy, keyed_hash, message_id, trimmed
from bot.domain.merging import address_key
from bot.domain.request import Checker, MailHead, NewRequest
from bot.domain.words import Action, Intake, MessageKind, Team
from bot.services import changes, mail_ids, moves, people
from bot.services.changes import Cause, Done
from bot.services.letter_views import Letter, ReplyPost, UndeliveredAlert
from bot.services.moves import Wish
from bot.services.people import Caller
from bot.services.status_links import status_link
from bot.services.unit import Unit
from storage import conversation, letters, mutes, outbox, rows, tickets
from storage.models import LetterRow, Ticket, TicketMessage
from storage.outbox import Channel, Kind, Priority

_ENTRY_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class AckWish:
    """To whom a new ticket's acknowledgement would go, and where its request came from."""

    to: str | None = None
    """If not to the requester's address: the return path of a mail (RFC 3834, 4)."""
    origin: str | None = None
    """A network address; only a keyed hash of it is kept."""


def acknowledge(unit: Unit, number: int, team: Team, request: NewRequest, wish: AckWish) -> bool:
    """Let a new ticket be acknowledged, unless too many were sent already; says whether it will be.

    Nobody can be flooded through us: neither one address by many senders, nor many by one sender.
    """
    policy, address = unit.policy.mail, wish.to or request.email
    wanted = request.autorespond and request.intake is not Intake.CHAT
    if policy is None or not wanted or team not in policy.acknowledging or not address:
        return False
    # The return path of a mail that they sent themselves: whoever has that mailbox may have the link, too.
    recipient = None if address_key(wish.to) == address_key(request.email) else wish.to
    key, since = mail_ids.key_of(unit), unit.now - policy.window
    to_hash = keyed_hash(key, "to", address_key(address) or "")
    origin_hash = keyed_hash(key, "origin", wish.origin) if wish.origin else None
    if letters.count_to(unit.session, to_hash, since) >= policy.per_address:
        unit.log("not_acknowledged", ticket=number, why="address")
        return False
    if origin_hash and letters.count_from(unit.session, origin_hash, since) >= policy.per_origin:
        unit.log("not_acknowledged", ticket=number, why="origin")
        return False
    _write(
        unit, policy, number, LetterKind.ACKNOWLEDGEMENT, Priority.CARD,
        recipient=recipient, to_hash=to_hash, origin_hash=origin_hash,
    )  # fmt: skip
    return True


def reply(unit: Unit, number: int, text: str, caller: Caller, then: Action | None = None) -> Done:
    """Answer the requester by mail; ``then`` (wait, close) is done in the same commit.

    The answer stands in the ticket's thread as it goes out. That it was sent is told once the mail server
    has taken it.

    :raises Refusal: the rules say no to one of the two; nothing is written.
    :raises InvalidFields: the text is empty or too long.
    """
    asked = changes.asked(unit, Action.REPLY, number, caller)
    if asked is None:
        return Done(number, changed=False)
    ticket, decision = asked
    requester = tickets.requester_of(unit.session, ticket)
    policy = unit.policy.mail
    if policy is None:
        raise MailNotSetUp(number)
    if requester is None or not requester.email:
        raise NoMailAddress(number, phone=requester is not None and requester.phone is not None)
    check = Checker()
    text = check.text("reply", text, required=True)
    check.finish()
    if then is not None:
        _would_be_allowed(unit, then, ticket, caller)
    message, letter = _keep(unit, policy, number, text, caller)
    cause = Cause(caller.actor.user_id, caller.cause, detail={"messages": [message]})
    changes.write(unit, ticket, decision, cause)
    if then is not None:
        # Its own entry of the history: it is what undo takes back, and the mail is not.
        moves.move(unit, then, number, Caller(caller.actor, caller.place))
    post(unit, number, letter)
    return Done(number, changed=True)


def _would_be_allowed(unit: Unit, action: Action, ticket: Ticket, caller: Caller) -> None:
    """:raises Refusal: the rules say no to what is to follow a reply."""
    details = moves.details_of(unit, action, ticket, Wish())
    standing, number = changes.standing_of(ticket), changes.number_of(ticket)
    decide(action, number, standing, caller.actor, caller.place.scope, details, unit.now)


def _keep(unit: Unit, policy: MailPolicy, number: int, text: str, caller: Caller) -> tuple[int, int]:
    """Write the reply into the conversation and the mail that carries it; ids of both."""
    head = letters.latest_head(unit.session, number)
    references = trimmed((*head[1], head[0])) if head else ()
    mail = MailHead(_new_id(unit, policy, number), references)
    kept: int = rows.insert(
        unit.session, TicketMessage, number=number, kind=MessageKind.REPLY.value, text=text,
        intake=Intake.EMAIL.value, author=caller.actor.user_id, mail_id=mail.message_id,
        mail_references=list(mail.references), at=unit.now,
    )  # fmt: skip
    letter = _write(
        unit, policy, number, LetterKind.REPLY, Priority.ANSWER,
        mail_id=mail.message_id, message_id=kept,
        command_room=caller.place.room_id, command_event=caller.cause,
    )  # fmt: skip
    return kept, letter


def _new_id(unit: Unit, policy: MailPolicy, number: int) -> str:
    return message_id(mail_ids.key_of(unit), number, secrets.token_hex(_ENTRY_BYTES), policy.domain)


def _write(
    unit: Unit,
    policy: MailPolicy,
    number: int,
    kind: LetterKind,
    priority: Priority,
    **values: str | int | None,
) -> int:
    values.setdefault("mail_id", _new_id(unit, policy, number))
    letter = letters.add(unit.session, number=number, kind=kind.value, at=unit.now, **values)
    outbox.put(
        unit.session, Kind.MAIL, priority, unit.now, number=number, channel=Channel.EMAIL,
        payload={"letter": letter}, target=target_of(letter),
    )  # fmt: skip
    unit.wakes.add(unit.signals.mail)
    return letter


def target_of(letter: int) -> str:
    """How rows of the outbox name a mail."""
    return f"letter:{letter}"


def post(unit: Unit, number: int, letter: int, *, edit: bool = False) -> None:
    """Show a reply in its ticket's thread; with ``edit`` what became of it, where it stands already."""
    outbox.put(
        unit.session, Kind.POST, Priority.EDIT if edit else Priority.ALERT, unit.now, number=number,
        payload={"what": "reply", "letter": letter, **({"edit": True} if edit else {})},
        target=target_of(letter),
    )  # fmt: skip
    unit.wake_courier()


# --- what is to be sent and shown ---


def view(unit: Unit, row: LetterRow) -> Letter | None:
    """What the mail is made of; ``None`` if there is nobody to send it to any more."""
    message = unit.session.get(TicketMessage, row.message_id) if row.message_id is not None else None
    ticket = tickets.get(unit.session, message.number if message else row.number)
    requester = tickets.requester_of(unit.session, ticket) if ticket else None
    policy = unit.policy.mail
    if ticket is None or requester is None or policy is None:
        return None
    number, kind = changes.number_of(ticket), LetterKind(row.kind)
    opening = tickets.first_message(unit.session, ticket) if kind is LetterKind.ACKNOWLEDGEMENT else None
    heading = (opening.mail_id, opening.mail_references) if opening and opening.mail_id else None
    references = trimmed((*(heading[1] or ()), heading[0] or "")) if heading else ()
    if message is not None:
        references = tuple(message.mail_references or ())
    said = message or opening
    author = people.optional_person(unit, message.author, ticket.team) if message else None
    return Letter(
        id=row.id or 0,
        kind=kind,
        number=number,
        mail_id=row.mail_id,
        to=row.recipient or requester.email or "",
        name=requester.name,
        subject=ticket.subject,
        team=ticket.team,
        language=ticket.language or policy.languages.get(ticket.team, "en"),
        at=row.at,
        text=said.text if said else "",
        member=author.name if author else None,
        references=references,
        # The page shows the whole conversation: its link goes to nobody but the requester.
        status_link=status_link(unit, number) if row.recipient is None else None,
        loop_mark=mail_ids.loop_mark(unit),
    )


def reply_post(unit: Unit, letter_id: int) -> ReplyPost | None:
    """A reply as its post in the thread shows it."""
    row = letters.get(unit.session, letter_id)
    letter = view(unit, row) if row is not None else None
    if row is None or letter is None:
        return None
    message = unit.session.get(TicketMessage, row.message_id) if row.message_id is not None else None
    author = people.optional_person(unit, message.author, letter.team) if message else None
    return ReplyPost(letter, author, LetterState(row.state), row.reason, row.done_at)


def post_of(unit: Unit, letter_id: int) -> str | None:
    """The event that shows a reply in a thread, once it is there."""
    row = letters.get(unit.session, letter_id)
    return row.post_event if row is not None else None


def posted_as(unit: Unit, letter_id: int, event_id: str) -> None:
    """A reply's post is in its thread."""
    row = letters.get(unit.session, letter_id)
    if row is not None:
        row.post_event = event_id
        unit.session.add(row)


def current_number(unit: Unit, row: LetterRow) -> int | None:
    """The ticket in whose conversation a mail stands now: tickets are merged."""
    message = unit.session.get(TicketMessage, row.message_id) if row.message_id is not None else None
    ticket = tickets.get(unit.session, message.number if message else row.number)
    return None if ticket is None else conversation.goes_on_in(unit.session, ticket).number


def undelivered(unit: Unit, payload: dict[str, Any]) -> UndeliveredAlert | None:
    """Who is to hear that a mail did not arrive: whoever wrote it, or else whose ticket it is."""
    letter = letters.get(unit.session, payload["letter"])
    number = current_number(unit, letter) if letter is not None else None
    ticket = tickets.get(unit.session, number) if number is not None else None
    if letter is None or ticket is None:
        return None
    message = unit.session.get(TicketMessage, letter.message_id) if letter.message_id is not None else None
    meant: frozenset[str] = frozenset()
    if message is not None and message.author and message.author in people.members_of(unit, ticket.team):
        meant = frozenset({message.author})
    elif message is not None:
        told = people.to_notify(unit, ticket.assignee, ticket.team)
        meant = told - frozenset(mutes.of(unit.session, ticket.number or 0))
    return UndeliveredAlert(
        ticket.number or 0,
        LetterKind(letter.kind),
        LetterState(letter.state),
        letter.reason or "",
        tuple(people.person(unit, user_id, ticket.team) for user_id in sorted(meant)),
    )
