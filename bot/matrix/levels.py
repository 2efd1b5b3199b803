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
    may_write: bool
    """Messages and reactions."""
    may_remove: bool
    """What others sent: handled taps, purged words."""

    @property
    def is_creator(self) -> bool:
        """Whether the level is that of a creator, above all numbers."""
        return self.level == CREATOR


def rights_in(state: State, user_id: str) -> Rights:
    """A user's rights by a room's whole state."""
    levels = _content(state, "m.room.power_levels")
    level = _level_of(state, levels, user_id)
    writing = max(_needed(levels, "m.room.message"), _needed(levels, "m.reaction"))
    removing = max(_number(levels.get("redact"), _REMOVING), _needed(levels, "m.room.redaction"))
    return Rights(level, may_write=level >= writing, may_remove=level >= removing)


def may_post(state: State, user_id: str) -> bool:
    """Whether the user may send messages into a room of this whole state."""
    levels = _content(state, "m.room.power_levels")
    return _level_of(state, levels, user_id) >= _needed(levels, "m.room.message")


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
