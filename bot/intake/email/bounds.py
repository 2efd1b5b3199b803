"""What of a mail is refused before it is parsed: the standard library takes quadratic time for some bytes."""

import re
from typing import Final

_HEADERS: Final = 256 * 1024
"""Bytes of all headers of a mail; what real ones have is a tenth of this, with all signatures and stamps."""
_HEADER_LINES: Final = 5000
_PARAMETERS: Final = 16 * 1024
"""Bytes of one header that says what a part is; the longest file names take a fourth of this."""
_SPLITS: Final = 16_000_000
"""Bytes of such headers times their semicolons, in the whole mail: what taking them apart costs."""
_WORK: Final = 5_000_000
"""Lines times boundaries: the parser compares each line with the boundaries of all parts around it. A mail of
25 MB with a file in it takes a third of this."""
_LINE_COST: Final = 3
"""What a line costs by itself, in comparisons."""

_END: Final = re.compile(rb"(?:\n|\r(?!\n))[\r\n]")
_BOUNDARY: Final = re.compile(rb"boundary[\s*\d]*=", re.IGNORECASE)
_ABOUT_A_PART: Final = re.compile(
    rb"(?:\A|[\r\n])content-(?:type|disposition)[ \t]*:[^\r\n]*(?:(?:\r\n|\r|\n)[ \t][^\r\n]*)*",
    re.IGNORECASE,
)


def beyond_measure(data: bytes) -> str | None:
    """What no mail program makes, in a few words; ``None``: it can be parsed within seconds."""
    end = _END.search(data, 0, _HEADERS)
    if end is None and len(data) > _HEADERS:
        return "too long headers"
    if _lines(data[: end.start() if end else None]) > _HEADER_LINES:
        return "too many headers"
    if _lines(data) * (_LINE_COST + len(_BOUNDARY.findall(data))) > _WORK:
        return "too many parts and lines"
    splits = 0
    for found in _ABOUT_A_PART.finditer(data):
        header = found.group()
        splits += len(header) * header.count(b";")
        if len(header) > _PARAMETERS or splits > _SPLITS:
            return "too long parameters"
    return None


def _lines(data: bytes) -> int:
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
