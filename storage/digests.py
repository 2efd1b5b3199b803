"""What happened in a team since its last digest. Queries never commit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from bot.domain.words import Action, State, Status, statuses_of
from storage.models import DigestMark, HistoryEntry, Mute, Ticket

_LATER = aliased(HistoryEntry)


@dataclass(frozen=True, slots=True)
class Period:
    """From one moment up to, but without, another."""

    start: datetime
    end: datetime


def _within(scope: ColumnElement[bool], period: Period, action: Action) -> ColumnElement[bool]:
    """Condition on history joined with its ticket: this happened to one in scope in that period."""
    return and_(
        scope,
        col(HistoryEntry.at) >= period.start,
        col(HistoryEntry.at) < period.end,
        col(HistoryEntry.action) == action.value,
    )


def last_day_before(session: Session, key: str, day: date) -> date | None:
    """The latest earlier day that had its digest, also if there was nothing to tell."""
    rows = session.exec(
        select(func.max(DigestMark.day)).where(DigestMark.key == key, col(DigestMark.day) < day)
    )
    return rows.one()


def last_sent(session: Session, keys: Iterable[str]) -> Mapping[str, datetime]:
    """Room key → when its last digest was written, of those that had one."""
    found: dict[str, datetime] = {}
    for key in keys:
        rows = session.exec(
            select(DigestMark.at)
            .where(DigestMark.key == key, col(DigestMark.sent).is_(True))
            .order_by(col(DigestMark.day).desc())
            .limit(1)
        )
        if (at := rows.first()) is not None:
            found[key] = at
    return found


def count(
    session: Session,
    scope: ColumnElement[bool],
    period: Period,
    action: Action,
    to_status: Status | None = None,
) -> int:
    """How often something happened to the tickets in scope."""
    query = (
        select(func.count(col(HistoryEntry.id)))
        .join(Ticket, col(Ticket.number) == col(HistoryEntry.number))
        .where(_within(scope, period, action))
    )
    if to_status is not None:
        query = query.where(HistoryEntry.to_status == to_status.value)
    return session.exec(query).one()


def closers(session: Session, scope: ColumnElement[bool], period: Period) -> Sequence[tuple[str | None, int]]:
    """Who closed how many tickets that were not opened again within the period, by undo or otherwise."""
    under_way = [status.value for status in statuses_of(State.OPEN)]
    opened_again = (
        select(_LATER.id)
        .where(
            _LATER.number == HistoryEntry.number,
            col(_LATER.id) > col(HistoryEntry.id),
            col(_LATER.at) < period.end,
            col(_LATER.to_status).in_(under_way),
        )
        .exists()
    )
    rows = session.exec(
        select(HistoryEntry.who, func.count(col(HistoryEntry.number).distinct()))
        .join(Ticket, col(Ticket.number) == col(HistoryEntry.number))
        .where(_within(scope, period, Action.CLOSE), ~opened_again)
        .group_by(col(HistoryEntry.who))
    )
    return rows.all()


@dataclass(slots=True)
class MessageOnMuted:
    """A message on a ticket that somebody had muted by then."""

    assignee: str | None
    author: frozenset[str]
    """The member who wrote it down, if one did: they are never told of it."""
    muted: set[str] = field(default_factory=set)


def messages_while_muted(
    session: Session, scope: ColumnElement[bool], period: Period
) -> Mapping[int, MessageOnMuted]:
    """Messages in the period on tickets that somebody had muted by then, spam aside; by history entry."""
    rows = session.exec(
        select(HistoryEntry.id, HistoryEntry.who, Ticket.assignee, Mute.user_id)
        .join(Ticket, col(Ticket.number) == col(HistoryEntry.number))
        .join(Mute, col(Mute.number) == col(HistoryEntry.number))
        .where(
            _within(scope, period, Action.MESSAGE),
            HistoryEntry.to_status != Status.SPAM.value,
            col(Mute.at) <= col(HistoryEntry.at),
        )
    )
    found: dict[int, MessageOnMuted] = {}
    for entry_id, who, assignee, user_id in rows.all():
        author = frozenset({who} if who else ())
        found.setdefault(entry_id or 0, MessageOnMuted(assignee, author)).muted.add(user_id)
    return found
