"""Seeded reactions: which should stand on a card or prompt, and what is to be done so that they do.

One outbox row per card or prompt looks after them. It compares what should be with what is each time it comes
up, so that ten changes while the homeserver is down become one round, and a crash between two reactions
leaves nothing to clear up.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.domain import taps
from bot.domain.words import Status
from bot.services import changes, prompts
from bot.services.unit import Unit, room_key
from storage import outbox, posted, rooms, tickets
from storage.models import OutboxRow

_PAUSE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done on an event: emoji to add, reactions (emoji, event id) to take away."""

    room_id: str
    event_id: str
    add: tuple[str, ...]
    remove: tuple[tuple[str, str], ...]
    shows: tuple[int, ...]
    again_at: datetime | None = None
    """When what is offered changes by itself."""

    @property
    def empty(self) -> bool:
        """Whether all is as it should be."""
        return not (self.add or self.remove)


class RoomClosed(Exception):
    """The bot may not use the room at the moment."""


def ask(unit: Unit, event_id: str) -> None:
    """Let the reactions on a card or prompt be looked after, whatever they are now."""
    card = posted.card_of_event(unit.session, event_id)
    if card is not None:
        changes.refresh_seeds(unit, card.number)
        unit.wake_courier()
    else:
        prompts.look_after(unit, event_id)


def plan(unit: Unit, row: OutboxRow) -> Plan | None:
    """What a row has to do now; ``None`` if what it looked after is gone.

    :raises RoomClosed: it has to wait.
    """
    target = row.target or ""
    number = outbox.number_of_target(target)
    if number is not None:
        return _of_card(unit, number)
    return _of_prompt(unit, prompts.id_of(target))


def _of_card(unit: Unit, number: int) -> Plan | None:
    card, ticket = posted.card(unit.session, number), tickets.get(unit.session, number)
    if card is None or ticket is None:
        return None
    room = rooms.by_key(unit.session, room_key(ticket.team))
    if room is None or room.room_id != card.room_id:
        return None  # it moves; its new card asks again
    if rooms.hindrances_of(room):
        raise RoomClosed
    status = Status(ticket.status)
    last = changes.change_of(tickets.last_change(unit.session, number))
    until = taps.undo_until(status, last)
    undoable = until is not None and until > unit.now
    wanted = taps.offered(status, waitlist=unit.policy.topics.get(ticket.topic, False), undoable=undoable)
    if not unit.policy.one_tap:
        wanted = ()
    return _plan(unit, card.room_id, card.event_id, wanted, (number,), until if undoable else None)


def _of_prompt(unit: Unit, prompt_id: int) -> Plan | None:
    found = prompts.look(unit, prompt_id)
    if found is None or found.event_id is None:
        return None
    if rooms.hindrances_of(rooms.get(unit.session, found.room_id)):
        raise RoomClosed
    wanted = found.keys if found.waits(unit.now) else ()
    again = found.expires_at if wanted else None
    return _plan(unit, found.room_id, found.event_id, wanted, found.shows, again)


def _plan(
    unit: Unit,
    room_id: str,
    event_id: str,
    wanted: Collection[str],
    shows: tuple[int, ...],
    again_at: datetime | None,
) -> Plan:
    present = posted.seeds_on(unit.session, event_id)
    add = tuple(key for key in wanted if key not in present)
    remove = tuple((key, seed) for key, seed in present.items() if key not in wanted)
    return Plan(room_id, event_id, add, remove, shows, again_at)


def looked_after(unit: Unit, row_id: int, tried: Plan | None = None) -> None:
    """A round is done: go again at once if something changed meanwhile, later if something will, or end.

    What was ``tried`` and is still to be done waits a while, so that a homeserver that contradicts itself
    is not asked without a pause.
    """
    row = outbox.waiting_row(unit.session, row_id)
    if row is None:
        return
    try:
        left = plan(unit, row)
    except RoomClosed:
        left = None
    if left is not None and not left.empty:
        stuck = tried is not None and bool({*left.add} & {*tried.add} or {*left.remove} & {*tried.remove})
        outbox.again(row, unit.now + _PAUSE if stuck else unit.now)
    elif left is not None and left.again_at is not None:
        outbox.again(row, left.again_at)
    else:
        outbox.finish(row, unit.now)
    unit.session.add(row)
    unit.wake_courier()
