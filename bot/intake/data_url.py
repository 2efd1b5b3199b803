"""Data URLs (RFC 2397), as osTicket's clients send messages and files."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

_TOKEN: Final = r"[A-Za-z0-9!#$&^_.+-]{1,64}"  # noqa: S105 - RFC 6838's names, no secret
_HEAD: Final = re.compile(
    rf"data:(?P<type>{_TOKEN}/{_TOKEN})?"
    rf"(?P<parameters>(?:;\s?{_TOKEN}=\"?[\w.:/ -]{{0,80}}\"?){{0,5}})"
    r"(?P<base64>;\s?base64)?,",
    re.IGNORECASE | re.ASCII,
)
_CHARSET: Final = re.compile(r";\s?charset=\"?(?P<name>[\w.:-]+)", re.IGNORECASE | re.ASCII)
_BLANKS: Final = re.compile(rb"\s+")

_CHARSETS: Final = {
    "us-ascii": "utf-8",  # the standard's default, and sent by many who mean UTF-8
    "ascii": "utf-8",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-16": "utf-16",
    "iso-8859-1": "cp1252",  # as browsers read it (WHATWG Encoding)
    "latin1": "cp1252",
    "windows-1252": "cp1252",
    "iso-8859-15": "iso-8859-15",
}
"""The charsets that are read. A list, since Python's codecs include some that take quadratic time."""


class MalformedDataUrl(ValueError):
    """Not base64, or a charset that is not known."""


@dataclass(frozen=True, slots=True)
class DataUrl:
    """A data URL that is not decoded yet. ``charset`` as it was written."""

    media_type: str
    charset: str | None
    encoded: str
    is_base64: bool

    @property
    def least_size(self) -> int:
        """Bytes that it certainly has, known without decoding it."""
        return len(self.encoded) * 3 // 4 - 2 if self.is_base64 and "%" not in self.encoded else 0

    def data(self) -> bytes:
        """The bytes.

        :raises MalformedDataUrl: it is not base64.
        """
        raw = unquote_to_bytes(self.encoded.encode("utf-8", "replace"))
        if not self.is_base64:
            return raw
        compact = _BLANKS.sub(b"", raw).rstrip(b"=")
        try:
            return base64.b64decode(compact + b"=" * (-len(compact) % 4), validate=True)
        except binascii.Error as error:
            raise MalformedDataUrl("base64") from error

    def text(self) -> str:
        """The bytes as text; what is invalid in its charset becomes U+FFFD.

        :raises MalformedDataUrl: it is not base64, or the charset is unknown.
        """
        codec = _CHARSETS.get((self.charset or "utf-8").lower())
        if codec is None:
            raise MalformedDataUrl("charset")
        return self.data().decode(codec, "replace")


def parse_data_url(text: str) -> DataUrl | None:
    """The data URL, or ``None`` for text that is none, even if it begins with "data:"."""
    head = _HEAD.match(text)
    if head is None:
        return None
    charset = _CHARSET.search(head["parameters"])
    return DataUrl(
        media_type=(head["type"] or "text/plain").lower(),
        charset=charset["name"] if charset else None,
        encoded=text[head.end() :],
        is_base64=head["base64"] is not None,
    )
