"""JSON from the homeserver, read whatever strangers put into it.

Most of it is other people's events, and a homeserver passes on what the standard library's parser gives up
at: one such event must not keep all others from being read.
"""

import json
import math
import re
from typing import Final

DEEPEST: Final = 100
"""Levels of nesting; nothing that the bot reads lies deeper than ten."""
_LONGEST_NUMBER: Final = 40
_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)


def parsed(body: bytes) -> object:
    """The value, or ``None`` for what is not JSON.

    Numbers that are not finite, or longer than any that Matrix allows, become ``None``; so does what lies too
    deep.
    """
    try:
        return _value(body)
    except RecursionError:
        pass
    except ValueError:
        return None
    try:
        return _value(_cut(body.decode(json.detect_encoding(body), "surrogatepass")))
    except (ValueError, RecursionError):
        return None


def _value(text: str | bytes) -> object:
    value: object = json.loads(text, parse_int=_whole, parse_float=_fraction, parse_constant=_nothing)
    return value


def _whole(text: str) -> int | None:
    return int(text) if len(text) <= _LONGEST_NUMBER else None


def _fraction(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _nothing(_text: str) -> None:
    return None


def _cut(text: str) -> str:
    """The text with ``null`` in place of what lies deeper than :data:`DEEPEST`."""
    parts: list[str] = []
    level = kept = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            level += 1
            if level == DEEPEST + 1:
                parts += [text[kept : token.start()], "null"]
        elif token[0] in "]}":
            if level == DEEPEST + 1:
                kept = token.end()
            level -= 1
    return "".join([*parts, text[kept:]])
