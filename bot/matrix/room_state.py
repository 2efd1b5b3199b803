"""Reads what a room's state events say: every type is checked, as strangers sent them, and nothing raises."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bot.domain.rooms import RoomState
from bot.matrix import clean
from bot.matrix.levels import may_post
from bot.services.reception import RoomUpdate

Json = Mapping[str, Any]


def whole_state(room_id: str, state: Sequence[object], me: str) -> RoomUpdate:
    """A joined room's state as it is now, in place of what a sync told of it."""
    events = [event for event in state if isinstance(event, Mapping)]
    return replace(room_update(room_id, events, me), whole=True, muted=not may_post(events, me))


def room_state_of(state: Sequence[object]) -> RoomState:
    """A joined room's state as `check` fetches it."""
    values = _values([event for event in state if isinstance(event, Mapping)])
    return RoomState(joined=True, **{name: values[name] for name in _JUDGED if name in values})


def room_update(room_id: str, state: Sequence[Json], me: str) -> RoomUpdate:
    """What some of a joined room's state events tell; whether the bot may write there only all of them do."""
    members: dict[str, str | None] = {}
    for event in state:
        user_id, content = clean.identifier(event.get("state_key")), clean.mapping(event.get("content"))
        if event.get("type") == "m.room.member" and user_id is not None:
            joined = content.get("membership") == "join"
            members[user_id] = clean.name(content.get("displayname")) if joined else None
    complete = any(event.get("type") == "m.room.create" for event in state)
    muted = not may_post(state, me) if complete else None
    return RoomUpdate(room_id, membership="join", members=members, muted=muted, **_values(state))


def predecessor_of(state: Sequence[Json]) -> str | None:
    """The room that this one says to continue; its ``m.room.create`` cannot be changed afterwards."""
    value: str | None = _values(state).get("predecessor")
    return value


def _values(state: Sequence[Json]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for event in state:
        read = _ROOM_STATE.get(str(event.get("type")))
        if read is not None and event.get("state_key") == "":
            name, value = read(clean.mapping(event.get("content")))
            values[name] = value
    return values


def _setting(field_name: str, key: str, unreadable: str) -> Callable[[Json], tuple[str, Any]]:
    def read(content: Json) -> tuple[str, Any]:
        return field_name, clean.identifier(content.get(key)) or unreadable

    return read


def _predecessor(content: Json) -> tuple[str, Any]:
    return "predecessor", clean.identifier(clean.mapping(content.get("predecessor")).get("room_id"))


_ROOM_STATE: Final[Mapping[str, Callable[[Json], tuple[str, Any]]]] = {
    # An unreadable value is taken for the one that opens the room: then the bot stays out. Where there is no
    # such event at all, the specification's defaults hold, which are those of the table of rooms.
    "m.room.join_rules": _setting("join_rule", "join_rule", "public"),
    "m.room.history_visibility": _setting("history_visibility", "history_visibility", "world_readable"),
    "m.room.guest_access": _setting("guest_access", "guest_access", "can_join"),
    "m.room.name": lambda content: ("name", clean.name(content.get("name"))),
    "m.room.tombstone": _setting("replaced_by", "replacement_room", "?"),
    "m.room.encryption": lambda _content: ("encrypted", True),
    "m.room.create": _predecessor,
}
_JUDGED: Final = ("join_rule", "history_visibility", "guest_access", "replaced_by")
