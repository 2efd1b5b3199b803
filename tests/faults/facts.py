"""What the database says, read beside the bot and without its queries."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import Engine, create_engine
from sqlmodel import Session, SQLModel, col, select

from bot.domain.lifecycle import UNDO_WINDOW
from storage.database import Database
from storage.models import (
    Card,
    DigestMark,
    HistoryEntry,
    InboxEvent,
    OutboxRow,
    PostedEvent,
    Task,
    Ticket,
    TicketMessage,
)
from storage.outbox import Kind

_SEEDS_TRIED_AGAIN: Final = timedelta(minutes=1, seconds=5)
"""Reactions that the homeserver did not place are tried again after a minute."""
T = TypeVar("T", bound=SQLModel)


def engine_of(database_url: str) -> Engine:
    """A plain engine on the bot's database, for looking only."""
    return create_engine(Database(database_url).url, pool_pre_ping=True)


@dataclass(frozen=True)
class Facts:
    """The tables that the oracle compares."""

    tickets: Mapping[int, Ticket]
    history: Mapping[int, Sequence[HistoryEntry]]
    """By ticket, in order."""
    causes: Counter[tuple[str, int]]
    """Event id and ticket → entries."""
    words: Sequence[tuple[str, int]]
    """Texts of messages, notes and tasks, with their tickets."""
    cards: Mapping[int, Card]
    posted: Mapping[str, str]
    """Event id → kind of what the bot posted."""
    unhandled: Sequence[str]
    """Events in the inbox that wait."""
    unsent: Sequence[str]
    """Outbox rows that are due, and those that failed for good."""
    digests: Sequence[tuple[str, date]]
    """Room key and day of each digest that had something to tell."""
    marked: frozenset[tuple[str, date]]
    """Room key and day of each digest, also of an empty one."""


def read(engine: Engine, now: datetime) -> Facts:
    """All at one moment. ``now`` is what the bot's clock shows."""
    with Session(engine) as session:
        history: defaultdict[int, list[HistoryEntry]] = defaultdict(list)
        for entry in session.exec(select(HistoryEntry).order_by(col(HistoryEntry.id))):
            history[entry.number].append(entry)
        marks = _all(session, DigestMark)
        words = [(each.text, each.number) for each in _all(session, TicketMessage)]
        return Facts(
            tickets={each.number or 0: each for each in _all(session, Ticket)},
            history=history,
            causes=Counter((e.cause, e.number) for entries in history.values() for e in entries if e.cause),
            words=[*words, *((each.text, each.number) for each in _all(session, Task))],
            cards={each.number: each for each in _all(session, Card)},
            posted={each.event_id: each.kind for each in _all(session, PostedEvent)},
            unhandled=waiting_events(session),
            unsent=waiting_rows(session, now),
            digests=[(each.key, each.day) for each in marks if each.sent],
            marked=frozenset((each.key, each.day) for each in marks),
        )


def _all(session: Session, table: type[T]) -> Sequence[T]:
    return session.exec(select(table)).all()


def waiting_events(session: Session) -> list[str]:
    """Events that are not handled."""
    return list(session.exec(select(InboxEvent.event_id).where(col(InboxEvent.handled_at).is_(None))))


def waiting_rows(session: Session, now: datetime) -> list[str]:
    """Rows that wait but for what is meant for later, and those that failed for good."""
    rows = session.exec(select(OutboxRow).where(col(OutboxRow.state).in_(["waiting", "failed"]))).all()
    undo_ends = {at + UNDO_WINDOW for at in session.exec(select(HistoryEntry.at))} if rows else set()
    return [
        f"{row.kind} {row.id} of #{row.number}: {row.state}, {row.attempts} attempts, {row.error}, "
        f"held {row.held}, next {row.next_attempt_at}"
        for row in rows
        if row.kind != Kind.SEED
        or (row.next_attempt_at <= now + _SEEDS_TRIED_AGAIN and row.next_attempt_at not in undo_ends)
        or row.next_attempt_at <= now
    ]
