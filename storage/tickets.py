"""Queries about tickets and what hangs on them. They never commit."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy
from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select

from bot.domain.errors import Conflict
from bot.domain.merging import address_key
from bot.domain.words import MOST_COUNTED, Action, MessageKind, Scope, Status
from storage import letters, rows, search
from storage.models import (
    Attachment,
    Card,
    HistoryEntry,
    IdempotencyKey,
    Mute,
    QuietNote,
    Requester,
    Task,
    Ticket,
    TicketMessage,
)


def get(session: Session, number: int) -> Ticket | None:
    """The ticket as it is in the database now."""
    return rows.get(session, Ticket, number, fresh=True)


@cache
def _setting(names: tuple[str, ...]) -> Any:  # noqa: ANN401
    """Prepared once for each set of columns: there are few."""
    return (
        update(Ticket)
        .where(
            col(Ticket.number) == bindparam("read_number"), col(Ticket.version) == bindparam("read_version")
        )
        .values({name: bindparam(f"new_{name}") for name in names} | {"version": bindparam("next_version")})
        .execution_options(synchronize_session=False)
    )


def compare_and_set(session: Session, ticket: Ticket, values: Mapping[str, Any]) -> None:
    """Write ``values`` and the next version if the row still has the version that was read.

    :raises Conflict: somebody else changed it meanwhile.
    """
    given = {f"new_{name}": value for name, value in values.items()}
    read = {"read_number": ticket.number, "read_version": ticket.version, "next_version": ticket.version + 1}
    if rows.run(session, _setting(tuple(sorted(values))), **given, **read).rowcount != 1:
        raise Conflict
    for name, value in (*values.items(), ("version", ticket.version + 1)):
        set_committed_value(ticket, name, value)


@dataclass(frozen=True, slots=True)
class Known:
    """A requester's row; ``before``: whether the same person may have written before."""

    id: int
    before: bool


_BY_ADDRESS = (
    select(col(Requester.id), col(Requester.name), col(Requester.email), col(Requester.phone))
    .where(Requester.email_key == bindparam("key"))
    .order_by(col(Requester.id).desc())
    .limit(100)
)
_BY_NAME = select(col(Requester.id)).where(
    col(Requester.email_key).is_(None), Requester.name == bindparam("name")
)
_BY_PHONE = _BY_NAME.where(Requester.phone == bindparam("phone")).limit(1)
_BY_NAME_ALONE = _BY_NAME.where(col(Requester.phone).is_(None)).limit(1)


def requester(session: Session, name: str, email: str | None, phone: str | None) -> Known:
    """The requester with exactly these data, made if there is none."""
    key = address_key(email)
    if key is not None:
        found = rows.run(session, _BY_ADDRESS, key=key).all()
        same = [row.id for row in found if (row.name, row.email, row.phone) == (name, email, phone)]
    else:
        query = _BY_PHONE if phone is not None else _BY_NAME_ALONE
        found = rows.run(session, query, name=name, phone=phone).all()
        same = [row.id for row in found]
    if same:
        return Known(same[0], before=True)
    made = rows.insert(session, Requester, name=name, email=email, email_key=key, phone=phone)
    return Known(made, before=bool(found))


def requester_of(session: Session, ticket: Ticket) -> Requester | None:
    """Who asked for help; nobody, once that is erased."""
    return rows.get(session, Requester, ticket.requester_id)


def in_scope(scope: Scope, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Condition: the ticket may be shown in a room of this scope, and these hold as well.

    They are said of each team apart: SQLite uses an index for an "or" only if each side has one.
    """
    if scope.everything:
        return and_(col(Ticket.number) > 0, *conditions)
    named = [team for team in scope.teams if team is not None]
    teams = [col(Ticket.team).in_(named)] if named else []
    if None in scope.teams:
        teams.append(col(Ticket.team).is_(None))
    return or_(*(and_(team, *conditions) for team in teams)) if teams else col(Ticket.number) < 0


def belongs(scope: Scope) -> ColumnElement[bool]:
    """The same as :func:`in_scope` for a query that another table's index leads to a few tickets.

    Not by the index on teams: SQLite, which keeps no statistics, would go through all tickets of the team.
    """
    if scope.everything:
        return col(Ticket.number) > 0
    return func.coalesce(col(Ticket.team), "").in_([team or "" for team in scope.teams])


def _page(condition: ColumnElement[bool], order: ColumnElement[Any], limit: int) -> Any:  # noqa: ANN401
    return select(Ticket).where(condition).order_by(order, col(Ticket.number)).limit(limit)


def page(
    session: Session, condition: ColumnElement[bool], order: ColumnElement[Any], limit: int
) -> tuple[Sequence[Ticket], int]:
    """The first ``limit`` tickets of a condition, and how many there are in all."""
    found = session.exec(_page(condition, order, limit)).all()
    if len(found) < limit:
        return found, len(found)
    total = session.exec(select(func.count()).select_from(Ticket).where(condition)).one()
    return found, total


def with_status(*statuses: Status) -> ColumnElement[bool]:
    """Condition: the ticket has one of these statuses."""
    return col(Ticket.status).in_([status.value for status in statuses])


def untouched(before: datetime) -> ColumnElement[bool]:
    """Condition: open, nobody's, and as old as that."""
    return and_(with_status(Status.OPEN), col(Ticket.assignee).is_(None), col(Ticket.moved_at) < before)


def messages(session: Session, number: int, limit: int) -> Sequence[TicketMessage]:
    """The ticket's latest messages, oldest first."""
    found = session.exec(
        select(TicketMessage)
        .where(TicketMessage.number == number)
        .order_by(col(TicketMessage.id).desc())
        .limit(limit)
    )
    return list(reversed(found.all()))


def message_count(session: Session, number: int, kinds: Collection[MessageKind]) -> int:
    """How many of a ticket's messages are of these kinds: what :func:`messages` returns is of all of them."""
    found = session.exec(
        select(func.count())
        .select_from(TicketMessage)
        .where(TicketMessage.number == number, col(TicketMessage.kind).in_([kind.value for kind in kinds]))
    )
    return found.one()


_FIRST_MESSAGE = (
    select(TicketMessage)
    .where(TicketMessage.number == bindparam("number"), TicketMessage.kind == MessageKind.MESSAGE.value)
    .order_by(col(TicketMessage.at) < bindparam("opened_at"), col(TicketMessage.id))
    .limit(1)
)


def first_message(session: Session, ticket: Ticket) -> TicketMessage | None:
    """The message that opened the ticket; what a merge brought along from an older one does not count."""
    given = {"number": ticket.number, "opened_at": ticket.opened_at}
    return session.exec(_FIRST_MESSAGE, params=given).first()


def attachments(session: Session, message_ids: Collection[int]) -> Sequence[tuple[int, str, str, int, bool]]:
    """Message id, name, media type and size of files, and whether they are kept; not the files themselves."""
    if not message_ids:
        return []
    found = session.execute(
        sqlalchemy.select(
            col(Attachment.message_id),
            col(Attachment.name),
            col(Attachment.media_type),
            col(Attachment.size),
            or_(col(Attachment.size) == 0, func.length(col(Attachment.data)) > 0),
        )
        .where(col(Attachment.message_id).in_(message_ids))
        .order_by(col(Attachment.id))
    )
    return [tuple(row) for row in found]


def kept_files(session: Session, message_id: int) -> Sequence[tuple[int, str]]:
    """Id and media type of a message's files that are kept."""
    found = session.execute(
        sqlalchemy.select(col(Attachment.id), col(Attachment.media_type))
        .where(col(Attachment.message_id) == message_id, func.length(col(Attachment.data)) > 0)
        .order_by(col(Attachment.id))
    )
    return [tuple(row) for row in found]


@dataclass(frozen=True, slots=True)
class Counts:
    """How much hangs on a ticket."""

    tasks: int
    tasks_done: int
    files: int


_OF_TICKET = col(Task.number) == bindparam("number")
_COUNTS = select(
    select(func.count()).select_from(Task).where(_OF_TICKET).scalar_subquery(),
    select(func.count(col(Task.done_at))).where(_OF_TICKET).scalar_subquery(),
    select(func.count())
    .select_from(Attachment)
    .join(TicketMessage, col(TicketMessage.id) == col(Attachment.message_id))
    .where(col(TicketMessage.number) == bindparam("number"))
    .scalar_subquery(),
)


def counts_of(session: Session, number: int) -> Counts:
    """How much hangs on a ticket, in one question."""
    return Counts(*rows.run(session, _COUNTS, number=number).one())


_VERSION = select(Ticket.version).where(Ticket.number == bindparam("number"))


def version_of(session: Session, number: int) -> int | None:
    """The ticket's version in the database now; ``None`` if there is no such ticket."""
    version: int | None = rows.run(session, _VERSION, number=number).scalar()
    return version


_OPEN_TASKS = (
    select(Task.position, Task.text)
    .where(Task.number == bindparam("number"), col(Task.done_at).is_(None))
    .order_by(col(Task.position))
)


def open_tasks(session: Session, number: int) -> Sequence[tuple[int, str]]:
    """Number and words of the ticket's tasks that are still to be done."""
    return [(position, words) for position, words in rows.run(session, _OPEN_TASKS, number=number)]


_TASKS = select(Task).where(Task.number == bindparam("number")).order_by(col(Task.position))


def tasks(session: Session, number: int) -> Sequence[Task]:
    """The ticket's tasks by their number."""
    return session.exec(_TASKS, params={"number": number}).all()


def history(session: Session, number: int) -> Sequence[HistoryEntry]:
    """Everything that happened to the ticket, oldest first."""
    found = session.exec(
        select(HistoryEntry).where(HistoryEntry.number == number).order_by(col(HistoryEntry.id))
    )
    return found.all()


def last_change(
    session: Session, number: int, actions: Collection[Action] = (), to_status: Status | None = None
) -> HistoryEntry | None:
    """The ticket's latest history entry, of these actions and into this status if given."""
    query = select(HistoryEntry).where(HistoryEntry.number == number)
    if actions:
        query = query.where(col(HistoryEntry.action).in_([action.value for action in actions]))
    if to_status is not None:
        query = query.where(HistoryEntry.to_status == to_status.value)
    return session.exec(query.order_by(col(HistoryEntry.id).desc()).limit(1)).first()


_CAUSED = select(HistoryEntry.id).where(
    HistoryEntry.cause == bindparam("cause"), HistoryEntry.number == bindparam("number")
)


def was_changed_by(session: Session, cause: str, number: int) -> bool:
    """Whether an event has changed a ticket: it was handled before."""
    return rows.run(session, _CAUSED, cause=cause, number=number).first() is not None


def opened_by_cause(session: Session, cause: str) -> int | None:
    """The number of the ticket that an event opened, if it was handled before."""
    found = session.exec(
        select(HistoryEntry.number).where(
            HistoryEntry.cause == cause, HistoryEntry.action == Action.OPEN.value
        )
    )
    return found.first()


def numbers_of(session: Session, team: str | None, statuses: Collection[Status]) -> Sequence[int]:
    """Numbers of a team's tickets with one of these statuses, oldest first."""
    rows = session.exec(
        select(Ticket.number)
        .where(col(Ticket.team).is_(None) if team is None else Ticket.team == team, with_status(*statuses))
        .order_by(col(Ticket.opened_at), col(Ticket.number))
    )
    return [number for number in rows.all() if number is not None]


def by_numbers(session: Session, numbers: Collection[int]) -> Mapping[int, Ticket]:
    """The tickets of these numbers that there are, as they are in the database now."""
    found = session.exec(
        select(Ticket).where(col(Ticket.number).in_(numbers)).execution_options(populate_existing=True)
    )
    return {ticket.number: ticket for ticket in found.all() if ticket.number is not None}


def acts_since(
    session: Session, numbers: Collection[int], since: datetime
) -> Mapping[tuple[int, str], datetime]:
    """When each person last did something to one of these tickets, if that was later than a moment."""
    found = session.exec(
        select(HistoryEntry.number, HistoryEntry.who, func.max(HistoryEntry.at))
        .where(
            col(HistoryEntry.number).in_(numbers),
            col(HistoryEntry.who).is_not(None),
            col(HistoryEntry.at) > since,
        )
        .group_by(col(HistoryEntry.number), col(HistoryEntry.who))
    )
    return {(number, who): at for number, who, at in found.all() if who is not None}


_COUNT = select(func.count()).select_from(
    select(col(Ticket.number)).where(Ticket.status == bindparam("status")).limit(MOST_COUNTED + 1).subquery()
)


def counts(session: Session) -> Mapping[Status, int]:
    """How many tickets there are of each status; counting ends after ``MOST_COUNTED``."""
    found = {status: session.execute(_COUNT, {"status": status.value}).scalar_one() for status in Status}
    return {status: count for status, count in found.items() if count}


def erase(session: Session, ticket: Ticket) -> None:
    """Remove every row of the ticket; its requester too, unless other tickets are theirs."""
    number = ticket.number
    assert number is not None  # noqa: S101 - it is in the database
    ids = select(TicketMessage.id).where(TicketMessage.number == number)
    session.exec(delete(Attachment).where(col(Attachment.message_id).in_(ids)))
    letters.erase(session, number, session.exec(ids).all())
    for table in (TicketMessage, Task, HistoryEntry, IdempotencyKey, Card, Mute, QuietNote):
        session.exec(delete(table).where(col(table.number) == number))
    session.exec(delete(Ticket).where(col(Ticket.number) == number))
    search.reindex(session, number)
    others = session.exec(select(Ticket.number).where(Ticket.requester_id == ticket.requester_id).limit(1))
    if others.first() is None:
        session.exec(delete(Requester).where(col(Requester.id) == ticket.requester_id))
