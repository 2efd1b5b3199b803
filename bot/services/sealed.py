"""Events that nobody can read yet: they keep their place in the inbox until their keys come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bot.services.reception import Incoming, ReceivedEvent
from bot.services.unit import Unit
from storage import inbox
from storage.models import InboxEvent

KEPT_FOR: Final = timedelta(days=1)
"""A key that comes later is of no use: nobody expects the command to be done any more."""
TOLD_AFTER: Final = timedelta(seconds=20)
"""Keys may come a little later than what they open."""


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """One of them, with its encrypted content."""

    row_id: int
    event_id: str
    room_id: str
    sender: str
    session_id: str
    content: Mapping[str, Any]
    sent_at: datetime


def waiting(unit: Unit, after: int = 0) -> tuple[SealedEvent, ...]:
    """The next that wait for their keys ``after`` a row, in the order in which they came; none at the end."""
    return tuple(_sealed(row) for row in inbox.sealed(unit.session, after=after))


def opened(unit: Unit, event: SealedEvent, told: ReceivedEvent | None) -> None:
    """The key has come; ``told`` is what the event says, ``None`` if it says nothing to the bot."""
    content, cipher = (told.content, told.cipher) if told is not None else (None, None)
    if cipher is not None and inbox.replays(unit.session, cipher):
        content = None
    inbox.unseal(unit.session, event.row_id, content, cipher, unit.now)
    unit.wake_worker()


def give_up(unit: Unit) -> None:
    """Drop what has waited too long."""
    dropped = inbox.drop_sealed(unit.session, unit.now - KEPT_FOR, unit.now)
    if dropped:
        unit.log("sealed_given_up", events=dropped)


def to_tell(unit: Unit) -> tuple[SealedEvent, ...]:
    """Those whose senders are to be told that they cannot be read: once per person and session."""
    rows = inbox.sealed(unit.session, untold_since=unit.now - TOLD_AFTER)
    return tuple(_sealed(row) for row in rows)


def told(unit: Unit, event: SealedEvent) -> Incoming | None:
    """Note that its sender is told now; ``None`` if it was read meanwhile, or they know of the session."""
    row = unit.session.get(InboxEvent, event.row_id)
    if row is None or row.kind != inbox.SEALED or row.handled_at is not None or row.attempts:
        return None
    known = inbox.was_told(unit.session, event.sender, row.cipher or "")
    row.attempts = 1
    unit.session.add(row)
    if known:
        return None
    return Incoming(event.row_id, event.event_id, event.room_id, event.sender, event.content, event.sent_at)


def _sealed(row: InboxEvent) -> SealedEvent:
    session_id = (row.cipher or "").removesuffix(":")
    return SealedEvent(
        row.id or 0, row.event_id, row.room_id, row.sender, session_id, row.content or {}, row.sent_at
    )
