"""Tickets coming in, from wherever."""

import hashlib
from dataclasses import dataclass

from bot.domain.errors import TickettruheError
from bot.domain.lifecycle import Decision
from bot.domain.request import MailHead, NewAttachment, NewRequest
from bot.domain.words import Action, Intake, MessageKind, Standing, Status, Team
from bot.services import changes, files, letters, restoring
from bot.services.changes import Cause
from bot.services.letters import AckWish
from bot.services.unit import Unit
from storage import outbox, rows, search, tickets
from storage.models import Attachment, IdempotencyKey, Ticket, TicketMessage
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


def remember(unit: Unit, key: RetryKey, number: int) -> None:
    """Keep the answer to a request that may be repeated."""
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
    sender: str | None = None,
    acknowledge: AckWish | None = None,
    silent: bool = False,
) -> Accepted:
    """Open a ticket: ticket, first message, history and card in one commit.

    The region decides the team (wiki, "Open"); ``team`` is for a request that names none. ``author`` is the
    member who wrote it down, ``cause`` their event; ``sender`` who wrote, if it is not the requester.
    ``silent``: its card rings for nobody.
    ``acknowledge``: the requester is told by mail that it is here, unless that were too many mails.

    :raises KeyReused: the retry key stands for another request.
    """
    if key is not None and (earlier := replayed(unit, key)):
        return earlier
    if cause is not None and (number := tickets.opened_by_cause(unit.session, cause)):
        return Accepted(number, replayed=True)
    served = unit.policy.regions.get(request.region) if request.region else team
    requester = tickets.requester(unit.session, request.name, request.email, request.phone)
    number = insert(unit, request, requester, served, Cause(author, cause), sender=sender, silent=silent)
    if acknowledge is not None:
        letters.acknowledge(unit, number, served, request, acknowledge)
    if key is not None:
        remember(unit, key, number)
    return Accepted(number)


def insert(
    unit: Unit,
    request: NewRequest,
    requester: Known,
    team: Team,
    cause: Cause,
    follows: int | None = None,
    sender: str | None = None,
    *,
    silent: bool = False,
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
        language=request.language,
        opened_at=unit.now,
        changed_at=unit.now,
        moved_at=unit.now,
    )
    message_id = store_text(
        unit, number, request.text, request.intake, cause.who, request.attachments, dict(request.extra),
        sender=sender, mail=request.mail,
    )  # fmt: skip
    search.enter(unit.session, number, team, request.email, (request.subject, request.name, request.text))
    standing = Standing(Status.OPEN, topic, team)
    changes.record(unit, number, Decision(Action.OPEN, standing, standing), cause)
    payload = {"silent": True} if silent else None
    outbox.put(unit.session, Kind.CARD, Priority.CARD, unit.now, number=number, payload=payload)
    if request.attachments:
        files.post(unit, number, message_id)
    if requester.before and (ticket := tickets.get(unit.session, number)):
        changes.refresh_others(unit, ticket, {team})
    unit.wake_courier()
    return number


def store_text(
    unit: Unit,
    number: int,
    text: str,
    intake: Intake,
    author: str | None,
    attachments: tuple[NewAttachment, ...] = (),
    extra: dict[str, str] | None = None,
    *,
    kind: MessageKind = MessageKind.MESSAGE,
    sender: str | None = None,
    mail: MailHead | None = None,
) -> int:
    """Write one message of a conversation, with its files."""
    message_id: int = rows.insert(
        unit.session,
        TicketMessage,
        number=number,
        kind=kind.value,
        text=text,
        intake=intake.value,
        author=author,
        sender=sender,
        extra=extra or None,
        mail_id=mail.message_id if mail else None,
        mail_references=list(mail.references) if mail else None,
        original=mail.original if mail else None,
        at=unit.now,
    )
    for file in attachments:
        rows.insert(
            unit.session,
            Attachment,
            message_id=message_id,
            name=file.name,
            media_type=file.media_type,
            size=file.size,
            data=file.data,
        )
    return message_id
