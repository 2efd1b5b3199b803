"""In which rooms the bot has introduced itself."""

from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.models import Greeting, Room


async def of(session: AsyncSession, room_id: str) -> Greeting | None:
    """The greeting of a room, if there was one."""
    return await session.get(Greeting, room_id)


async def note(session: AsyncSession, room_id: str, now: datetime) -> None:
    """The room is told now."""
    await session.merge(Greeting(room_id=room_id, at=now))


async def was_before(session: AsyncSession, room_id: str) -> bool:
    """Whether the people of a room were greeted in the one that it replaced."""
    rows = await session.exec(
        select(Greeting.room_id)
        .join(Room, col(Room.room_id) == col(Greeting.room_id))
        .where(Room.replaced_by == room_id)
    )
    return rows.first() is not None
