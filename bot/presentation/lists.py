"""Lists of tickets and the daily digest: short lines that a phone shows whole."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Final

from bot.domain.marks import N_
from bot.domain.words import Status
from bot.presentation.cards import SUBJECT_LIMIT
from bot.presentation.document import (
    Block,
    Bold,
    BulletList,
    Document,
    Inline,
    Text,
    joined,
    paragraph,
    sentence,
)
from bot.presentation.message import Message, fit
from bot.presentation.outside import clip
from bot.presentation.world import Setting, card_link, pill
from bot.services.views import DigestView, LineView, ListView

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
    return fit(list_document(view, setting, now), notice=True)


def list_document(view: ListView, setting: Setting, now: datetime) -> Document:
    """A list as part of a message."""
    gettext = setting.language.gettext
    if not view.total:
        return (paragraph(Text(gettext(_EMPTY[view.kind]))),)
    items = tuple(
        _line(line, setting, now, team=view.show_team, mine=view.kind == "mine") for line in view.lines
    )
    title = Bold(Text(f"{gettext(_TITLES[view.kind])} ({view.total})"))
    hidden = view.total - len(items)
    return (paragraph(title), BulletList(items, setting.language.more, hidden))


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


def render_digest(view: DigestView, setting: Setting) -> Message:
    """A team's day: what nobody took, the waiting list, what stands still, and yesterday's numbers."""
    language = setting.language
    title = language.gettext("☀️ {team}, {date}")
    blocks: list[Block] = [
        paragraph(Bold(sentence(title, team=setting.team(view.team), date=Text(language.date(view.day)))))
    ]
    untouched = language.ngettext(
        "Nobody has taken these for {count} day", "Nobody has taken these for {count} days", view.stale_days
    ).format(count=view.stale_days)
    idle = language.gettext("In progress, but standing still")
    waiting = language.gettext("Waiting list")
    noon = _start_of(view.day, setting)
    for heading, lines, total, row in (
        (untouched, view.untouched, view.untouched_total, _plain_row(setting, noon)),
        (waiting, view.waiting, view.waiting_total, _plain_row(setting, noon)),
        (idle, view.idle, view.idle_total, _idle_row(view, setting)),
    ):
        if total:
            items = tuple(map(row, lines))
            blocks += [
                paragraph(Bold(Text(f"{heading} ({total})"))),
                BulletList(items, language.more, total - len(items)),
            ]
    return fit((*blocks, *_yesterday(view, setting)), notice=True)


def _start_of(day: date, setting: Setting) -> datetime:
    """A digest sent late tells the same ages: they are counted to the end of its day."""
    return datetime.combine(day, time.max, tzinfo=setting.zone)


def _plain_row(setting: Setting, now: datetime) -> Callable[[LineView], Inline]:
    return lambda line: _line(line, setting, now, team=False)


def _idle_row(view: DigestView, setting: Setting) -> Callable[[LineView], Inline]:
    """In progress without activity: since when, or that the person left."""
    gettext = setting.language.gettext

    def row(line: LineView) -> Inline:
        parts: list[Inline | str] = [_number(line, setting), clip(line.subject, SUBJECT_LIMIT)]
        if line.assignee is not None:
            parts.append(pill(line.assignee))
        if line.number in view.left:
            parts.append(Text(gettext("is no longer in the team")))
        else:
            since = setting.language.date(line.changed_at.astimezone(setting.zone).date())
            parts.append(sentence(gettext("nothing since {date}"), date=Text(since)))
        return joined(" · ", parts)

    return row


def _yesterday(view: DigestView, setting: Setting) -> list[Block]:
    ngettext = setting.language.ngettext
    counts = (
        (view.opened_yesterday, ngettext("{count} new", "{count} new", view.opened_yesterday)),
        (view.closed_yesterday, ngettext("{count} closed", "{count} closed", view.closed_yesterday)),
        (
            view.spam_messages,
            ngettext(
                "{count} message on spam tickets", "{count} messages on spam tickets", view.spam_messages
            ),
        ),
    )
    told = ", ".join(text.format(count=count) for count, text in counts if count)
    if not told:
        return []
    return [paragraph(sentence(setting.language.gettext("Yesterday: {counts}"), counts=Text(told)))]
