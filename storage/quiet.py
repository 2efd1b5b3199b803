"""What was posted silently in quiet hours and is still to be reminded of. Queries never commit."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, func, or_, update
from sqlmodel import Session, col, select

from storage.models import OutboxRow, QuietNote
from storage.outbox import RowState


def rooms_to_remind(session: Session) -> Sequence[str]:
    """Keys of the rooms in which something was posted silently that no reminder tells of yet."""
    rows = session.exec(select(QuietNote.room).where(col(QuietNote.reminder).is_(None)).distinct())
    return sorted(rows.all())


def untold(session: Session, room: str) -> Sequence[QuietNote]:
    """What was posted silently in a room and no reminder tells of yet, oldest first."""
    rows = session.exec(
        select(QuietNote)
        .where(col(QuietNote.reminder).is_(None), QuietNote.room == room)
        .order_by(col(QuietNote.at), col(QuietNote.number))
    )
    return rows.all()


def count_untold(session: Session) -> int:
    """How much was posted silently, in all rooms, that no reminder tells of yet."""
    query = select(func.count()).select_from(QuietNote).where(col(QuietNote.reminder).is_(None))
    return session.exec(query).one()


def told_by(session: Session, reminder: str) -> Sequence[QuietNote]:
    """What a reminder is about, oldest first."""
    rows = session.exec(
        select(QuietNote)
        .where(QuietNote.reminder == reminder)
        .order_by(col(QuietNote.at), col(QuietNote.number))
    )
    return rows.all()


def ask_again(session: Session, reminder: str) -> None:
    """A reminder will not be sent: what it was about is to be told by another one."""
    session.exec(
        update(QuietNote)
        .where(col(QuietNote.reminder) == reminder)
        .values(reminder=None)
        .execution_options(synchronize_session=False)
    )


def forget(session: Session, before: datetime) -> None:
    """Drop what reminders have told, but for what is itself still to be sent; and what is too old to tell."""
    waiting = select(OutboxRow.tx_id).where(OutboxRow.state == RowState.WAITING.value)
    told = and_(
        col(QuietNote.reminder).is_not(None),
        col(QuietNote.reminder).not_in(waiting),
        col(QuietNote.tx_id).not_in(waiting),
    )
    session.exec(delete(QuietNote).where(or_(told, col(QuietNote.at) < before)))
