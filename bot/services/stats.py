"""How a team does: what came in and was done per week, and what waits. Counts only, nobody's data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from typing import Final

from bot.domain.weeks import Weeks
from bot.domain.words import TRIAGE, Action, Scope, Status, Team
from bot.services.people import Place
from bot.services.unit import Policy, Unit
from bot.services.views import Numbers, StatsView
from storage import statistics
from storage.statistics import Step

WEEKS: Final = 12
AGES: Final = (timedelta(weeks=2), timedelta(weeks=4), timedelta(weeks=13))
"""Limits between the ages of the waiting list."""


def stats_view(unit: Unit, place: Place, *, picture: bool) -> StatsView:
    """The numbers of all teams whose tickets the room may show, each by itself and together.

    A ticket counts for the team that it is in now, as in the digest, and in the weeks of that team's time
    zone. Spam is no work that came in and none that was done: it is left out, and counted by itself.
    """
    policy, scope = unit.policy, place.scope
    today = unit.now.astimezone(policy.zone_of(place.team)).date()
    weeks = Weeks.until(today, WEEKS)
    start = min(weeks.begin(policy.zone_of(team)) for team in (place.team, *policy.teams))
    steps = statistics.steps_since(unit.session, scope, start)
    tallies = {team: _Tally(weeks) for team in _teams(policy, scope)}
    for step in steps:
        tallies.setdefault(step[0], _Tally(weeks)).add(step, policy)
    for (team, status), count in statistics.standing(unit.session, scope).items():
        tallies.setdefault(team, _Tally(weeks)).standing[status] = count
    for team, age, count, since in statistics.waiting(unit.session, scope, unit.now, AGES):
        tally = tallies[team]
        tally.waiting[age] = count
        tally.longest = max(tally.longest, unit.now - since)
    return StatsView(
        mondays=weeks.mondays,
        today=today,
        together=_numbers(weeks, tallies.values()),
        teams=tuple((team, _numbers(weeks, [tally])) for team, tally in tallies.items()),
        everything=scope.everything,
        picture=picture,
    )


def _teams(policy: Policy, scope: Scope) -> Sequence[Team]:
    """Those of the config that the room may show; triage last."""
    return [team for team in (*policy.teams, TRIAGE) if scope.shows(team)]


@dataclass(slots=True)
class _Tally:
    """What is counted for one team."""

    weeks: Weeks
    opened: list[int] = field(init=False)
    closings: dict[int, list[tuple[int, timedelta]]] = field(default_factory=dict)
    """Of each ticket, in which week and how long after it was opened."""
    spam: int = 0
    standing: dict[Status, int] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=lambda: [0] * (len(AGES) + 1))
    longest: timedelta = timedelta()

    def __post_init__(self) -> None:
        self.opened = [0] * self.weeks.count

    def add(self, step: Step, policy: Policy) -> None:
        """Count a step of a ticket, if it falls in the weeks."""
        team, number, at, action, opened_at, spam = step
        week = self.weeks.index(at, policy.zone_of(team))
        if week is None:
            return
        if spam:
            self.spam += action == Action.OPEN
        elif action == Action.OPEN:
            self.opened[week] += 1
        elif action == Action.UNDO:
            # A slip of the finger is nothing that was done.
            del self.closings.get(number, [])[-1:]
        else:
            self.closings.setdefault(number, []).append((week, at - opened_at))

    @property
    def closed(self) -> list[int]:
        """Tickets per week; one that was closed twice in a week counts once."""
        counts = [0] * self.weeks.count
        for each in self.closings.values():
            for week in {week for week, _ in each}:
                counts[week] += 1
        return counts

    @property
    def times(self) -> list[timedelta]:
        """From opening to the last closing."""
        return [each[-1][1] for each in self.closings.values() if each]


def _numbers(weeks: Weeks, tallies: Iterable[_Tally]) -> Numbers:
    """Several teams' tallies as one."""
    several = list(tallies)
    times = [time for tally in several for time in tally.times]
    return Numbers(
        opened=_sums([tally.opened for tally in several], weeks.count),
        closed=_sums([tally.closed for tally in several], weeks.count),
        done=len(times),
        took=timedelta(seconds=median(time.total_seconds() for time in times)) if times else None,
        open=sum(tally.standing.get(Status.OPEN, 0) for tally in several),
        in_progress=sum(tally.standing.get(Status.IN_PROGRESS, 0) for tally in several),
        waiting=_sums([tally.waiting for tally in several], len(AGES) + 1),
        longest=max((tally.longest for tally in several), default=timedelta()),
        spam=sum(tally.spam for tally in several),
    )


def _sums(rows: Sequence[Sequence[int]], width: int) -> tuple[int, ...]:
    return tuple(sum(row[index] for row in rows) for index in range(width))
