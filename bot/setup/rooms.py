"""The rooms: what is there, what lacks, and how a new one is made.

A room is known by its alias, which the homeserver gives once. While the bot's own level is 100 the room is
not finished: lowering it is the last step, so that a run that was cut off is taken up where it ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bot.domain.rooms import problems
from bot.matrix import clean
from bot.matrix.errors import Refused
from bot.matrix.room_state import room_state_of
from bot.setup.account import Account
from bot.setup.errors import SetupStopped
from bot.setup.texts import Texts

ADMIN: Final = 100
BOT: Final = 50
"""To take handled taps and purged words away. All else that a level gives needs :data:`ADMIN`."""
_ROOM_VERSION: Final = "11"
"""The newest whose creator can give rights away: from 12 on the bot would stand above all admins for ever."""
ENCRYPTION: Final[Mapping[str, Any]] = {"algorithm": "m.megolm.v1.aes-sha2"}
_AT_ONCE: Final = 10
_INVITING: Final = 20.0
"""Seconds that an invitation may take."""
_IN: Final = frozenset({"join", "invite"})
_GONE: Final = frozenset({"leave", "ban"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A room as it should be, if it has to be made."""

    key: str
    address: str
    """Alias, or the id of a room that somebody made."""
    name: str
    topic: str
    admins: tuple[str, ...]
    members: tuple[str, ...]
    encrypted: bool

    @property
    def people(self) -> tuple[str, ...]:
        """Who belongs into it beside the bot."""
        return tuple(dict.fromkeys((*self.admins, *self.members)))


@dataclass(frozen=True, slots=True)
class Seen:
    """A room as it is."""

    room_id: str | None = None
    """``None``: there is none of that address."""
    joined: bool = False
    unfinished: bool = False
    """Made by the bot, in a run that was cut off."""
    usable: bool = False
    """Whether the bot may use it as it is."""
    state: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Type → content."""
    members: Mapping[str, str] = field(default_factory=dict)
    """Person → membership."""
    bot: str = ""

    @property
    def can_be_greeted(self) -> bool:
        """Whether somebody could read what the bot says there."""
        others = any(each == "join" for person, each in self.members.items() if person != self.bot)
        return self.usable and (others or "m.room.encryption" not in self.state)

    def to_invite(self, wanted: Wanted) -> tuple[str, ...]:
        """Who was never in it. Who left or was removed is not asked back: that was somebody's decision."""
        return tuple(each for each in wanted.people if self.members.get(each) not in _IN | _GONE)

    def gone(self, wanted: Wanted) -> tuple[str, ...]:
        """Who belongs into it and is not in it any more."""
        return tuple(each for each in wanted.people if self.members.get(each) in _GONE)

    def lacking(self, wanted: Wanted, bot: str) -> Mapping[str, Mapping[str, Any]]:
        """State that an unfinished room still needs, in the order in which it is to be set."""
        if not self.unfinished:
            return {}
        needed = {**_initial(wanted), "m.room.canonical_alias": {"alias": wanted.address}}
        missing = {kind: content for kind, content in needed.items() if kind not in self.state}
        return {**missing, "m.room.power_levels": levels(wanted, bot, BOT)}


def levels(wanted: Wanted, bot: str, own: int) -> dict[str, Any]:
    """Power levels. The bot's rights in the help desk do not come from them, nor do anybody's."""
    return {
        "users": {**dict.fromkeys(wanted.admins, ADMIN), bot: own},
        "users_default": 0,
        "events": {},
        "events_default": 0,
        "state_default": ADMIN,
        "redact": BOT,
        "invite": BOT,
        "kick": ADMIN,
        "ban": ADMIN,
    }


def _initial(wanted: Wanted) -> dict[str, Mapping[str, Any]]:
    return {
        "m.room.join_rules": {"join_rule": "invite"},
        "m.room.guest_access": {"guest_access": "forbidden"},
        # Who joins a team later has to see the tickets that are open.
        "m.room.history_visibility": {"history_visibility": "shared"},
        **({"m.room.encryption": ENCRYPTION} if wanted.encrypted else {}),
        "m.room.name": {"name": wanted.name},
        "m.room.topic": {"topic": wanted.topic},
    }


async def look(account: Account, address: str) -> Seen:
    """The room of an address as it is now."""
    room_id = address
    if not address.startswith("!"):
        try:
            told = await account.ask("GET", "directory", "room", address)
        except Refused:
            return Seen()
        room_id = clean.identifier(told.get("room_id")) or ""
    try:
        state = await account.state(room_id)
    except Refused:
        return Seen(room_id)
    members = {
        each.get("state_key", ""): str(clean.mapping(each.get("content")).get("membership"))
        for each in state
        if each.get("type") == "m.room.member"
    }
    contents = {
        str(each.get("type")): clean.mapping(each.get("content"))
        for each in state
        if each.get("state_key") == "" and each.get("content")
    }
    return Seen(
        room_id,
        joined=members.get(account.user) == "join",
        unfinished=_is_unfinished(state, contents, account.user),
        usable=not problems(replace(room_state_of(state), joined=members.get(account.user) == "join")),
        state=contents,
        members=members,
        bot=account.user,
    )


def _is_unfinished(
    state: Sequence[Mapping[str, Any]], contents: Mapping[str, Mapping[str, Any]], me: str
) -> bool:
    creator = next((each.get("sender") for each in state if each.get("type") == "m.room.create"), None)
    users = clean.mapping(contents.get("m.room.power_levels", {}).get("users"))
    return creator == me and users.get(me, ADMIN) == ADMIN


async def make(account: Account, wanted: Wanted) -> bool:
    """Make the room, not finished yet; ``False``: the alias was taken meanwhile.

    Who is invited with the room's making is no matter of Synapse's limit on invitations, which else lets
    nobody be invited more than five times at once, and again only minutes later.
    """
    try:
        return await _make(account, wanted, wanted.people[:_AT_ONCE])
    except Refused as error:
        # "Cannot invite so many users at once" has no code of its own.
        if error.code != "M_UNKNOWN":
            raise
    return await _make(account, wanted, ())


async def _make(account: Account, wanted: Wanted, people: Sequence[str]) -> bool:
    request = {
        "preset": "private_chat",
        "visibility": "private",
        "room_version": _ROOM_VERSION,
        "room_alias_name": wanted.address[1:].partition(":")[0],
        "name": wanted.name,
        "topic": wanted.topic,
        "invite": list(people),
        "initial_state": [
            {"type": kind, "state_key": "", "content": content}
            for kind, content in _initial(wanted).items()
            if kind not in ("m.room.name", "m.room.topic")
        ],
        "power_level_content_override": levels(wanted, account.user, ADMIN),
    }
    try:
        await account.ask("POST", "createRoom", body=request)
    except Refused as error:
        if error.code == "M_ROOM_IN_USE":
            return False
        raise
    return True


async def finish(account: Account, wanted: Wanted, seen: Seen) -> None:
    """Set what an unfinished room lacks; the bot's level last."""
    for kind, content in seen.lacking(wanted, account.user).items():
        await account.ask("PUT", "rooms", seen.room_id or "", "state", kind, "", body=dict(content))


async def join(account: Account, address: str) -> bool:
    """Go into a room that somebody else made; whether it lets the bot in."""
    try:
        await account.ask("POST", "join", address, body={})
    except Refused:
        return False
    return True


async def invite(account: Account, seen: Seen, person: str, reason: str) -> str | None:
    """Invite somebody; the homeserver's code if it refuses.

    :raises NotNow: there were too many invitations lately.
    """
    body = {"user_id": person, "reason": reason}
    room_id = seen.room_id or ""
    try:
        await account.ask("POST", "rooms", room_id, "invite", body=body, patience=_INVITING)
    except Refused as error:
        return error.code
    return None


def refused_to_make(wanted: Wanted, error: Refused, say: Texts) -> SetupStopped:
    """Why a room was not made, and what to do."""
    return SetupStopped(
        say(
            "The homeserver does not let the bot make the room {address} ({code}). Ask its admins, or make "
            "the room yourself, invite the bot and run this again.",
            address=wanted.address,
            code=error.code,
        )
    )
