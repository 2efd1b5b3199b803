"""Bytes from mails as text, whatever charset they claim."""

import codecs
import re
from typing import Final

_AS_MEANT: Final = {
    # As browsers read them (WHATWG Encoding): the wider set that is meant.
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "iso-8859-9": "cp1254",
    "iso-8859-8-i": "iso-8859-8",
    "windows-874": "cp874",
    "cp-850": "cp850",
}
_SLOW_OR_NONE: Final = {
    "punycode",
    "idna",
    "unicode_escape",
    "raw_unicode_escape",
    "undefined",
    "mbcs",
    "oem",
}
"""Python's codecs that take quadratic time, or are no charsets."""
_NAME: Final = re.compile(r"[\w.:-]{1,40}", re.ASCII)


def decode(data: bytes, charset: str | None) -> str:
    """The text: in its charset if that is known and fits, else as UTF-8, else as Windows' western one."""
    for codec in (_codec(charset), "utf-8"):
        if codec is not None:
            try:
                return data.decode(codec)
            except (UnicodeError, ValueError):
                continue
    return data.decode("cp1252", "replace")


def _codec(charset: str | None) -> str | None:
    """A charset's codec; plain ASCII is tried as UTF-8, which many mean."""
    name = (charset or "").strip(" \"'").lower().partition("*")[0]
    if not _NAME.fullmatch(name) or name in ("us-ascii", "ascii", "unknown-8bit"):
        return None
    try:
        found = codecs.lookup(_AS_MEANT.get(name, name))
    except (LookupError, ValueError):
        return None
    if found.name in _SLOW_OR_NONE or not getattr(found, "_is_text_encoding", True):
        return None
    # Under another alias it is the same set that is meant.
    return _AS_MEANT.get(found.name.replace("_", "-"), found.name)
