"""Pages of tickets, and what their lines show beside the tickets themselves. Nothing reads a whole table."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy
from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from bot.domain.words import Status
from storage.models import Card, HistoryEntry, Ticket, TicketMessage

COUNTED: Final = 1_000
"""Counting ends here: nobody wants to know whether there are 40,000 or 40,001."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of a long answer. ``beyond``: there are more than ``total``, where counting ended."""

    rows: Sequence[Any]
    total: int
    beyond: bool
    more: bool
    """Whether any come after these."""


def page(
    session: Session,
    condition: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]],
    offset: int,
    limit: int,
) -> Slice:
    """Tickets of a condition from ``offset`` on."""
    query = select(Ticket).where(condition).order_by(*order).offset(offset).limit(limit + 1)
    rows = session.exec(query).all()
    counted = select(col(Ticket.number)).where(condition)
    return _slice(session, rows, counted, offset, limit)


def first(session: Session, condition: ColumnElement[bool], order: ColumnElement[Any]) -> Ticket | None:
    """The first ticket of a condition."""
    query = select(Ticket).where(condition).order_by(order, col(Ticket.number)).limit(1)
    return session.exec(query).first()


def history(session: Session, number: int, offset: int, limit: int) -> Slice:
    """What happened to a ticket from ``offset`` on, oldest first."""
    query = select(HistoryEntry).where(HistoryEntry.number == number)
    rows = session.exec(query.order_by(col(HistoryEntry.id)).offset(offset).limit(limit + 1)).all()
    counted = select(col(HistoryEntry.id)).where(HistoryEntry.number == number)
    return _slice(session, rows, counted, offset, limit)


def _slice(
    session: Session,
    rows: Sequence[Any],
    counted: Any,  # noqa: ANN401
    offset: int,
    limit: int,
) -> Slice:
    """``rows`` has one row more than is wanted, if there is one."""
    more = len(rows) > limit
    if rows and not more:
        return Slice(rows, offset + len(rows), beyond=False, more=False)
    some = counted.limit(COUNTED + 1).subquery()
    total = session.exec(select(func.count()).select_from(some)).one()
    return Slice(rows[:limit], min(total, COUNTED), beyond=total > COUNTED, more=more)


def cards(session: Session, numbers: Collection[int]) -> Mapping[int, Card]:
    """Where these tickets' cards stand."""
    if not numbers:
        return {}
    rows = session.exec(select(Card).where(col(Card.number).in_(numbers)))
    return {card.number: card for card in rows.all()}


def by_number(session: Session, numbers: Collection[int]) -> Mapping[int, Ticket]:
    """These tickets."""
    if not numbers:
        return {}
    rows = session.exec(select(Ticket).where(col(Ticket.number).in_(numbers)))
    return {ticket.number or 0: ticket for ticket in rows.all()}


def latest_texts(numbers: Collection[int], each: int) -> Any:  # noqa: ANN401
    """Query: number and text of these tickets' latest ``each`` messages, the newest of each first."""
    age = func.row_number().over(
        partition_by=col(TicketMessage.number), order_by=col(TicketMessage.id).desc()
    )
    aged = (
        select(col(TicketMessage.number), col(TicketMessage.text), age.label("age"))
        .where(col(TicketMessage.number).in_(numbers))
        .subquery()
    )
    found = sqlalchemy.select(aged.c.number, aged.c.text).where(aged.c.age <= each)
    return found.order_by(aged.c.number, aged.c.age)


def texts(session: Session, numbers: Collection[int], each: int) -> Mapping[int, Sequence[str]]:
    """The texts of these tickets' latest ``each`` messages, the newest first."""
    connection = session.connection()
    found: dict[int, list[str]] = {}
    for number, text in connection.execute(latest_texts(numbers, each)).all():
        found.setdefault(number, []).append(text)
    return found


def quiet_since(moment: datetime) -> ColumnElement[bool]:
    """Condition: nothing has happened to the ticket since."""
    return col(Ticket.changed_at) <= moment


def waits_since(moment: datetime) -> ColumnElement[bool]:
    """Condition: the ticket has been on the waiting list since then or longer."""
    return col(Ticket.waiting_since) <= moment


def ahead_of(session: Session, ticket: Ticket) -> int:
    """How many tickets of its team's waiting list come before one that is on it; counting ends somewhere."""
    team, since = col(Ticket.team), col(Ticket.waiting_since)
    earlier = (
        select(col(Ticket.number))
        .where(
            team.is_(None) if ticket.team is None else team == ticket.team,
            Ticket.status == Status.WAITING.value,
            since <= ticket.waiting_since,
            # Of two that came in the same moment the list has the lower number first.
            sqlalchemy.or_(since < ticket.waiting_since, col(Ticket.number) < ticket.number),
        )
        .limit(COUNTED + 1)
        .subquery()
    )
    return session.exec(select(func.count()).select_from(earlier)).one()
