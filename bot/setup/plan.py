"""What a run is going to do, found out before anything is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot import wiring
from bot.config import Config
from bot.services.unit import ADMIN_ROOM, TRIAGE_ROOM, team_of_room
from bot.setup import defaults, rooms
from bot.setup.account import Account
from bot.setup.answers import Options
from bot.setup.rooms import Seen, Wanted
from bot.setup.texts import Texts


@dataclass(frozen=True, slots=True)
class RoomPlan:
    """A room: as it should be, as it is, and whether it may be made."""

    wanted: Wanted
    seen: Seen
    may_make: bool

    @property
    def is_missing(self) -> bool:
        """There is none, and it will not be made."""
        return self.seen.room_id is None and not self.may_make

    @property
    def to_make(self) -> bool:
        """There is none, and it will be made."""
        return self.seen.room_id is None and self.may_make

    @property
    def to_invite(self) -> tuple[str, ...]:
        """Who is to be invited."""
        if self.to_make:
            return self.wanted.people
        return self.seen.to_invite(self.wanted) if self.seen.joined else ()

    @property
    def changes(self) -> bool:
        """Whether anything is to be done."""
        joining = self.seen.room_id is not None and not self.seen.joined
        return self.to_make or joining or self.seen.unfinished or bool(self.to_invite)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that will be done, in order."""

    rooms: Sequence[RoomPlan]
    config: str | None
    """The config file's new text; ``None``: it is right."""
    greets: bool
    notes: Sequence[str] = field(default=())

    @property
    def changes(self) -> bool:
        """Whether anything is to be done."""
        return self.config is not None or self.greets or any(room.changes for room in self.rooms)


def wanted_rooms(config: Config, options: Options) -> list[Wanted]:
    """The rooms that the config names, as they would be made."""
    encrypted = options.encrypted is not False
    members: Mapping[str, Sequence[str]] = options.members or {}
    found = []
    for key, address in wiring.rooms(config).items():
        team = team_of_room(key)
        say = Texts(config.language_of(team))
        name = config.teams[team].name if team is not None else None
        found.append(
            Wanted(
                key=key,
                address=address,
                name=defaults.room_name(key, name, say),
                topic=defaults.room_topic(key, name, say, config.prefix),
                admins=tuple(config.admins),
                members=() if key == ADMIN_ROOM else tuple(members.get(team or TRIAGE_ROOM, ())),
                encrypted=encrypted,
            )
        )
    return found


async def look_at_rooms(account: Account, wanted: Sequence[Wanted], options: Options) -> list[RoomPlan]:
    """Each room as it is, and what may be done about it."""
    server = account.user.partition(":")[2]
    may_make = options.create_rooms is not False
    return [
        RoomPlan(each, await rooms.look(account, each.address), may_make and is_own(each.address, server))
        for each in wanted
    ]


def is_own(address: str, server: str) -> bool:
    """Whether a room of that address could be made here."""
    return address.startswith("#") and address.partition(":")[2] == server
