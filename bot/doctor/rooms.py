"""The configured rooms: may the bot use them, and has it the rights that it needs there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bot.doctor.findings import Finding, bad, good, poor
from bot.domain.rooms import RoomProblem, in_words, problems
from bot.matrix.client import MatrixClient
from bot.matrix.errors import MatrixError, Refused
from bot.matrix.levels import Rights, rights_in
from bot.matrix.room_state import room_state_of

HINTS: Final[Mapping[RoomProblem, str]] = {
    RoomProblem.NOT_JOINED: "Invite the bot into the room.",
    RoomProblem.PUBLIC: "Room settings, security: let only invited people join.",
    RoomProblem.WORLD_READABLE: "Room settings, security: do not let anyone read the history.",
    RoomProblem.GUESTS: "Room settings, security: do not let guests join.",
    RoomProblem.REPLACED: (
        "The room was upgraded: put the new room into the config, or let `run` move: invite the bot into the "
        "new room, and it asks in the admin room."
    ),
    RoomProblem.MUTED: "Room settings, roles: let the bot send messages and reactions.",
}

_ROLES: Final[Mapping[int, str]] = {50: " (moderator)", 100: " (admin)"}
"""How clients call the levels."""
_INVITE: Final = HINTS[RoomProblem.NOT_JOINED] + " `run` accepts the invitation."

State = list[dict[str, Any]]


async def examine_room(
    client: MatrixClient, key: str, address: str, moved: Mapping[str, str], *, closely: bool = False
) -> Finding:
    """One room, or the one it has ``moved`` to; ``closely`` tells also who is in it and the bot's level."""
    what = f"room {key} ({address})"
    try:
        named = address if address.startswith("!") else await client.resolve(address)
        room_id = moved.get(named, named)
        state = await client.state(room_id)
    except Refused as error:
        detail = "does not exist" if error.code == "M_NOT_FOUND" else in_words((RoomProblem.NOT_JOINED,))
        return bad(what, detail, _INVITE)
    except MatrixError as error:
        return bad(what, f"no answer ({error})", "Try again.")
    me = client.user_id
    found = problems(replace(room_state_of(state), joined=me in _members(state)))
    if RoomProblem.NOT_JOINED in found:
        return bad(what, in_words(found), _INVITE)
    if found:
        return bad(what, in_words(found), " ".join(HINTS[problem] for problem in found))
    rights = rights_in(state, me)
    if not (rights.may_write and rights.may_react):
        return _muted(what, me, rights)
    told = f"{room_id}, {_people(state)}{_level(rights)}" if closely else room_id
    if room_id != address and address.startswith("!"):
        return poor(what, f"was upgraded, moved to {told}", f"Write {room_id} into the config.")
    if not rights.may_remove:
        needed = f"the bot may not remove what others sent (needs level {rights.to_remove})"
        hint = "Until then handled taps stay on the cards, and a purge leaves members' own messages."
        return poor(what, f"{told}; {needed}", f"{_grant(me, rights)} {hint}")
    return good(what, told)


def _muted(what: str, me: str, rights: Rights) -> Finding:
    lacking = [
        f"{name} (needs level {needed})"
        for name, needed, may in (
            ("send messages", rights.to_write, rights.may_write),
            ("react", rights.to_react, rights.may_react),
        )
        if not may
    ]
    hint = "Without messages no ticket of this room can be shown, without reactions no command gets its ✅."
    return bad(
        what, f"the bot may not {' nor '.join(lacking)}{_level(rights)}", f"{_grant(me, rights)} {hint}"
    )


def _grant(me: str, rights: Rights) -> str:
    """What is to be done in the room. Nothing else is needed there: the bot invites and removes nobody."""
    level = max(rights.to_write, rights.to_react, rights.to_remove)
    return f"Room settings, roles: give {me} the level {level}{_ROLES.get(level, '')}."


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
