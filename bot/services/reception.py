"""What the sync brings: events, rooms, members and the new token, in one commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bot.services import keys, outcomes, redactions, restoring, taps
from bot.services.echoes import Echo
from bot.services.keys import NO_KEYS, KeyChanges
from bot.services.redactions import Redaction as Redaction
from bot.services.room_updates import RoomUpdate as RoomUpdate
from bot.services.room_updates import update_room
from bot.services.unit import Unit
from storage import inbox, outbox, posted, restored, room_moves, rooms, rows
from storage.models import InboxEvent, RoomKey, SyncState
from storage.room_moves import MoveState

_TWO: Final = 2
HELD_FOR: Final = timedelta(minutes=1)
"""So long what a person says waits behind what of theirs cannot be read yet."""


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """A message event. ``content`` is ``None`` if it is no command: then only its id is kept."""

    event_id: str
    room_id: str
    sender: str
    content: Mapping[str, Any] | None
    sent_at: datetime
    thread: str | None = None
    """The root of the thread that it stands in."""
    tapped: str | None = None
    """Of a reaction: the event that it is on."""
    sealed: bool = False
    """Whether its key has not come yet, and ``content`` is the encrypted one."""
    cipher: str | None = None
    """Of an encrypted event: its session and its place there; without a place while it is sealed."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One answer of the homeserver to a sync."""

    token: str
    rooms: tuple[RoomUpdate, ...] = ()
    events: tuple[ReceivedEvent, ...] = ()
    echoes: tuple[Echo, ...] = ()
    redactions: tuple[Redaction, ...] = ()
    first: bool = False
    """Whether it is the first one of this run."""
    keys: KeyChanges = NO_KEYS
    """What the encryption's machine wants kept of it."""


def start(unit: Unit, user_id: str, device_id: str) -> str | None:
    """Note who runs; gives the token to go on from, or ``None`` for a first sync.

    With another device the homeserver does not know the old transaction ids any more.
    """
    state = inbox.sync_state(unit.session)
    if state.user_id != user_id:
        # Rooms and members are what the other account saw; the first sync of this one tells its own.
        rooms.leave_all(unit.session)
        state.token = None
    if (state.user_id, state.device_id) != (user_id, device_id):
        outbox.suspect_all(unit.session)
    if state.synced_at is not None and state.synced_at > unit.now:
        # The clock was set back while the bot was down, or before it saw to that.
        outbox.all_due(unit.session, unit.now)
        state.synced_at = unit.now
    state.user_id, state.device_id = user_id, device_id
    unit.session.add(state)
    return state.token


def device_of(unit: Unit, user_id: str) -> str | None:
    """The device that the bot used before as this user."""
    state = unit.session.get(SyncState, 1)
    return state.device_id if state and state.user_id == user_id else None


def configure_rooms(unit: Unit, wanted: Mapping[str, tuple[str, str | None]]) -> None:
    """Note which room serves as which: key → (address, room id if it could be resolved)."""
    for known in rooms.keys(unit.session):
        if known.key not in wanted:
            unit.session.delete(known)
    for key, (address, room_id) in wanted.items():
        row = unit.session.get(RoomKey, key)
        if row is None:
            row = RoomKey(key=key, address=address)
        if room_id is not None or row.address != address:
            row.room_id = room_id
        row.address = address
        unit.session.add(row)
    unit.session.flush()
    outbox.release_held(unit.session, unit.now)
    unit.wake_courier()


def receive(unit: Unit, batch: Batch) -> bool:
    """Commit a sync: what came in, what became of the rooms, and the token that goes on from there.

    :returns: whether it shows that the database is a restored one.
    """
    keys.keep(unit, batch.keys)
    # Before the rooms are looked at: what they were told since a backup is not told again.
    restored_now, answered = restoring.take_up(unit, batch.echoes) if batch.first else (False, {})
    if restored_now:
        keys.restored(unit, batch.keys)
    for update in batch.rooms:
        update_room(unit, update)
    for echo in batch.echoes:
        outcomes.sent(unit, echo.tx_id, echo.event_id, echo.room_id, echo.thread)
        if echo.on is not None and echo.key is not None:
            outcomes.seed_seen(unit, echo.room_id, echo.on, echo.key, echo.event_id)
    for redaction in batch.redactions:
        (redactions.by_bot if redaction.by_bot else redactions.by_another)(unit, redaction)
    _keep_fresh(unit, batch.events)
    for event_id, again in answered.items():
        restored.note_answered(unit.session, event_id, again)
    inbox.move_on(unit.session, batch.token, unit.now)
    return restored_now


_MOST_SEALED: Final = 200
"""Of one person: more that nobody can read is no use to anybody, and is looked at again and again."""


def _keep_fresh(unit: Unit, events: Sequence[ReceivedEvent]) -> None:
    """Put into the inbox what was not received before."""
    known = inbox.known(unit.session, [event.event_id for event in events])
    fresh = {event.event_id: event for event in events if event.event_id not in known}
    for event in fresh.values():
        if event.tapped is not None and not taps.is_offered(unit, event.tapped):
            continue  # people's reactions to each other are not ours to keep
        if event.thread is not None:
            posted.thread_goes_on(unit.session, event.thread, event.event_id)
        if event.sealed and inbox.sealed_by(unit.session, event.sender, _MOST_SEALED) >= _MOST_SEALED:
            unit.log("sealed_dropped", event_id=event.event_id, room_id=event.room_id)
            continue
        if event.cipher is None or event.sealed or not inbox.replays(unit.session, event.cipher):
            _store(unit, event)


@dataclass(frozen=True, slots=True)
class RoomsInUse:
    """Which rooms served when the bot ran last."""

    serving: Mapping[tuple[str, str], str]
    """Key and address → room id."""
    followed: Mapping[str, str]
    """Room that was moved out of after an upgrade → the one that is used instead."""


def rooms_in_use(unit: Unit) -> RoomsInUse:
    """Which rooms served when the bot ran last."""
    found = {(key.key, key.address): key.room_id for key in rooms.keys(unit.session) if key.room_id}
    return RoomsInUse(found, room_moves.followed(unit.session))


def left(unit: Unit, room_id: str) -> None:
    """The bot has left a room."""
    update_room(unit, RoomUpdate(room_id, "leave"))


def joined_rooms(unit: Unit) -> frozenset[str]:
    """Rooms that the bot is in, as far as the last sync told."""
    return frozenset(rooms.joined(unit.session))


def configured_rooms(unit: Unit) -> frozenset[str]:
    """Ids of the rooms that serve, as far as they are known, and of those that did before an upgrade."""
    configured, _following = rooms_to_read(unit)
    return configured


def rooms_to_read(unit: Unit) -> tuple[frozenset[str], frozenset[str]]:
    """The configured rooms, and those that say to continue one of them: who is there counts once they do."""
    return room_moves.used(unit.session)


def is_configured(unit: Unit, room_id: str) -> bool:
    """Whether the config names the room."""
    return rooms.key_of(unit.session, room_id) is not None


def strangers_rooms(unit: Unit) -> tuple[str, ...]:
    """Rooms that the bot is in although they are neither configured nor a direct chat of two.

    In upgraded rooms it stays, so that a purge can clear what it posted there.
    """
    undecided = room_moves.in_state(unit.session, MoveState.ASKED, MoveState.WANTED)
    known = configured_rooms(unit).union(move.new_room_id for move in undecided)
    rejected = {move.new_room_id for move in room_moves.in_state(unit.session, MoveState.REJECTED)}
    others = [room for room in rooms.joined(unit.session) if room not in known]
    return tuple(room for room in others if room in rejected or not _is_chat_of_two(unit, room))


def _is_chat_of_two(unit: Unit, room_id: str) -> bool:
    return len(rooms.members(unit.session, room_id)) == _TWO


def _store(unit: Unit, event: ReceivedEvent) -> None:
    rows.insert(
        unit.session,
        InboxEvent,
        event_id=event.event_id,
        room_id=event.room_id,
        sender=event.sender,
        kind=inbox.SEALED if event.sealed else "message" if event.tapped is None else "reaction",
        content=dict(event.content) if event.content is not None else None,
        sent_at=event.sent_at,
        received_at=unit.now,
        handled_at=unit.now if event.content is None else None,
        cipher=event.cipher,
    )
    if event.content is not None:
        unit.wake_worker()


@dataclass(frozen=True, slots=True)
class Incoming:
    """A command or a tap waiting to be handled."""

    row_id: int
    event_id: str
    room_id: str
    sender: str
    content: Mapping[str, Any]
    sent_at: datetime
    is_tap: bool = False
    again: Mapping[str, Any] | None = None
    """It was answered before the database was restored: what is known of the answer."""


def waiting(unit: Unit, limit: int = 20) -> tuple[Incoming, ...]:
    """The next commands, in the order in which they were received."""
    return tuple(
        Incoming(
            row.id or 0,
            row.event_id,
            row.room_id,
            row.sender,
            row.content or {},
            row.sent_at,
            is_tap=row.kind == "reaction",
            again=row.again,
        )
        for row in inbox.waiting(unit.session, limit, unit.now - HELD_FOR)
    )


def handled(unit: Unit, incoming: Incoming) -> bool:
    """Mark a command as handled, in the commit of what it did; says whether it was still waiting."""
    return inbox.mark(unit.session, incoming.row_id, unit.now)


def tried_in_vain(unit: Unit, incoming: Incoming) -> int:
    """Count a failed attempt; gives how many there were."""
    row = unit.session.get(InboxEvent, incoming.row_id)
    if row is None:
        return 0
    row.attempts += 1
    unit.session.add(row)
    return row.attempts
