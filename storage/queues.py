"""How deep and how old outbox and inbox are, by kind. Queries never commit.

They read what waits, never what was sent: the indexes begin with the state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, or_, type_coerce
from sqlmodel import Session, col, select

from storage.inbox import SEALED
from storage.models import InboxEvent, OutboxRow
from storage.outbox import RowState
from storage.types import UtcDateTime

Sort = tuple[str, str]
"""Channel and kind."""


def due(session: Session, now: datetime) -> Mapping[Sort, tuple[int, datetime]]:
    """Rows that are due and not sent: how many, and since when the oldest of them is due.

    What is only meant for later does not wait yet; what was tried and put off has waited all along.
    """
    tried = col(OutboxRow.attempts) > 0
    since = case((tried, col(OutboxRow.created_at)), else_=col(OutboxRow.next_attempt_at))
    rows = session.exec(
        select(OutboxRow.channel, OutboxRow.kind, func.count(), type_coerce(func.min(since), UtcDateTime))
        .where(
            OutboxRow.state == RowState.WAITING.value,
            col(OutboxRow.held).is_(False),
            or_(tried, col(OutboxRow.next_attempt_at) <= now),
        )
        .group_by(col(OutboxRow.channel), col(OutboxRow.kind))
    )
    return {(channel, kind): (count, oldest) for channel, kind, count, oldest in rows}


def held(session: Session) -> Mapping[Sort, int]:
    """Rows held for a room that the bot may not use."""
    return _counts(session, RowState.WAITING, col(OutboxRow.held).is_(True))


def set_aside(session: Session) -> Mapping[Sort, int]:
    """Rows that could not be sent for good."""
    return _counts(session, RowState.FAILED)


def _counts(session: Session, state: RowState, *conditions: ColumnElement[bool]) -> Mapping[Sort, int]:
    rows = session.exec(
        select(OutboxRow.channel, OutboxRow.kind, func.count())
        .where(OutboxRow.state == state.value, *conditions)
        .group_by(col(OutboxRow.channel), col(OutboxRow.kind))
    )
    return {(channel, kind): count for channel, kind, count in rows}


@dataclass(frozen=True, slots=True)
class Aside:
    """A row that could not be sent for good."""

    kind: str
    room: str | None
    """As the row names it."""
    number: int | None
    error: str
    at: datetime


def latest_set_aside(session: Session, limit: int) -> Sequence[Aside]:
    """The rows that were set aside last, newest first."""
    rows = session.exec(
        select(OutboxRow)
        .where(OutboxRow.state == RowState.FAILED.value)
        .order_by(col(OutboxRow.id).desc())
        .limit(limit)
    )
    return [
        Aside(row.kind, row.room, row.number, row.error or "", row.done_at or row.created_at) for row in rows
    ]


def unhandled(session: Session) -> tuple[int, datetime | None]:
    """How many events wait to be handled, and since when the first of them."""
    waits = col(InboxEvent.handled_at).is_(None), col(InboxEvent.kind) != SEALED
    count = session.exec(select(func.count()).select_from(InboxEvent).where(*waits)).one()
    first = session.exec(
        select(InboxEvent.received_at).where(*waits).order_by(col(InboxEvent.id)).limit(1)
    ).first()
    return count, first
