"""What became of a mail: the server took it, did not yet, refused it, or it came back."""

from datetime import timedelta
from typing import Final

from bot.domain.mail import LetterKind, LetterState
from bot.domain.request import clean_line
from bot.services import answers, letters
from bot.services.unit import ADMIN_ROOM, Unit
from storage import letters as stored
from storage import outbox
from storage.models import LetterRow
from storage.outbox import Kind, Priority

_REASON_LIMIT: Final = 300
_AT_ONCE: Final = 50
_TOLD_AFTER: Final = 3
"""Attempts in vain until the thread says that a reply is late."""


def sent(unit: Unit, row_id: int, letter_id: int) -> None:
    """The mail server took it. The command that asked for it is acknowledged now, and not before."""
    row = outbox.waiting_row(unit.session, row_id)
    if row is not None:
        outbox.finish(row, unit.now)
        unit.session.add(row)
    letter = stored.get(unit.session, letter_id)
    if letter is None or letter.state != LetterState.WAITING:
        return
    _settle(unit, letter, LetterState.SENT, None)
    if letter.command_room and letter.command_event:
        answers.acknowledge(unit, letter.command_room, letter.command_event)


def later(unit: Unit, row_id: int, letter_id: int, delay: timedelta, reason: str) -> None:
    """The mail server did not take it for a passing reason: the same mail is tried again after ``delay``.

    One that could not be sent for days is given up.
    """
    row = outbox.waiting_row(unit.session, row_id)
    letter = stored.get(unit.session, letter_id)
    policy = unit.policy.mail
    if row is None or letter is None or policy is None:
        return
    if unit.now - row.created_at > policy.give_up_after:
        failed(unit, row_id, letter_id, reason)
        return
    row.attempts += 1
    row.next_attempt_at, row.error = unit.now + delay, _code(reason)
    unit.session.add(row)
    letter.reason = _short(reason)
    unit.session.add(letter)
    if row.attempts == _TOLD_AFTER and letter.kind == LetterKind.REPLY:
        _show(unit, letter)


def failed(unit: Unit, row_id: int, letter_id: int, reason: str) -> None:
    """The mail server refused it for good: set aside, and told where somebody can do something about it."""
    row = outbox.waiting_row(unit.session, row_id)
    if row is not None:
        row.state, row.error = outbox.RowState.FAILED.value, _code(reason)
        row.done_at, row.payload = unit.now, None
        unit.session.add(row)
    letter = stored.get(unit.session, letter_id)
    if letter is not None and letter.state == LetterState.WAITING:
        _settle(unit, letter, LetterState.FAILED, reason)
        _alert(unit, letter)


def give_up_old(unit: Unit) -> None:
    """The mail server has been away for days: what waited so long is set aside, and the team told."""
    policy = unit.policy.mail
    if policy is None:
        return
    before = unit.now - policy.give_up_after
    for row in outbox.waiting_since(unit.session, outbox.Channel.EMAIL, before, _AT_ONCE):
        failed(unit, row.id or 0, (row.payload or {}).get("letter", 0), "4.4.1 the mail server is away")


def gone(unit: Unit, row_id: int) -> None:
    """There is nothing to send any more."""
    row = outbox.waiting_row(unit.session, row_id)
    if row is not None:
        row.state, row.payload, row.done_at = outbox.RowState.CANCELLED.value, None, unit.now
        unit.session.add(row)


def bounced(unit: Unit, message_id: str, reason: str, *, final: bool = True) -> int | None:
    """A message came back that tells that a mail of ours could not be delivered (RFC 3464).

    Not ``final``: it is late and still tried. Told twice, it is shown once.

    :returns: the ticket that it was about, or ``None`` if the mail is not known.
    """
    bare = message_id.strip().strip("<>")
    letter = stored.by_mail_id(unit.session, f"<{bare}>")
    if letter is None:
        return None
    number = letters.current_number(unit, letter)
    if final and letter.state != LetterState.BOUNCED:
        _settle(unit, letter, LetterState.BOUNCED, reason)
        _alert(unit, letter)
    return number


def tell_admins(unit: Unit, reason: str) -> None:
    """The mail server refuses the bot itself, as for a wrong password: only an admin can mend that."""
    payload = {"what": "mail_server", "reason": _short(reason)}
    outbox.put(unit.session, Kind.REPORT, Priority.ALERT, unit.now, room=ADMIN_ROOM, payload=payload)
    unit.wake_courier()


def _settle(unit: Unit, letter: LetterRow, state: LetterState, reason: str | None) -> None:
    letter.state, letter.reason, letter.done_at = state.value, reason and _short(reason), unit.now
    unit.session.add(letter)
    unit.log("letter", ticket=letter.number, kind=letter.kind, state=state.value)
    if letter.kind == LetterKind.REPLY:
        _show(unit, letter)


def _show(unit: Unit, letter: LetterRow) -> None:
    """Let the reply's post say what became of it."""
    number = letters.current_number(unit, letter)
    if number is not None:
        unit.session.flush()
        letters.post(unit, number, letter.id or 0, edit=True)


def _alert(unit: Unit, letter: LetterRow) -> None:
    number = letters.current_number(unit, letter)
    if number is None:
        return
    payload = {"what": "undelivered", "letter": letter.id}
    outbox.put(unit.session, Kind.ALERT, Priority.ALERT, unit.now, number=number, payload=payload)
    unit.wake_courier()


def _short(reason: str) -> str:
    return clean_line(reason)[:_REASON_LIMIT]


def _code(reason: str) -> str:
    """The first word, which is a status or the name of an error: what may stand in `status` and the log."""
    return clean_line(reason).partition(" ")[0][:40]
