"""Numbers for the tests of texts and pictures."""

from datetime import date, timedelta
from typing import Any, Final

from bot.domain.weeks import Weeks
from bot.domain.words import Team
from bot.services.views import Numbers, StatsView

TODAY: Final = date(2026, 11, 25)


def numbers(**changes: Any) -> Numbers:
    """A team's twelve weeks."""
    usual: dict[str, Any] = {
        "opened": (3, 5, 2, 6, 4, 1, 3, 7, 5, 4, 6, 2),
        "closed": (2, 3, 4, 2, 5, 3, 2, 3, 6, 4, 3, 1),
        "done": 37,
        "took": timedelta(days=10, hours=2),
        "open": 5,
        "in_progress": 4,
        "waiting": (5, 3, 7, 2),
        "longest": timedelta(days=134),
        "spam": 3,
    }
    return Numbers(**{**usual, **changes})


NOTHING: Final = numbers(
    opened=(0,) * 12, closed=(0,) * 12, done=0, took=None, open=0, in_progress=0, waiting=(0,) * 4,
    longest=timedelta(), spam=0,
)  # fmt: skip


def stats(*teams: Team, together: Numbers | None = None, **each: Numbers) -> StatsView:
    """Teams with the usual numbers, and others with theirs."""
    found: dict[Team, Numbers] = {team: numbers() for team in teams}
    found.update(each)
    whole = together or next(iter(found.values()))
    mondays = Weeks.until(TODAY, 12).mondays
    return StatsView(mondays, TODAY, whole, tuple(found.items()), everything=len(found) > 1, picture=True)
