"""What strangers send, made fit to be kept: PostgreSQL holds no NUL, UTF-8 no lone surrogates."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from bot.matrix.json_text import DEEPEST

_UNFIT: Final = re.compile("[\x00\ud800-\udfff]")
_INSTEAD: Final = "\ufffd"
_LONGEST_ID: Final = 255
"""Specification, "Common Identifier Format" and "Size limits"; PostgreSQL's indexes hold little more."""
_LONGEST_NAME: Final = 256
"""Synapse lets no longer ones be set, but by events that are sent as they are."""
_YEAR_3000: Final = 32_503_680_000_000


def text(value: object) -> str | None:
    """A string that can be kept; ``None`` if it is none."""
    return _UNFIT.sub(_INSTEAD, value) if isinstance(value, str) else None


def name(value: object) -> str:
    """A name to be shown; empty if there is none. One that fills an event leaves no room for more."""
    return (text(value) or "")[:_LONGEST_NAME]


def identifier(value: object) -> str | None:
    """An id of a room, event or user; ``None`` if it cannot be kept: changed it would be another's."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID or _UNFIT.search(value):
        return None
    return value


def whole(value: object, otherwise: int) -> int:
    """A whole number; ``otherwise`` if it is none."""
    return value if type(value) is int else otherwise


def moment(value: object) -> datetime:
    """A time told in milliseconds; the beginning of all times if it is none."""
    known = isinstance(value, int) and 0 <= value < _YEAR_3000
    return datetime.fromtimestamp(value / 1000 if known else 0, UTC)  # type: ignore[operator]


def content(value: Any, depth: int = 0) -> Any:  # noqa: ANN401
    """JSON with all its strings made fit, keys too; ``None`` for what lies too deep or is not finite."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if not isinstance(value, Mapping | list):
        return value
    if depth == DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {str(text(key)): content(inner, depth + 1) for key, inner in value.items()}
    return [content(inner, depth + 1) for inner in value]


def mapping(value: object) -> Mapping[str, Any]:
    """An object; an empty one if it is none."""
    return value if isinstance(value, Mapping) else {}
