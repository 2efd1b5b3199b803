"""What becomes of the rooms that the bot is or is to be in: their state, their members, their use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bot.services import greetings, relocation
from bot.services.unit import ADMIN_ROOM, Unit
from storage import inbox, outbox, room_moves, rooms
from storage.models import Room, RoomMember
from storage.outbox import Kind, Priority


@dataclass(frozen=True, slots=True)
class RoomUpdate:
    """What a sync says of one room. Fields that are ``None`` did not change."""

    room_id: str
    membership: str | None = None
    invited_by: str | None = None
    name: str | None = None
    join_rule: str | None = None
    history_visibility: str | None = None
    guest_access: str | None = None
    encrypted: bool | None = None
    replaced_by: str | None = None
    predecessor: str | None = None
    """The room that this one says to continue."""
    muted: bool | None = None
    """Whether the bot may not write there."""
    direct: bool | None = None
    """Of an invitation: whether it is to a direct chat."""
    members: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({}))
    """Joined users with their names (empty: none set); ``None`` for one who left."""
    whole: bool = False
    """Whether ``members`` are all that there are."""

    @property
    def tells_anything(self) -> bool:
        """Whether it says more than that the bot is, or is not, in the room."""
        return self != RoomUpdate(self.room_id, self.membership)


def judge_all(unit: Unit) -> None:
    """Judge every configured room, also one that no sync has ever shown: the bot is not in it."""
    for key in rooms.keys(unit.session):
        if key.room_id is None:
            continue
        room = rooms.get(unit.session, key.room_id)
        if room is None:
            room = Room(room_id=key.room_id, membership="leave")
            unit.session.add(room)
            unit.session.flush()
        judge(unit, room)
        greetings.greet(unit, room)
    # What was written before the first sync had told of the rooms was held.
    outbox.release_held(unit.session, unit.now)
    unit.wake_courier()


def update_room(unit: Unit, update: RoomUpdate) -> None:
    """Keep what is told of a room, and see what follows from it."""
    room = rooms.get(unit.session, update.room_id)
    stays = room is not None and room.membership == update.membership
    if room is None:
        room = Room(room_id=update.room_id, membership=update.membership or "join")
    if update.membership in ("join", "invite") and room.membership != update.membership:
        # What was known from an earlier stay is out of date; the sync now brings the whole state.
        rooms.forget_members(unit.session, update.room_id)
        room = _forgotten(unit, room, update.membership)
    for name in (
        "membership", "invited_by", "direct", "name", "join_rule", "history_visibility", "guest_access",
        "encrypted", "replaced_by", "predecessor", "muted",
    ):  # fmt: skip
        value = getattr(update, name)
        if value is not None:
            setattr(room, name, value)
    unit.session.add(room)
    unit.session.flush()
    _update_members(unit, update)
    if not stays or update.replaced_by is not None or update.predecessor is not None:
        for used in relocation.consider(unit, room):
            if used is not room:
                _look_at(unit, used)
    _look_at(unit, room)
    grown = any(joined is not None for joined in update.members.values())
    if grown and rooms.key_of(unit.session, room.room_id) is None:
        # It may have become one to be left.
        unit.wake_rooms()
    if room.membership == "leave":
        forget_strangers(unit, room)


def _look_at(unit: Unit, room: Room) -> None:
    if room.membership != "invite":
        # With an invitation the bot is about to come in: nothing that the admins need do.
        judge(unit, room)
        greetings.greet(unit, room)


def settle_move(unit: Unit, old_room_id: str) -> None:
    """The bot may have been in the new room already when an admin said that it is to be used."""
    old = rooms.get(unit.session, old_room_id)
    for used in relocation.consider(unit, old) if old is not None else ():
        _look_at(unit, used)


def forget_strangers(unit: Unit, room: Room) -> None:
    """Of rooms that are none of the bot's nothing is kept once it is out."""
    session = unit.session
    if rooms.key_of(session, room.room_id) is None and not room_moves.names(session, room.room_id):
        rooms.forget_members(session, room.room_id)
        session.delete(room)
        session.flush()


def told_until(unit: Unit) -> str | None:
    """The sync up to which the state of rooms is known; to be asked before a state is fetched."""
    return inbox.sync_state(unit.session).token


def look_again(unit: Unit, update: RoomUpdate, told: str | None) -> bool | None:
    """Keep a room's state as asked for after the sync ``told``; says whether it lets the bot write there.

    ``None``: a sync has told of newer things meanwhile, and none will tell them again: nothing was kept.
    """
    if told_until(unit) != told:
        return None
    update_room(unit, update)
    return not rooms.hindrances_of(rooms.get(unit.session, update.room_id))


def _forgotten(unit: Unit, room: Room, membership: str) -> Room:
    # What once was encrypted is so for good, whatever its state says now.
    blank = Room(
        room_id=room.room_id, membership=membership, reported=room.reported, encrypted=room.encrypted
    )
    return unit.session.merge(blank)


def _update_members(unit: Unit, update: RoomUpdate) -> None:
    if update.membership == "leave":
        rooms.forget_members(unit.session, update.room_id)
        return
    gone = {user_id for user_id, joined in update.members.items() if joined is None}
    if update.whole:
        gone |= set(rooms.members(unit.session, update.room_id)) - set(update.members)
    if gone:
        rooms.forget_members(unit.session, update.room_id, gone)
    for user_id, joined in update.members.items():
        if joined is not None:
            member = RoomMember(room_id=update.room_id, user_id=user_id, name=joined or None)
            unit.session.merge(member)
    unit.session.flush()


def judge(unit: Unit, room: Room) -> None:
    """Tell the admins, once, when a configured room cannot be written to any more, or can be again."""
    key = rooms.key_of(unit.session, room.room_id)
    if key is None:
        return
    problems = ",".join(rooms.hindrances_of(room))
    if problems == (room.reported or ""):
        return
    room.reported = problems
    unit.session.add(room)
    if not problems:
        outbox.release_held(unit.session, unit.now)
    payload = {
        "what": "room",
        "name": key,
        "room_id": room.room_id,
        "problems": problems.split(",") if problems else [],
    }
    outbox.put(unit.session, Kind.REPORT, Priority.ALERT, unit.now, room=ADMIN_ROOM, payload=payload)
    unit.wake_courier()
