"""The daily digest: short, grouped, and each group with the command that helps."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Final

from bot.presentation.cards import SUBJECT_LIMIT
from bot.presentation.document import (
    Block,
    Bold,
    BulletList,
    Inline,
    Text,
    Value,
    joined,
    paragraph,
    sentence,
    span,
)
from bot.presentation.message import Message, fit
from bot.presentation.outside import clip
from bot.presentation.world import Setting, line_number, pill
from bot.services.views import DigestView, LineView

_NAME_LIMIT: Final = 80

Row = Callable[[LineView], Inline]


def render_digest(view: DigestView, setting: Setting) -> Message:
    """A team's day: what nobody took, the waiting list, what stands still, and what was done before."""
    return fit(
        (
            paragraph(*_headline(view, setting)),
            *_untouched(view, setting),
            *_waiting(view, setting),
            *_idle(view, setting),
            *_before(view, setting),
        ),
        notice=True,
    )


def _headline(view: DigestView, setting: Setting) -> tuple[Inline, ...]:
    language = setting.language
    date = Text(language.date(view.day))
    title = sentence(language.gettext("☀️ {team}, {date}"), team=setting.team(view.team), date=date)
    needed = view.untouched_total + view.idle_total
    said = (
        language.ngettext(
            "{count} ticket would be glad of one of you.",
            "{count} tickets would be glad of one of you.",
            needed,
        ).format(count=needed)
        if needed
        else language.gettext("Nothing was left lying: thank you! 🎉")
    )
    return Bold(title), Text(said)


def _group(
    heading: str,
    lines: tuple[LineView, ...],
    total: int,
    row: Row,
    setting: Setting,
    *,
    hints: tuple[Inline, ...],
    rest: str,
) -> tuple[Block, ...]:
    """A group of lines with what helps them; ``rest`` is the command that lists those left out."""
    if not total:
        return ()

    def more(count: int) -> str:
        text = setting.language.ngettext(
            "… and {count} more: {command}", "… and {count} more: {command}", count
        )
        return text.format(count=count, command=setting.names.prefix + setting.command_name(rest))

    items = tuple(map(row, lines))
    head = paragraph(Bold(Text(f"{heading} ({total})")), *hints)
    return head, BulletList(items, more, total - len(items))


def _untouched(view: DigestView, setting: Setting) -> tuple[Block, ...]:
    language = setting.language
    heading = language.ngettext(
        "Nobody has taken these for {count} day", "Nobody has taken these for {count} days", view.stale_days
    ).format(count=view.stale_days)
    hints = _hint(language.gettext("Take one: {command}"), "take", view.untouched, setting)
    end = _end_of(view.day, setting)

    def row(line: LineView) -> Inline:
        return _line(line, setting, Text(language.age(line.opened_at, end)))

    return _group(heading, view.untouched, view.untouched_total, row, setting, hints=hints, rest="list")


def _waiting(view: DigestView, setting: Setting) -> tuple[Block, ...]:
    language = setting.language
    hints = _hint(language.gettext("Something fits? {command}"), "take", view.waiting, setting)
    end = _end_of(view.day, setting)

    def row(line: LineView) -> Inline:
        since = line.waiting_since or line.opened_at
        need = [clip(line.need, SUBJECT_LIMIT)] if line.need else []
        return _line(line, setting, Text(language.age(since, end)), *need)

    return _group(
        language.gettext("Waiting list"),
        view.waiting,
        view.waiting_total,
        row,
        setting,
        hints=hints,
        rest="waitlist",
    )


def _idle(view: DigestView, setting: Setting) -> tuple[Block, ...]:
    """In progress without activity: since when, or that the person left."""
    language = setting.language
    left = tuple(line for line in view.idle if line.number in view.left)
    still = tuple(line for line in view.idle if line.number not in view.left)
    hints = (
        *_hint(language.gettext("No time for it? {command}"), "release", still, setting),
        *_hint(language.gettext("Take one over: {command}"), "take --force", left, setting),
    )

    def row(line: LineView) -> Inline:
        who = [pill(line.assignee)] if line.assignee is not None else []
        if line.number in view.left:
            return _line(line, setting, *who, Text(language.gettext("is no longer in the team")))
        since = language.date(line.changed_at.astimezone(setting.zone).date())
        return _line(
            line, setting, *who, sentence(language.gettext("nothing since {date}"), date=Text(since))
        )

    return _group(
        language.gettext("In progress, but standing still"),
        view.idle,
        view.idle_total,
        row,
        setting,
        hints=hints,
        rest="list",
    )


def _hint(text: str, command: str, lines: tuple[LineView, ...], setting: Setting) -> tuple[Inline, ...]:
    """The command that helps, for the first of the lines."""
    if not lines:
        return ()
    return (sentence(text, command=setting.command(f"{command} {lines[0].number}")),)


def _line(line: LineView, setting: Setting, *needs: Value) -> Inline:
    """The number as a link to the card, the subject, and what there is to know."""
    return joined(" · ", [line_number(line, setting), clip(line.subject, SUBJECT_LIMIT), *needs])


def _end_of(day: date, setting: Setting) -> datetime:
    """A digest sent late tells the same ages: they are counted to the end of its day."""
    return datetime.combine(day, time.max, tzinfo=setting.zone)


def _before(view: DigestView, setting: Setting) -> tuple[Block, ...]:
    """What happened since the digest before, and who is to be thanked."""
    lines = [*_counts(view, setting), *_thanks(view, setting)]
    return (paragraph(*lines),) if lines else ()


def _counts(view: DigestView, setting: Setting) -> tuple[Inline, ...]:
    gettext, ngettext = setting.language.gettext, setting.language.ngettext
    spam, muted = view.spam_messages, view.muted_messages
    counts = (
        (view.opened, ngettext("{count} new", "{count} new", view.opened)),
        (view.closed, ngettext("{count} closed", "{count} closed", view.closed)),
        (spam, ngettext("{count} message on spam tickets", "{count} messages on spam tickets", spam)),
        (muted, ngettext("{count} message on muted tickets", "{count} messages on muted tickets", muted)),
    )
    told = ", ".join(text.format(count=count) for count, text in counts if count)
    if not told:
        return ()
    if view.since is None:
        return (sentence(gettext("Yesterday: {counts}"), counts=Text(told)),)
    since = Text(setting.language.date(view.since, year=False))
    return (sentence(gettext("Since {date}: {counts}"), date=since, counts=Text(told)),)


def _thanks(view: DigestView, setting: Setting) -> tuple[Inline, ...]:
    """Names as plain words: nobody is called by a digest."""
    if not view.thanks:
        return ()
    language = setting.language
    closed = [span(clip(person.name, _NAME_LIMIT), Text(f" {count}")) for person, count in view.thanks]
    names = joined(", ", closed)
    if view.thanks_hidden:
        names = joined(" ", [names, Text(language.more(view.thanks_hidden))])
    return (sentence(language.gettext("Thank you for closing: {names} 🎉"), names=names),)
