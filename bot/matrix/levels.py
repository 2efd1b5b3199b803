"""What a room's power levels let somebody do there. In the help desk they give no rights.

Source: client-server API, "m.room.power_levels"; room version 12, whose creators no level binds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.matrix import clean

CREATOR: Final = 10**9
"""The level of who made a room, above all that can be given."""
_CREATORS_RULE: Final = 12
_DEFAULT_VERSION: Final = "1"
_REMOVING: Final = 50

State = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Rights:
    """What the power levels let somebody do."""

    level: int
    to_write: int
    """The level that messages need,"""
    to_react: int
    """reactions,"""
    to_remove: int
    """and to take away what others sent: handled taps, purged words."""

    @property
    def may_write(self) -> bool:
        """Whether messages may be sent."""
        return self.level >= self.to_write

    @property
    def may_react(self) -> bool:
        """Whether reactions may be sent."""
        return self.level >= self.to_react

    @property
    def may_remove(self) -> bool:
        """Whether others' events may be taken away."""
        return self.level >= self.to_remove

    @property
    def is_creator(self) -> bool:
        """Whether the level is that of a creator, above all numbers."""
        return self.level == CREATOR


def rights_in(state: State, user_id: str) -> Rights:
    """A user's rights by a room's whole state."""
    levels = _content(state, "m.room.power_levels")
    level = _level_of(state, levels, user_id)
    removing = max(_number(levels.get("redact"), _REMOVING), _needed(levels, "m.room.redaction"))
    return Rights(level, _to_write(state, levels), _needed(levels, "m.reaction"), removing)


def may_post(state: State, user_id: str) -> bool:
    """Whether the user may send messages into a room of this whole state."""
    levels = _content(state, "m.room.power_levels")
    return _level_of(state, levels, user_id) >= _to_write(state, levels)


def _to_write(state: State, levels: Mapping[str, Any]) -> int:
    """In an encrypted room messages go as another type; reactions stay in clear."""
    return _needed(levels, "m.room.encrypted" if _event(state, "m.room.encryption") else "m.room.message")


def _needed(levels: Mapping[str, Any], kind: str) -> int:
    special = clean.mapping(levels.get("events")).get(kind)
    return _number(special, _number(levels.get("events_default"), 0))


def _level_of(state: State, levels: Mapping[str, Any], user_id: str) -> int:
    if user_id in _creators(state):
        return CREATOR
    return _number(clean.mapping(levels.get("users")).get(user_id), _number(levels.get("users_default"), 0))


def _creators(state: State) -> set[object]:
    """Those whom no power level binds; none before room version 12."""
    version = str(_content(state, "m.room.create").get("room_version", _DEFAULT_VERSION))
    if not version.isdecimal() or int(version) < _CREATORS_RULE:
        return set()
    others = _content(state, "m.room.create").get("additional_creators")
    named = [each for each in others if isinstance(each, str)] if isinstance(others, list) else []
    return {_event(state, "m.room.create").get("sender"), *named}


def _number(value: object, default: int) -> int:
    """Rooms before version 10 may have their levels as text."""
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        return int(value)
    return value if isinstance(value, int) else default


def _event(state: State, kind: str) -> Mapping[str, Any]:
    found = (each for each in state if each.get("type") == kind and not each.get("state_key"))
    return next(found, {})


def _content(state: State, kind: str) -> Mapping[str, Any]:
    return clean.mapping(_event(state, kind).get("content"))
