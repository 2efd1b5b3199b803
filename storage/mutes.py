"""Who has muted which tickets. Queries never commit."""

from collections.abc import Collection, Mapping

from sqlmodel import Session, col, select

from storage.models import Mute


def of_tickets(session: Session, numbers: Collection[int]) -> Mapping[int, frozenset[str]]:
    """Ticket → user ids of those who muted it; only tickets that somebody did."""
    rows = session.exec(select(Mute.number, Mute.user_id).where(col(Mute.number).in_(numbers)))
    found: dict[int, set[str]] = {}
    for number, user_id in rows.all():
        found.setdefault(number, set()).add(user_id)
    return {number: frozenset(people) for number, people in found.items()}


def of(session: Session, number: int) -> frozenset[str]:
    """User ids of those who muted a ticket."""
    return of_tickets(session, [number]).get(number, frozenset())


def end(session: Session, number: int, user_id: str) -> None:
    """The person wants to hear of the ticket again."""
    row = session.get(Mute, (number, user_id), populate_existing=True)
    if row is not None:
        session.delete(row)
        session.flush()
