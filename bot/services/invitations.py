"""Invitations that came with a sync: kept with its commit until they are answered."""

from dataclasses import dataclass

from bot.services.room_updates import RoomUpdate, update_room
from bot.services.unit import Unit
from storage import rooms


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody wants the bot in a room, and was not answered yet."""

    room_id: str
    inviter: str
    direct: bool


def pending(unit: Unit) -> tuple[Invitation, ...]:
    """Invitations to be answered. What comes of an answer is told by the sync, and ends it here."""
    return tuple(
        Invitation(room.room_id, room.invited_by, room.direct)
        for room in rooms.invited(unit.session)
        if room.invited_by is not None
    )


def over(unit: Unit, room_id: str) -> None:
    """An invitation cannot be answered: it was withdrawn, or the room is gone."""
    room = rooms.get(unit.session, room_id)
    if room is not None and room.membership == "invite":
        update_room(unit, RoomUpdate(room_id, "leave"))
