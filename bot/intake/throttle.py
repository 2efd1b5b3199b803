"""How many requests may come from one address: a sliding window in memory."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

_ADDRESSES: Final = 10_000
"""So many addresses are remembered; the ones heard of longest ago are forgotten first."""


class Throttle:
    """Admits ``limit`` requests per address within any span of ``window``."""

    def __init__(self, limit: int, window: timedelta) -> None:
        self._limit = limit
        self._window = window
        self._seen: OrderedDict[str, dict[str, datetime]] = OrderedDict()

    def admit(self, address: str, request: str, now: datetime) -> timedelta | None:
        """Admit and count a request, or say how long to wait. One that was admitted counts once only."""
        recent = {known: at for known, at in self._seen.pop(address, {}).items() if at > now - self._window}
        wait = None
        if request not in recent:
            if len(recent) >= self._limit:
                wait = min(recent.values()) + self._window - now
            else:
                recent[request] = now
        if recent:
            self._seen[address] = recent
        while len(self._seen) > _ADDRESSES:
            self._seen.popitem(last=False)
        return wait
