"""Which rooms the bot may use: one that strangers can read or enter gives no rights and gets no tickets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_CLOSED_RULES: Final = frozenset({"invite", "restricted", "knock", "knock_restricted"})
"""Who knocks waits outside until a member lets them in: as good as an invitation."""


class RoomProblem(StrEnum):
    """Why a configured room cannot be used."""

    NOT_JOINED = "not_joined"
    PUBLIC = "public"
    WORLD_READABLE = "world_readable"
    GUESTS = "guests"
    REPLACED = "replaced"
    """The room was upgraded: there is a newer one."""
    MUTED = "muted"
    """The bot may not write there. It takes no rights away: what it hears it does."""


@dataclass(frozen=True, slots=True)
class RoomState:
    """What the homeserver says of a room; the defaults are those of the Matrix specification."""

    joined: bool = True
    join_rule: str = "invite"
    history_visibility: str = "shared"
    guest_access: str = "forbidden"
    replaced_by: str | None = None
    muted: bool = False


def problems(room: RoomState) -> tuple[RoomProblem, ...]:
    """What stands against using the room, which then gives no rights either; empty if nothing does."""
    if not room.joined:
        return (RoomProblem.NOT_JOINED,)
    found = {
        RoomProblem.PUBLIC: room.join_rule not in _CLOSED_RULES,
        RoomProblem.WORLD_READABLE: room.history_visibility == "world_readable",
        RoomProblem.GUESTS: room.guest_access != "forbidden",
        RoomProblem.REPLACED: room.replaced_by is not None,
    }
    return tuple(problem for problem, present in found.items() if present)


def hindrances(room: RoomState) -> tuple[RoomProblem, ...]:
    """What stands against writing into a room; empty if nothing does."""
    found = problems(room)
    if room.muted and RoomProblem.NOT_JOINED not in found:
        return (*found, RoomProblem.MUTED)
    return found


_WORDS: Final[Mapping[RoomProblem, str]] = {
    RoomProblem.NOT_JOINED: "the bot is not in it",
    RoomProblem.PUBLIC: "anyone can join",
    RoomProblem.WORLD_READABLE: "anyone can read it",
    RoomProblem.GUESTS: "guests can join",
    RoomProblem.REPLACED: "it was upgraded",
    RoomProblem.MUTED: "the bot may not write there",
}


def in_words(found: Iterable[RoomProblem]) -> str:
    """For whoever runs the bot: what ``/readyz``, ``check`` and ``doctor`` say of a room.

    What the admin room reads is in its language, and says what to do.
    """
    return ", ".join(_WORDS[each] for each in found)
