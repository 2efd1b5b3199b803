"""Replies that wait in a backup: which of them have gone out since it was made."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bot.domain.mail import LetterKind, LetterState
from bot.services import letters
from bot.services.unit import Unit
from storage import letters as stored
from storage import outbox

_MOST: Final = 1000
"""Letters that are looked at; a mail server takes as many in minutes, and more hardly ever wait."""


def take_up(unit: Unit, acknowledged: Mapping[str, datetime]) -> None:
    """What was sent since the backup is not sent again.

    ``acknowledged``: commands that have their ✅ → since when. A reply's comes once the mail server has the
    mail. All others go (again) under the Message-ID that they had: better twice, which mail programs show
    once, than never.
    """
    for row in outbox.waiting_since(unit.session, outbox.Channel.EMAIL, unit.now, _MOST):
        letter = stored.get(unit.session, (row.payload or {}).get("letter", 0))
        if letter is None or letter.kind != LetterKind.REPLY or letter.state != LetterState.WAITING:
            continue
        at = acknowledged.get(letter.command_event or "")
        if at is None:
            continue
        outbox.finish(row, unit.now)
        letter.state, letter.reason, letter.done_at = LetterState.SENT.value, None, at
        unit.session.add_all((row, letter))
        unit.session.flush()
        unit.log("letter", ticket=letter.number, kind=letter.kind, state="sent_before_restore")
        number = letters.current_number(unit, letter)
        if number is not None:
            letters.post(unit, number, letter.id or 0, edit=True)
