"""Reads a sync's JSON. It comes from strangers: every type is checked, and nothing raises."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from bot.domain.rooms import RoomState
from bot.matrix import clean
from bot.matrix.client import TX_KEY
from bot.services.reception import Batch, Echo, ReceivedEvent, RoomUpdate

_STATE_TYPES: Final = (
    "m.room.member",
    "m.room.join_rules",
    "m.room.history_visibility",
    "m.room.guest_access",
    "m.room.encryption",
    "m.room.name",
    "m.room.tombstone",
)
_TIMELINE_TYPES: Final = (*_STATE_TYPES, "m.room.message", "m.reaction")
_NOTHING: Final = {"types": [], "limit": 0}
TIMELINE_FILTER: Final[Mapping[str, Any]] = {"types": ["m.room.message", "m.reaction"]}
SYNC_FILTER: Final[Mapping[str, Any]] = {
    "presence": _NOTHING,
    "account_data": _NOTHING,
    "room": {
        "state": {"types": list(_STATE_TYPES), "lazy_load_members": False},
        "timeline": {"types": list(_TIMELINE_TYPES), "limit": 100},
        "ephemeral": _NOTHING,
        "account_data": _NOTHING,
    },
}


class Concerns(Protocol):
    """Whether a message's content is for the bot; ``private``: outside of the configured rooms."""

    def __call__(self, content: Mapping[str, object], *, private: bool) -> bool: ...


Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gap:
    """The timeline was cut: events between the last sync and ``before`` are still to be fetched."""

    room_id: str
    before: str


@dataclass(frozen=True, slots=True)
class SyncAnswer:
    """A sync, read: what to commit, and what to fetch first."""

    batch: Batch
    gaps: tuple[Gap, ...] = ()
    unsure: tuple[str, ...] = ()
    """Rooms whose state has to be asked for: what the sync tells of it may be an older one."""


@dataclass(slots=True)
class _Collected:
    rooms: list[RoomUpdate] = field(default_factory=list)
    events: list[ReceivedEvent] = field(default_factory=list)
    echoes: list[Echo] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)


class Reader:
    """Reads syncs for one account."""

    def __init__(self, user_id: str, concerns: Concerns) -> None:
        self._me = user_id
        self._concerns = concerns
        self._configured: frozenset[str] = frozenset()

    def read(self, raw: Json, joined: frozenset[str], configured: frozenset[str]) -> SyncAnswer:
        """Read a sync; ``joined`` are the rooms that the bot was in at the last one.

        In a room that is new, only what was said after the bot came in counts. Outside of the ``configured``
        rooms there are only direct chats, until they are left.
        """
        self._configured = configured
        found = _Collected()
        rooms = _mapping(raw.get("rooms"))
        for room_id, room in _mappings(rooms.get("join")):
            self._read_joined(found, room_id, room, known=room_id in joined)
        for room_id, _room in _mappings(rooms.get("leave")):
            found.rooms.append(RoomUpdate(room_id, membership="leave"))
        for room_id, room in _mappings(rooms.get("invite")):
            self._read_invitation(found, room_id, room)
        batch = Batch(
            clean.text(raw.get("next_batch")) or "",
            tuple(found.rooms),
            tuple(found.events),
            tuple(found.echoes),
        )
        return SyncAnswer(batch, tuple(found.gaps), tuple(found.unsure))

    def read_page(self, room_id: str, events: list[Any]) -> tuple[list[ReceivedEvent], list[Echo]]:
        """Messages and own events of a page of history, oldest first."""
        found = _Collected()
        for event in events:
            if isinstance(event, Mapping):
                self._read_message(found, room_id, event)
        return found.events, found.echoes

    def _read_joined(self, found: _Collected, room_id: str, room: Json, *, known: bool) -> None:
        timeline = _mapping(room.get("timeline"))
        said = list(_events(timeline))
        before = list(_events(room.get("state")))
        found.rooms.append(_room_update(room_id, [*before, *said], membership="join"))
        if known and before:
            # Two events at once, as a member leaving while the bot writes, fork the room's history. The sync
            # then tells the state before one of them, in which the member is still there (MSC4222).
            found.unsure.append(room_id)
        start = timeline.get("prev_batch")
        if known and timeline.get("limited") is True and isinstance(start, str):
            found.gaps.append(Gap(room_id, start))
        for event in said if known else self._since_join(said):
            self._read_message(found, room_id, event)

    def _since_join(self, said: list[Json]) -> list[Json]:
        for index, event in enumerate(said):
            membership = _mapping(event.get("content")).get("membership")
            mine = event.get("type") == "m.room.member" and event.get("state_key") == self._me
            if mine and membership == "join":
                return said[index:]
        return []

    def _read_message(self, found: _Collected, room_id: str, event: Json) -> None:
        event_id, sender = clean.identifier(event.get("event_id")), clean.identifier(event.get("sender"))
        if event_id is None or sender is None or not isinstance(event.get("content"), Mapping):
            return
        content = clean.content(event["content"])
        if sender == self._me:
            tx_id = content.get(TX_KEY)
            if isinstance(tx_id, str):
                on = _tapped(content)
                key = None if on is None else str(content["m.relates_to"]["key"])
                found.echoes.append(Echo(tx_id, event_id, room_id, _thread(content), on, key))
        elif "state_key" in event:
            return
        elif event.get("type") == "m.room.message":
            private = room_id not in self._configured
            kept = content if self._concerns(content, private=private) else None
            thread = clean.identifier(_thread(content))
            found.events.append(ReceivedEvent(event_id, room_id, sender, kept, _sent_at(event), thread))
        elif event.get("type") == "m.reaction" and (tapped := _tapped(content)) is not None:
            found.events.append(
                ReceivedEvent(event_id, room_id, sender, content, _sent_at(event), tapped=tapped)
            )

    def _read_invitation(self, found: _Collected, room_id: str, room: Json) -> None:
        state = list(_events(room.get("invite_state")))
        encrypted = any(event.get("type") == "m.room.encryption" for event in state)
        for event in state:
            content = _mapping(event.get("content"))
            mine = event.get("type") == "m.room.member" and event.get("state_key") == self._me
            inviter = clean.identifier(event.get("sender"))
            if mine and content.get("membership") == "invite" and inviter is not None:
                direct = content.get("is_direct") is True
                update = RoomUpdate(room_id, "invite", invited_by=inviter, direct=direct, encrypted=encrypted)
                found.rooms.append(update)
                return


def in_order(events: Iterable[ReceivedEvent]) -> tuple[ReceivedEvent, ...]:
    """Events of several rooms by their times; those of one room stay in order, whatever times they claim."""
    latest: dict[str, datetime] = {}
    timed: list[tuple[datetime, ReceivedEvent]] = []
    for event in events:
        latest[event.room_id] = max(event.sent_at, latest.get(event.room_id, event.sent_at))
        timed.append((latest[event.room_id], event))
    return tuple(event for _, event in sorted(timed, key=lambda pair: pair[0]))


def whole_state(room_id: str, state: list[Any]) -> RoomUpdate:
    """A joined room's state as it is now, in place of what a sync told of it."""
    events = [event for event in state if isinstance(event, Mapping)]
    return replace(_room_update(room_id, events, membership="join"), whole=True)


def room_state_of(state: list[Any]) -> RoomState:
    """A joined room's state as `check` fetches it."""
    events = [event for event in state if isinstance(event, Mapping)]
    values = _room_values(events)
    values.pop("name", None)
    return RoomState(joined=True, **values)


def _room_update(room_id: str, state: list[Json], membership: str) -> RoomUpdate:
    members: dict[str, str | None] = {}
    for event in state:
        user_id, content = clean.identifier(event.get("state_key")), _mapping(event.get("content"))
        if event.get("type") == "m.room.member" and user_id is not None:
            joined = content.get("membership") == "join"
            members[user_id] = clean.name(content.get("displayname")) if joined else None
    return RoomUpdate(room_id, membership=membership, members=members, **_room_values(state))


def _room_values(state: list[Json]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for event in state:
        read = _ROOM_STATE.get(str(event.get("type")))
        if read is not None and event.get("state_key") == "":
            name, value = read(_mapping(event.get("content")))
            values[name] = value
    return values


def _setting(field_name: str, key: str, unreadable: str) -> Callable[[Json], tuple[str, Any]]:
    def read(content: Json) -> tuple[str, Any]:
        return field_name, clean.identifier(content.get(key)) or unreadable

    return read


_ROOM_STATE: Final[Mapping[str, Callable[[Json], tuple[str, Any]]]] = {
    # An unreadable value is taken for the one that opens the room: then the bot stays out. Where there is no
    # such event at all, the specification's defaults hold, which are those of the table of rooms.
    "m.room.join_rules": _setting("join_rule", "join_rule", "public"),
    "m.room.history_visibility": _setting("history_visibility", "history_visibility", "world_readable"),
    "m.room.guest_access": _setting("guest_access", "guest_access", "can_join"),
    "m.room.name": lambda content: ("name", clean.name(content.get("name"))),
    "m.room.tombstone": _setting("replaced_by", "replacement_room", "?"),
    "m.room.encryption": lambda _content: ("encrypted", True),
}


def _thread(content: Json) -> str | None:
    relates_to = _mapping(content.get("m.relates_to"))
    root = relates_to.get("event_id")
    return root if relates_to.get("rel_type") == "m.thread" and isinstance(root, str) else None


def _tapped(content: Json) -> str | None:
    """The event that a reaction is on; ``None`` if it is none, as once it was taken back."""
    relates_to = _mapping(content.get("m.relates_to"))
    key = relates_to.get("key")
    if relates_to.get("rel_type") != "m.annotation" or not isinstance(key, str) or not key:
        return None
    return clean.identifier(relates_to.get("event_id"))


def _sent_at(event: Json) -> datetime:
    moment = event.get("origin_server_ts")
    if not isinstance(moment, int) or not 0 <= moment < 32_503_680_000_000:
        moment = 0
    return datetime.fromtimestamp(moment / 1000, UTC)


def _mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> Iterator[tuple[str, Json]]:
    """Rooms by id; one whose id cannot be kept is left out."""
    for key, inner in _mapping(value).items():
        if isinstance(inner, Mapping) and clean.identifier(key) is not None:
            yield key, inner


def _events(section: object) -> Iterator[Json]:
    events = _mapping(section).get("events")
    if isinstance(events, list):
        yield from (event for event in events if isinstance(event, Mapping))
