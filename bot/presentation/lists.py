"""Lists of tickets: short lines that a phone shows whole."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from bot.domain.marks import N_
from bot.domain.words import Status
from bot.presentation.cards import SUBJECT_LIMIT
from bot.presentation.document import Bold, BulletList, Inline, Text, joined, paragraph
from bot.presentation.message import Message, fit
from bot.presentation.outside import clip
from bot.presentation.world import Setting, card_link, pill
from bot.services.views import LineView, ListView

_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {"open": N_("Open tickets"), "mine": N_("Your tickets"), "waitlist": N_("Waiting list")}
)
_EMPTY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "open": N_("No open tickets: everything is done. 🎉"),
        "mine": N_("You have no tickets at the moment."),
        "waitlist": N_("The waiting list is empty. 🎉"),
    }
)


def render_list(view: ListView, setting: Setting, now: datetime) -> Message:
    """A list, or a friendly sentence if there is nothing on it."""
    gettext = setting.language.gettext
    if not view.total:
        return fit((paragraph(Text(gettext(_EMPTY[view.kind]))),), notice=True)
    items = tuple(
        _line(line, setting, now, team=view.show_team, mine=view.kind == "mine") for line in view.lines
    )
    title = Bold(Text(f"{gettext(_TITLES[view.kind])} ({view.total})"))
    hidden = view.total - len(items)
    return fit((paragraph(title), BulletList(items, setting.language.more, hidden)), notice=True)


def _line(line: LineView, setting: Setting, now: datetime, *, team: bool, mine: bool = False) -> Inline:
    """Emoji and number, subject, who has it or for how long it waits, what for."""
    language = setting.language
    parts: list[Inline | str] = [_number(line, setting), clip(line.subject, SUBJECT_LIMIT)]
    if team:
        parts.append(setting.team(line.team))
    if line.assignee is not None and not mine:
        parts.append(pill(line.assignee))
    if line.status is Status.WAITING and line.waiting_since is not None:
        parts.append(Text(language.age(line.waiting_since, now)))
        if line.need:
            parts.append(clip(line.need, SUBJECT_LIMIT))
    elif line.assignee is None:
        parts.append(Text(language.age(line.opened_at, now)))
    return joined(" · ", parts)


def _number(line: LineView, setting: Setting) -> Inline:
    link = card_link(line.number, line.card_room, line.card_event)
    return joined(" ", [setting.mark(line.status), link])
