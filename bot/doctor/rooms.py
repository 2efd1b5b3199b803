"""The configured rooms: may the bot use them, and has it the rights that it needs there."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from bot.doctor.findings import Finding, bad, good
from bot.domain.rooms import RoomProblem, problems
from bot.matrix.client import MatrixClient
from bot.matrix.errors import MatrixError, Refused
from bot.matrix.events import room_state_of

HINTS: Final[Mapping[RoomProblem, str]] = {
    RoomProblem.NOT_JOINED: "Invite the bot into the room.",
    RoomProblem.PUBLIC: "Room settings, security: let only invited people join.",
    RoomProblem.WORLD_READABLE: "Room settings, security: do not let anyone read the history.",
    RoomProblem.GUESTS: "Room settings, security: do not let guests join.",
    RoomProblem.ENCRYPTED: (
        "Encrypted rooms are not supported yet, and encryption cannot be turned off: make a room without it "
        "(clients show a shield or lock where there is any) and put that into the config."
    ),
    RoomProblem.REPLACED: "The room was upgraded: put the new room into the config.",
}

_MODERATOR: Final = (
    "Room settings, roles: make the bot a moderator. Until then handled taps stay on the cards, and a purge "
    "leaves members' own messages."
)
_WRITER: Final = "Room settings, roles: let the bot send messages and reactions."
_INVITE: Final = HINTS[RoomProblem.NOT_JOINED] + " `run` accepts the invitation."
_CREATOR: Final = 10**9
"""Room version 12: who made a room may do everything in it, and has no number."""
_CREATORS_RULE: Final = 12
_DEFAULT_VERSION: Final = "1"

State = list[dict[str, Any]]


async def examine_room(client: MatrixClient, key: str, address: str, *, closely: bool = False) -> Finding:
    """One room; ``closely`` tells also who is in it and the bot's level."""
    what = f"room {key} ({address})"
    try:
        room_id = address if address.startswith("!") else await client.resolve(address)
        state = await client.state(room_id)
    except Refused as error:
        detail = "does not exist" if error.code == "M_NOT_FOUND" else "the bot is not in it"
        return bad(what, detail, _INVITE)
    except MatrixError as error:
        return bad(what, f"no answer ({error})", "Try again.")
    me = client.user_id
    found = problems(replace(room_state_of(state), joined=me in _members(state)))
    if RoomProblem.NOT_JOINED in found:
        return bad(what, "the bot is not in it", _INVITE)
    if found:
        return bad(what, ", ".join(found), " ".join(HINTS[problem] for problem in found))
    rights = rights_in(state, me)
    if not rights.may_write:
        return bad(what, f"the bot may not write there{_level(rights)}", _WRITER)
    told = f"{room_id}, {_people(state)}{_level(rights)}" if closely else room_id
    if not rights.may_remove:
        return good(what, f"{told}, but the bot may not remove messages there", _MODERATOR)
    return good(what, told)


@dataclass(frozen=True, slots=True)
class Rights:
    """What the power levels let the bot do."""

    level: int
    may_write: bool
    """Messages and reactions."""
    may_remove: bool
    """What others sent: handled taps, purged words."""

    @property
    def is_creator(self) -> bool:
        """Whether the level is that of a creator, above all numbers."""
        return self.level == _CREATOR


def rights_in(state: State, user_id: str) -> Rights:
    """The bot's rights by the room's state (client-server API, "m.room.power_levels"; room version 12)."""
    levels = _content(state, "m.room.power_levels")
    level = _level_of(state, levels, user_id)
    needed = [
        levels.get("events", {}).get(kind, levels.get("events_default", 0))
        for kind in ("m.room.message", "m.reaction")
    ]
    redacts = levels.get("events", {}).get("m.room.redaction", levels.get("events_default", 0))
    return Rights(level, level >= max(needed), level >= max(levels.get("redact", 50), redacts))


def _level_of(state: State, levels: Mapping[str, Any], user_id: str) -> int:
    if user_id in _creators(state):
        return _CREATOR
    return int(levels.get("users", {}).get(user_id, levels.get("users_default", 0)))


def _creators(state: State) -> set[str]:
    """Those whom no power level binds; none before room version 12."""
    made = next((each for each in state if each.get("type") == "m.room.create"), {})
    content = made.get("content", {})
    version = str(content.get("room_version", _DEFAULT_VERSION))
    if not version.isdecimal() or int(version) < _CREATORS_RULE:
        return set()
    return {made.get("sender", ""), *content.get("additional_creators", [])}


def _level(rights: Rights) -> str:
    return ", the bot made the room" if rights.is_creator else f", the bot has level {rights.level}"


def _people(state: State) -> str:
    # The bot is one of them.
    others = len(_members(state)) - 1
    return f"{others} member{'' if others == 1 else 's'}"


def _members(state: State) -> set[str]:
    """Who is joined: one who left is still told the state as it was then."""
    return {
        each.get("state_key", "")
        for each in state
        if each.get("type") == "m.room.member" and each.get("content", {}).get("membership") == "join"
    }


def _content(state: State, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next((each["content"] for each in state if each.get("type") == kind), {})
    return found
