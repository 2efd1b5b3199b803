"""The daily digest of a team's room."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col

from bot.domain.words import Action, Scope, Status, Team
from bot.services import lists, people
from bot.services.unit import Unit, room_key
from bot.services.views import DigestView, LineView, Person
from storage import digests, outbox, tickets
from storage.models import DigestMark, Ticket
from storage.outbox import Kind, Priority

LINES: Final = 7
"""Lines of each group: a digest is read on a phone; the lists' commands show the rest."""
THANKED: Final = 8
"""People whom it thanks by name."""


def send_digest(unit: Unit, team: Team, day: date, zone: ZoneInfo) -> bool:
    """Write a team's digest of a local day into the outbox, unless that day has had its own.

    The mark and the row are one commit: at most once per day, whatever restarts and the clock do.
    """
    if unit.session.get(DigestMark, (room_key(team), day)) is not None:
        return False
    payload = {"what": "digest", "team": team, "day": day.isoformat(), "zone": zone.key}
    found = view(unit, team, day, payload)
    unit.session.add(DigestMark(key=room_key(team), day=day, sent=not found.empty, at=unit.now))
    unit.session.flush()
    if not found.empty:
        outbox.put(
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


def view(unit: Unit, team: Team, day: date, payload: dict[str, Any]) -> DigestView:
    """What the digest of a local day says, as the database stands now."""
    scope = Scope(frozenset({team}))
    stale = unit.now - unit.policy.stale_after
    present = people.responsible(unit, team)
    untouched = _lines(unit, scope, tickets.untouched(stale), col(Ticket.opened_at).asc())
    waiting = _lines(unit, scope, tickets.with_status(Status.WAITING), col(Ticket.waiting_since).asc())
    gone = and_(col(Ticket.assignee).is_not(None), col(Ticket.assignee).not_in(present))
    stands = and_(tickets.with_status(Status.IN_PROGRESS), col(Ticket.changed_at) < stale)
    # The statuses outside of the "or": SQLite uses no index for what stands in it.
    idle = and_(tickets.with_status(Status.OPEN, Status.IN_PROGRESS), or_(stands, gone))
    idle_lines = _lines(unit, scope, idle, col(Ticket.changed_at).asc())
    first = _first_day(unit, team, day)
    news = _news(unit, team, digests.Period(*_span(first, day, ZoneInfo(payload["zone"]))))
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
        since=first if first != day - timedelta(days=1) else None,
        opened=news.opened,
        closed=news.closed,
        spam_messages=news.spam_messages,
        muted_messages=news.muted_messages,
        thanks=news.thanks[:THANKED],
        thanks_hidden=max(0, len(news.thanks) - THANKED),
        stale_days=unit.policy.stale_after.days,
    )


def _lines(
    unit: Unit, scope: Scope, condition: ColumnElement[bool], order: ColumnElement[Any]
) -> tuple[tuple[LineView, ...], int]:
    rows, total = tickets.page(unit.session, and_(tickets.in_scope(scope), condition), order, LINES)
    return lists.line_views(unit, rows), total


def _first_day(unit: Unit, team: Team, day: date) -> date:
    """The first day that no digest has told of: on a Monday after a free weekend, the last Friday."""
    last = digests.last_day_before(unit.session, room_key(team), day)
    return last or day - timedelta(days=1)


def _span(first: date, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the begin of a local day to that of another, in UTC; days may have 23 or 25 hours."""
    start = datetime.combine(first, time(), zone).astimezone(UTC)
    return start, datetime.combine(day, time(), zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class _News:
    """What happened since the digest before."""

    opened: int
    closed: int
    spam_messages: int
    muted_messages: int
    thanks: tuple[tuple[Person, int], ...]


def _news(unit: Unit, team: Team, period: digests.Period) -> _News:
    scope = tickets.belongs(Scope(frozenset({team})))
    closers = digests.closers(unit.session, scope, period)
    thanked: list[tuple[Person, int]] = []
    if team in unit.policy.thankful:
        thanked = [
            (people.person(unit, user_id, team), count) for user_id, count in closers if user_id is not None
        ]
    return _News(
        opened=digests.count(unit.session, scope, period, Action.OPEN),
        closed=sum(count for _user_id, count in closers),
        spam_messages=digests.count(unit.session, scope, period, Action.MESSAGE, Status.SPAM),
        muted_messages=_muted_messages(unit, team, scope, period),
        thanks=tuple(sorted(thanked, key=lambda each: (-each[1], each[0].name.casefold()))),
    )


def _muted_messages(unit: Unit, team: Team, scope: ColumnElement[bool], period: digests.Period) -> int:
    """Messages that rang for nobody: all whom they were for had muted the ticket."""
    found = digests.messages_while_muted(unit.session, scope, period)
    rang_for_nobody = 0
    for each in found.values():
        meant = people.to_notify(unit, each.assignee, team) - each.author
        rang_for_nobody += bool(meant) and meant <= each.muted
    return rang_for_nobody
