"""The inbox: what was received and is not yet handled."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from storage.models import InboxEvent, SyncState


def known(session: Session, event_ids: Collection[str]) -> frozenset[str]:
    """Those of the events that were received before."""
    found: set[str] = set()
    wanted = list(event_ids)
    for start in range(0, len(wanted), 500):
        rows = session.exec(
            select(InboxEvent.event_id).where(col(InboxEvent.event_id).in_(wanted[start : start + 500]))
        )
        found.update(rows.all())
    return frozenset(found)


def received(session: Session, event_ids: Collection[str]) -> Sequence[InboxEvent]:
    """Rooms and senders of events that were received."""
    rows = session.exec(select(InboxEvent).where(col(InboxEvent.event_id).in_(event_ids)))
    return rows.all()


def waiting(session: Session, limit: int) -> Sequence[InboxEvent]:
    """The next events to handle, in the order in which they were received."""
    rows = session.exec(
        select(InboxEvent)
        .where(col(InboxEvent.handled_at).is_(None))
        .order_by(col(InboxEvent.id))
        .limit(limit)
    )
    return rows.all()


def mark(session: Session, row_id: int, now: datetime) -> bool:
    """Mark an event as handled and drop its content; says whether it was still waiting."""
    row = session.get(InboxEvent, row_id, populate_existing=True)
    if row is None or row.handled_at is not None:
        return False
    row.handled_at = now
    row.content = None
    session.add(row)
    return True


def depth(session: Session) -> int:
    """How many events wait to be handled."""
    rows = session.exec(
        select(func.count()).select_from(InboxEvent).where(col(InboxEvent.handled_at).is_(None))
    )
    return rows.one()


def sync_state(session: Session) -> SyncState:
    """How far the sync got; made on first use."""
    state = session.get(SyncState, 1)
    if state is None:
        state = SyncState(id=1)
        session.add(state)
        session.flush()
    return state
