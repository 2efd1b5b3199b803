"""What the clients know for sure: what they asked for, and what they were told."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Request:
    """A ticket asked for over the API. ``number`` is the answer, if one came."""

    subject: str
    key: str | None
    """Its Idempotency-Key; without one the client asks once."""
    region: str = "freiburg"
    number: int | None = None


@dataclass
class Remark:
    """A further message over the API, with a key. ``accepted`` once a 201 came."""

    token: str
    number: int
    accepted: bool = False


@dataclass(frozen=True)
class Said:
    """A command that the homeserver took from a member."""

    event_id: str
    room: str
    """The room's key."""
    sender: str
    verb: str
    text: str
    numbers: tuple[int, ...]
    token: str = ""
    """A word that only this command has, where it brings words."""
    thread: str | None = None

    @property
    def alone(self) -> int | None:
        """The one ticket that it is about."""
        return self.numbers[0] if len(self.numbers) == 1 else None


@dataclass
class Log:
    """All of it, over a round."""

    requests: list[Request] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    commands: dict[str, Said] = field(default_factory=dict)
    """Event id → command."""
    edits: set[str] = field(default_factory=set)
    """Edits of commands and of chatter: none is a command."""
    chatter: set[str] = field(default_factory=set)
    redacted: set[str] = field(default_factory=set)
    """Commands and taps that were taken back: they may have been done or not, but not twice."""
    taps: dict[str, int] = field(default_factory=dict)
    """Event id of a reaction on a card → the ticket's number."""
    yes_and_no: dict[str, str] = field(default_factory=dict)
    """Event id of a reaction on the bot's question → the command that it asked about."""
    words: set[str] = field(default_factory=set)
    """Requesters' words: none of them may be in the bot's log."""
    mishaps: list[str] = field(default_factory=list)
    """What was wrong at once: an answer that should not be, a bot that ended by itself."""
    faults: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)

    @property
    def numbers(self) -> list[int]:
        """Tickets that are known to be accepted."""
        return [each.number for each in self.requests if each.number is not None]
