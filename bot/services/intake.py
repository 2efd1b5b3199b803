"""Tickets and messages coming in, from wherever."""

import hashlib
from dataclasses import dataclass, replace

from bot.domain.errors import TickettruheError, UnknownTicket
from bot.domain.lifecycle import ARRIVALS, Decision
from bot.domain.request import NewAttachment, NewRequest
from bot.domain.words import Action, Intake, Standing, Status, Team
from bot.services import changes, restoring
from bot.services.changes import Cause
from bot.services.unit import Unit
from storage import conversation, outbox, rows, search, tickets
from storage.models import Attachment, IdempotencyKey, Requester, Ticket, TicketMessage
from storage.outbox import Kind, Priority
from storage.tickets import Known


@dataclass(frozen=True, slots=True)
class RetryKey:
    """Makes a request safe to repeat: ``scope`` is who asks, ``key`` their name for the request."""

    scope: str
    key: str
    fingerprint: str
    """Hash of the request's content."""


def fingerprint(content: bytes) -> str:
    """Hash by which a repeated request is recognised."""
    return hashlib.sha256(content).hexdigest()


class KeyReused(TickettruheError):
    """The same retry key came with a different request."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request was accepted under this number. ``replayed``: it had been before."""

    number: int
    replayed: bool = False


def replayed(unit: Unit, key: RetryKey) -> Accepted | None:
    """The earlier answer to a repeated request.

    :raises KeyReused: the key stands for another request.
    """
    known = unit.session.get(IdempotencyKey, (key.scope, key.key))
    if known is None:
        return None
    if known.fingerprint != key.fingerprint:
        raise KeyReused
    return Accepted(known.number, replayed=True)


def _remember(unit: Unit, key: RetryKey, number: int) -> None:
    rows.insert(
        unit.session,
        IdempotencyKey,
        scope=key.scope,
        key=key.key,
        fingerprint=key.fingerprint,
        number=number,
        at=unit.now,
    )


def open_ticket(
    unit: Unit,
    request: NewRequest,
    *,
    key: RetryKey | None = None,
    author: str | None = None,
    cause: str | None = None,
    team: Team = None,
) -> Accepted:
    """Open a ticket: ticket, first message, history and card in one commit.

    The region decides the team (wiki, "Open"); ``team`` is for a request that names none. ``author`` is the
    member who wrote it down, ``cause`` their event.

    :raises KeyReused: the retry key stands for another request.
    """
    if key is not None and (earlier := replayed(unit, key)):
        return earlier
    if cause is not None and (number := tickets.opened_by_cause(unit.session, cause)):
        return Accepted(number, replayed=True)
    served = unit.policy.regions.get(request.region) if request.region else team
    requester = tickets.requester(unit.session, request.name, request.email, request.phone)
    number = _insert(unit, request, requester, served, Cause(author, cause))
    if key is not None:
        _remember(unit, key, number)
    return Accepted(number)


def _insert(
    unit: Unit,
    request: NewRequest,
    requester: Known,
    team: Team,
    cause: Cause,
    follows: int | None = None,
) -> int:
    """Write the rows of a new ticket, with as few statements as there are rows: requests come in crowds."""
    wanted = request.topic or ""
    topic = wanted if wanted in unit.policy.topics else unit.policy.default_topic
    before = restoring.number_for(unit, cause.event_id) if cause.event_id is not None else None
    number: int = rows.insert(
        unit.session,
        Ticket,
        **({} if before is None else {"number": before}),
        status=Status.OPEN.value,
        topic=topic,
        team=team,
        region=request.region,
        subject=request.subject,
        requester_id=requester.id,
        intake=request.intake.value,
        follows=follows,
        opened_at=unit.now,
        changed_at=unit.now,
        moved_at=unit.now,
    )
    _store_text(
        unit, number, request.text, request.intake, cause.who, request.attachments, dict(request.extra)
    )
    search.enter(unit.session, number, team, request.email, (request.subject, request.name, request.text))
    standing = Standing(Status.OPEN, topic, team)
    changes.record(unit, number, Decision(Action.OPEN, standing, standing), cause)
    outbox.put(unit.session, Kind.CARD, Priority.CARD, unit.now, number=number)
    if requester.before and (ticket := tickets.get(unit.session, number)):
        changes.refresh_others(unit, ticket, {team})
    unit.wake_courier()
    return number


def _store_text(
    unit: Unit,
    number: int,
    text: str,
    intake: Intake,
    author: str | None,
    attachments: tuple[NewAttachment, ...] = (),
    extra: dict[str, str] | None = None,
) -> int:
    message_id: int = rows.insert(
        unit.session,
        TicketMessage,
        number=number,
        text=text,
        intake=intake.value,
        author=author,
        extra=extra or None,
        at=unit.now,
    )
    for file in attachments:
        rows.insert(
            unit.session,
            Attachment,
            message_id=message_id,
            name=file.name,
            media_type=file.media_type,
            size=len(file.data),
            data=file.data,
        )
    return message_id


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A requester's further message; ``author`` is the member who wrote it down, ``cause`` their event."""

    text: str
    intake: Intake
    author: str | None = None
    cause: str | None = None
    attachments: tuple[NewAttachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrived:
    """Where a message went: to its ticket or the one that this was merged into, or to a new one because that
    is archived or deleted.
    """

    number: int
    reopened: bool = False
    follows: int | None = None
    team: Team = None


def add_message(unit: Unit, number: int, message: NewMessage, *, key: RetryKey | None = None) -> Arrived:
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
    if arrival.target is None:
        arrived = _follow_up(unit, ticket, message)
    else:
        arrived = _append(unit, ticket, message, arrival.target, notify=arrival.notify)
    if key is not None:
        _remember(unit, key, arrived.number)
    return arrived


def _handled_before(unit: Unit, cause: str, number: int) -> Arrived | None:
    if tickets.change_caused_by(unit.session, cause, number):
        return Arrived(number)
    opened = tickets.opened_by_cause(unit.session, cause)
    return Arrived(opened, follows=number) if opened else None


def _append(unit: Unit, ticket: Ticket, message: NewMessage, target: Status, *, notify: bool) -> Arrived:
    number = changes.number_of(ticket)
    before = changes.standing_of(ticket)
    decision = Decision(Action.MESSAGE, before, replace(before, status=target))
    message_id = _store_text(unit, number, message.text, message.intake, message.author, message.attachments)
    search.reindex(unit.session, number)
    cause = Cause(message.author, message.cause, detail={"messages": [message_id]})
    if not notify:
        # The version grows, so that a merge at the same moment takes the message along.
        tickets.compare_and_set(unit.session, ticket, {})
        changes.record(unit, number, decision, cause)
        changes.refresh_seeds(unit, number)  # there is nothing left to be undone by a tap
        return Arrived(number, team=ticket.team)
    changes.write(unit, ticket, decision, cause)
    _alert(unit, ticket, message_id, message.author, reopened=before.status is not target)
    return Arrived(number, reopened=before.status is not target, team=ticket.team)


def _alert(unit: Unit, ticket: Ticket, message_id: int, author: str | None, *, reopened: bool) -> None:
    payload = {"what": "message", "message_id": message_id, "reopened": reopened, "author": author}
    outbox.put(unit.session, Kind.ALERT, Priority.ALERT, unit.now, number=ticket.number, payload=payload)


def _follow_up(unit: Unit, old: Ticket, message: NewMessage) -> Arrived:
    requester = unit.session.get(Requester, old.requester_id)
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
    )
    team = old.team if old.team is None or old.team in unit.policy.teams else None
    known, cause = Known(old.requester_id, before=True), Cause(message.author, message.cause)
    number = _insert(unit, request, known, team, cause, follows=old.number)
    return Arrived(number, follows=old.number, team=team)
