"""How a team does, in words: as an answer by itself, or as the description of the picture."""

import math
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from bot.domain.marks import N_
from bot.domain.words import Team
from bot.presentation.document import (
    Block,
    Bold,
    BulletList,
    Inline,
    Sections,
    Table,
    Text,
    joined,
    paragraph,
    sentence,
)
from bot.presentation.message import Message, fit
from bot.presentation.world import Setting
from bot.services.views import Numbers, StatsView

AGE_WORDS: Final = (N_("under 2 weeks"), N_("2 to 4 weeks"), N_("1 to 3 months"), N_("over 3 months"))
_HOURS: Final = 48
"""Up to so many, hours tell more than days."""


def render_stats(view: StatsView, setting: Setting) -> Message:
    """All numbers as text."""
    if view.together.empty:
        return _nothing(view, setting)
    weeks = tuple(
        (
            Text(_week(monday, view, setting)),
            Text(opened_words(opened, setting)),
            Text(closed_words(closed, setting)),
        )
        for monday, opened, closed in zip(
            view.mondays, view.together.opened, view.together.closed, strict=True
        )
    )
    blocks: list[Block] = [
        paragraph(_head(view, setting), *_summary(view.together, setting)),
        Table(weeks, setting.language.more),
    ]
    if len(view.teams) > 1:
        teams = tuple(
            (paragraph(Bold(_name(team, setting)), *_summary(numbers, setting), *_series(numbers, setting)),)
            for team, numbers in view.teams
        )
        heading = paragraph(Bold(Text(setting.language.gettext("Team by team"))))
        blocks += [heading, Sections(teams, setting.language.more)]
    return fit(tuple(blocks), notice=True)


def _week(monday: date, view: StatsView, setting: Setting) -> str:
    day = setting.language.date(monday, year=False)
    unfinished = setting.language.gettext("this week so far")
    return f"{day} ({unfinished})" if monday == view.mondays[-1] else day


def render_caption(view: StatsView, setting: Setting) -> Message:
    """The picture in words, for those who do not see it: short, as clients show it below the picture."""
    hint = sentence(
        setting.language.gettext("All numbers as text: {command}"), command=setting.command("stats --text")
    )
    whole = paragraph(
        _head(view, setting), *_summary(view.together, setting), *_series(view.together, setting)
    )
    if len(view.teams) == 1:
        return fit((whole, paragraph(hint)), notice=True)
    teams = tuple(
        joined(": ", [_name(team, setting), Text(_in_short(numbers, setting))])
        for team, numbers in view.teams
    )
    return fit((whole, BulletList(teams, setting.language.more), paragraph(hint)), notice=True)


def _nothing(view: StatsView, setting: Setting) -> Message:
    """No numbers, no picture: a sentence."""
    text = setting.language.gettext("{team}: no tickets in the last {weeks} weeks, and none waiting. 🌱")
    return fit((paragraph(sentence(text, team=title(view, setting), weeks=len(view.mondays))),), notice=True)


def title(view: StatsView, setting: Setting) -> str:
    """Whose numbers these are."""
    if len(view.teams) == 1:
        return setting.team(view.teams[0][0])
    gettext = setting.language.gettext
    return gettext("All teams") if view.everything else gettext("Your teams")


def period(view: StatsView, setting: Setting) -> str:
    """The weeks, and how far the last one has got."""
    day = setting.language.date
    return setting.language.gettext("{weeks} weeks: {first} to {last}").format(
        weeks=len(view.mondays), first=day(view.mondays[0], year=False), last=day(view.today)
    )


def balance(numbers: Numbers, setting: Setting) -> str:
    """The finding of the weeks: whether what comes in is also closed."""
    gettext, arrived, done = setting.language.gettext, numbers.arrived, numbers.done
    if not arrived and not done:
        return gettext("Nothing came in, nothing was closed")
    if abs(arrived - done) <= max(arrived, done) * 0.05:
        return gettext("About as much closed as came in")
    if arrived > done:
        return gettext("More came in than was closed")
    return gettext("More was closed than came in")


def waits(numbers: Numbers, setting: Setting) -> str:
    """The finding of the waiting list: how many, and how many too long."""
    language, count, old = setting.language, numbers.on_waiting, numbers.waiting[-1]
    if not count:
        return language.gettext("The waiting list is empty")
    waiting = language.ngettext("{count} waiting", "{count} waiting", count).format(count=count)
    if not old:
        return language.gettext("{waiting}, none over 3 months").format(waiting=waiting)
    return language.gettext("{waiting}, {old} over 3 months").format(waiting=waiting, old=old)


def longest(numbers: Numbers, setting: Setting) -> str:
    """How long the first of the waiting list has waited."""
    language = setting.language
    return language.gettext("The first of them has waited {age}").format(
        age=language.lasting(numbers.longest)
    )


def took(span_: timedelta, setting: Setting) -> str:
    """How long it takes, so that half of the tickets took less."""
    ngettext = setting.language.ngettext
    hours = max(1, math.ceil(span_ / timedelta(hours=1)))
    if hours <= _HOURS:
        text = ngettext(
            "Half of them were closed within {count} hour",
            "Half of them were closed within {count} hours",
            hours,
        )
        return text.format(count=hours)
    days = math.ceil(span_ / timedelta(days=1))
    text = ngettext(
        "Half of them were closed within {count} day", "Half of them were closed within {count} days", days
    )
    return text.format(count=days)


def without_spam(count: int, setting: Setting) -> str:
    """What is in none of the numbers."""
    text = setting.language.ngettext(
        "{count} spam ticket is not counted", "{count} spam tickets are not counted", count
    )
    return text.format(count=count)


def opened_words(count: int, setting: Setting) -> str:
    """How many came in."""
    return setting.language.ngettext("{count} new", "{count} new", count).format(count=count)


def closed_words(count: int, setting: Setting) -> str:
    """How many were closed."""
    return setting.language.ngettext("{count} closed", "{count} closed", count).format(count=count)


def counted(opened: int, closed: int, setting: Setting) -> str:
    """How many came in and were closed."""
    return f"{opened_words(opened, setting)}, {closed_words(closed, setting)}"


def under_way(opened: int, in_progress: int, setting: Setting) -> str:
    """What could be worked on, and what is."""
    text = setting.language.gettext("{open} open, {in_progress} in progress")
    return text.format(open=opened, in_progress=in_progress)


def _name(team: Team, setting: Setting) -> Inline:
    return joined("", [setting.team(team)])


def _head(view: StatsView, setting: Setting) -> Inline:
    return Bold(joined(" · ", [title(view, setting), Text(period(view, setting))]))


def _summary(numbers: Numbers, setting: Setting) -> Iterable[Inline]:
    """What the picture shows at first sight, a line each."""
    gettext = setting.language.gettext
    yield Text(f"{balance(numbers, setting)}: {counted(numbers.arrived, numbers.done, setting)}.")
    if numbers.took is not None:
        yield Text(f"{took(numbers.took, setting)}.")
    now = gettext("Now: {what}.")
    yield Text(now.format(what=under_way(numbers.open, numbers.in_progress, setting)))
    yield Text(f"{waits(numbers, setting)}.")
    if numbers.on_waiting:
        ages = (
            f"{gettext(words)}: {count}"
            for words, count in zip(AGE_WORDS, numbers.waiting, strict=True)
            if count
        )
        yield Text(f"{longest(numbers, setting)} ({', '.join(ages)}).")
    if numbers.spam:
        yield Text(f"{without_spam(numbers.spam, setting)}.")


def _series(numbers: Numbers, setting: Setting) -> Iterable[Inline]:
    """All weeks in two lines; the last one is not over."""
    gettext = setting.language.gettext
    so_far = gettext("this week so far")
    for text, counts in (
        (gettext("New per week: {counts}"), numbers.opened),
        (gettext("Closed per week: {counts}"), numbers.closed),
    ):
        yield Text(text.format(counts=f"{', '.join(map(str, counts))} ({so_far})"))


def _in_short(numbers: Numbers, setting: Setting) -> str:
    """A team in one line."""
    waiting = setting.language.gettext("{count} on the waiting list").format(count=numbers.on_waiting)
    came = counted(numbers.arrived, numbers.done, setting)
    return ", ".join([came, under_way(numbers.open, numbers.in_progress, setting), waiting])
