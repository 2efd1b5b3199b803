"""The encryption's machine while something fails or somebody lies; on both databases."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from bot.matrix.client import TX_KEY
from bot.matrix.encryption import machine, sharing
from bot.matrix.encryption.own import NoDevice
from bot.matrix.errors import Refused, Unprepared, Unreachable
from bot.presentation.message import SIZE_LIMIT, Message, size
from bot.services import keys as key_service
from bot.services import reception, sealed
from bot.services.unit import DatabaseUnavailable
from storage import inbox
from storage import keys as stored
from tests.integration.desk_data import ANNA, BEN, BOT, OLGA
from tests.integration.encryption_data import ROOM, Json, Phone
from tests.integration.test_encryption import Bot, bodies, bot, desk, read_by, say

__all__ = ["bot", "desk"]
_LARGEST_EVENT = 65_536


def kept_keys(bot: Bot, phone: Phone) -> int:
    with bot.desk.database.read() as session:
        return len(stored.room_keys(session, [(ROOM, phone.group.session_id)]))


@pytest.mark.parametrize("fails_at", [1, 2, 3])
async def test_a_database_that_goes_away_in_between_costs_no_key(
    bot: Bot, fails_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever look-up fails; and nobody commits meanwhile that the channel has moved on."""
    phone, tablet = Phone(bot.site), Phone(bot.site, ANNA, "TABLET")
    await bot.sync(to_device=[phone.message(bot.machine, "m.dummy", {})])
    events = [phone.room_key(bot.machine), tablet.room_key(bot.machine)]
    look, looks = bot.desk.units.look, 0

    async def failing(work: Any) -> Any:
        nonlocal looks
        looks += 1
        if looks == fails_at:
            raise DatabaseUnavailable("sqlite")
        return await look(work)

    with monkeypatch.context() as patched:
        patched.setattr(bot.desk.units, "look", failing)
        with pytest.raises(DatabaseUnavailable):
            await bot.taken(to_device=events)
    if fails_at == 3:
        # The last one: the channel has opened its message, and the key is not taken.
        with pytest.raises(DatabaseUnavailable):
            await bot.machine.journal.keep()
    opened = await bot.sync(phone.says("!take 1"), tablet.says("!take 2"), to_device=events)
    assert bodies(opened) == ["!take 1", "!take 2"]
    assert (kept_keys(bot, phone), kept_keys(bot, tablet)) == (1, 1)


@pytest.mark.parametrize("letter", ["ü", "🦊", '"', "x"])
async def test_the_longest_message_can_be_encrypted(bot: Bot, letter: str) -> None:
    each = size({"x": letter}) - size({"x": ""})
    letters = (SIZE_LIMIT - size(Message("", "").content())) // each
    content = Message(letter * letters, "").content()
    assert SIZE_LIMIT - each < size(content) <= SIZE_LIMIT
    label = {TX_KEY: "x" * 40, "about": {"kind": "answer", "shows": [10_000] * 20}}
    sealed = await bot.machine.sealed(ROOM, "m.room.message", content, label)
    event = {
        "type": "m.room.encrypted", "room_id": ROOM, "sender": "@" + "x" * 254, "content": sealed, "depth": 1,
        "auth_events": ["$" + "x" * 43] * 10,
        "prev_events": ["$" + "x" * 43] * 20, "hashes": {"sha256": "x" * 43},
        "signatures": {"x" * 255: {"ed25519:auto": "x" * 86}}, "origin_server_ts": 1_795_000_000_000,
    }  # fmt: skip
    assert len(json.dumps(event).encode()) < _LARGEST_EVENT


async def test_before_its_keys_are_uploaded_the_bot_waits_only_a_moment(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_PATIENCE", 0.01)
    bot.machine.upkeep.uploaded.clear()
    with pytest.raises(Unprepared):
        await say(bot, "hello")


async def test_a_token_of_no_device_is_of_no_use(bot: Bot) -> None:
    bot.site.device_id = ""
    with pytest.raises(NoDevice):
        await bot.again()


async def test_refused_keys_put_off_what_is_to_be_said(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_what: str, _request: object) -> Json:
        raise Refused("M_FORBIDDEN")

    monkeypatch.setattr(bot.site, "keys", refuse)
    with pytest.raises(Unprepared, match="M_FORBIDDEN"):
        await say(bot, "hello")


async def test_a_slow_query_of_one_message_does_not_keep_those_behind_it(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, keys = asyncio.Event(), bot.site.keys

    async def slow(what: str, request: Mapping[str, Any]) -> Json:
        await answers.wait()
        return await keys(what, request)

    monkeypatch.setattr(sharing, "_PATIENCE", 0.01)
    monkeypatch.setattr(bot.site, "keys", slow)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(say(bot, "first"))
        await asyncio.sleep(0.2)
        with pytest.raises(Unprepared):
            await say(bot, "second")
        answers.set()
    assert first.result()["session_id"]


@pytest.mark.parametrize("kind", ["m.room.redaction", "m.reaction", "m.room.member", "m.room.encrypted"])
async def test_only_messages_are_taken_out_of_an_encrypted_event(bot: Bot, kind: str) -> None:
    phone = Phone(bot.site)
    said: Sequence[Json] = [phone.says("x", kind=kind), phone.says("!take 1")]
    opened = await bot.sync(*said, to_device=[phone.room_key(bot.machine)])
    assert [each["type"] for each in opened] == ["m.room.message"]


async def test_nobody_makes_anothers_command_a_replay(bot: Bot) -> None:
    """Ben has the key, gives it as his, and sends Anna's ciphertext as his own before hers comes."""
    anna, ben = Phone(bot.site, ANNA), Phone(bot.site, BEN)
    said = anna.says("!take 1")
    copy = {**said, "sender": BEN, "event_id": "$copy"}
    await bot.sync(copy, to_device=[ben.room_key(bot.machine, of=anna)])
    await bot.sync(said, to_device=[anna.room_key(bot.machine)])
    assert (ANNA, "!take 1") in await bot.waiting()


async def test_a_change_during_the_first_query_is_not_lost(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    Phone(bot.site)
    keys = bot.site.keys

    async def changing(what: str, request: Mapping[str, Any]) -> Json:
        answer = await keys(what, request)
        Phone(bot.site, ANNA, "TABLET")
        await bot.machine._devices.changed([ANNA])
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(bot.site, "keys", changing)
        assert len(await bot.machine.devices_of(ANNA)) == 1
    assert len(await bot.machine.devices_of(ANNA)) == 2


@pytest.mark.parametrize("how", ["asks", "new channel"])
async def test_a_device_that_lost_the_key_gets_it_with_the_next_message(bot: Bot, how: str) -> None:
    phone = Phone(bot.site)
    first = await say(bot, "first")
    assert read_by(phone, bot.site, first) == "first"
    phone.heard.clear()
    if how == "asks":
        request = {
            "action": "request", "requesting_device_id": "PHONE", "request_id": "1",
            "body": {"room_id": ROOM, "session_id": first["session_id"]},
        }  # fmt: skip
        await bot.sync(to_device=[{"type": "m.room_key_request", "sender": ANNA, "content": request}])
    else:
        phone.channel = None
        bot.desk.clock.advance(seconds=1)
        await bot.sync(to_device=[phone.message(bot.machine, "m.dummy", {})])
    second = await say(bot, "second")
    assert second["session_id"] == first["session_id"]
    assert read_by(phone, bot.site, second) == "second"
    assert read_by(phone, bot.site, first) is None
    assert len(bot.site.to(phone)) == 2


async def test_the_key_of_whoever_invites_the_bot_is_kept(bot: Bot) -> None:
    olga = Phone(bot.site, OLGA)
    member = {
        "type": "m.room.member", "state_key": BOT, "sender": OLGA, "content": {"membership": "invite"},
    }  # fmt: skip
    invited = {"invite": {"!chat:example.org": {"invite_state": {"events": [member]}}}}
    await bot.sync(rooms={**invited, "join": {ROOM: {}}})
    await bot.sync(to_device=[olga.room_key(bot.machine)])
    assert kept_keys(bot, olga) == 1


async def test_nobody_hides_others_events_behind_many_unreadable_ones(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_SEALED_AT_ONCE", 2)
    monkeypatch.setattr(reception, "_MOST_SEALED", 5)
    anna, ben = Phone(bot.site, ANNA), Phone(bot.site, BEN)
    await bot.sync(*(ben.says(str(number)) for number in range(9)), anna.says("!take 1"))
    found, after = [], 0
    while page := await bot.desk.units.look(partial(sealed.waiting, after=after)):
        found += [each.sender for each in page]
        after = page[-1].row_id
    assert found == [BEN] * 5 + [ANNA]
    await bot.sync(to_device=[anna.room_key(bot.machine)])
    await bot.unseal()
    assert (ANNA, "!take 1") in await bot.waiting()


async def test_keys_that_are_refused_for_good_are_not_uploaded_without_end(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = 0

    async def refuse(_what: str, _request: object) -> Json:
        nonlocal uploads
        uploads += 1
        raise Refused("M_UNKNOWN")

    monkeypatch.setattr(bot.site, "keys", refuse)
    bot.machine.upkeep.told({"device_one_time_keys_count": {"signed_curve25519": 0}})
    with pytest.raises(Unreachable):
        await bot.machine.upkeep._round()
    assert uploads == 10


async def test_a_channel_that_nobody_uses_is_dropped(bot: Bot) -> None:
    phone = Phone(bot.site)
    await bot.sync(to_device=[phone.room_key(bot.machine)])
    for days, left in ((89, 1), (2, 0)):
        bot.desk.clock.advance(hours=24 * days)
        await bot.desk.units.run(key_service.tidy)
        with bot.desk.database.read() as session:
            assert len(stored.channels(session, [phone.curve25519])) == left
