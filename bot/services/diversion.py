"""A new ticket that its team's room does not take: it goes to triage and says why, never nowhere."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.domain.lifecycle import Decision
from bot.domain.words import TRIAGE, Action, Status
from bot.services import changes
from bot.services.changes import Cause
from bot.services.unit import ADMIN_ROOM, Unit, room_key
from storage import outbox, posted, room_moves, rooms, tickets
from storage.models import OutboxRow
from storage.outbox import Kind, Priority

_REPORT: Final = "nowhere"
_TOGETHER: Final = timedelta(minutes=15)


def divert(unit: Unit, number: int) -> bool:
    """Hand a ticket that stands in no room, and that nobody has, over to triage; says whether that was done.

    One that its team knows stays theirs: what is to be told of it waits for the room, also if
    somebody took its card away.
    """
    ticket = tickets.get(unit.session, number)
    if ticket is None or ticket.team is TRIAGE or posted.card(unit.session, number) is not None:
        return False
    if ticket.status != Status.OPEN.value or ticket.assignee is not None:
        return False
    theirs = rooms.by_key(unit.session, room_key(ticket.team))
    if theirs is not None and posted.was_card_in(
        unit.session, number, room_moves.led_to(unit.session, theirs.room_id)
    ):
        return False
    before = changes.standing_of(ticket)
    decision = Decision(Action.TRANSFER, before, replace(before, team=TRIAGE))
    changes.write(unit, ticket, decision, Cause(), diverted_from=before.team)
    return True


def tell_admins(unit: Unit, row: OutboxRow) -> None:
    """Neither its team's room nor triage takes a ticket: then the admins are told of it, once.

    Of the first at once; of those that follow soon, together.
    """
    number, told = row.number or 0, {"told": True}
    if row.payload == told:
        return
    row.payload = told
    unit.session.add(row)
    last = outbox.last_for(unit.session, _REPORT)
    if last is not None and outbox.is_untouched(last, unit.now):
        last.payload = {"what": "nowhere", "numbers": [*(last.payload or {})["numbers"], number]}
        unit.session.add(last)
        return
    at = unit.now if last is None else max(unit.now, last.next_attempt_at + _TOGETHER)
    payload = {"what": "nowhere", "numbers": [number]}
    outbox.put(
        unit.session, Kind.REPORT, Priority.ALERT, unit.now, room=ADMIN_ROOM, payload=payload, target=_REPORT,
        at=at,
    )  # fmt: skip
    unit.wake_courier()
