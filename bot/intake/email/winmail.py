"""What Outlook packs into ``winmail.dat`` (TNEF, [MS-OXTNEF]): the files and the plain text in it.

An own reader of the few attributes that matter, with a limit for each loop: the library that there is for
this has had no release since 2021, and counts that a mail names keep it busy for hours.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.intake.email.charsets import decode

_SIGNATURE: Final = 0x223E9F78
_HEAD: Final = struct.Struct("<BII")  # level, attribute (name and type), length
_CHECKSUM: Final = 2
_MOST: Final = 2_000
"""Attributes; a mail with 50 files has some 300."""

_TITLE: Final = 0x00018010
_DATA: Final = 0x0006800F
_BEGINS: Final = 0x00069002
_PROPERTIES: Final = 0x00069005
_BODY: Final = 0x0002800C
_CODEPAGE: Final = 0x00069007

_LONG_NAME: Final = 0x3707
_FILE_DATA: Final = 0x3701
_UNICODE: Final = 0x001F
_WIDTHS: Final = {0x0002: 4, 0x000B: 4, 0x0003: 4, 0x0004: 4, 0x000A: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8,
                  0x0014: 8, 0x0040: 8, 0x0048: 16}  # fmt: skip
_COUNTED: Final = {0x001E, 0x001F, 0x000D, 0x0102}


class NotWinmail(ValueError):
    """The bytes are no TNEF, or broken."""


@dataclass(slots=True)
class PackedFile:
    """A file in it."""

    name: str = ""
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Winmail:
    """What was found. ``text`` is the plain text, where there is any beside formatted ones."""

    text: str
    files: tuple[PackedFile, ...]


def unpack(data: bytes) -> Winmail:
    """The text and the files.

    :raises NotWinmail: it cannot be read.
    """
    try:
        return _unpack(data)
    except (struct.error, IndexError, ValueError) as error:
        raise NotWinmail(type(error).__name__) from error


def _unpack(data: bytes) -> Winmail:
    if struct.unpack_from("<I", data)[0] != _SIGNATURE:
        raise NotWinmail("signature")
    text, charset = "", "cp1252"
    files: list[PackedFile] = []
    for name, value in _attributes(data):
        if name == _CODEPAGE:
            charset = f"cp{struct.unpack_from('<I', value)[0] % 100_000}"
        elif name == _BODY:
            text = decode(value.rstrip(b"\0"), charset)
        elif name == _BEGINS:
            files.append(PackedFile())
        elif files:
            _add(files[-1], name, value, charset)
    return Winmail(text, tuple(file for file in files if file.data))


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 6  # signature and key
    for _each in range(_MOST):
        if offset + _HEAD.size > len(data):
            return
        _level, name, length = _HEAD.unpack_from(data, offset)
        offset += _HEAD.size
        if offset + length > len(data):
            raise NotWinmail("ends early")
        yield name, data[offset : offset + length]
        offset += length + _CHECKSUM
    raise NotWinmail("too many attributes")


def _add(file: PackedFile, name: int, value: bytes, charset: str) -> None:
    if name == _TITLE:
        file.name = file.name or decode(value.rstrip(b"\0"), charset)
    elif name == _DATA:
        file.data = value
    elif name == _PROPERTIES:
        for key, kind, content in _properties(value):
            if key == _LONG_NAME:
                file.name = (
                    content.decode("utf-16-le", "replace") if kind == _UNICODE else decode(content, charset)
                )
                file.name = file.name.rstrip("\0")
            elif key == _FILE_DATA and not file.data:
                file.data = content


def _properties(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Properties up to the first with a name of its own or several values; those looked for have neither."""
    count, offset = struct.unpack_from("<I", data)[0], 4
    for _each in range(min(count, _MOST)):
        kind, key = struct.unpack_from("<HH", data, offset)
        offset += 4
        if kind in _WIDTHS:
            offset += _WIDTHS[kind]
            continue
        if kind not in _COUNTED or key >= 0x8000:
            return
        values, length = struct.unpack_from("<II", data, offset)
        offset += 8
        if values != 1:
            return
        yield key, kind, data[offset : offset + length]
        offset += length + -length % 4
