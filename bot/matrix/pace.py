"""How fast the homeserver lets the bot send, learned from its refusals.

Synapse keeps a bucket per user: so many messages at once, then one per interval (its manual, "rc_message"). A
refusal says when the next one is allowed.
"""

from typing import Final

_BURST: Final = 10
"""Of Synapse's default. What is assumed, as no refusal tells it."""
_LONGEST: Final = 60.0
"""A longer pause than this is not that of a limit on messages."""
_TRUSTED: Final = 60.0
"""For so long after a refusal what was learned is kept to; then it is tried whether it still holds."""
_BEYOND: Final = 2.0
"""So many messages more than the bucket could hold: the limit was lifted, or is not as was thought."""
_IDLE: Final = 2.0
"""Where there was room for more than this nobody waited: that tells nothing of the interval."""


class Pace:
    """The bucket as the bot knows it; all times are seconds of one steady clock."""

    def __init__(self) -> None:
        self._interval: float | None = None
        self._empty_at = 0.0
        """When the bucket had nothing left; earlier by an interval for each message that may be sent."""
        self._paused_until = 0.0
        self._refused_at = 0.0
        self._allowed_at = 0.0
        """When the next message was allowed, as the last refusal said; since then so many were taken."""
        self._taken = 0
        self._idled = False

    @property
    def interval(self) -> float | None:
        """Seconds per message; ``None``: no limit was met, or it was lifted."""
        return self._interval

    def pause(self, seconds: float, now: float) -> None:
        """Nothing can be sent for so long, for whatever reason."""
        self._paused_until = max(self._paused_until, now + seconds)

    def refused(self, retry_after: float, now: float) -> None:
        """The homeserver refused a message, and allows one after so many seconds."""
        self.pause(retry_after, now)
        if retry_after > _LONGEST:
            return
        known = max(self._interval or 0.0, retry_after)
        if self._interval is not None and self._taken and not self._idled:
            # Between what two refusals allow lies an interval for each message that was taken.
            known = max(known, (now + retry_after - self._allowed_at) / self._taken)
        self._interval = known
        self._empty_at = now + retry_after - known
        self._refused_at, self._allowed_at, self._taken, self._idled = now, now + retry_after, 0, False

    def accepted(self, now: float) -> None:
        """The homeserver took a message."""
        if self._interval is None:
            return
        self._taken += 1
        self._idled = self._idled or now - self._empty_at > _IDLE * self._interval
        self._empty_at = max(self._empty_at, now - _BURST * self._interval) + self._interval
        if now - self._empty_at < -_BEYOND * self._interval:
            self._interval = None

    def paused(self, now: float) -> float:
        """For how many seconds nothing should be sent."""
        told = self._paused_until - now
        allowance = self.allowance(now)
        if self._interval is not None and allowance is not None and now - self._refused_at < _TRUSTED:
            told = max(told, (1 - allowance) * self._interval)
        return max(0.0, told)

    def allowance(self, now: float) -> float | None:
        """How many messages may be sent now, below 0 if too many were; ``None``: no limit is known."""
        if self._interval is None:
            return None
        return min(float(_BURST), (now - self._empty_at) / self._interval)
