"""The inbox: what was received and is not yet handled."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, null, update
from sqlmodel import Session, col, select

from storage.models import InboxEvent, SyncState

_KNOWN = select(InboxEvent.event_id).where(col(InboxEvent.event_id).in_(bindparam("ids", expanding=True)))
_MARK = (
    update(InboxEvent)
    .where(col(InboxEvent.id) == bindparam("row_id"), col(InboxEvent.handled_at).is_(None))
    .values(handled_at=bindparam("now"), content=null())
    .execution_options(synchronize_session=False)
)
_WAITING = (
    select(InboxEvent)
    .where(col(InboxEvent.handled_at).is_(None))
    .order_by(col(InboxEvent.id))
    .limit(bindparam("most"))
)
_MOVE_ON = (
    update(SyncState)
    .where(col(SyncState.id) == 1)
    .values(token=bindparam("new_token"), synced_at=bindparam("now"))
    .execution_options(synchronize_session=False)
)


def known(session: Session, event_ids: Collection[str]) -> frozenset[str]:
    """Those of the events that were received before."""
    found: set[str] = set()
    wanted = list(event_ids)
    for start in range(0, len(wanted), 500):
        rows = session.exec(_KNOWN, params={"ids": wanted[start : start + 500]})
        found.update(rows.all())
    return frozenset(found)


def received(session: Session, event_ids: Collection[str]) -> Sequence[InboxEvent]:
    """Rooms and senders of events that were received."""
    rows = session.exec(select(InboxEvent).where(col(InboxEvent.event_id).in_(event_ids)))
    return rows.all()


def waiting(session: Session, limit: int) -> Sequence[InboxEvent]:
    """The next events to handle, in the order in which they were received."""
    return session.exec(_WAITING, params={"most": limit}).all()


def mark(session: Session, row_id: int, now: datetime) -> bool:
    """Mark an event as handled and drop its content; says whether it was still waiting."""
    marked = session.exec(_MARK, params={"row_id": row_id, "now": now})
    return bool(marked.rowcount)


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


def move_on(session: Session, token: str, now: datetime) -> None:
    """The sync got as far as this token."""
    if session.exec(_MOVE_ON, params={"new_token": token, "now": now}).rowcount == 0:
        session.add(SyncState(id=1, token=token, synced_at=now))
