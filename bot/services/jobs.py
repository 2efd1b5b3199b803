"""What the courier does with a row of the outbox."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from bot.domain.words import Team
from bot.services.media import Media
from bot.services.seeds import Plan
from bot.services.views import Alert, CardView
from storage.outbox import Kind

ANSWERS: Final = frozenset({Kind.REACTION.value, Kind.ANSWER.value})
"""Kinds for which somebody waits in the room."""


@dataclass(frozen=True, slots=True)
class Send:
    """One event to send. ``content`` is rendered already, or else ``view`` is to be rendered now."""

    row_id: int
    kind: str
    tx_id: str
    room_id: str
    event_type: str
    created_at: datetime
    shows: tuple[int, ...] = ()
    """Tickets that it is about, as far as the row itself tells."""
    content: dict[str, Any] | None = None
    view: CardView | Alert | None = None
    team: Team = None
    """In whose language and zone to render."""
    edits: str | None = None
    thread: str | None = None
    latest: str | None = None
    """The last event of the thread, for clients that know none."""
    search_first: bool = False
    """Whether it may be in the room already, beyond the homeserver's memory of transaction ids."""
    media: Media | None = None
    """What to send instead, if its file can be had and uploaded."""
    attempts: int = 0
    """How often it failed before for a passing reason."""
    fresh: bool = False
    """Whether it is a card of which no earlier attempt may have arrived."""
    silent: bool = False
    """Whether it must ring for nobody, as it is quiet in the room."""
    about: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What its event says of itself."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Events about a ticket to redact, as room id and event id; then one to send."""

    row_id: int
    kind: str
    number: int
    """0: no ticket."""
    events: tuple[tuple[str, str], ...]
    then: Send | None = None

    @property
    def shows(self) -> tuple[int, ...]:
        """The ticket that it is about."""
        return (self.number,) if self.number else ()


@dataclass(frozen=True, slots=True)
class Seed:
    """Reactions to bring up to date; each is sent under a transaction id of its own."""

    row_id: int
    kind: str
    tx_id: str
    plan: Plan

    @property
    def shows(self) -> tuple[int, ...]:
        """Tickets that the message is about."""
        return tuple(self.plan.shows)


Job = Send | Clear | Seed
