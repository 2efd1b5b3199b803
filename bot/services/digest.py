"""The daily digest of a team's room."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import col, select

from bot.domain.words import Action, Scope, Status, Team
from bot.services import lists, people
from bot.services.unit import Unit, room_key
from bot.services.views import DigestView, LineView
from storage import outbox, tickets
from storage.models import DigestMark, HistoryEntry, Ticket
from storage.outbox import Kind, Priority

LINES: Final = 40


async def send_digest(unit: Unit, team: Team, day: date, zone: ZoneInfo) -> bool:
    """Write a team's digest of a local day into the outbox, unless that day has had its own.

    The mark and the row are one commit: at most once per day, whatever restarts and the clock do.
    """
    if await unit.session.get(DigestMark, (room_key(team), day)) is not None:
        return False
    payload = {"what": "digest", "team": team, "day": day.isoformat(), "zone": zone.key}
    found = await view(unit, team, day, payload)
    unit.session.add(DigestMark(key=room_key(team), day=day, sent=not found.empty, at=unit.now))
    await unit.session.flush()
    if not found.empty:
        await outbox.put(
            unit.session,
            Kind.DIGEST,
            Priority.ALERT,
            unit.now,
            room=room_key(team),
            payload=payload,
            shows=found.numbers,
        )
        unit.wake_courier()
    return not found.empty


async def view(unit: Unit, team: Team, day: date, payload: dict[str, Any]) -> DigestView:
    """What the digest of a local day says, as the database stands now."""
    scope = Scope(frozenset({team}))
    stale = unit.now - unit.policy.stale_after
    present = await people.responsible(unit, team)
    untouched = await _lines(unit, scope, tickets.untouched(stale), col(Ticket.opened_at).asc())
    waiting = await _lines(unit, scope, tickets.with_status(Status.WAITING), col(Ticket.waiting_since).asc())
    gone = and_(col(Ticket.assignee).is_not(None), col(Ticket.assignee).not_in(present))
    left = and_(tickets.with_status(Status.OPEN, Status.IN_PROGRESS), gone)
    idle = or_(and_(tickets.with_status(Status.IN_PROGRESS), col(Ticket.changed_at) < stale), left)
    idle_lines = await _lines(unit, scope, idle, col(Ticket.changed_at).asc())
    start, end = _yesterday(day, ZoneInfo(payload["zone"]))
    return DigestView(
        team=team,
        day=day,
        untouched=untouched[0],
        untouched_total=untouched[1],
        waiting=waiting[0],
        waiting_total=waiting[1],
        idle=idle_lines[0],
        idle_total=idle_lines[1],
        left=frozenset(
            line.number for line in idle_lines[0] if line.assignee and line.assignee.user_id not in present
        ),
        opened_yesterday=await _count(unit, team, start, end, col(HistoryEntry.action) == Action.OPEN.value),
        closed_yesterday=await _count(unit, team, start, end, col(HistoryEntry.action) == Action.CLOSE.value),
        spam_messages=await _count(
            unit,
            team,
            start,
            end,
            and_(
                col(HistoryEntry.action) == Action.MESSAGE.value,
                col(HistoryEntry.to_status) == Status.SPAM.value,
            ),
        ),
        stale_days=unit.policy.stale_after.days,
    )


async def _lines(
    unit: Unit, scope: Scope, condition: ColumnElement[bool], order: ColumnElement[Any]
) -> tuple[tuple[LineView, ...], int]:
    rows, total = await tickets.page(unit.session, and_(tickets.in_scope(scope), condition), order, LINES)
    return await lists.line_views(unit, rows), total


def _yesterday(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The local day before, in UTC; 23 or 25 hours long when the clocks change."""
    start = datetime.combine(day - timedelta(days=1), time(), zone).astimezone(UTC)
    return start, datetime.combine(day, time(), zone).astimezone(UTC)


async def _count(unit: Unit, team: Team, start: datetime, end: datetime, what: ColumnElement[bool]) -> int:
    rows = await unit.session.exec(
        select(func.count(col(HistoryEntry.number).distinct()))
        .join(Ticket, col(Ticket.number) == col(HistoryEntry.number))
        .where(
            tickets.in_scope(Scope(frozenset({team}))),
            col(HistoryEntry.at) >= start,
            col(HistoryEntry.at) < end,
            what,
        )
    )
    return rows.one()
