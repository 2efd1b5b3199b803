"""How a team does, as what the drawing process is to draw."""

from collections.abc import Sequence
from typing import Final

from bot.charts.picture import Ages, Picture, Row, Teams, Tile, Weeks
from bot.domain.words import Status, Team
from bot.presentation import stats
from bot.presentation.world import Setting
from bot.services.views import Numbers, StatsView

ROWS: Final = 8
"""More teams would make the picture longer than a phone; the last line counts those that are left then."""


def picture_of(view: StatsView, setting: Setting) -> Picture:
    """The numbers, with all words in the room's language."""
    whole = view.together
    return Picture(
        title=stats.title(view, setting),
        title_key=view.teams[0][0] or "" if len(view.teams) == 1 else "",
        period=stats.period(view, setting),
        tiles=(
            Tile(str(whole.open), setting.status(Status.OPEN).text),
            Tile(str(whole.in_progress), setting.status(Status.IN_PROGRESS).text),
            Tile(str(whole.on_waiting), setting.status(Status.WAITING).text),
        ),
        weeks=_weeks(view, setting),
        ages=_ages(whole, setting),
        teams=_teams(view, setting) if len(view.teams) > 1 else None,
    )


def _weeks(view: StatsView, setting: Setting) -> Weeks:
    whole = view.together
    notes = [stats.took(whole.took, setting)] if whole.took is not None else []
    notes += [stats.without_spam(whole.spam, setting)] if whole.spam else []
    return Weeks(
        finding=stats.balance(whole, setting),
        opened_words=stats.opened_words(whole.arrived, setting),
        closed_words=stats.closed_words(whole.done, setting),
        opened=whole.opened,
        closed=whole.closed,
        days=tuple(setting.language.date(monday, year=False) for monday in view.mondays),
        unfinished=setting.language.gettext("this week so far"),
        notes=tuple(notes),
    )


def _ages(numbers: Numbers, setting: Setting) -> Ages:
    return Ages(
        finding=stats.waits(numbers, setting),
        words=tuple(map(setting.language.gettext, stats.AGE_WORDS)),
        counts=numbers.waiting,
        notes=(stats.longest(numbers, setting),) if numbers.on_waiting else (),
    )


def _teams(view: StatsView, setting: Setting) -> Teams:
    """Longest waiting list first."""
    gettext = setting.language.gettext
    ordered = sorted(view.teams, key=lambda each: (-each[1].on_waiting, -each[1].arrived))
    shown = ordered if len(ordered) <= ROWS else ordered[: ROWS - 1]
    return Teams(
        _longest_list(ordered, setting),
        gettext("Team by team"),
        gettext("New and closed"),
        gettext("Waiting list"),
        tuple(_row(team, numbers, setting) for team, numbers in shown),
        _more([numbers for _, numbers in ordered[len(shown) :]], setting),
    )


def _longest_list(ordered: Sequence[tuple[Team, Numbers]], setting: Setting) -> str:
    """The finding, if one team stands out."""
    first, second = ordered[:2]
    if first[1].on_waiting == second[1].on_waiting:
        return setting.language.gettext("Team by team")
    return setting.language.gettext("Most are waiting in {team}").format(team=setting.team(first[0]))


def _row(team: Team, numbers: Numbers, setting: Setting) -> Row:
    name = setting.team(team)
    return Row(name, team or name, numbers.opened, numbers.closed, numbers.waiting)


def _more(rest: Sequence[Numbers], setting: Setting) -> str:
    """Those for whom there is no room."""
    if not rest:
        return ""
    text = setting.language.gettext("… and {count} more teams, with {waiting} waiting")
    return text.format(count=len(rest), waiting=sum(numbers.on_waiting for numbers in rest))
