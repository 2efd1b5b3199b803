"""Makes the command references in ``docs/`` from the declarations.

``python -m bot.commands.reference > docs/commands.md``, and with ``de`` the German one, ``docs/befehle.md``.
"""

import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from bot.catalogs import CHAT, SOURCE, catalog
from bot.commands.declarations import build_registry
from bot.domain.marks import N_
from bot.domain.usage import GROUPS, translated
from bot.domain.words import Right
from bot.services.status import Program
from bot.services.views import CommandView

_WHO: Final[Mapping[Right, str]] = MappingProxyType(
    {
        Right.ANYONE: N_("everybody"),
        Right.MEMBER: N_("members of the ticket's team, and admins"),
        Right.ASSIGNEE: N_("the person who has the ticket, and admins"),
        Right.SAME_PERSON: N_("the person who made the change"),
        Right.ADMIN: N_("admins"),
    }
)
_OPENING: Final = (
    N_("This page is made from the declarations in `bot/commands/declarations.py`."),
    N_(
        "What stands in `<…>` has to be given, what stands in `[…]` may be left out. Instead of a number you "
        "can write in the ticket's thread or reply to its card. A mention of the bot works like the “!”; in "
        "a direct chat with it neither is needed."
    ),
    N_("`!help`, or `--help` behind a command, tells the same in the chat."),
)
_TITLE: Final = N_("Commands")
_COMMAND: Final = N_("Command")
_IN_GERMAN: Final = N_("In German")
_IN_ENGLISH: Final = N_("In English")
_WHAT: Final = N_("What it does")
_WHO_MAY: Final = N_("Who may")
_OTHER_NAMES: Final = N_("Other names")
_EXAMPLES: Final = N_("Examples:")
_RELATED: Final = N_("Goes with it")
_PREFIX: Final = "!"


def reference(language: str = SOURCE) -> str:
    """The command reference as Markdown."""
    return _Reference(language).text()


class _Reference:
    """A reference in one language."""

    def __init__(self, language: str) -> None:
        self._german = language != SOURCE
        self._gettext = catalog(CHAT, language).gettext
        registry = build_registry(Program("", datetime.min.replace(tzinfo=UTC), ""), _PREFIX)
        self._views = {view.name: view for view in (command.view(_PREFIX) for command in registry)}

    def text(self) -> str:
        groups = {
            self._gettext(title): [view for view in self._views.values() if view.group == group]
            for group, title in GROUPS.items()
        }
        parts = [f"# {self._gettext(_TITLE)}", *map(self._gettext, _OPENING)]
        parts += [f"**{title}**\n\n{self._contents(views)}" for title, views in groups.items()]
        for title, views in groups.items():
            parts += [f"## {title}", *map(self._command, views)]
        return "\n\n".join(parts) + "\n"

    def _contents(self, views: Iterable[CommandView]) -> str:
        other = _IN_ENGLISH if self._german else _IN_GERMAN
        heads = " | ".join(map(self._gettext, (_COMMAND, other, _WHAT)))
        rows = [f"| {heads} |", "| --- | --- | --- |"]
        for view in views:
            name, other = self._names(view)
            rows.append(f"| [`!{name}`](#{name}) | `!{other}` | {self._gettext(view.summary)} |")
        return "\n".join(rows)

    def _names(self, view: CommandView) -> tuple[str, str]:
        """The name in this language, and in the other."""
        return (view.german, view.name) if self._german else (view.name, view.german)

    def _command(self, view: CommandView) -> str:
        gettext = self._gettext
        name, _other = self._names(view)
        _, *rest = translated(view.usage, gettext).split(" ")
        usage = " ".join([_PREFIX + name, *rest])
        lines = [f"### {name}", "", f"    {usage}", "", f"{gettext(view.summary)}.", ""]
        lines += self._parameters(view)
        lines += self._facts(view, name)
        if view.examples:
            lines += ["", gettext(_EXAMPLES), ""]
            lines += [f"- `{gettext(line)}` – {gettext(what)}" for line, what in view.examples]
        return "\n".join(lines)

    def _parameters(self, view: CommandView) -> list[str]:
        shown = (
            (translated(f"<{each.form}>", self._gettext)[1:-1], each.summary) for each in view.parameters
        )
        return [f"- `{form}`: {self._gettext(summary)}" for form, summary in shown]

    def _facts(self, view: CommandView, name: str) -> list[str]:
        gettext = self._gettext
        others = [f"`!{each}`" for each in (view.name, *view.aliases) if each != name]
        names = (self._names(self._views[each])[0] for each in view.related)
        related = [f"[{each}](#{each})" for each in names]
        facts = {_WHO_MAY: [gettext(_WHO[view.right])], _OTHER_NAMES: others, _RELATED: related}
        return [f"- {gettext(fact)}: {', '.join(told)}" for fact, told in facts.items() if told]


if __name__ == "__main__":
    print(reference(*sys.argv[1:2]), end="")  # noqa: T201
