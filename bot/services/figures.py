"""How the bot stands, in numbers: queues, tickets, rooms, digests. Nobody's data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.domain.words import TRIAGE, Scope, Status, Team
from bot.services.unit import Unit
from storage import digests, queues, rooms, schema, statistics
from storage.outbox import Channel, Kind

KINDS: Final = tuple(kind.value for kind in Kind)
SORTS: Final = tuple(
    ((Channel.EMAIL if kind is Kind.MAIL else Channel.MATRIX).value, kind.value) for kind in Kind
)
"""Channel and kind of all rows that there may be."""

Counts = Mapping[tuple[Team, Status], int]


@dataclass(frozen=True, slots=True)
class Queue:
    """How many wait, and for how many seconds the oldest."""

    rows: int = 0
    oldest: float = 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What the database tells of the bot's work."""

    due: Mapping[tuple[str, str], Queue]
    """Channel and kind of outbox rows → those that are due and not sent."""
    held: Mapping[tuple[str, str], int]
    set_aside: Mapping[tuple[str, str], int]
    inbox: Queue
    teams: tuple[Team, ...]
    tickets: Counts
    rooms: Mapping[str, bool]
    """Key of a configured room → whether the bot can use it."""
    digests: Mapping[str, datetime]
    """Key of a room → when its last digest was written."""
    schema: str | None


def figures(unit: Unit, over: Counts) -> Figures:
    """The figures of this moment. ``over`` are those of :func:`over`, which may be older."""
    session, now = unit.session, unit.now
    teams = (*unit.policy.teams, TRIAGE)
    waiting, first = queues.unhandled(session)
    keys = rooms.states(session)
    return Figures(
        due={
            sort: Queue(count, _seconds(now, since))
            for sort, (count, since) in queues.due(session, now).items()
        },
        held=queues.held(session),
        set_aside=queues.set_aside(session),
        inbox=Queue(waiting, _seconds(now, first)),
        teams=teams,
        tickets={**over, **statistics.standing(session, Scope(frozenset(teams)))},
        rooms={key: not problems for key, problems in keys.items()},
        digests=digests.last_sent(session, keys),
        schema=schema.revision_in(session),
    )


def over(unit: Unit) -> Counts:
    """How many tickets of each team are over, by status: most of all there are, so not to be asked often."""
    return statistics.over(unit.session, (*unit.policy.teams, TRIAGE))


def _seconds(now: datetime, since: datetime | None) -> float:
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0
