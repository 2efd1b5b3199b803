"""First words: once ever in each room that the bot gets to use; in direct chats also in answer to talk."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.domain.words import RoomKind, Team
from bot.services import lists, people
from bot.services.list_views import ListKind
from bot.services.lists import Wanted
from bot.services.people import Caller
from bot.services.unit import ADMIN_ROOM, TRIAGE_ROOM, Unit, team_of_room
from bot.services.views import Greeting, TalkView
from storage import greetings, outbox, queues, rooms
from storage.models import Room
from storage.outbox import Kind, Priority

QUIET: Final = timedelta(minutes=10)
"""How long the bot does not say again in a direct chat what it understands."""


def greet(unit: Unit, room: Room) -> None:
    """Greet a room that the bot may use, if it never did; also in the room that it was upgraded from."""
    if rooms.problems_of(room) or greetings.of(unit.session, room.room_id):
        return
    key = rooms.key_of(unit.session, room.room_id)
    if key is None:
        _greet_person(unit, room.room_id)
        return
    if room.encrypted and not _others(unit, room.room_id):
        # Its key goes to those who are there: nobody could ever read it.
        return
    greetings.note(unit.session, room.room_id, unit.now)
    if not greetings.was_before(unit.session, room.room_id):
        _put(unit, key, team_of_room(key), {"kind": _kind(key).value})


def _kind(key: str) -> RoomKind:
    special = {ADMIN_ROOM: RoomKind.ADMIN, TRIAGE_ROOM: RoomKind.TRIAGE}
    return special.get(key, RoomKind.TEAM)


def _greet_person(unit: Unit, room_id: str) -> None:
    others = _others(unit, room_id)
    if len(others) != 1:
        return
    (person,) = others
    caller = people.caller_of(unit, person, room_id)
    if not _is_welcome(caller):
        return
    greetings.note(unit.session, room_id, unit.now)
    _put(unit, room_id, caller.place.team, {"kind": RoomKind.DIRECT.value, "person": person})


def _others(unit: Unit, room_id: str) -> set[str]:
    return set(rooms.members(unit.session, room_id)) - {unit.policy.bot_user}


def _is_welcome(caller: Caller) -> bool:
    known = caller.actor.admin or bool(caller.actor.teams)
    return known and caller.place.kind is RoomKind.DIRECT


def _put(unit: Unit, room: str, team: Team, about: dict[str, str]) -> None:
    payload = {"what": "greeting", "team": team, **about}
    outbox.put(unit.session, Kind.ALERT, Priority.ALERT, unit.now, room=room, payload=payload)
    unit.wake_courier()


def unsaid(unit: Unit) -> bool:
    """Whether greetings, or other words of the bot's own accord, still wait to be sent."""
    return any(kind == Kind.ALERT.value for _channel, kind in queues.due(unit.session, unit.now))


def load(unit: Unit, kind: RoomKind, team: Team, room_id: str, person: str | None) -> Greeting | None:
    """The greeting as it stands now; ``None`` if the direct chat is none any more."""
    if person is None:
        return Greeting(kind, team, unit.now)
    caller = people.caller_of(unit, person, room_id)
    if not _is_welcome(caller):
        return None
    mine = lists.list_tickets(unit, Wanted(ListKind.MINE), caller)
    # A greeting is no answer that could be gone on with.
    mine = replace(mine, next_page=None)
    return Greeting(kind, team, unit.now, people.person(unit, person, team), mine)


def answer_to_talk(unit: Unit, caller: Caller) -> TalkView | None:
    """What to say to talk in a direct chat; nothing if it was said a moment ago."""
    told = greetings.of(unit.session, caller.place.room_id)
    if told is not None and unit.now - told.at < QUIET:
        return None
    greetings.note(unit.session, caller.place.room_id, unit.now)
    return TalkView(outsider=not _is_welcome(caller))
