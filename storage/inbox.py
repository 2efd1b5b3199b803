"""The inbox: what was received and is not yet handled."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, case, exists, func, null, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage import rows
from storage.models import InboxEvent, SyncState

SEALED: Final = "sealed"
"""Kind of an event whose key has not come yet."""
_SEALED_AT_ONCE: Final = 500
_KNOWN = select(InboxEvent.event_id).where(col(InboxEvent.event_id).in_(bindparam("ids", expanding=True)))
_MARK = (
    update(InboxEvent)
    .where(col(InboxEvent.id) == bindparam("row_id"), col(InboxEvent.handled_at).is_(None))
    .values(handled_at=bindparam("now"), content=null())
    .execution_options(synchronize_session=False)
)
_EARLIER = aliased(InboxEvent)
_WAITS = (col(InboxEvent.handled_at).is_(None), col(InboxEvent.kind) != SEALED)
_WAITING = (
    select(InboxEvent)
    .where(
        *_WAITS,
        ~exists().where(
            col(_EARLIER.handled_at).is_(None),
            col(_EARLIER.kind) == SEALED,
            col(_EARLIER.id) < col(InboxEvent.id),
            col(_EARLIER.sender) == col(InboxEvent.sender),
            col(_EARLIER.room_id) == col(InboxEvent.room_id),
            col(_EARLIER.received_at) > bindparam("still_held"),
        ),
    )
    .order_by(col(InboxEvent.id))
    .limit(bindparam("most"))
)
_MOVE_ON = (
    update(SyncState)
    .where(col(SyncState.id) == 1)
    .values(
        token=bindparam("new_token"),
        # A clock that ran ahead is remembered until what was written by it is looked after.
        synced_at=case(
            (col(SyncState.synced_at) > bindparam("now"), col(SyncState.synced_at)), else_=bindparam("now")
        ),
    )
    .execution_options(synchronize_session=False)
)


def known(session: Session, event_ids: Collection[str]) -> frozenset[str]:
    """Those of the events that were received before."""
    found: set[str] = set()
    wanted = list(event_ids)
    for start in range(0, len(wanted), 500):
        found.update(rows.run(session, _KNOWN, ids=wanted[start : start + 500]).scalars())
    return frozenset(found)


def received(session: Session, event_ids: Collection[str]) -> Sequence[InboxEvent]:
    """Rooms and senders of events that were received."""
    rows = session.exec(select(InboxEvent).where(col(InboxEvent.event_id).in_(event_ids)))
    return rows.all()


def waiting(session: Session, limit: int, still_held: datetime) -> Sequence[InboxEvent]:
    """The next events to handle, in the order in which they were received.

    Behind a sealed one that was received after ``still_held``, what the same person says in that room waits.
    """
    return session.exec(_WAITING, params={"most": limit, "still_held": still_held}).all()


def replays(session: Session, cipher: str) -> bool:
    """Whether an event with the same place in the same session was received: it is not what it says."""
    return session.exec(select(InboxEvent.id).where(InboxEvent.cipher == cipher).limit(1)).first() is not None


def mark(session: Session, row_id: int, now: datetime) -> bool:
    """Mark an event as handled and drop its content; says whether it was still waiting."""
    marked = rows.run(session, _MARK, row_id=row_id, now=now)
    return bool(marked.rowcount)


def sealed(session: Session, untold_since: datetime | None = None, after: int = 0) -> Sequence[InboxEvent]:
    """What waits for its key, some hundreds of rows ``after`` a row.

    With ``untold_since`` what waits since then, and without its sender's being told.
    """
    query = select(InboxEvent).where(
        col(InboxEvent.handled_at).is_(None), col(InboxEvent.kind) == SEALED, col(InboxEvent.id) > after
    )
    if untold_since is not None:
        query = query.where(col(InboxEvent.received_at) <= untold_since, InboxEvent.attempts == 0)
    return session.exec(query.order_by(col(InboxEvent.id)).limit(_SEALED_AT_ONCE)).all()


def sealed_by(session: Session, sender: str, most: int) -> int:
    """How many events of a person wait for their keys, counted up to ``most``."""
    query = select(InboxEvent.id).where(
        col(InboxEvent.handled_at).is_(None), col(InboxEvent.kind) == SEALED, col(InboxEvent.sender) == sender
    )
    return len(session.exec(query.limit(most)).all())


def unseal(
    session: Session, row_id: int, content: Mapping[str, Any] | None, cipher: str | None, now: datetime
) -> None:
    """A sealed event was opened; without a content there is nothing to handle."""
    session.exec(
        update(InboxEvent)
        .where(
            col(InboxEvent.id) == row_id, col(InboxEvent.kind) == SEALED, col(InboxEvent.handled_at).is_(None)
        )
        .values(
            kind="message",
            content=null() if content is None else dict(content),
            cipher=cipher,
            attempts=0,
            handled_at=now if content is None else None,
        )
        .execution_options(synchronize_session=False)
    )


def drop_sealed(session: Session, before: datetime, now: datetime) -> int:
    """Give up what was received before and never opened; how many."""
    return _drop(session, now, col(InboxEvent.received_at) < before)


def withdraw_sealed(session: Session, event_id: str, room_id: str, now: datetime) -> None:
    """Whoever wrote it has taken it away before it could be read."""
    _drop(session, now, col(InboxEvent.event_id) == event_id, col(InboxEvent.room_id) == room_id)


def _drop(session: Session, now: datetime, *which: ColumnElement[bool]) -> int:
    dropped = session.exec(
        update(InboxEvent)
        .where(col(InboxEvent.handled_at).is_(None), col(InboxEvent.kind) == SEALED, *which)
        .values(handled_at=now, content=null())
        .execution_options(synchronize_session=False)
    )
    return dropped.rowcount


def was_told(session: Session, sender: str, cipher: str) -> bool:
    """Whether a sealed event of the same session was answered to this person."""
    query = select(InboxEvent.id).where(
        InboxEvent.cipher == cipher, InboxEvent.sender == sender, col(InboxEvent.attempts) > 0
    )
    return session.exec(query.limit(1)).first() is not None


def depth(session: Session) -> int:
    """How many events wait to be handled."""
    return session.exec(select(func.count()).select_from(InboxEvent).where(*_WAITS)).one()


def sync_state(session: Session) -> SyncState:
    """How far the sync got; made on first use."""
    state = session.get(SyncState, 1)
    if state is None:
        state = SyncState(id=1)
        session.add(state)
        session.flush()
    return state


_RIGHT = (
    update(SyncState)
    .where(col(SyncState.synced_at) > bindparam("now"))
    .values(synced_at=bindparam("now"))
    .execution_options(synchronize_session=False)
)


def clock_is_right(session: Session, now: datetime) -> None:
    """What a clock wrote that ran ahead is looked after."""
    rows.run(session, _RIGHT, now=now)


def move_on(session: Session, token: str, now: datetime) -> None:
    """The sync got as far as this token."""
    if rows.run(session, _MOVE_ON, new_token=token, now=now).rowcount == 0:
        session.add(SyncState(id=1, token=token, synced_at=now))
