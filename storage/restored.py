"""What a restored database is told of the time that it does not know. Queries never commit."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, func, text, update
from sqlmodel import Session, col, select

from storage import rows
from storage.models import Card, InboxEvent, OutboxRow, PostedEvent, PostedTicket, QuietNote, Ticket
from storage.outbox import Kind, RowState

STRAY_CARD: Final = "stray"
"""Kind of a posted event: a card that the database does not know, until it becomes a ticket's again."""
_SAYS: Final = (Kind.ANSWER, Kind.REACTION, Kind.ALERT, Kind.REPORT, Kind.POST, Kind.MAIL)


def newest_row(session: Session) -> int:
    """Id of the last row of the outbox."""
    return session.exec(select(func.max(OutboxRow.id))).one() or 0


def take_words_back(session: Session, after: int, now: datetime) -> None:
    """Drop what was asked to be said since a row: it was said before the database was restored.

    Cards, reactions and redactions stay: they compare what stands in the rooms with what should.
    """
    since = col(OutboxRow.id) > after
    session.flush()
    session.exec(
        update(OutboxRow)
        .where(since, col(OutboxRow.kind).in_([kind.value for kind in _SAYS]))
        .values(state=RowState.CANCELLED.value, payload=None, done_at=now)
        .execution_options(synchronize_session="fetch")
    )
    for row in session.exec(select(OutboxRow).where(since, OutboxRow.kind == Kind.RETIRE.value)):
        row.payload = {**(row.payload or {}), "told": True}
        session.add(row)


def raise_numbers(session: Session, highest: int) -> None:
    """Let the next ticket's number be higher than that."""
    if session.get_bind().dialect.name == "sqlite":
        given = {"name": "tickets", "highest": highest}
        raised = session.connection().execute(
            text("UPDATE sqlite_sequence SET seq = max(seq, :highest) WHERE name = :name"), given
        )
        if raised.rowcount == 0:
            session.connection().execute(text("INSERT INTO sqlite_sequence VALUES (:name, :highest)"), given)
        return
    sequence = "pg_get_serial_sequence('tickets', 'number')"
    last = f"coalesce(pg_sequence_last_value({sequence}::regclass), 1)"
    session.connection().execute(
        text(f"SELECT setval({sequence}, greatest({last}, :highest))"),
        {"highest": highest},
    )


def known_tickets(session: Session, numbers: Collection[int]) -> Mapping[int, datetime]:
    """Those of the numbers that are tickets → when they were opened."""
    found = session.exec(select(Ticket.number, Ticket.opened_at).where(col(Ticket.number).in_(numbers)))
    return {number: opened_at for number, opened_at in found if number is not None}


def doubt_card(session: Session, number: int) -> bool:
    """What a ticket's card shows and offers is not known any more; says whether it has one."""
    card = session.get(Card, number)
    if card is None:
        return False
    card.version = 0
    session.add(card)
    session.exec(
        delete(PostedEvent).where(col(PostedEvent.thread) == card.event_id, col(PostedEvent.key).is_not(None))
    )
    return True


_STRAY_CARD = (
    select(PostedEvent.event_id)
    .join(PostedTicket, col(PostedTicket.event_id) == col(PostedEvent.event_id))
    .join(Ticket, col(Ticket.number) == col(PostedTicket.number))
    .where(
        PostedTicket.number == bindparam("number"),
        col(PostedEvent.posted_at) >= col(Ticket.opened_at),
        PostedEvent.kind == bindparam("kind"),
        PostedEvent.room_id == bindparam("room_id"),
        col(PostedEvent.redacted_at).is_(None),
    )
    .order_by(col(PostedEvent.posted_at).desc())
    .limit(1)
)


def stray_card(session: Session, number: int, room_id: str) -> PostedEvent | None:
    """The newest card of a ticket that stands in a room without the database's knowing.

    One that is older than the ticket is that of another, lost one, which had the same number.
    """
    event_id = rows.run(session, _STRAY_CARD, number=number, room_id=room_id, kind=STRAY_CARD).scalar()
    return None if event_id is None else rows.get(session, PostedEvent, event_id)


def is_card(session: Session, event_id: str) -> bool:
    """Whether an event is a ticket's card, known or stray."""
    known = session.exec(select(Card.number).where(Card.event_id == event_id)).first()
    event = session.get(PostedEvent, event_id)
    return known is not None or (event is not None and event.kind == STRAY_CARD)


def note_answered(session: Session, event_id: str, again: dict[str, object]) -> None:
    """An event that waits to be handled was answered before the database was restored."""
    session.flush()
    session.exec(
        update(InboxEvent)
        .where(col(InboxEvent.event_id) == event_id, col(InboxEvent.handled_at).is_(None))
        .values(again=again)
        .execution_options(synchronize_session="fetch")
    )


def answered(session: Session, event_id: str) -> dict[str, object]:
    """What is known of the answer that an event got before the restore; empty if it got none."""
    row = session.exec(select(InboxEvent).where(InboxEvent.event_id == event_id)).first()
    return dict(row.again or {}) if row is not None else {}


def reminded(session: Session, room: str, until: datetime, reminder: str) -> None:
    """What was silent in a room up to then has been told."""
    session.exec(
        update(QuietNote)
        .where(col(QuietNote.room) == room, col(QuietNote.reminder).is_(None), col(QuietNote.at) <= until)
        .values(reminder=reminder)
        .execution_options(synchronize_session=False)
    )
