"""Who a person is, and what a room may show: from room membership and config, looked up when it is needed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from bot.domain.errors import NameKind, UnknownName
from bot.domain.words import EVERYTHING, NOTHING, Actor, RoomKind, Scope, Team
from bot.services.unit import ADMIN_ROOM, TRIAGE_ROOM, Unit, room_key, team_of_room
from bot.services.views import Person
from storage import rooms

DIRECT_SIZE: Final = 2
"""A direct chat: one person and the bot."""
_ANYWHERE: Final = ""
"""Stands for a person's name in whatever room; no room has this key."""


@dataclass(frozen=True, slots=True)
class Place:
    """A room as the bot sees it at this moment."""

    room_id: str
    kind: RoomKind
    scope: Scope
    team: Team = None
    """Whose language is spoken; in a direct chat that of the person's team, or the first of several."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, where, and by which event."""

    actor: Actor
    place: Place
    cause: str | None = None


def actor_of(unit: Unit, user_id: str) -> Actor:
    """The person with the rights that their rooms give them now.

    A room that strangers can enter or read gives none (it has problems, see ``bot.domain.rooms``).
    """
    keys = rooms.usable_keys_of(unit.session, user_id)
    teams = frozenset(team_of_room(key) for key in keys if key != ADMIN_ROOM)
    return Actor(user_id, teams, admin=user_id in unit.policy.admins or ADMIN_ROOM in keys)


def place_of(unit: Unit, room_id: str, actor: Actor) -> Place:
    """What the room is, and what may be shown in it."""
    room = rooms.get(unit.session, room_id)
    if room is None or rooms.problems_of(room):
        return Place(room_id, RoomKind.FOREIGN, NOTHING)
    key = rooms.key_of(unit.session, room_id)
    if key == ADMIN_ROOM:
        return Place(room_id, RoomKind.ADMIN, EVERYTHING)
    if key is not None:
        team = team_of_room(key)
        kind = RoomKind.TRIAGE if key == TRIAGE_ROOM else RoomKind.TEAM
        return Place(room_id, kind, Scope(frozenset({team})), team)
    if set(rooms.members(unit.session, room_id)) == {actor.user_id, unit.policy.bot_user}:
        scope = EVERYTHING if actor.admin else Scope(actor.teams)
        own = sorted(team for team in actor.teams if team is not None)
        return Place(room_id, RoomKind.DIRECT, scope, own[0] if own else None)
    return Place(room_id, RoomKind.FOREIGN, NOTHING)


def may_hear(unit: Unit, room_id: str) -> bool:
    """Whether an answer may still go to a room: no strangers have come in since the command."""
    room = rooms.get(unit.session, room_id)
    if room is None or rooms.problems_of(room):
        return False
    if rooms.key_of(unit.session, room_id) is not None:
        return True
    return len(rooms.members(unit.session, room_id)) == DIRECT_SIZE


def caller_of(unit: Unit, user_id: str, room_id: str, cause: str | None = None) -> Caller:
    """Person and place of an event."""
    actor = actor_of(unit, user_id)
    return Caller(actor, place_of(unit, room_id, actor), cause)


def members_of(unit: Unit, team: Team) -> Mapping[str, str]:
    """User ids of a team's members with their names; none while its room cannot be used."""
    return joined_to(unit, room_key(team))


def joined_to(unit: Unit, key: str) -> Mapping[str, str]:
    """User ids of those in a configured room with their names; none while it cannot be used."""
    room = rooms.by_key(unit.session, key)
    if room is None or rooms.problems_of(room):
        return {}
    found = rooms.members(unit.session, room.room_id)
    return {user_id: name for user_id, name in found.items() if user_id != unit.policy.bot_user}


def responsible(unit: Unit, team: Team) -> frozenset[str]:
    """User ids of those who may have a ticket of the team: its members, and the admins."""
    in_admin_room = joined_to(unit, ADMIN_ROOM)
    return unit.policy.admins.union(in_admin_room, members_of(unit, team)) - {unit.policy.bot_user}


def to_notify(unit: Unit, assignee: str | None, team: Team) -> frozenset[str]:
    """Whom a requester's message is for: the assignee, or every member if there is none or they left.

    Source: the charity's wiki, "Closed".
    """
    members = members_of(unit, team)
    if assignee is not None and assignee in members:
        return frozenset({assignee})
    return frozenset(members)


def person(unit: Unit, user_id: str, team: Team = None) -> Person:
    """A user with the name that the team's room shows."""
    room = rooms.by_key(unit.session, room_key(team))
    return Person(user_id, rooms.name_of(unit.session, user_id, room.room_id if room else None))


def optional_person(unit: Unit, user_id: str | None, team: Team = None) -> Person | None:
    """Like :func:`person`, for an assignment that may be empty."""
    return None if user_id is None else person(unit, user_id, team)


class People:
    """Several people's names, asked for at once."""

    def __init__(self, named: Iterable[tuple[str, str, str | None]]) -> None:
        self._names: dict[tuple[str, str | None], str] = {}
        for user_id, name, key in named:
            self._names.setdefault((user_id, key), name)
            self._names.setdefault((user_id, _ANYWHERE), name)

    def person(self, user_id: str | None, team: Team = None) -> Person | None:
        """The person with the name that the team's room shows; nobody is ``None``."""
        if user_id is None:
            return None
        anywhere = self._names.get((user_id, _ANYWHERE), user_id)
        return Person(user_id, self._names.get((user_id, room_key(team)), anywhere))


def people(unit: Unit, user_ids: Iterable[str | None]) -> People:
    """These people; a query for all of them together."""
    wanted = sorted({user_id for user_id in user_ids if user_id is not None})
    return People(rooms.names_of(unit.session, wanted))


def find_member(unit: Unit, typed: str, team: Team) -> str:
    """User id of the person that somebody typed: a full id, or a name or id's local part in the team.

    :raises UnknownName: nobody, or more than one, is called that.
    """
    members = members_of(unit, team)
    if typed.startswith("@") and ":" in typed:
        return typed
    wanted = typed.removeprefix("@").casefold()
    found = [
        user_id
        for user_id, name in members.items()
        if wanted in (name.casefold(), user_id[1:].partition(":")[0].casefold())
    ]
    if len(found) != 1:
        raise UnknownName(None, NameKind.PERSON, typed, tuple(found) or tuple(members.values()))
    return found[0]
