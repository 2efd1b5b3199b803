"""Headers of mails from anywhere: decoded leniently, on one line each, never raising.

The standard library's own header objects are not used: they raise at some broken headers, and take
quadratic time for others.
"""

import re
from collections.abc import Iterable, Sequence
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses
from typing import Final

from bot.domain.request import EMAIL_LIMIT, Checker, InvalidFields, clean_line
from bot.intake.email.charsets import decode

_LONGEST: Final = 64 * 1024
"""Characters of a header that are looked at; longer ones are no mail program's."""
_ADDRESSES: Final = 100
_IDS: Final = 100
_ID: Final = re.compile(r"<([^<>\s]{1,250})>")
_BARE_ID: Final = re.compile(r"[^<>\s\"]{1,250}")
_WORD_GAP: Final = re.compile(r"(\?=)[ \t\r\n]+(=\?)")


class Headers:
    """A mail's headers by name, in lower case; the first of each counts where there may be only one."""

    def __init__(self, message: Message) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in message.raw_items():
            self._values.setdefault(str(name).lower(), []).append(_repaired(_shortened(str(value))))

    def __contains__(self, name: str) -> bool:
        return name in self._values

    @property
    def names(self) -> Iterable[str]:
        """The names that occur."""
        return self._values.keys()

    def raw(self, name: str) -> str:
        """The first header of a name on one line, its words not decoded; empty if there is none."""
        return " ".join(self._values.get(name, [""])[0].split())

    def all(self, name: str) -> Sequence[str]:
        """All headers of a name, each on one line."""
        return [" ".join(value.split()) for value in self._values.get(name, [])]

    def text(self, name: str) -> str:
        """The first header of a name with its encoded words (RFC 2047) decoded."""
        return clean_line(decoded(self.raw(name)))

    def addresses(self, *names: str) -> list[tuple[str, str]]:
        """Name and address of each that is one, of the headers of these names; at most a hundred."""
        found: list[tuple[str, str]] = []
        for name, address in getaddresses(_cut(value for each in names for value in self.all(each))):
            if len(found) == _ADDRESSES:
                break
            if (checked := checked_address(decoded(address))) is not None:
                found.append((clean_line(decoded(name)), checked))
        return found

    def ids(self, name: str) -> list[str]:
        """Message-IDs in a header, in its order, without angle brackets."""
        value = " ".join(self.all(name))
        found = _ID.findall(value)[-_IDS:]
        bare = value.strip()
        return found or ([bare] if _BARE_ID.fullmatch(bare) else [])


def _shortened(value: str) -> str:
    """What is looked at of a header, cut where a word ends: half an address would be another one."""
    if len(value) <= _LONGEST:
        return value
    kept = value[:_LONGEST]
    end = max(kept.rfind(gap) for gap in ",; \t\r\n")
    return kept[:end] if end > 0 else kept


def _cut(values: Iterable[str]) -> list[str]:
    """As much of the values as is looked at together, without an address that would be cut in two."""
    kept, room = [], _LONGEST
    for value in values:
        if len(value) > room:
            kept.append(value[:room].rpartition(",")[0])
            break
        kept.append(value)
        room -= len(value)
    return kept[:_ADDRESSES]


def _repaired(value: str) -> str:
    """What stands there in eight bits, against the rule."""
    try:
        data = value.encode("utf-8", "surrogateescape")
    except UnicodeError:
        return value.encode("utf-8", "replace").decode("utf-8")
    return decode(data, None)


def decoded(value: str) -> str:
    """Encoded words as text; what cannot be decoded stays as it is."""
    if "=?" not in value:
        return value
    try:
        # Words next to each other belong together, also where a character was cut in two (RFC 2047, 6.2).
        parts = decode_header(_WORD_GAP.sub(r"\1\2", value))
    except (HeaderParseError, ValueError):
        return value
    return "".join(part if isinstance(part, str) else decode(part, charset) for part, charset in parts)


def checked_address(text: str) -> str | None:
    """An e-mail address as requests have it, or ``None``."""
    if not text or len(text) > EMAIL_LIMIT:
        return None
    check = Checker()
    address = check.email("email", text)
    try:
        check.finish()
    except InvalidFields:
        return None
    return address or None
