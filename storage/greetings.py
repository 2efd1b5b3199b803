"""In which rooms the bot has introduced itself."""

from datetime import datetime

from sqlmodel import Session, col, select

from storage.models import Greeting, Room


def of(session: Session, room_id: str) -> Greeting | None:
    """The greeting of a room, if there was one."""
    return session.get(Greeting, room_id)


def note(session: Session, room_id: str, now: datetime) -> None:
    """The room is told now."""
    session.merge(Greeting(room_id=room_id, at=now))


def was_before(session: Session, room_id: str) -> bool:
    """Whether the people of a room were greeted in the one that it replaced."""
    rows = session.exec(
        select(Greeting.room_id)
        .join(Room, col(Room.room_id) == col(Greeting.room_id))
        .where(Room.replaced_by == room_id)
    )
    return rows.first() is not None
