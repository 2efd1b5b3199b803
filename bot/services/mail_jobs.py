"""The outbox from the mail courier's side: which letters are to be sent now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.services import letters, mail_outcomes
from bot.services.letter_views import Letter
from bot.services.unit import Unit
from storage import letters as stored
from storage import outbox
from storage.outbox import Channel

_UNDER_WAY: Final = timedelta(minutes=3)
"""Longer than handing over a letter may take."""


@dataclass(frozen=True, slots=True)
class LetterJob:
    """A letter to send."""

    row_id: int
    letter: Letter
    attempts: int


@dataclass(frozen=True, slots=True)
class ClaimedLetter:
    """What to send now, and when to look again if that is nothing (``None``: when called)."""

    job: LetterJob | None
    look_again_at: datetime | None = None


def claim(unit: Unit) -> ClaimedLetter:
    """The next letter, of each ticket only the first; it is not due again for some minutes.

    One at a time, so that what is purged meanwhile is not sent. The mark is written before the letter goes: a
    database that takes nothing could not note the sending either, and the letter would go again and again.
    """
    for row in outbox.due(unit.session, unit.now, (), Channel.EMAIL):
        known = stored.get(unit.session, (row.payload or {}).get("letter", 0))
        letter = letters.view(unit, known) if known is not None else None
        if letter is None:
            mail_outcomes.gone(unit, row.id or 0)
            continue
        row.next_attempt_at = unit.now + _UNDER_WAY
        unit.session.add(row)
        return ClaimedLetter(LetterJob(row.id or 0, letter, row.attempts))
    return ClaimedLetter(None, outbox.next_due_at(unit.session, (), Channel.EMAIL))


def resume(unit: Unit) -> None:
    """The courier starts: what the last one had claimed when it was killed is due; nobody else sends."""
    outbox.untried_due(unit.session, Channel.EMAIL, unit.now)


def release(unit: Unit, row_id: int) -> None:
    """A letter that was claimed could not even be tried: it is due again."""
    row = outbox.waiting_row(unit.session, row_id)
    if row is not None:
        row.next_attempt_at = unit.now
        unit.session.add(row)
