"""Rooms and their members, as the sync told them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy
from sqlalchemy import bindparam, delete, func, update
from sqlmodel import Session, col, select

from bot.domain.rooms import RoomProblem, RoomState, hindrances, problems
from storage import rows
from storage.models import Room, RoomKey, RoomMember

_KEY_OF = select(RoomKey.key).where(RoomKey.room_id == bindparam("room_id"))
_BY_KEY = (
    select(Room)
    .join(RoomKey, col(RoomKey.room_id) == col(Room.room_id))
    .where(RoomKey.key == bindparam("key"))
)
_KEYS_OF = (
    sqlalchemy.select(col(RoomKey.key), *sqlalchemy.inspect(Room).columns)
    .join(Room, col(RoomKey.room_id) == col(Room.room_id))
    .join(RoomMember, col(RoomMember.room_id) == col(Room.room_id))
    .where(col(RoomMember.user_id) == bindparam("user_id"))
)
_MEMBERS = (
    select(RoomMember.user_id, RoomMember.name)
    .where(RoomMember.room_id == bindparam("room_id"))
    .order_by(RoomMember.user_id)
)
_TWO = 2
_ALL_KEYS = select(RoomKey).order_by(RoomKey.key)


def state_of(room: Room) -> RoomState:
    """The row as the domain judges it."""
    return RoomState(
        joined=room.membership == "join",
        join_rule=room.join_rule,
        history_visibility=room.history_visibility,
        guest_access=room.guest_access,
        replaced_by=room.replaced_by,
        muted=room.muted,
    )


def problems_of(room: Room | None) -> tuple[RoomProblem, ...]:
    """What stands against using a room; one that was never seen is not joined."""
    return (RoomProblem.NOT_JOINED,) if room is None else problems(state_of(room))


def hindrances_of(room: Room | None) -> tuple[RoomProblem, ...]:
    """What stands against writing into a room."""
    return (RoomProblem.NOT_JOINED,) if room is None else hindrances(state_of(room))


def get(session: Session, room_id: str) -> Room | None:
    """What is known of a room."""
    room = rows.get(session, Room, room_id)
    # A unit asks for the same room several times: as long as it is held, the session has it at hand.
    session.info[Room, room_id] = room
    return room


def keys(session: Session) -> Sequence[RoomKey]:
    """All configured rooms."""
    return session.exec(_ALL_KEYS).all()


def states(session: Session) -> Mapping[str, tuple[RoomProblem, ...]]:
    """Each configured room's key → what stands against using it."""
    found = session.exec(
        select(RoomKey.key, Room)
        .outerjoin(Room, col(Room.room_id) == col(RoomKey.room_id))
        .order_by(RoomKey.key)
    )
    return {key: hindrances_of(room) for key, room in found}


def joined(session: Session) -> Sequence[str]:
    """Ids of the rooms that the bot is in."""
    return session.exec(select(Room.room_id).where(Room.membership == "join")).all()


def invited(session: Session) -> Sequence[Room]:
    """The rooms that the bot is invited to."""
    return session.exec(select(Room).where(Room.membership == "invite")).all()


def key_of(session: Session, room_id: str) -> str | None:
    """As which configured room this one serves."""
    key: str | None = rows.run(session, _KEY_OF, room_id=room_id).scalar()
    return key


def by_key(session: Session, key: str) -> Room | None:
    """The room that serves as ``key``, if its id is known and it was seen."""
    return session.exec(_BY_KEY, params={"key": key}).first()


def usable_keys_of(session: Session, user_id: str) -> tuple[str, ...]:
    """The configured rooms, among those that the bot may use, that a person is joined to."""
    found: Sequence[Any] = rows.run(session, _KEYS_OF, user_id=user_id).all()
    return tuple(room.key for room in found if not problems_of(room))


def members(session: Session, room_id: str) -> Mapping[str, str]:
    """User ids of those joined to a room, with their names there."""
    found = rows.run(session, _MEMBERS, room_id=room_id).all()
    return {user_id: name or user_id for user_id, name in found}


def in_any(session: Session, user_ids: Collection[str]) -> frozenset[str]:
    """Those of the people who are joined to any room."""
    query = select(RoomMember.user_id).where(col(RoomMember.user_id).in_(user_ids)).distinct()
    return frozenset(session.exec(query).all())


def direct_chat(session: Session, user_id: str, bot: str) -> str | None:
    """A room of nobody but this person and the bot, if there is one."""
    theirs = select(RoomMember.room_id).where(RoomMember.user_id == user_id)
    configured = select(RoomKey.room_id).where(col(RoomKey.room_id).is_not(None))
    query = (
        select(RoomMember.room_id)
        .where(col(RoomMember.room_id).in_(theirs), col(RoomMember.room_id).not_in(configured))
        .group_by(col(RoomMember.room_id))
        .having(func.count() == _TWO, func.count().filter(col(RoomMember.user_id) == bot) == 1)
        .order_by(col(RoomMember.room_id))
        .limit(1)
    )
    return session.exec(query).first()


def name_of(session: Session, user_id: str, room_id: str | None) -> str:
    """A person's display name in a room, else in any room, else the user id."""
    found = session.exec(
        select(RoomMember.name, RoomMember.room_id).where(
            RoomMember.user_id == user_id, col(RoomMember.name).is_not(None)
        )
    ).all()
    names = [name for name, room in found if room == room_id] + [name for name, _ in found]
    return names[0] if names and names[0] else user_id


def names_of(session: Session, user_ids: Collection[str]) -> Sequence[tuple[str, str, str | None]]:
    """User id, display name and the key of the room that shows it, in each room of these people."""
    if not user_ids:
        return []
    found = session.exec(
        select(RoomMember.user_id, RoomMember.name, RoomKey.key)
        .outerjoin(RoomKey, col(RoomKey.room_id) == col(RoomMember.room_id))
        .where(col(RoomMember.user_id).in_(user_ids), col(RoomMember.name).is_not(None))
        .order_by(RoomMember.user_id, RoomMember.room_id)
    )
    return [(user_id, name or user_id, key) for user_id, name, key in found.all()]


def leave_all(session: Session) -> None:
    """Forget every membership: of the bot in rooms, and of people."""
    session.exec(update(Room).values(membership="leave").execution_options(synchronize_session=False))
    session.exec(delete(RoomMember))


def forget_members(session: Session, room_id: str, user_ids: Collection[str] | None = None) -> None:
    """Drop members of a room: these, or all."""
    query = delete(RoomMember).where(col(RoomMember.room_id) == room_id)
    if user_ids is not None:
        query = query.where(col(RoomMember.user_id).in_(user_ids))
    session.exec(query)
