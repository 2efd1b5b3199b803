"""What was posted silently in quiet hours and is still to be reminded of. Queries never commit."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.models import OutboxRow, QuietNote
from storage.outbox import RowState


async def rooms_to_remind(session: AsyncSession) -> Sequence[str]:
    """Keys of the rooms in which something was posted silently that no reminder tells of yet."""
    rows = await session.exec(select(QuietNote.room).where(col(QuietNote.reminder).is_(None)).distinct())
    return sorted(rows.all())


async def untold(session: AsyncSession, room: str) -> Sequence[QuietNote]:
    """What was posted silently in a room and no reminder tells of yet, oldest first."""
    rows = await session.exec(
        select(QuietNote)
        .where(col(QuietNote.reminder).is_(None), QuietNote.room == room)
        .order_by(col(QuietNote.at), col(QuietNote.number))
    )
    return rows.all()


async def told_by(session: AsyncSession, reminder: str) -> Sequence[QuietNote]:
    """What a reminder is about, oldest first."""
    rows = await session.exec(
        select(QuietNote)
        .where(QuietNote.reminder == reminder)
        .order_by(col(QuietNote.at), col(QuietNote.number))
    )
    return rows.all()


async def ask_again(session: AsyncSession, reminder: str) -> None:
    """A reminder will not be sent: what it was about is to be told by another one."""
    await session.exec(
        update(QuietNote)
        .where(col(QuietNote.reminder) == reminder)
        .values(reminder=None)
        .execution_options(synchronize_session=False)
    )


async def forget(session: AsyncSession, before: datetime) -> None:
    """Drop what reminders have told, but for what is itself still to be sent; and what is too old to tell."""
    waiting = select(OutboxRow.tx_id).where(OutboxRow.state == RowState.WAITING.value)
    told = and_(
        col(QuietNote.reminder).is_not(None),
        col(QuietNote.reminder).not_in(waiting),
        col(QuietNote.tx_id).not_in(waiting),
    )
    await session.exec(delete(QuietNote).where(or_(told, col(QuietNote.at) < before)))
