"""Makes text from outside harmless: it may say anything and do nothing.

The characters come from Unicode: categories Cc (control), Cf (format: bidi controls, zero-width characters,
tags) and Cs (lone surrogates, which UTF-8 cannot carry) never get through.
"""

import re
import unicodedata
from itertools import groupby
from typing import Final

WORD_JOINER: Final = "\N{WORD JOINER}"
ELLIPSIS: Final = "…"

_BLANK_LETTERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that are neither control nor format, but are as invisible as those."""

_NEWLINE: Final = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")

# A mail address stays as it is, so that it can be copied, unless it reads as a Matrix ID (@name:host), too.
# Possessive quantifiers: with backtracking, an address would be found in the beginning of such an ID.
_MAIL: Final = (
    r"(?<![^\s<(,;])(?![\w.%+@-]*matrix\.to)"
    r"[A-Za-z0-9._%+-]++@(?!room\b)[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++"
    r"(?![\w@])(?!\S{0,255}:\S)"
)
_ACTIVE: Final = re.compile(
    rf"(?P<mail>{_MAIL})|@|\#(?=[^\s#]*:)|matrix(?=:|[.。．｡]to)",
    re.IGNORECASE,
)


def clean(text: str, *, lines: bool = False) -> str:
    """The visible part of the text: no control, format or blank characters, newlines only with ``lines``."""
    text = _NEWLINE.sub("\n", text).replace("\t", " ")
    # Looking at each different character once keeps long texts cheap.
    kept = text.translate({ord(character): _visible(character) for character in set(text)})
    return kept if lines else kept.replace("\n", " ")


def _visible(character: str) -> str:
    if character == "\n":
        return character
    category = unicodedata.category(character)
    if category == "Cs":
        return "\N{REPLACEMENT CHARACTER}"
    return "" if category in {"Cc", "Cf"} or character in _BLANK_LETTERS else character


def defuse(text: str) -> str:
    """Take the effect from mentions, aliases and permalinks in one line of text; it looks the same as before.

    Clients make a pill of ``@user:server``, ``@room``, and of links to matrix.to and ``matrix:``
    (Matrix specification, appendix "Matrix URI scheme" and "matrix.to navigation").
    """
    return _broken(_one_space(clean(text)))


def defuse_lines(text: str) -> str:
    """As :func:`defuse`, but newlines stay; several empty lines in a row become one."""
    lines = [" ".join(line.split()) for line in clean(text, lines=True).strip().split("\n")]
    groups = ((filled, list(group)) for filled, group in groupby(lines, key=bool))
    return _broken("\n".join("\n".join(group) if filled else "" for filled, group in groups))


def defuse_exactly(text: str) -> str:
    """As :func:`defuse`, but newlines and runs of spaces stay, for text whose columns matter."""
    return _broken(clean(text, lines=True))


def _one_space(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _broken(text: str) -> str:
    return _ACTIVE.sub(lambda match: match[0] if match["mail"] else match[0] + WORD_JOINER, text)


def clip(text: str, limit: int) -> str:
    """Cut to ``limit`` visible characters, the last of which is then "…"."""
    # What lies far behind the limit need not be looked at: long texts stay cheap.
    part = text[: 4 * limit + 64]
    visible = clean(part, lines=True).strip()
    if len(visible) <= limit and len(part) == len(text):
        return visible
    return visible[: max(limit - 1, 0)].rstrip() + ELLIPSIS


def columns(text: str) -> int:
    """How many columns of a fixed-width font the text takes once it is defused."""
    return sum(
        2 if unicodedata.east_asian_width(character) in "WF" else not unicodedata.combining(character)
        for character in clean(text)
    )
