"""The outbox from the mail courier's side: which letters are to be sent now."""

from dataclasses import dataclass
from datetime import datetime

from bot.services import letters, mail_outcomes
from bot.services.letter_views import Letter
from bot.services.unit import Unit
from storage import letters as stored
from storage import outbox
from storage.outbox import Channel


@dataclass(frozen=True, slots=True)
class LetterJob:
    """A letter to send."""

    row_id: int
    letter: Letter
    attempts: int


@dataclass(frozen=True, slots=True)
class ClaimedLetters:
    """What to send now, and when to look again (``None``: when called)."""

    jobs: tuple[LetterJob, ...]
    look_again_at: datetime | None = None


def claim(unit: Unit, limit: int) -> ClaimedLetters:
    """The next letters, of each ticket only the first."""
    jobs: list[LetterJob] = []
    for row in outbox.due(unit.session, unit.now, (), Channel.EMAIL)[:limit]:
        known = stored.get(unit.session, (row.payload or {}).get("letter", 0))
        letter = letters.view(unit, known) if known is not None else None
        if letter is None:
            mail_outcomes.gone(unit, row.id or 0)
        else:
            jobs.append(LetterJob(row.id or 0, letter, row.attempts))
    return ClaimedLetters(tuple(jobs), outbox.next_due_at(unit.session, (), Channel.EMAIL))
