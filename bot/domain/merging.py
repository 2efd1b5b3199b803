"""Which of two tickets stays when they are joined, and whether they are one person's."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.words import STATE_OF, State, Status


@dataclass(frozen=True, slots=True)
class Half:
    """One of two tickets that are to be joined."""

    number: int
    status: Status
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Contact:
    """A requester, as far as it tells who they are. ``requester_id`` stands for name, e-mail and phone."""

    requester_id: int
    email: str | None
    phone: str | None


def stays(one: Half, other: Half) -> Half:
    """The ticket that goes on: the one that is under way if the other is not, else the older."""
    under_way = [half for half in (one, other) if STATE_OF[half.status] is State.OPEN]
    if len(under_way) == 1:
        return under_way[0]
    return min(one, other, key=lambda half: (half.opened_at, half.number))


def address_key(email: str | None) -> str | None:
    """An e-mail address as it is compared: people write theirs in any case."""
    return email.strip().casefold() or None if email else None


def same_person(one: Contact, other: Contact) -> bool:
    """Whether two requesters are surely one person: by e-mail address, or by name with phone number.

    Never by name alone: requests that were written down without any contact have nothing else in common.
    """
    key = address_key(one.email)
    if key is not None or other.email is not None:
        return key is not None and key == address_key(other.email)
    return one.requester_id == other.requester_id and one.phone is not None
