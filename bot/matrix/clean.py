"""What strangers send, made fit to be kept: PostgreSQL holds no NUL, UTF-8 no lone surrogates."""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

_UNFIT: Final = re.compile("[\x00\ud800-\udfff]")
_INSTEAD: Final = "\ufffd"
_DEEPEST: Final = 100
"""Levels of nesting; nothing that the bot reads lies deeper than six."""


def text(value: object) -> str | None:
    """A string that can be kept; ``None`` if it is none."""
    return _UNFIT.sub(_INSTEAD, value) if isinstance(value, str) else None


def identifier(value: object) -> str | None:
    """An id of a room, event or user; ``None`` if it cannot be kept: changed it would be another's."""
    return value if isinstance(value, str) and value and not _UNFIT.search(value) else None


def content(value: Any, depth: int = 0) -> Any:  # noqa: ANN401
    """JSON with all its strings made fit, keys too; ``None`` for what lies too deep or is not finite."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if not isinstance(value, Mapping | list):
        return value
    if depth == _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {str(text(key)): content(inner, depth + 1) for key, inner in value.items()}
    return [content(inner, depth + 1) for inner in value]
