"""A requester's further messages arrive, from whatever side: one way for all of them."""

from dataclasses import dataclass, replace

from bot.domain.errors import UnknownTicket
from bot.domain.lifecycle import ARRIVALS, SILENT_IN, Arrival, Decision
from bot.domain.request import MailHead, NewAttachment, NewRequest
from bot.domain.words import Action, Intake, MessageKind, Status, Team
from bot.services import changes, files, intake, letters
from bot.services.changes import Cause
from bot.services.intake import RetryKey, remember, replayed, store_text
from bot.services.letters import AckWish
from bot.services.unit import Unit
from storage import conversation, outbox, search, tickets
from storage.models import Ticket
from storage.outbox import Kind, Priority
from storage.tickets import Known


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A requester's further message; ``author`` is the member who wrote it down, ``cause`` their event."""

    text: str
    intake: Intake
    author: str | None = None
    cause: str | None = None
    attachments: tuple[NewAttachment, ...] = ()
    sender: str | None = None
    """Who wrote, if it is not the ticket's requester: name and address, for the team."""
    automatic: bool = False
    """Whether a program wrote it (RFC 3834): it is kept, and moves and alerts nobody."""
    mail: MailHead | None = None
    acknowledge: AckWish | None = None
    """Whether the ticket that it may open is acknowledged, as one that comes in anew."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """Where a message went: to its ticket or the one that this was merged into, or to a new one because that
    is archived or deleted.
    """

    number: int
    reopened: bool = False
    follows: int | None = None
    team: Team = None


def receive_message(unit: Unit, number: int, message: NewMessage, *, key: RetryKey | None = None) -> Arrived:
    """A requester's message arrives: stored, the lifecycle's "message arrives" rows applied, people told.

    What is meant for a merged ticket goes where its conversation goes on.

    :raises UnknownTicket: there is no such ticket.
    :raises KeyReused: the retry key stands for another request.
    """
    if key is not None and (earlier := replayed(unit, key)):
        return Arrived(earlier.number)
    ticket = tickets.get(unit.session, number)
    if ticket is None:
        raise UnknownTicket(number)
    ticket = conversation.goes_on_in(unit.session, ticket)
    number = changes.number_of(ticket)
    if message.cause is not None and (done := _handled_before(unit, message.cause, number)):
        return done
    arrival = ARRIVALS[Status(ticket.status)]
    if message.automatic:
        arrived = _keep(unit, ticket, message)
    elif arrival.target is None:
        arrived = _follow_up(unit, ticket, message)
    else:
        arrived = _append(unit, ticket, message, arrival.target, arrival)
    if key is not None:
        remember(unit, key, arrived.number)
    return arrived


def _handled_before(unit: Unit, cause: str, number: int) -> Arrived | None:
    if tickets.was_changed_by(unit.session, cause, number):
        return Arrived(number)
    opened = tickets.opened_by_cause(unit.session, cause)
    return Arrived(opened, follows=number) if opened else None


def _store(unit: Unit, number: int, message: NewMessage, kind: MessageKind = MessageKind.MESSAGE) -> int:
    message_id = store_text(
        unit,
        number,
        message.text,
        message.intake,
        message.author,
        message.attachments,
        kind=kind,
        sender=message.sender,
        mail=message.mail,
    )
    search.reindex(unit.session, number)
    return message_id


def _keep(unit: Unit, ticket: Ticket, message: NewMessage) -> Arrived:
    """A program's message is no part of the history, so that what a person did last stays the last."""
    number = changes.number_of(ticket)
    message_id = _store(unit, number, message, MessageKind.AUTOMATIC)
    # The version grows, so that a merge at the same moment takes the message along.
    tickets.compare_and_set(unit.session, ticket, {})
    if Status(ticket.status) not in SILENT_IN:
        _alert(unit, number, message_id, None, reopened=False)
        files.post(unit, number, message_id)
        unit.wake_courier()
    return Arrived(number, team=ticket.team)


def _append(unit: Unit, ticket: Ticket, message: NewMessage, target: Status, arrival: Arrival) -> Arrived:
    number = changes.number_of(ticket)
    before = changes.standing_of(ticket)
    decision = Decision(Action.MESSAGE, before, replace(before, status=target))
    message_id = _store(unit, number, message)
    cause = Cause(message.author, message.cause, detail={"messages": [message_id]})
    if not arrival.notify:
        # The version grows, so that a merge at the same moment takes the message along.
        tickets.compare_and_set(unit.session, ticket, {})
        changes.record(unit, number, decision, cause)
        changes.refresh_seeds(unit, number)  # there is nothing left to be undone by a tap
        return Arrived(number, team=ticket.team)
    changes.write(unit, ticket, decision, cause)
    _alert(unit, number, message_id, message.author, reopened=before.status is not target)
    if message.attachments:
        files.post(unit, number, message_id)
    return Arrived(number, reopened=before.status is not target, team=ticket.team)


def _alert(unit: Unit, number: int, message_id: int, author: str | None, *, reopened: bool) -> None:
    payload = {"what": "message", "message_id": message_id, "reopened": reopened, "author": author}
    outbox.put(unit.session, Kind.ALERT, Priority.ALERT, unit.now, number=number, payload=payload)


def _follow_up(unit: Unit, old: Ticket, message: NewMessage) -> Arrived:
    requester = tickets.requester_of(unit.session, old)
    assert requester is not None  # noqa: S101 - foreign key
    request = NewRequest(
        name=requester.name,
        email=requester.email,
        phone=requester.phone,
        subject=old.subject,
        text=message.text,
        intake=message.intake,
        region=old.region,
        topic=old.topic,
        attachments=message.attachments,
        mail=message.mail,
        language=old.language,
    )
    team = old.team if old.team is None or old.team in unit.policy.teams else None
    known, cause = Known(old.requester_id, before=True), Cause(message.author, message.cause)
    number = intake.insert(unit, request, known, team, cause, follows=old.number, sender=message.sender)
    if message.acknowledge is not None:
        letters.acknowledge(unit, number, team, request, message.acknowledge)
    return Arrived(number, follows=old.number, team=team)
