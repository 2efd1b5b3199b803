"""Reads one command line: which command, and by its declaration all that follows."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from bot.commands import tokens
from bot.commands.call import Call as Call
from bot.commands.call import Context as Context
from bot.commands.line import Line
from bot.commands.spec import Command, Registry, fold, near
from bot.domain.errors import UsageError, UsageProblem

H = TypeVar("H")
_HELP: Final = "help"
_HELP_WANTED: Final = re.compile(r"[\s\d#,:]*[-–—―]{1,2}(?:help|hilfe|h)\s*", re.IGNORECASE)


def parse(text: str, registry: Registry[H], prefix: str, context: Context) -> Call[H] | None:
    """Read a message; ``None`` if it is no command, which is the prefix and a letter.

    :raises UsageError: it is one, but cannot be understood. Nothing else is raised, whatever the text.
    """
    at = len(text) - len(text.lstrip())
    if not tokens.is_command(text[at:], prefix):
        return None
    word = tokens.WORD.match(text, at + len(prefix))
    assert word is not None  # noqa: S101 - for the type checker, there is a letter
    command = registry.lookup(word[0])
    if command is None:
        line, start, length = tokens.quote_line(text, at, word.end())
        raise UsageError(UsageProblem.UNKNOWN_COMMAND, line, start, length, near=registry.suggest(word[0]))
    helping = registry.lookup(_HELP)
    if helping and _HELP_WANTED.fullmatch(text, word.end()):
        asked = {parameter.name: command.name for parameter in helping.parameters}
        return Call(helping, (), MappingProxyType(asked), MappingProxyType({}))
    return _form(text, word, command, registry, prefix, context).read()


def _form(
    text: str, word: re.Match[str], command: Command[H], registry: Registry[H], prefix: str, context: Context
) -> Line[H]:
    """The line with its command's second word read, if it has one: ``task add``, also ``task 42 add``."""
    plain = Line(text, word.end(), command, command.usage(prefix), context.ticket)
    forms = registry.forms(word[0])
    end = tokens.line_end(text, word.end())
    second = tokens.TOKEN.search(text, plain.at, end) if forms else None
    ahead = tokens.numbers_in(second) if second else ()
    if second and ahead:
        second = tokens.TOKEN.search(text, second.end(), end)
    name = second[0].rstrip(":") if second else ""
    if second is None or not name[:1].isalpha():
        return plain
    form = forms.get(fold(name))
    if form is None:
        line, start, length = tokens.quote_line(text, second.start(), second.end())
        usage = f"{prefix}{command.name.partition(' ')[0]} " + "|".join(_second_words(forms))
        raise UsageError(UsageProblem.UNKNOWN_FORM, line, start, length, near=near(name, forms), usage=usage)
    found = Line(text, second.end(), form, form.usage(prefix), context.ticket)
    found.told_ahead(ahead)
    return found


def _second_words(forms: Mapping[str, Command[H]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(form.name.partition(" ")[2] for form in forms.values()))
