"""Upgraded rooms: where they went. Queries never commit."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from sqlalchemy import literal, union_all
from sqlmodel import Session, col, select

from storage import rows
from storage.models import Room, RoomKey, RoomMove


class MoveState(StrEnum):
    """What became of a room's upgrade."""

    ASKED = "asked"
    """The admins were asked whether to move."""
    WANTED = "wanted"
    """An admin said yes; the bot has to get in."""
    UNINVITED = "uninvited"
    """Wanted, but the bot was not let in; the admins know."""
    DECLINED = "declined"
    """An admin said no."""
    REJECTED = "rejected"
    """The new room does not say that it continues the old one."""
    DONE = "done"
    """The new room is used in place of the old one, also where the config names that."""


def of_old(session: Session, room_id: str) -> RoomMove | None:
    """What became of a room's upgrade."""
    return rows.get(session, RoomMove, room_id, fresh=True)


def to_new(session: Session, room_id: str) -> Sequence[RoomMove]:
    """The moves that lead into a room."""
    return session.exec(select(RoomMove).where(RoomMove.new_room_id == room_id)).all()


def in_state(session: Session, *states: MoveState) -> Sequence[RoomMove]:
    """The moves that stand at one of these; upgrades are rare, so there are few."""
    wanted = [state.value for state in states]
    query = select(RoomMove).where(col(RoomMove.state).in_(wanted)).order_by(RoomMove.old_room_id)
    return session.exec(query).all()


def followed(session: Session) -> Mapping[str, str]:
    """Rooms that were moved out of → the room that is used instead, over however many steps."""
    steps = {move.old_room_id: move.new_room_id for move in in_state(session, MoveState.DONE)}
    found: dict[str, str] = {}
    for old in steps:
        new, seen = steps[old], {old}
        while new in steps and new not in seen:
            seen.add(new)
            new = steps[new]
        found[old] = new
    return found


_SERVING = select(RoomKey.room_id).where(col(RoomKey.room_id).is_not(None))
_LEFT_BEHIND = select(RoomMove.old_room_id).where(RoomMove.state == MoveState.DONE.value)
_CONTINUING = select(Room.room_id).where(
    col(Room.predecessor).in_(_SERVING) | col(Room.predecessor).in_(_LEFT_BEHIND)
)
_USED = union_all(
    _SERVING.add_columns(literal(0)),
    _LEFT_BEHIND.add_columns(literal(0)),
    _CONTINUING.add_columns(literal(1)),
)


def used(session: Session) -> tuple[frozenset[str], frozenset[str]]:
    """The rooms that serve or did before an upgrade, and those that say to continue one of them."""
    found = rows.run(session, _USED).all()
    in_use = frozenset(room_id for room_id, continues in found if not continues)
    return in_use, frozenset(room_id for room_id, continues in found if continues)


def led_to(session: Session, room_id: str) -> tuple[str, ...]:
    """A room that is in use, and those that it was used in place of."""
    return room_id, *(old for old, new in followed(session).items() if new == room_id)


def names(session: Session, room_id: str) -> bool:
    """Whether a room was, or may yet be, moved out of or into."""
    return of_old(session, room_id) is not None or bool(to_new(session, room_id))


def replaced(session: Session, room_id: str) -> Sequence[tuple[RoomKey, Room]]:
    """The configured rooms in use whose tombstone names this room, or that are this one and have such."""
    query = (
        select(RoomKey, Room)
        .join(Room, col(Room.room_id) == col(RoomKey.room_id))
        .where(
            col(Room.replaced_by).is_not(None),
            (Room.replaced_by == room_id) | (Room.room_id == room_id),
        )
    )
    return session.exec(query).all()
