"""Help: all commands in groups, or one with its parameters and examples."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.domain.marks import N_
from bot.presentation.document import Block, Bold, BulletList, Inline, Text, joined, paragraph, sentence, span
from bot.presentation.message import Message, fit
from bot.presentation.world import Setting
from bot.services.views import CommandView, HelpView

_GROUPS: Final[Mapping[str, str]] = MappingProxyType(
    {"ticket": N_("Tickets"), "list": N_("Lists"), "admin": N_("For admins")}
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
    blocks: list[Block] = []
    for group, title in _GROUPS.items():
        rows = tuple(_row(command, setting) for command in view.commands if command.group == group)
        if rows:
            blocks += [paragraph(Bold(Text(gettext(title)))), BulletList(rows, setting.language.more)]
    hint = gettext(
        "{help} tells more about one command. "
        "In a ticket's thread and in a reply to its card you can leave out the number."
    )
    return [*blocks, paragraph(sentence(hint, help=setting.command("help take")))]


def _row(command: CommandView, setting: Setting) -> Inline:
    names = joined(", ", [setting.command(name) for name in (command.name, *command.aliases)])
    return span(names, Text(": "), Text(setting.language.gettext(command.summary)))


def _details(command: CommandView, setting: Setting) -> list[Block]:
    gettext, more = setting.language.gettext, setting.language.more
    blocks: list[Block] = [
        paragraph(Bold(setting.command(command.usage)), Text(gettext(command.summary))),
    ]
    if command.aliases:
        others = joined(", ", [setting.command(alias) for alias in command.aliases])
        blocks.append(paragraph(sentence(gettext("Also: {names}"), names=others)))
    if command.parameters:
        rows = tuple(
            span(setting.word(each.form), Text(": "), Text(gettext(each.summary)))
            for each in command.parameters
        )
        blocks.append(BulletList(rows, more))
    if command.examples:
        rows = tuple(
            span(setting.command(gettext(line)), Text(": "), Text(gettext(what)))
            for line, what in command.examples
        )
        blocks += [paragraph(Text(gettext("Examples:"))), BulletList(rows, more)]
    return blocks
