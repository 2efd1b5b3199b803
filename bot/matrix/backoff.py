"""How long to wait after failures in a row."""

import random
from typing import Final

from bot.matrix.errors import RateLimited

_LONGEST: Final = 60.0


def pause_after(failures: int, error: Exception) -> float:
    """Seconds: doubled with each failure up to a minute, with jitter; as long as the homeserver asks for."""
    if isinstance(error, RateLimited):
        return error.retry_after
    return min(_LONGEST, 0.5 * 2.0 ** min(failures, 10)) * random.uniform(0.5, 1)  # noqa: S311 - no secret
