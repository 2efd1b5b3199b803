"""What a homeserver can say no with.

TickettruheError
└─ MatrixError
   ├─ Unreachable     no answer, a broken one, or a fault of the server: try again later
   ├─ RateLimited     too much at once: try again when it says
   ├─ Refused         final: forbidden, too large, not found …
   │  └─ AlreadyThere final, and as good as done: the same reaction stands there
   └─ TokenRejected   the account's login is over: a person must act
"""

from dataclasses import dataclass

from bot.domain.errors import TickettruheError


class MatrixError(TickettruheError):
    """Root of what can go wrong with the homeserver."""


@dataclass
class Unreachable(MatrixError):
    """No usable answer; ``reason`` names the kind of failure, never content."""

    reason: str
    may_have_arrived: bool = True
    """Whether the homeserver may have got the request all the same."""


@dataclass
class Unprepared(Unreachable):
    """It cannot be encrypted yet; what is for other rooms may well be sent."""

    may_have_arrived: bool = False


@dataclass
class RateLimited(MatrixError):
    """Too many requests; ``retry_after`` in seconds."""

    retry_after: float


@dataclass
class Refused(MatrixError):
    """A final no; ``code`` is the Matrix error code such as M_FORBIDDEN."""

    code: str

    def __str__(self) -> str:
        return self.code


class AlreadyThere(Refused):
    """The same reaction of the same sender is on the event already; which event that is, is not told."""


@dataclass
class TokenRejected(MatrixError):
    """The access token or password is not accepted (any more)."""

    code: str
