"""Who has muted which tickets. Queries never commit."""

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, delete
from sqlmodel import Session, col, select

from storage import rows
from storage.models import Mute

_END = (
    delete(Mute)
    .where(col(Mute.number) == bindparam("number"), col(Mute.user_id) == bindparam("user_id"))
    .execution_options(synchronize_session=False)
)


def of_tickets(session: Session, numbers: Collection[int]) -> Mapping[int, frozenset[str]]:
    """Ticket → user ids of those who muted it; only tickets that somebody did."""
    muted = session.exec(select(Mute.number, Mute.user_id).where(col(Mute.number).in_(numbers)))
    found: dict[int, set[str]] = {}
    for number, user_id in muted.all():
        found.setdefault(number, set()).add(user_id)
    return {number: frozenset(people) for number, people in found.items()}


def of(session: Session, number: int) -> frozenset[str]:
    """User ids of those who muted a ticket."""
    return of_tickets(session, [number]).get(number, frozenset())


def end(session: Session, number: int, user_id: str) -> None:
    """The person wants to hear of the ticket again."""
    rows.run(session, _END, number=number, user_id=user_id)
