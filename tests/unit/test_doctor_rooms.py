"""The bot's rights by a room's state, and which room is looked at."""

from typing import Any

import pytest

from bot.doctor.findings import Level
from bot.doctor.rooms import examine_room
from bot.matrix.levels import Rights, may_post, rights_in

BOT = "@bot:example.org"
ANNA = "@anna:example.org"


def state(levels: dict[str, Any], version: str | None = None, creator: str = ANNA) -> list[dict[str, Any]]:
    """A room's creation and power levels."""
    made = {"room_version": version} if version else {}
    return [
        {"type": "m.room.create", "sender": creator, "content": made},
        {"type": "m.room.power_levels", "sender": creator, "content": levels},
    ]


@pytest.mark.parametrize(
    ("levels", "rights"),
    [
        ({}, Rights(0, 0, 0, 50)),
        ({"users": {BOT: 50}}, Rights(50, 0, 0, 50)),
        ({"users_default": 50}, Rights(50, 0, 0, 50)),
        ({"users": {BOT: 49}}, Rights(49, 0, 0, 50)),
        ({"users": {BOT: 50}, "redact": 60}, Rights(50, 0, 0, 60)),
        ({"users": {BOT: 50}, "events": {"m.room.redaction": 60}}, Rights(50, 0, 0, 60)),
        ({"events_default": 1}, Rights(0, 1, 1, 50)),
        ({"events": {"m.reaction": 1}}, Rights(0, 0, 1, 50)),
        ({"users": {BOT: 50}, "events": {"m.room.message": 51}}, Rights(50, 51, 0, 50)),
        ({"users": {BOT: 50}, "events": {"m.room.encrypted": 51}}, Rights(50, 0, 0, 50)),
    ],
)
def test_rights_by_power_levels(levels: dict[str, Any], rights: Rights) -> None:
    assert rights_in(state(levels), BOT) == rights


@pytest.mark.parametrize("version", [None, "1", "11", "org.example.unstable"])
def test_before_room_version_12_a_creator_has_the_level_that_is_written_down(version: str | None) -> None:
    found = rights_in(state({"users": {BOT: 10}, "events_default": 20}, version, BOT), BOT)
    assert (found.level, found.is_creator, found.may_write) == (10, False, False)


def test_from_room_version_12_on_creators_may_do_everything() -> None:
    locked = {"events_default": 100, "redact": 100}
    assert rights_in(state(locked, "12", BOT), BOT).is_creator
    helped = state(locked, "12")
    helped[0]["content"]["additional_creators"] = [BOT]
    found = rights_in(helped, BOT)
    assert (found.is_creator, found.may_write, found.may_remove) == (True, True, True)
    assert not rights_in(state(locked, "12"), BOT).may_write


def test_without_power_levels_everybody_has_none() -> None:
    assert rights_in([], BOT) == Rights(0, 0, 0, 50)


def test_in_an_encrypted_room_another_type_of_message_counts() -> None:
    encryption = {"type": "m.room.encryption", "state_key": "", "content": {}}
    for kind, may in (("m.room.message", True), ("m.room.encrypted", False)):
        room = [*state({"events": {kind: 1}}), encryption]
        assert (rights_in(room, BOT).may_write, may_post(room, BOT)) == (may, may)


class Client:
    """The bot's account, in an upgraded room and in the one that replaced it."""

    user_id = BOT

    def __init__(self, levels: dict[str, Any] | None = None) -> None:
        self._levels = levels if levels is not None else {"users": {BOT: 50}}

    async def resolve(self, _alias: str) -> str:
        """An alias that stayed with the old room."""
        return "!old"

    async def state(self, room_id: str) -> list[dict[str, Any]]:
        """The state of a room."""
        joined = {"type": "m.room.member", "state_key": BOT, "content": {"membership": "join"}}
        invited = {"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "invite"}}
        gone = {"type": "m.room.tombstone", "state_key": "", "content": {"replacement_room": "!new"}}
        found = [*state(self._levels), joined, invited]
        return [*found, gone] if room_id == "!old" else found


@pytest.mark.parametrize(
    ("levels", "level", "detail", "grant"),
    [
        ({"users": {BOT: 50}}, Level.GOOD, "!room, 0 members, the bot has level 50", ""),
        ({}, Level.POOR, "not remove what others sent (needs level 50)", "level 50 (moderator). Until"),
        ({"users": {BOT: 50}, "redact": 100}, Level.POOR, "(needs level 100)", "level 100 (admin)."),
        ({"events_default": 20, "redact": 20}, Level.BAD,
         "the bot may not send messages (needs level 20) nor react (needs level 20), the bot has level 0",
         f"give {BOT} the level 20."),
        ({"events": {"m.reaction": 50}}, Level.BAD,
         "the bot may not react (needs level 50), the bot has level 0", "the level 50 (moderator)."),
    ],
)  # fmt: skip
async def test_what_is_lacking_is_told_with_what_to_grant(
    levels: dict[str, Any], level: Level, detail: str, grant: str
) -> None:
    client: Any = Client(levels)
    told = await examine_room(client, "triage", "!room", {}, closely=True)
    assert (told.level, detail in told.detail, grant in told.hint) == (level, True, True), told


async def test_of_a_room_that_was_moved_out_of_the_new_one_is_looked_at() -> None:
    client: Any = Client()
    old = await examine_room(client, "triage", "!old", {})
    assert (old.level, old.detail) == (Level.BAD, "it was upgraded")
    told = await examine_room(client, "triage", "!old", {"!old": "!new"})
    assert (told.level, told.hint) == (Level.POOR, "Write !new into the config.")
    assert "moved to !new" in told.detail
    assert (await examine_room(client, "triage", "#triage:example.org", {"!old": "!new"})).level is Level.GOOD
