"""Quiet hours: what would ring is posted silently, and one reminder per room rings once they are over."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.domain.quiet import What
from bot.domain.words import STATE_OF, State, Status
from bot.services import lists, people
from bot.services.unit import Unit, room_key
from bot.services.views import (
    Alert,
    AssignmentAlert,
    CardView,
    MessageAlert,
    Person,
    QuietLine,
    QuietReminder,
    WithdrawalAlert,
)
from storage import mutes, outbox, quiet, rooms, rows, tickets
from storage.models import OutboxRow, QuietNote, Ticket
from storage.outbox import Kind, Priority

LINES: Final = 15
"""Lines of a reminder: what a phone shows without much scrolling."""


def ends_at(unit: Unit, key: str) -> datetime | None:
    """When it is no longer quiet in a configured room; ``None`` if it is not quiet now."""
    hours = unit.policy.quiet.get(key)
    return hours.ends_at(unit.now) if hours else None


def silences(unit: Unit, row: OutboxRow, room_id: str, view: CardView | Alert) -> bool:
    """Whether an event must not ring, as it is quiet in its room; it is then noted for the reminder.

    An attempt that was silent is never repeated aloud: the homeserver may have the first one already.
    """
    if rows.get(unit.session, QuietNote, row.tx_id) is not None:
        return True
    rung = _rung(view) if unit.policy.quiet else None
    key = rooms.key_of(unit.session, room_id) if rung else None
    if rung is None or key is None or ends_at(unit, key) is None:
        return False
    ticket = tickets.get(unit.session, row.number or 0)
    if ticket is None:
        return False
    note = QuietNote(
        tx_id=row.tx_id,
        room=key,
        number=row.number or 0,
        what=rung[0].value,
        people=list(rung[1]),
        assignee=ticket.assignee,
        at=row.created_at,
    )
    unit.session.add(note)
    unit.session.flush()
    return True


def _rung(view: CardView | Alert) -> tuple[What, tuple[str, ...]] | None:
    """What would ring, and for whom; a new card is for the whole room. ``None``: it rings for nobody."""
    match view:
        case CardView():
            return What.CARD, ()
        case MessageAlert() if view.mentions:
            return What.MESSAGE, tuple(person.user_id for person in view.mentions)
        case WithdrawalAlert() if view.mentions:
            return What.WITHDRAWN, tuple(person.user_id for person in view.mentions)
        case AssignmentAlert():
            return What.GIVEN if view.given else What.LOST, (view.person.user_id,)
        case _:
            return None


def remind(unit: Unit) -> int:
    """Ask for the reminders of the rooms in which it is no longer quiet; gives how many there are.

    The notes are marked in the same commit: each is told at most once, whatever restarts and the clock do.
    """
    asked = 0
    for key in quiet.rooms_to_remind(unit.session):
        room = rooms.by_key(unit.session, key)
        if ends_at(unit, key) is not None or rooms.problems_of(room):
            continue
        notes = quiet.untold(unit.session, key)
        view = _view(unit, key, notes)
        reminder = _ask(unit, key, view) if view.lines else ""
        for note in notes:
            note.reminder = reminder
            unit.session.add(note)
        asked += bool(view.lines)
    return asked


def _ask(unit: Unit, key: str, view: QuietReminder) -> str:
    row = outbox.put(
        unit.session,
        Kind.REMINDER,
        Priority.ALERT,
        unit.now,
        room=key,
        payload={"what": "quiet"},
        shows=view.numbers,
    )
    unit.wake_courier()
    return row.tx_id


def put_off(unit: Unit, row: OutboxRow) -> bool:
    """Let a reminder wait that could not be sent before it became quiet again; says whether it does."""
    until = ends_at(unit, row.room or "")
    if until is None:
        return False
    row.next_attempt_at = until
    unit.session.add(row)
    return True


def reminder(unit: Unit, row: OutboxRow) -> QuietReminder | None:
    """What a reminder says as things stand now; ``None`` if all of it was handled meanwhile."""
    view = _view(unit, row.room or "", quiet.told_by(unit.session, row.tx_id))
    return view if view.lines else None


@dataclass(slots=True)
class _Rings:
    """What did not ring of one sort for one ticket."""

    count: int = 0
    people: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Situation:
    """What decides whether somebody is still meant."""

    present: Mapping[str, str]
    muted: Mapping[int, Collection[str]]
    acts: Mapping[tuple[int, str], datetime]


def _view(unit: Unit, key: str, notes: Sequence[QuietNote]) -> QuietReminder:
    found = tickets.by_numbers(unit.session, {note.number for note in notes})
    first = min((note.at for note in notes), default=unit.now)
    situation = _Situation(
        people.joined_to(unit, key),
        mutes.of_tickets(unit.session, found),
        tickets.acts_since(unit.session, found, first),
    )
    rings: dict[tuple[int, What], _Rings] = {}
    for note in notes:
        ticket = found.get(note.number)
        meant = _still_meant(note, ticket, situation) if ticket else None
        if meant is not None:
            ring = rings.setdefault((note.number, What(note.what)), _Rings())
            ring.count += 1
            ring.people |= meant
    names = {user_id: Person(user_id, name) for user_id, name in situation.present.items()}
    told = list(rings.items())[:LINES]
    views = lists.line_views(unit, [found[number] for (number, _what), _ring in told])
    lines = [
        QuietLine(line, what, ring.count, tuple(names[user_id] for user_id in sorted(ring.people)))
        for line, ((_number, what), ring) in zip(views, told, strict=True)
    ]
    everybody = sorted(set().union(*(ring.people for ring in rings.values())))
    return QuietReminder(tuple(lines), len(rings), tuple(names[user_id] for user_id in everybody))


def _still_meant(note: QuietNote, ticket: Ticket, situation: _Situation) -> set[str] | None:
    """Those of a note's people whom it still concerns; ``None`` if it was handled meanwhile."""
    status = Status(ticket.status)
    here = room_key(ticket.team) == note.room
    if note.what == What.CARD:
        return set() if here and status is Status.OPEN and ticket.assignee is None else None
    under_way = STATE_OF[status] is State.OPEN
    concerns = {
        What.MESSAGE: here and under_way and ticket.assignee == note.assignee,
        What.GIVEN: under_way and ticket.assignee in note.people,
        What.LOST: ticket.assignee not in note.people or not under_way,
        What.WITHDRAWN: here and status is Status.CLOSED,
    }
    meant = {
        user_id
        for user_id in note.people
        if user_id in situation.present
        and user_id not in situation.muted.get(note.number, ())
        and situation.acts.get((note.number, user_id), note.at) <= note.at
    }
    return meant if meant and concerns[What(note.what)] else None
