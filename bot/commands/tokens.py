"""What the command language is made of: tokens, quotes, numbers; and the line that a usage error quotes."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

HIGHEST_NUMBER: Final = 2**31 - 1
"""Ticket numbers are 32-bit integers in both databases."""

WORD: Final = re.compile(r"[^\s#:,]+")
TOKEN: Final = re.compile(r"\S+")

# Phones turn two hyphens into a dash.
OPTION: Final = re.compile(r"(?:[-–—―]{2}|[–—―])(?:(?P<name>[^\W\d_][^\s=]*)(?P<equals>=?)|(?=\s|\Z))")
"""``--name``, ``--name=`` or, without a name, the lone ``--`` that ends options and numbers."""

# Not \d, which takes ٤٢ for a number too.
_NUMBER_LIST: Final = re.compile(r",?#?[0-9]+(?:,#?[0-9]+)*,?:?")
_NUMBER: Final = re.compile(r"#?0*(?P<digits>[0-9]+)")
MEANT_AS_NUMBER: Final = re.compile(r"#?[0-9]")

CLOSING: Final[Mapping[str, re.Pattern[str]]] = {
    opening: re.compile(f"[{closing}]")
    for opening, closing in {'"': '"', "„": '“”"', "“": '”“"', "”": '”"', "«": "»", "»": "«"}.items()
}
"""What ends a quotation, by the sign that began it; phones choose the signs by language."""

_WIDEST_LINE: Final = 120


def is_command(text: str, prefix: str) -> bool:
    """Whether a text begins as a command does; an exclamation alone does not."""
    return text.startswith(prefix) and text[len(prefix) : len(prefix) + 1].isalpha()


@dataclass(frozen=True, slots=True)
class Number:
    """A ticket number and its place in the text; ``explicit`` if it cannot be a word, as ``#42``."""

    value: int
    explicit: bool
    start: int
    end: int


def numbers_in(token: re.Match[str]) -> tuple[Number, ...]:
    """What a token such as ``42``, ``#42``, ``41,42`` or ``42:`` lists; nothing if it is no such token.

    After one ``#`` the others in the token are explicit too.
    """
    if not _NUMBER_LIST.fullmatch(token[0]):
        return ()
    found: list[Number] = []
    explicit = False
    for match in _NUMBER.finditer(token[0]):
        value = _ticket_number(match["digits"])
        explicit = explicit or match[0].startswith("#")
        if value is None:
            return ()
        start, end = token.start() + match.start(), token.start() + match.end()
        found.append(Number(value, explicit, start, end))
    return tuple(found)


def _ticket_number(digits: str) -> int | None:
    # Very many digits are not converted at all: int() refuses more than 4300.
    value = int(digits) if len(digits) <= len(str(HIGHEST_NUMBER)) else 0
    return value if 1 <= value <= HIGHEST_NUMBER else None


def line_end(text: str, at: int) -> int:
    """Where the physical line around a place ends."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def quote_line(text: str, start: int, end: int) -> tuple[str, int, int]:
    """The line around a place, at most 120 characters, with the place's column and length in it.

    The column is the line's length if the place is its end.
    """
    begin, stop = text.rfind("\n", 0, start) + 1, line_end(text, start)
    column, cut, tail = start - begin, 0, ""
    line = text[begin:stop]
    if len(line) > _WIDEST_LINE:
        room = _WIDEST_LINE - 2
        cut = max(0, min(column - room // 2, len(line) - room))
        tail = "…" if cut + room < len(line) else ""
        line = line[cut : cut + room]
    head = "…" if cut else ""
    line = "".join(map(_visible, f"{head}{line}{tail}"))
    column += len(head) - cut
    return line, column, max(1, min(end - start, len(line) - column))


def _visible(character: str) -> str:
    """A character of one column, so that the caret stands under what it means."""
    if character.isspace():
        return " "
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in ("Cc", "Cf", "Cs") else character
