"""Lists of tickets: short lines that a phone shows whole."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from bot.domain.marks import N_
from bot.domain.words import State, Status, statuses_of
from bot.presentation.cards import SUBJECT_LIMIT
from bot.presentation.document import (
    Block,
    BulletList,
    Document,
    Inline,
    Italic,
    Text,
    joined,
    paragraph,
    sentence,
)
from bot.presentation.message import Message, fit
from bot.presentation.outside import clip
from bot.presentation.pages import next_page, past_the_end, titled
from bot.presentation.world import Setting, card_link, line_number, pill
from bot.services.list_views import ListKind, ListView
from bot.services.views import LineView

_UNDER_WAY: Final = statuses_of(State.OPEN)
_TITLES: Final[Mapping[ListKind, str]] = MappingProxyType(
    {
        ListKind.OPEN: N_("Open tickets"),
        ListKind.MINE: N_("Your tickets"),
        ListKind.WAITING: N_("Waiting list"),
        ListKind.ALL: N_("All tickets, the newest first"),
        ListKind.ALL_MINE: N_("All of your tickets, the newest first"),
    }
)
_EMPTY: Final[Mapping[ListKind, str]] = MappingProxyType(
    {
        ListKind.OPEN: N_("No open tickets: everything is done. 🎉"),
        ListKind.MINE: N_("You have no tickets at the moment."),
        ListKind.WAITING: N_("The waiting list is empty. 🎉"),
        ListKind.ALL: N_("There are no tickets yet."),
        ListKind.ALL_MINE: N_("You have had no tickets yet."),
    }
)


def render_list(view: ListView, setting: Setting, now: datetime) -> Message:
    """A page of a list, or a friendly sentence if there is nothing on it."""
    return fit(list_document(view, setting, now), notice=True)


def list_document(view: ListView, setting: Setting, now: datetime) -> Document:
    """A list as part of a message."""
    if not view.lines:
        return (_empty(view, setting),)
    waiting = view.kind is ListKind.WAITING
    row = _waiting_row if waiting else _row
    rows = tuple(row(line, view, setting, now) for line in view.lines)
    title = titled(_question(view, setting), view, len(rows), setting)
    listed = BulletList(rows, setting.language.more, start=view.before + 1 if waiting else None)
    return (paragraph(title), listed, *next_page(view, setting))


def _empty(view: ListView, setting: Setting) -> Block:
    gettext = setting.language.gettext
    if view.before:
        return past_the_end(setting)
    if view.topic is not None or view.age is not None:
        asked = _question(view, setting)
        return paragraph(sentence(gettext("{list}: nothing there at the moment."), list=asked))
    return paragraph(Text(gettext(_EMPTY[view.kind])))


def _question(view: ListView, setting: Setting) -> Inline:
    """Which question the list answers."""
    language = setting.language
    parts: list[Inline | str] = [Text(language.gettext(_TITLES[view.kind]))]
    if view.topic is not None:
        parts.append(setting.topic(view.topic))
    if view.age is not None:
        since = (
            language.ngettext("for at least {count} day", "for at least {count} days", view.age)
            if view.kind is ListKind.WAITING
            else language.ngettext(
                "untouched for at least {count} day", "untouched for at least {count} days", view.age
            )
        )
        parts.append(Text(since.format(count=view.age)))
    return joined(" · ", parts)


def _row(line: LineView, view: ListView, setting: Setting, now: datetime) -> Inline:
    """Number; what it is about; who has it or since when nobody does."""
    about = _about(line, setting, team=view.show_team)
    return joined(" · ", [line_number(line, setting), *about, *_standing(line, view, setting, now)])


def _standing(line: LineView, view: ListView, setting: Setting, now: datetime) -> list[Inline]:
    language = setting.language
    done = line.status not in _UNDER_WAY
    quiet = view.age is not None or view.kind.own or done
    parts: list[Inline] = []
    if line.assignee is not None and not view.kind.own:
        parts.append(pill(line.assignee))
    if quiet:
        last = Text(_day(line.changed_at, setting, now))
        parts.append(Italic(sentence(language.gettext("last changed {date}"), date=last)))
    elif line.assignee is None:
        waits = line.waiting_since if line.status is Status.WAITING else None
        parts.append(Italic(Text(language.age(waits or line.opened_at, now))))
    return parts


def _waiting_row(line: LineView, view: ListView, setting: Setting, now: datetime) -> Inline:
    """Number; what it is about and what it needs; since when it waits. Its place stands before it."""
    number = card_link(line.number, line.card_room, line.card_event)
    since = line.waiting_since or line.changed_at
    waits = setting.language.age(since, now)
    if now - since >= timedelta(days=1):
        waits = f"{waits} ({_day(since, setting, now)})"
    return joined(" · ", [number, *_about(line, setting, team=view.show_team), Italic(Text(waits))])


def _about(line: LineView, setting: Setting, *, team: bool) -> list[Inline | str]:
    parts: list[Inline | str] = [clip(line.subject, SUBJECT_LIMIT)]
    if team:
        parts.append(setting.team(line.team))
    if line.status is Status.WAITING and line.need:
        need = setting.language.gettext("Needed: {need}")
        parts.append(sentence(need, need=clip(line.need, SUBJECT_LIMIT)))
    return parts


def _day(moment: datetime, setting: Setting, now: datetime) -> str:
    """The day where the readers are; of this year without the year."""
    day, today = moment.astimezone(setting.zone).date(), now.astimezone(setting.zone).date()
    return setting.language.date(day, year=day.year != today.year)
