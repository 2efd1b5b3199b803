"""What `check` looks at: config, database, homeserver, rooms; each with what to do about it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from bot import wiring
from bot.config import Config
from bot.domain.rooms import RoomProblem, problems
from bot.matrix.client import MatrixClient
from bot.matrix.errors import MatrixError, Refused, TokenRejected
from bot.matrix.events import room_state_of
from bot.services import reception
from bot.services.unit import Units
from storage import schema
from storage.database import Database
from storage.errors import DatabaseUnavailable, SchemaTooNew

HINTS: Final[Mapping[RoomProblem, str]] = {
    RoomProblem.NOT_JOINED: "Invite the bot into the room.",
    RoomProblem.PUBLIC: "Room settings, security: let only invited people join.",
    RoomProblem.WORLD_READABLE: "Room settings, security: do not let anyone read the history.",
    RoomProblem.GUESTS: "Room settings, security: do not let guests join.",
    RoomProblem.ENCRYPTED: "Encrypted rooms are not supported yet: make a room without encryption.",
    RoomProblem.REPLACED: "The room was upgraded: put the new room into the config.",
}

_MODERATOR: Final = (
    "Room settings, roles: make the bot a moderator. Until then handled taps stay on the cards, and a purge "
    "leaves members' own messages."
)
_INVITE: Final = HINTS[RoomProblem.NOT_JOINED] + " `run` accepts the invitation."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``hint`` says what to do, or what could be better though it works."""

    what: str
    good: bool
    detail: str
    hint: str = ""


async def check(config: Config) -> AsyncIterator[Finding]:
    """Look at everything the config names, one finding after the other."""
    database = Database(config.database_url())
    try:
        finding = await _check_database(database)
        yield finding
        known = finding.good and await schema.revision(database) is not None
        units = Units(database, wiring.policy(config))
        user = config.matrix.user
        device = await units.look(lambda unit: reception.device_of(unit, user)) if known else None
    finally:
        await database.close()
    client = MatrixClient(wiring.login(config, device))
    try:
        login = await _check_login(config, client)
        yield login
        if login.good:
            for key, address in wiring.rooms(config).items():
                yield await _check_room(client, key, address)
            if config.matrix.password is not None and device is None:
                await client.log_out()
    finally:
        await client.close()


async def _check_database(database: Database) -> Finding:
    what = f"database ({database.dialect})"
    try:
        await database.ping()
        found = await schema.revision(database)
        if found is None:
            return Finding(what, good=True, detail="empty, will be set up by `run`")
        if await schema.is_current(database):
            return Finding(what, good=True, detail=f"schema {found}")
    except DatabaseUnavailable:
        return Finding(what, good=False, detail="does not answer", hint="Is it running, is the URL right?")
    except SchemaTooNew as error:
        hint = "Install the newer version again, or restore a backup."
        return Finding(what, good=False, detail=f"made by a newer version ({error.found})", hint=hint)
    return Finding(what, good=False, detail=f"schema {found} is old", hint="Back up, then run `migrate`.")


async def _check_login(config: Config, client: MatrixClient) -> Finding:
    what = f"homeserver {config.matrix.homeserver}"
    try:
        await client.start()
    except TokenRejected as error:
        hint = "Check `matrix.user` and its password or token."
        return Finding(what, good=False, detail=f"refuses the login ({error.code})", hint=hint)
    except MatrixError as error:
        hint = "Check `matrix.homeserver`; is the server up?"
        return Finding(what, good=False, detail=f"does not answer ({error})", hint=hint)
    return Finding(what, good=True, detail=f"logged in as {client.user_id}, device {client.device_id}")


async def _check_room(client: MatrixClient, key: str, address: str) -> Finding:
    what = f"room {key} ({address})"
    try:
        room_id = address if address.startswith("!") else await client.resolve(address)
        state = await client.state(room_id)
    except Refused as error:
        detail = "does not exist" if error.code == "M_NOT_FOUND" else "the bot is not in it"
        return Finding(what, good=False, detail=detail, hint=_INVITE)
    except MatrixError as error:
        return Finding(what, good=False, detail=f"no answer ({error})", hint="Try again.")
    found = problems(replace(room_state_of(state), joined=_is_member(state, client.user_id)))
    if RoomProblem.NOT_JOINED in found:
        return Finding(what, good=False, detail="the bot is not in it", hint=_INVITE)
    if found:
        hint = " ".join(HINTS[problem] for problem in found)
        return Finding(what, good=False, detail=", ".join(found), hint=hint)
    if not _may_write(state, client.user_id):
        hint = "Room settings, roles: let the bot send messages and reactions."
        return Finding(what, good=False, detail="the bot may not write there", hint=hint)
    if not _may_remove(state, client.user_id):
        detail = f"{room_id}, but the bot may not remove messages there"
        return Finding(what, good=True, detail=detail, hint=_MODERATOR)
    return Finding(what, good=True, detail=room_id)


def _is_member(state: list[dict[str, Any]], user_id: str) -> bool:
    """Whether the user is in the room: one who left is still told the state as it was then."""
    own = (each for each in state if each.get("type") == "m.room.member" and each.get("state_key") == user_id)
    return any(each["content"].get("membership") == "join" for each in own)


def _levels(state: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = next(
        (each["content"] for each in state if each.get("type") == "m.room.power_levels"), {}
    )
    return found


def _level_of(levels: dict[str, Any], user_id: str) -> Any:  # noqa: ANN401
    return levels.get("users", {}).get(user_id, levels.get("users_default", 0))


def _may_write(state: list[dict[str, Any]], user_id: str) -> bool:
    """Whether the power levels let the bot send messages and reactions."""
    levels = _levels(state)
    needed = [
        levels.get("events", {}).get(kind, levels.get("events_default", 0))
        for kind in ("m.room.message", "m.reaction")
    ]
    return bool(_level_of(levels, user_id) >= max(needed))


def _may_remove(state: list[dict[str, Any]], user_id: str) -> bool:
    """Whether the power levels let the bot take away what others sent: handled taps, purged words."""
    levels = _levels(state)
    return bool(_level_of(levels, user_id) >= levels.get("redact", 50))
