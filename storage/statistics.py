"""Counts over many tickets. Queries never commit, and give no more than team, number and dates."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Final

from sqlalchemy import CTE, ColumnElement, and_, case, func, or_
from sqlmodel import Session, col, select

from bot.domain.words import Action, Scope, Status, Team
from storage import tickets
from storage.models import HistoryEntry, Ticket

CLOSING: Final = (Action.CLOSE, Action.WITHDRAW, Action.MERGE)
"""What closes a ticket; restoring or undoing may lead back to a closing that was counted before."""
_UNDER_WAY: Final = (Status.OPEN, Status.IN_PROGRESS, Status.WAITING)
_GONE: Final = (Status.ARCHIVED, Status.DELETED)

Step = tuple[Team, int, datetime, str, datetime, bool]
"""Team now, number, when, which action, when the ticket was opened, whether it is spam."""


def steps_since(session: Session, scope: Scope, start: datetime) -> Sequence[Step]:
    """Openings, closings and undone closings, in the order in which they happened.

    The history of that time is looked up first: a team's tickets of all years are many more.
    """
    recent = _recent(start)
    rows = session.exec(
        select(  # type: ignore[call-overload]  # it is typed for up to four columns
            Ticket.team, recent.c.number, recent.c.at, recent.c.action, Ticket.opened_at, _spam()
        )
        .select_from(recent)
        .join(Ticket, col(Ticket.number) == recent.c.number)
        .where(tickets.belongs(scope))
        .order_by(recent.c.id)
    )
    return [tuple(row) for row in rows.all()]


def _recent(start: datetime) -> CTE:
    action = col(HistoryEntry.action)
    closing = and_(
        action.in_([each.value for each in CLOSING]), col(HistoryEntry.to_status) == Status.CLOSED.value
    )
    undone = and_(action == Action.UNDO.value, col(HistoryEntry.from_status) == Status.CLOSED.value)
    return (
        select(HistoryEntry.id, HistoryEntry.number, HistoryEntry.at, HistoryEntry.action)
        .where(col(HistoryEntry.at) >= start, or_(action == Action.OPEN.value, closing, undone))
        .cte("recent")
        .prefix_with("MATERIALIZED")
    )


def _spam() -> ColumnElement[bool]:
    """Whether a ticket is spam, or was when it left the lists."""
    left = (
        select(HistoryEntry.id)
        .where(
            HistoryEntry.number == Ticket.number,
            col(HistoryEntry.to_status).in_([status.value for status in _GONE]),
            HistoryEntry.from_status == Status.SPAM.value,
        )
        .correlate(Ticket)
        .exists()
    )
    return or_(tickets.with_status(Status.SPAM), and_(tickets.with_status(*_GONE), left))


def standing(session: Session, scope: Scope) -> Mapping[tuple[Team, Status], int]:
    """How many tickets each team has in each status under way."""
    rows = session.exec(
        select(Ticket.team, Ticket.status, func.count())
        .where(tickets.in_scope(scope, tickets.with_status(*_UNDER_WAY)))
        .group_by(col(Ticket.team), col(Ticket.status))
    )
    return {(team, Status(status)): count for team, status, count in rows.all()}


def over(session: Session, teams: Iterable[Team]) -> Mapping[tuple[Team, Status], int]:
    """How many tickets each team has in each other status: of all years, and so to be asked seldom.

    Each number is a range of an index and counted by itself, which is ten times as fast as all at once.
    """
    found: dict[tuple[Team, Status], int] = {}
    for team, status in product(teams, (status for status in Status if status not in _UNDER_WAY)):
        here = col(Ticket.team).is_(None) if team is None else col(Ticket.team) == team
        query = select(func.count()).select_from(Ticket).where(here, col(Ticket.status) == status.value)
        if count := session.exec(query).one():
            found[team, status] = count
    return found


def waiting(
    session: Session, scope: Scope, now: datetime, ages: Iterable[timedelta]
) -> Sequence[tuple[Team, int, int, datetime]]:
    """Per team and age: which age, how many wait, and since when the longest of them.

    ``ages`` grow; the first age is what waits for less than the first of them, the last one all the rest.
    """
    since = col(Ticket.waiting_since)
    limits = tuple(ages)
    group = case(*((since > now - limit, index) for index, limit in enumerate(limits)), else_=len(limits))
    rows = session.exec(
        select(Ticket.team, group, func.count(), func.min(since))
        .where(tickets.in_scope(scope), tickets.with_status(Status.WAITING))
        .group_by(col(Ticket.team), group)
    )
    return [tuple(row) for row in rows.all()]
