"""The limit that the homeserver puts on the bot's messages. Queries never commit."""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from storage.models import RateLimit

_SERIES: Final = timedelta(days=7)
"""Refusals so far apart are counted anew."""


def note(session: Session, seconds: float, now: datetime) -> None:
    """The homeserver refused once more, and takes one message in so many seconds."""
    known = session.get(RateLimit, 1)
    if known is None or now - known.last_at > _SERIES:
        session.merge(RateLimit(id=1, seconds=seconds, first_at=now, last_at=now, times=1))
        return
    known.seconds, known.last_at, known.times = seconds, now, known.times + 1
    session.add(known)


def met(session: Session) -> RateLimit | None:
    """What is known of it; ``None``: none was ever met."""
    return session.get(RateLimit, 1)
