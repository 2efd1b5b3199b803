"""The bot's rights by a room's state, and which room is looked at."""

from typing import Any

import pytest

from bot.doctor.findings import Level
from bot.doctor.rooms import examine_room
from bot.matrix.levels import Rights, rights_in

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
        ({}, Rights(0, may_write=True, may_remove=False)),
        ({"users": {BOT: 50}}, Rights(50, may_write=True, may_remove=True)),
        ({"users_default": 50}, Rights(50, may_write=True, may_remove=True)),
        ({"users": {BOT: 49}}, Rights(49, may_write=True, may_remove=False)),
        ({"users": {BOT: 50}, "redact": 60}, Rights(50, may_write=True, may_remove=False)),
        (
            {"users": {BOT: 50}, "events": {"m.room.redaction": 60}},
            Rights(50, may_write=True, may_remove=False),
        ),
        ({"events_default": 1}, Rights(0, may_write=False, may_remove=False)),
        ({"events": {"m.reaction": 1}}, Rights(0, may_write=False, may_remove=False)),
        (
            {"users": {BOT: 50}, "events": {"m.room.message": 51}},
            Rights(50, may_write=False, may_remove=True),
        ),
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
    assert rights_in([], BOT) == Rights(0, may_write=True, may_remove=False)


class Client:
    """The bot's account, in an upgraded room and in the one that replaced it."""

    user_id = BOT

    async def resolve(self, _alias: str) -> str:
        """An alias that stayed with the old room."""
        return "!old"

    async def state(self, room_id: str) -> list[dict[str, Any]]:
        """The state of a room."""
        joined = {"type": "m.room.member", "state_key": BOT, "content": {"membership": "join"}}
        invited = {"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "invite"}}
        gone = {"type": "m.room.tombstone", "state_key": "", "content": {"replacement_room": "!new"}}
        found = [*state({"users": {BOT: 50}}), joined, invited]
        return [*found, gone] if room_id == "!old" else found


async def test_of_a_room_that_was_moved_out_of_the_new_one_is_looked_at() -> None:
    client: Any = Client()
    assert (await examine_room(client, "triage", "!old", {})).level is Level.BAD
    told = await examine_room(client, "triage", "!old", {"!old": "!new"})
    assert (told.level, told.hint) == (Level.POOR, "Write !new into the config.")
    assert "moved to !new" in told.detail
    assert (await examine_room(client, "triage", "#triage:example.org", {"!old": "!new"})).level is Level.GOOD
