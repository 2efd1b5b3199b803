"""Makes docs/commands.md from the declarations: ``python -m bot.commands.reference > docs/commands.md``."""

from datetime import UTC, datetime

from bot.commands.declarations import build_registry
from bot.services.status import Program
from bot.services.views import CommandView

_HEADINGS = {"ticket": "Tickets", "list": "Looking", "admin": "For admins"}


def reference() -> str:
    """The command reference as Markdown, in English."""
    program = Program("", datetime.min.replace(tzinfo=UTC), "")
    views = [command.view("!") for command in build_registry(program, "!")]
    parts = [
        "# Commands",
        "Made from the declarations in `bot/commands/declarations.py`. Where a number may be given, it can "
        "be left out in a ticket's thread and in a reply to its card.",
    ]
    for group, heading in _HEADINGS.items():
        parts.append(f"## {heading}")
        parts += [_command(view) for view in views if view.group == group]
    return "\n\n".join(parts) + "\n"


def _command(view: CommandView) -> str:
    aliases = f" Also: {', '.join(f'`!{alias}`' for alias in view.aliases)}." if view.aliases else ""
    lines = [f"### `{view.usage}`", "", f"{view.summary}.{aliases}"]
    if view.parameters:
        lines += ["", *(f"- `{each.form}`: {each.summary}" for each in view.parameters)]
    if view.examples:
        lines += ["", *(f"- `{line}` – {what}" for line, what in view.examples)]
    return "\n".join(lines)


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201
