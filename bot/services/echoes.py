"""What every event of the bot says of itself, and how it is seen again in the room."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, Final

from storage.models import OutboxRow

EDIT: Final = "edit"
_TOO_HIGH: Final = 10**12
EVER: Final = datetime.fromtimestamp(0, UTC)
"""The beginning of all times: what has no time that is known."""
_KEPT: Final = ("what", "day", "team", "room_id", "problems")
"""What of a row's payload its event tells, too: nothing that is not said in its room anyway."""


@dataclass(frozen=True, slots=True)
class Echo:
    """An event of the bot itself, seen in the room."""

    tx_id: str
    event_id: str
    room_id: str
    thread: str | None = None
    sent_at: datetime = EVER
    on: str | None = None
    """What it is a reaction on or an edit of."""
    key: str | None = None
    """Of a reaction: its emoji."""
    answers: str | None = None
    """What it is a reply to."""
    about: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What it says of itself, see :func:`about`."""

    @property
    def is_seed(self) -> bool:
        """Whether it is a reaction that the bot offers: its transaction is its row's, and the emoji."""
        return "-" in self.tx_id

    @property
    def kind(self) -> str:
        """What the bot sent it as; empty if it does not say."""
        return self._word("kind") or ""

    @property
    def numbers(self) -> frozenset[int]:
        """The tickets that it names."""
        found = self.about.get("numbers")
        listed = found if isinstance(found, list) else []
        return frozenset(each for each in listed if type(each) is int and 0 < each < _TOO_HIGH)

    @property
    def day(self) -> date | None:
        """Of a digest: its day."""
        try:
            return date.fromisoformat(self._word("day") or "")
        except ValueError:
            return None

    @property
    def team(self) -> str | None:
        """Whose it is."""
        return self._word("team")

    @property
    def what(self) -> str | None:
        """What it tells of."""
        return self._word("what")

    @property
    def told_room(self) -> str | None:
        """The room that a report is about."""
        return self._word("room_id")

    @property
    def problems(self) -> tuple[str, ...]:
        """What a report says is wrong with that room."""
        found = self.about.get("problems")
        return tuple(str(each) for each in found) if isinstance(found, list) else ()

    def _word(self, name: str) -> str | None:
        found = self.about.get(name)
        return found if isinstance(found, str) else None


def about(row: OutboxRow, numbers: Collection[int], *, edit: bool) -> dict[str, Any]:
    """What an event says of itself, for a database that was restored from before it was sent."""
    payload = row.payload or {}
    told: dict[str, Any] = {name: payload[name] for name in _KEPT if name in payload}
    return {**told, "kind": EDIT if edit else row.kind, "numbers": sorted(numbers)}
