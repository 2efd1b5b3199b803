"""Queries about what belongs together: one person's tickets, and merged ones. They never commit."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, update
from sqlmodel import Session, col, select

from bot.domain.words import Intake, MessageKind, Status, Team
from storage import rows, tickets
from storage.models import HistoryEntry, Requester, Task, Ticket, TicketMessage


def goes_on_in(session: Session, ticket: Ticket) -> Ticket:
    """The ticket where the conversation goes on: this one, or what it was merged into, however often."""
    seen = {ticket.number}
    while ticket.merged_into is not None and ticket.merged_into not in seen:
        seen.add(ticket.merged_into)
        into = tickets.get(session, ticket.merged_into)
        if into is None:
            break
        ticket = into
    return ticket


_MERGED_HERE = select(Ticket).where(Ticket.merged_into == bindparam("number")).order_by(col(Ticket.number))
_NUMBERS_MERGED_HERE = _MERGED_HERE.with_only_columns(col(Ticket.number))


def merged_here(session: Session, number: int) -> Sequence[Ticket]:
    """Tickets that were merged into this one, by their number."""
    return session.exec(_MERGED_HERE, params={"number": number}).all()


def numbers_merged_here(session: Session, number: int) -> Sequence[int]:
    """Their numbers alone."""
    return rows.run(session, _NUMBERS_MERGED_HERE, number=number).scalars().all()


_WHO = select(col(Requester.email_key), col(Requester.phone)).where(Requester.id == bindparam("requester"))
_OF_ANYBODY = (
    select(Ticket)
    .where(
        # Not by the index on teams, nor by those on the rest: SQLite, which keeps no statistics, does not
        # know that a person has fewer tickets than a team or a status.
        func.coalesce(col(Ticket.team), "").in_(bindparam("teams", expanding=True)),
        Ticket.number != bindparam("this"),
        func.coalesce(col(Ticket.merged_into), 0) == 0,
        func.coalesce(col(Ticket.status), "").in_(bindparam("statuses", expanding=True)),
    )
    # Not by walking through all numbers: a person has a few tickets.
    .order_by((col(Ticket.number) + 0).desc())
    .limit(bindparam("most"))
)
_OTHERS = {
    False: _OF_ANYBODY.where(Ticket.requester_id == bindparam("who")),
    True: _OF_ANYBODY.where(
        col(Ticket.requester_id).in_(select(Requester.id).where(Requester.email_key == bindparam("who")))
    ),
}
"""By whether the person is known by an address."""
_NUMBERS_OF_OTHERS = {known: query.with_only_columns(col(Ticket.number)) for known, query in _OTHERS.items()}


def others_of(
    session: Session, ticket: Ticket, teams: Collection[Team], limit: int, among: Collection[Status]
) -> Sequence[Ticket]:
    """Other tickets of the same person, newest first; see :func:`bot.domain.merging.same_person`.

    Merged ones are left out: they are named with the ticket that they went into.
    """
    asked = _asked(session, ticket, teams, limit, among)
    return () if asked is None else session.exec(_OTHERS[asked[0]], params=asked[1]).all()


def numbers_of_others(
    session: Session, ticket: Ticket, teams: Collection[Team], limit: int, among: Collection[Status]
) -> Sequence[int]:
    """The numbers alone of what :func:`others_of` finds."""
    asked = _asked(session, ticket, teams, limit, among)
    return (
        () if asked is None else rows.run(session, _NUMBERS_OF_OTHERS[asked[0]], **asked[1]).scalars().all()
    )


def _asked(
    session: Session, ticket: Ticket, teams: Collection[Team], limit: int, among: Collection[Status]
) -> tuple[bool, dict[str, Any]] | None:
    """Whether the person is known by an address, and what is asked; ``None``: by nothing at all."""
    who = rows.run(session, _WHO, requester=ticket.requester_id).first()
    if who is None or (who.email_key is None and who.phone is None):
        return None
    return who.email_key is not None, {
        "who": ticket.requester_id if who.email_key is None else who.email_key,
        "teams": [team or "" for team in teams],
        "this": ticket.number,
        "statuses": [status.value for status in among],
        "most": limit,
    }


def told_requester(
    session: Session, number: int, intakes: Collection[Intake], limit: int, *, answers: bool
) -> Sequence[TicketMessage]:
    """The latest of what a requester wrote, as far as it came in by these ways, and of the answers to it if
    they are wanted; oldest first.

    What a member wrote down for a requester is none of it: those are the member's words. Nor is what
    somebody else wrote on the ticket.
    """
    shown: ColumnElement[bool] = and_(
        col(TicketMessage.kind) == MessageKind.MESSAGE.value,
        col(TicketMessage.author).is_(None),
        col(TicketMessage.sender).is_(None),
        col(TicketMessage.intake).in_([intake.value for intake in intakes]),
    )
    if answers:
        shown = or_(shown, col(TicketMessage.kind) == MessageKind.REPLY.value)
    found = session.exec(
        select(TicketMessage)
        .where(TicketMessage.number == number, shown)
        .order_by(col(TicketMessage.id).desc())
        .limit(limit)
    )
    return list(reversed(found.all()))


def touch(session: Session, numbers: Collection[int]) -> None:
    """Give tickets their next version: what their cards show has changed, though not in their own rows."""
    if not numbers:
        return
    session.exec(
        update(Ticket)
        .where(col(Ticket.number).in_(numbers))
        .values(version=Ticket.version + 1)
        .execution_options(synchronize_session=False)
    )


def message_ids(session: Session, number: int) -> list[int]:
    """Ids of the ticket's messages and notes."""
    query = select(TicketMessage.id).where(TicketMessage.number == number).order_by(col(TicketMessage.id))
    return [each for each in session.exec(query) if each is not None]


def move_messages(session: Session, ids: Collection[int], number: int) -> None:
    """Let messages belong to another ticket."""
    session.exec(
        update(TicketMessage)
        .where(col(TicketMessage.id).in_(ids))
        .values(number=number)
        .execution_options(synchronize_session=False)
    )


def texts(session: Session, entries: Collection[HistoryEntry]) -> dict[str, dict[int, tuple[str, datetime]]]:
    """The words that history entries tell of, as far as they are still there: table → id → text, and when it
    was written. SQLite gives the id of a row that was undone to the next one, of whatever ticket: what was
    written after the entry is not what it tells of.
    """
    found: dict[str, dict[int, tuple[str, datetime]]] = {}
    for table, made in ((TicketMessage, col(TicketMessage.at)), (Task, col(Task.added_at))):
        name = str(table.__tablename__)
        ids = [each for entry in entries for each in (entry.detail or {}).get(name, ())]
        rows = session.exec(select(table.id, table.text, made).where(col(table.id).in_(ids))) if ids else ()
        found[name] = {row_id: (text, at) for row_id, text, at in rows if row_id is not None}
    return found
