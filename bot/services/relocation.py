"""Upgraded rooms: the admins are asked whether to use the new one, and what follows if they say yes.

Whom a tombstone names may be anybody's room. Only one whose own ``m.room.create``, which nobody can change
afterwards, names the old room is offered; that is looked at again once the bot is in it.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

from bot.domain.errors import NameKind, NoSuccessor
from bot.domain.words import State, statuses_of
from bot.services import people, prompts
from bot.services.moves import TO_TRIAGE
from bot.services.prompts import NewPrompt, PromptKind
from bot.services.unit import ADMIN_ROOM, TRIAGE_ROOM, Unit, room_key, team_of_room
from bot.services.views import RoomMoveBegun
from storage import outbox, room_moves, rooms, tickets
from storage.models import Room, RoomKey, RoomMove
from storage.outbox import Kind, Priority
from storage.room_moves import MoveState

_OPEN: Final = frozenset({MoveState.WANTED.value, MoveState.UNINVITED.value})
_REFUSED: Final = frozenset({MoveState.DECLINED.value, MoveState.REJECTED.value})
_ASK_AGAIN: Final = timedelta(days=1)
"""Whose the new room is may invite the bot as often as they like; the admins are asked less often."""


class Welcome(Enum):
    """What an invitation into the room that replaces a configured one is worth."""

    NO = "no"
    LATER = "later"
    """The admins are still to decide."""
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A room that the admins want the bot to move into."""

    old_room_id: str
    new_room_id: str


def consider(unit: Unit, room: Room) -> tuple[Room, ...]:
    """Look what a change of a room means for upgrades: ask the admins, or move if they have agreed.

    Gives the rooms that are in use from now on.
    """
    found: list[Room] = []
    for key, old in room_moves.replaced(unit.session, room.room_id):
        new = rooms.get(unit.session, old.replaced_by or "")
        if new is not None and _consider(unit, key, old, new):
            found.append(new)
    return tuple(found)


def _consider(unit: Unit, key: RoomKey, old: Room, new: Room) -> bool:
    """Whether the new room is used from now on."""
    move = room_moves.of_old(unit.session, old.room_id)
    if move is not None and (move.new_room_id != new.room_id or _is_over(unit, move, new)):
        # Another successor, or a new invitation may come after the last one was declined.
        if move.question is not None:
            prompts.end(unit, move.question)
        unit.session.delete(move)
        unit.session.flush()
        move = None
    if new.membership == "leave":
        return False
    if new.predecessor != old.room_id:
        _reject(unit, key, old, new, move)
        return False
    serves = rooms.key_of(unit.session, new.room_id)
    if serves is not None:
        # Any room can be made to say that it continues another; as both it would show tickets to strangers.
        _reject(unit, key, old, new, move, serves)
        return False
    if move is None:
        _ask(unit, key, old, new)
        return False
    return move.state in _OPEN and new.membership == "join" and _complete(unit, key, old, new, move)


def _is_over(unit: Unit, move: RoomMove, new: Room) -> bool:
    return move.state in _REFUSED and new.membership != "join" and unit.now - move.at >= _ASK_AGAIN


def _note(unit: Unit, key: RoomKey, old: Room, state: MoveState, by: str | None = None) -> RoomMove:
    assert old.replaced_by is not None  # noqa: S101 - the query asked for it
    move = room_moves.of_old(unit.session, old.room_id)
    if move is None:
        move = RoomMove(old_room_id=old.room_id, new_room_id="", key=key.key, state="", at=unit.now)
    move.new_room_id, move.state, move.by, move.at = old.replaced_by, state.value, by, unit.now
    unit.session.add(move)
    unit.session.flush()
    return move


def _ask(unit: Unit, key: RoomKey, old: Room, new: Room) -> None:
    move = _note(unit, key, old, MoveState.ASKED)
    about = {"old": old.room_id, "new": new.room_id, "name": key.key}
    row = outbox.put(
        unit.session, Kind.REPORT, Priority.ALERT, unit.now, room=ADMIN_ROOM,
        payload={"what": "move_question", **about},
    )  # fmt: skip
    move.question = row.id
    unit.session.add(move)
    question = NewPrompt(PromptKind.ROOM, about)
    prompts.ask(unit, question, row.id, ADMIN_ROOM, thread=None, person="", command="", shows=())
    unit.wake_courier()


def _reject(
    unit: Unit, key: RoomKey, old: Room, new: Room, move: RoomMove | None, serves: str | None = None
) -> None:
    """An invitation's state may be incomplete: an admin can still say that it is the right room."""
    if new.membership == "invite" and move is not None and move.state in _OPEN:
        return
    if move is None or move.state != MoveState.REJECTED.value:
        _note(unit, key, old, MoveState.REJECTED)
        _report(unit, "move_rejected", key.key, new.room_id, seen=new.membership == "join", serves=serves)


def _report(unit: Unit, what: str, name: str, new: str, **more: object) -> None:
    payload = {"what": what, "name": name, "new": new, **more}
    outbox.put(unit.session, Kind.REPORT, Priority.ALERT, unit.now, room=ADMIN_ROOM, payload=payload)
    unit.wake_courier()


def _complete(unit: Unit, key: RoomKey, old: Room, new: Room, move: RoomMove) -> bool:
    """From now on the new room is the team's. Open tickets get cards there; the old ones stay as they are.

    The bot stays in the old room, so that a purge can still clear what stands there.
    """
    key.room_id = new.room_id
    move.state, move.at = MoveState.DONE.value, unit.now
    unit.session.add(key)
    unit.session.add(move)
    unit.session.flush()
    if key.key != ADMIN_ROOM:
        for number in tickets.numbers_of(unit.session, team_of_room(key.key), statuses_of(State.OPEN)):
            outbox.refresh_card(unit.session, number, unit.now, new=True)
    outbox.release_held(unit.session, unit.now)
    outdated = key.address.startswith("!") and key.address != new.room_id
    _report(unit, "room_moved", key.key, new.room_id, by=move.by, outdated=outdated)
    return True


def is_asked(unit: Unit, old_room_id: str, new_room_id: str) -> bool:
    """Whether the admins are still to decide about this very room: the old one may name another by now."""
    move = room_moves.of_old(unit.session, old_room_id)
    return move is not None and (move.state, move.new_room_id) == (MoveState.ASKED.value, new_room_id)


def decide(unit: Unit, old_room_id: str, person: str, *, yes: bool) -> None:
    """An admin answers the question whether to move out of an upgraded room."""
    move = room_moves.of_old(unit.session, old_room_id)
    if move is None:
        return
    move.state = (MoveState.WANTED if yes else MoveState.DECLINED).value
    move.by, move.at = person, unit.now
    unit.session.add(move)
    unit.session.flush()
    _answered(unit, move)


def _answered(unit: Unit, move: RoomMove) -> None:
    """There is nothing to tap at the question any more, and something to be done."""
    if move.question is not None:
        prompts.end(unit, move.question)
    unit.wake_rooms()


def key_called(unit: Unit, typed: str) -> str:
    """Key of the room that somebody called by its team, or as triage or admin room.

    :raises UnknownName: there is none.
    """
    if typed.casefold() == ADMIN_ROOM:
        return ADMIN_ROOM
    if typed.casefold() in TO_TRIAGE:
        return TRIAGE_ROOM
    return room_key(unit.policy.key_of(NameKind.TEAM, typed))


def follow(unit: Unit, name: str, person: str) -> RoomMoveBegun:
    """Move into the room that replaced an upgraded one, by an admin's command.

    Run again for the same event it finds the same done.

    :raises NoSuccessor: it was not upgraded.
    """
    key = unit.session.get(RoomKey, name)
    old = rooms.get(unit.session, key.room_id) if key is not None and key.room_id is not None else None
    if key is None or old is None or old.replaced_by is None or not old.replaced_by.startswith("!"):
        raise NoSuccessor(None, name)
    _answered(unit, _note(unit, key, old, MoveState.WANTED, person))
    return RoomMoveBegun(name, old.replaced_by)


def wanted(unit: Unit) -> tuple[Wanted, ...]:
    """Rooms to get into."""
    found = room_moves.in_state(unit.session, MoveState.WANTED)
    return tuple(Wanted(move.old_room_id, move.new_room_id) for move in found)


def shut_out(unit: Unit, old_room_id: str) -> None:
    """The bot was not let into the new room: it needs an invitation, and goes in once it has one."""
    move = room_moves.of_old(unit.session, old_room_id)
    if move is not None and move.state == MoveState.WANTED.value:
        move.state = MoveState.UNINVITED.value
        unit.session.add(move)
        _report(unit, "move_shut_out", move.key, move.new_room_id)


def welcome(unit: Unit, room_id: str, inviter: str) -> Welcome:
    """What to answer to an invitation into a room that replaces a configured one."""
    states = {move.state for move in room_moves.to_new(unit.session, room_id)}
    if states & _OPEN:
        return Welcome.YES
    if MoveState.ASKED.value in states:
        return Welcome.LATER
    room = rooms.get(unit.session, room_id)
    if states or room is None or room.predecessor is None:
        return Welcome.NO
    # Invited before the old room said so: whoever upgrades a room has to do one of the two first.
    known = rooms.key_of(unit.session, room.predecessor) is not None
    trusted = inviter in rooms.members(unit.session, room.predecessor) or people.actor_of(unit, inviter).admin
    return Welcome.LATER if known and trusted else Welcome.NO
