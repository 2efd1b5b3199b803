"""Help: the first steps and all commands, one command with its examples, or what the statuses mean."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from bot.domain.marks import N_
from bot.domain.usage import GROUPS, translated
from bot.domain.words import Right, Status
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
from bot.presentation.world import Setting
from bot.services.views import CommandView, HelpView, StatusesView, TalkView

_WHO: Final[Mapping[Right, str]] = MappingProxyType(
    {
        Right.ASSIGNEE: N_("For the person who has the ticket, and for admins."),
        Right.SAME_PERSON: N_("For the person who made the change."),
        Right.ADMIN: N_("For admins."),
    }
)
_MEANINGS: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.OPEN: N_("new, or open again; nobody works on it yet"),
        Status.IN_PROGRESS: N_("somebody works on it"),
        Status.WAITING: N_("on the waiting list; free for whoever can help"),
        Status.CLOSED: N_("done; a new message opens it again"),
        Status.SPAM: N_("closed, as it was spam; messages on it alert nobody"),
        Status.ARCHIVED: N_("out of every list"),
        Status.DELETED: N_("hidden, and to be purged"),
    }
)


def render_help(view: HelpView, setting: Setting) -> Message:
    """The overview, or every command of the view in detail."""
    if view.detailed:
        blocks = [block for command in view.commands for block in _details(command, setting)]
    else:
        blocks = _overview(view, setting)
    return fit(tuple(blocks), notice=True)


def _overview(view: HelpView, setting: Setting) -> list[Block]:
    gettext = setting.language.gettext
    basic = [command for command in view.commands if command.basic]
    blocks: list[Block] = []
    if basic:
        title = Bold(Text(gettext("To begin with")))
        blocks += [paragraph(title), _rows(basic, setting), paragraph(*_hints(view, setting))]
    for group, name in GROUPS.items():
        others = [each for each in view.commands if each.group == group and not each.basic]
        if others:
            blocks += [paragraph(Bold(Text(gettext(name)))), _rows(others, setting)]
    return [*blocks, paragraph(*_more(setting))]


def _rows(commands: Iterable[CommandView], setting: Setting) -> BulletList:
    rows = (
        span(setting.command(each.name), Text(": "), Text(setting.language.gettext(each.summary)))
        for each in commands
    )
    return BulletList(tuple(rows), setting.language.more)


def _hints(view: HelpView, setting: Setting) -> list[Inline]:
    gettext = setting.language.gettext
    hints: list[Inline] = []
    if view.bare:
        hint = gettext("Here you can leave out the “{prefix}”.")
        hints.append(sentence(hint, prefix=Text(setting.names.prefix)))
    hints.append(
        Text(gettext("In a ticket's thread and in a reply to its card you can leave out the number."))
    )
    if setting.names.taps:
        hints.append(taps(setting))
    return hints


def taps(setting: Setting) -> Inline:
    """What one can tap instead of writing."""
    gettext = setting.language.gettext
    return Text(
        gettext("Or tap under the card: 🙋 take · ⏳ wait · ✅ close · 🚫 spam · ↩️ undo (10 minutes)")
    )


def _more(setting: Setting) -> list[Inline]:
    gettext = setting.language.gettext
    return [
        sentence(gettext("{help} explains a command."), help=setting.command("help take")),
        sentence(gettext("{help} explains the statuses."), help=setting.command("help statuses")),
    ]


def _details(command: CommandView, setting: Setting) -> list[Block]:
    gettext, more = setting.language.gettext, setting.language.more
    head: list[Value] = [Bold(setting.usage(command.usage)), Text(gettext(command.summary))]
    if command.right in _WHO:
        head.append(Text(gettext(_WHO[command.right])))
    blocks: list[Block] = [paragraph(*head)]
    if command.parameters:
        rows = [
            span(_form(each.form, setting), Text(": "), Text(gettext(each.summary)))
            for each in command.parameters
        ]
        blocks.append(BulletList(tuple(rows), more))
    if command.examples:
        rows = [
            span(setting.typed(gettext(line)), Text(": "), Text(gettext(what)))
            for line, what in command.examples
        ]
        blocks += [paragraph(Text(gettext("Examples:"))), BulletList(tuple(rows), more)]
    return [*blocks, *_others(command, setting)]


def _form(form: str, setting: Setting) -> Inline:
    """A parameter as the usage line has it, in this language: ``Nummer …``, ``--email <Adresse>``."""
    return setting.word(translated(f"<{form}>", setting.language.gettext)[1:-1])


def _others(command: CommandView, setting: Setting) -> list[Block]:
    """Its other names, and other commands that go with it."""
    gettext = setting.language.gettext
    shown = setting.command_name(command.name)
    names = [name for name in (command.name, *command.aliases) if name != shown]
    lines: list[Inline] = []
    if names:
        also = joined(", ", map(setting.typed, names))
        lines.append(sentence(gettext("Also: {names}"), names=also))
    if command.related:
        related = joined(", ", map(setting.command, command.related))
        lines.append(sentence(gettext("Goes with it: {commands}"), commands=related))
    return [paragraph(*lines)] if lines else []


def render_statuses(view: StatusesView, setting: Setting) -> Message:
    """Each status: its emoji and word, what it means, and how it goes on from there."""
    gettext = setting.language.gettext
    rows = []
    for status, moves in view.statuses:
        name = joined(" ", [setting.mark(status), Bold(setting.status(status))])
        told: list[Inline] = [span(name, Text(": "), Text(gettext(_MEANINGS[status])))]
        if moves:
            told.append(joined(", ", [setting.command(action.value) for action in moves]))
        rows.append(joined(" → ", told))
    title = paragraph(Bold(Text(gettext("What the statuses mean, and how to go on from each"))))
    return fit((title, BulletList(tuple(rows), setting.language.more)), notice=True)


def render_talk(view: TalkView, setting: Setting) -> Message:
    """To somebody who talks to the bot as if it were a person."""
    gettext = setting.language.gettext
    if view.outsider:
        lines = [
            Text(gettext("I can only help members of a team.")),
            Text(gettext("Ask to be invited into your team's room; then write to me again.")),
        ]
        return fit((paragraph(*lines),), notice=True)
    hint = sentence(
        gettext("I only understand commands. Try {mine} for your tickets, {list} for all, or {help}."),
        mine=setting.command("mine"),
        list=setting.command("list"),
        help=setting.command("help"),
    )
    return fit((paragraph(hint),), notice=True)
