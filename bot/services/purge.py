"""Purging a deleted ticket: every row goes, every event the bot posted about it is redacted."""

from datetime import date
from typing import Final

from bot.domain.errors import UnknownTicket
from bot.domain.lifecycle import Details, decide
from bot.domain.words import Action
from bot.services import changes, prompts
from bot.services.moves import Done
from bot.services.people import Caller
from bot.services.unit import ADMIN_ROOM, Unit, room_key
from storage import conversation, inbox, outbox, posted, quiet, tickets
from storage.models import DigestMark, Purged, Ticket
from storage.outbox import Kind, Priority

_WORDY: Final = frozenset(
    action.value for action in (Action.OPEN, Action.MESSAGE, Action.NOTE, Action.REPLY, Action.TASK_ADD)
)
"""Actions whose command holds a text; of the others only those with a reason or the like hold any."""


def purge(unit: Unit, number: int, caller: Caller) -> Done:
    """Remove a deleted ticket for good. Only the number, the dates and who did it stay.

    Those that were merged into it go along: they are one conversation.
    What the bot posted about it is redacted by the courier afterwards, and so are the members' commands that
    carried its text, where the bot may; a report to the admin room says what it could not.

    :raises Refusal: not deleted before, unknown, or not by an admin.
    """
    done = unit.session.get(Purged, number)
    if done is not None and caller.cause is not None and done.cause == caller.cause:
        return Done(number, changed=False)
    ticket = tickets.get(unit.session, number)
    if ticket is None:
        raise UnknownTicket(number)
    standing = changes.standing_of(ticket)
    decide(Action.PURGE, number, standing, caller.actor, caller.place.scope, Details(), unit.now)
    if ticket.merged_into is not None:
        # Its messages are there and stay; the card must not name it any more.
        conversation.touch(unit.session, [ticket.merged_into])
        outbox.refresh_card(unit.session, ticket.merged_into, unit.now, new=False)
    for each in _with_merged(unit, ticket):
        _remove(unit, each, caller)
    unit.scrub = True
    unit.wake_courier()
    return Done(number, changed=True)


def _with_merged(unit: Unit, ticket: Ticket) -> list[Ticket]:
    """What was merged into the ticket, over however many steps, and the ticket last."""
    found = []
    for source in conversation.merged_here(unit.session, changes.number_of(ticket)):
        found += _with_merged(unit, source)
    return [*found, ticket]


def _remove(unit: Unit, ticket: Ticket, caller: Caller) -> None:
    number = changes.number_of(ticket)
    _mark_commands(unit, number)
    _ask_digests_again(unit, number)
    for row in outbox.waiting_about(unit.session, number, Kind.REMINDER):
        quiet.ask_again(unit.session, row.tx_id)
    outbox.cancel_about(unit.session, number, unit.now)
    prompts.drop_about(unit, number)
    unit.session.add(
        Purged(
            number=number,
            opened_at=ticket.opened_at,
            purged_at=unit.now,
            purged_by=caller.actor.user_id,
            cause=caller.cause,
        )
    )
    tickets.erase(unit.session, ticket)
    outbox.put(
        unit.session, Kind.ERASE, Priority.REDACTION, unit.now, number=number, payload={"what": "erase"}
    )
    outbox.put(
        unit.session,
        Kind.REPORT,
        Priority.REDACTION,
        unit.now,
        room=ADMIN_ROOM,
        number=number,
        shows=None,  # it is the proof, and is to stay
        payload={"what": "purged", "number": number},
    )


def _ask_digests_again(unit: Unit, number: int) -> None:
    """A digest that is cancelled because it names the ticket is written again without it."""
    for row in outbox.waiting_about(unit.session, number, Kind.DIGEST):
        payload = row.payload or {}
        key = (room_key(payload["team"]), date.fromisoformat(payload["day"]))
        mark = unit.session.get(DigestMark, key)
        if mark is not None:
            unit.session.delete(mark)


def _mark_commands(unit: Unit, number: int) -> None:
    """Note the members' events that carried text about the ticket (`new`, a reason), to be redacted."""
    history = tickets.history(unit.session, number)
    causes = {entry.cause for entry in history if entry.cause and (entry.note or entry.action in _WORDY)}
    for event in inbox.received(unit.session, causes):
        posted.record(unit.session, event.event_id, event.room_id, "command", [number], unit.now)
