"""Who has muted which tickets. Queries never commit."""

from collections.abc import Collection, Mapping

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.models import Mute


async def of_tickets(session: AsyncSession, numbers: Collection[int]) -> Mapping[int, frozenset[str]]:
    """Ticket → user ids of those who muted it; only tickets that somebody did."""
    rows = await session.exec(select(Mute.number, Mute.user_id).where(col(Mute.number).in_(numbers)))
    found: dict[int, set[str]] = {}
    for number, user_id in rows.all():
        found.setdefault(number, set()).add(user_id)
    return {number: frozenset(people) for number, people in found.items()}


async def of(session: AsyncSession, number: int) -> frozenset[str]:
    """User ids of those who muted a ticket."""
    return (await of_tickets(session, [number])).get(number, frozenset())


async def end(session: AsyncSession, number: int, user_id: str) -> None:
    """The person wants to hear of the ticket again."""
    row = await session.get(Mute, (number, user_id), populate_existing=True)
    if row is not None:
        await session.delete(row)
        await session.flush()
