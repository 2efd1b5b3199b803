"""The encryption's machine among devices that are honest, broken or somebody else's; on both databases."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import pytest
import vodozemac
from sqlmodel import select

from bot.matrix.client import ABOUT_KEY, TX_KEY, MatrixClient
from bot.matrix.encryption.machine import Machine
from bot.matrix.encryption.own import KeysUnreadable
from bot.matrix.encryption.receiving import ENCRYPTED, Plain
from bot.matrix.encryption.sealing import Sealer
from bot.matrix.errors import Refused, Unprepared, Unreachable
from bot.matrix.events import Reader
from bot.matrix.unsealing import Unsealer
from bot.services import reception, sealed
from bot.services.reception import Batch, Incoming, RoomUpdate
from bot.services.unit import DatabaseUnavailable
from storage import keys as stored
from storage.models import InboxEvent
from tests.integration.desk_data import ANNA, BEN, BOT, FREIBURG, OLGA, Desk, desk_on
from tests.integration.encryption_data import MEGOLM, OLM, ROOM, Json, Phone, Site

assert ROOM == FREIBURG


@dataclass
class Bot:
    """The machine with its database, fed with syncs."""

    desk: Desk
    site: Site
    machine: Machine
    count: int = 0

    @classmethod
    async def at(cls, desk: Desk, site: Site, secret: str = "secret") -> "Bot":
        machine = await Machine.started(cast("MatrixClient", site), desk.units, Sealer(secret))
        bot = cls(desk, site, machine)
        await machine.upkeep._round()
        await machine.upkeep._round()
        return bot

    async def again(self) -> "Bot":
        """After a kill: with what the database has."""
        return await Bot.at(self.desk, self.site)

    @property
    def reader(self) -> Reader:
        """Takes every text for a command."""
        return Reader(BOT, lambda content, *, private: "body" in content, self.machine.labels)

    async def sync(
        self, *said: Json, to_device: Sequence[Json] = (), commit: bool = True, **more: Any
    ) -> Sequence[Json]:
        """A sync with these events in the room; what they are opened to."""
        opened = await self.taken(*said, to_device=to_device, **more)
        if commit:
            await self.commit(self.reader.read(opened, frozenset({ROOM}), frozenset({ROOM})).batch)
        found: Sequence[Json] = opened["rooms"]["join"][ROOM]["timeline"]["events"]
        return found

    async def taken(self, *said: Json, to_device: Sequence[Json] = (), **more: Any) -> Json:
        """A sync, opened and not committed."""
        self.count += 1
        raw = {
            "next_batch": f"t{self.count}",
            "to_device": {"events": list(to_device)},
            "rooms": {"join": {ROOM: {"timeline": {"events": list(said)}, "state": {"events": []}}}},
            **more,
        }
        return await self.machine.take_in(raw, first=False)

    async def commit(self, batch: Batch) -> None:
        """As the sync loop does."""
        async with self.machine.journal.committing() as changes:
            whole = replace(batch, keys=changes)
            restored = await self.desk.units.run(lambda unit: reception.receive(unit, whole))
        self.machine.committed(restored=restored)

    async def waiting(self) -> list[tuple[str, str]]:
        """Sender and text of the commands that may be handled now."""
        found = await self.desk.units.look(reception.waiting)
        return [(each.sender, each.content["body"]) for each in found]

    async def unseal(self) -> None:
        """One round of the unsealer."""
        await Unsealer(self.desk.units, self.machine, self.reader)._round()


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        await desk.units.run(
            lambda unit: reception.receive(unit, Batch("t", (RoomUpdate(ROOM, encrypted=True),)))
        )
        yield desk


@pytest.fixture
async def bot(desk: Desk) -> Bot:
    return await Bot.at(desk, Site())


def bodies(events: Sequence[Json]) -> list[str]:
    """What could be read."""
    return [each["content"]["body"] for each in events if isinstance(each, Plain)]


# What comes in


async def test_a_command_is_read_also_after_a_kill(bot: Bot) -> None:
    phone = Phone(bot.site)
    opened = await bot.sync(phone.says("!take 1"), to_device=[phone.room_key(bot.machine)])
    assert bodies(opened) == ["!take 1"]
    assert await bot.waiting() == [(ANNA, "!take 1")]
    bot = await bot.again()
    opened = await bot.sync(phone.says("!take 2"))
    assert bodies(opened) == ["!take 2"]


async def test_what_was_not_committed_comes_again_and_is_not_lost(bot: Bot) -> None:
    """The sync's commit failed: the same events come once more, while the channel is further on."""
    phone = Phone(bot.site)
    key, said = phone.room_key(bot.machine), phone.says("!take 1")
    await bot.sync(said, to_device=[key], commit=False)
    opened = await bot.sync(said, to_device=[key])
    assert bodies(opened) == ["!take 1"]
    assert bot.site.to(phone) == []  # no channel is taken for a broken one
    assert bodies(await (await bot.again()).sync(phone.says("!take 2"))) == ["!take 2"]


async def test_killed_before_the_commit_it_is_all_told_once_more(bot: Bot) -> None:
    phone = Phone(bot.site)
    key, said = phone.room_key(bot.machine), phone.says("!take 1")
    await bot.sync(said, to_device=[key], commit=False)
    bot = await bot.again()
    assert bodies(await bot.sync(said, to_device=[key])) == ["!take 1"]


async def test_nobody_speaks_as_another(bot: Bot) -> None:
    """Ben is a member as well: he has Anna's key, and can send any event as himself, but not as her."""
    anna, ben = Phone(bot.site, ANNA), Phone(bot.site, BEN)
    await bot.sync(to_device=[anna.room_key(bot.machine), ben.room_key(bot.machine)])
    # The homeserver says that it is Anna's: it is said with Ben's key.
    assert bodies(await bot.sync(ben.says("!purge 1", sender=ANNA))) == []
    # With a key that says that it is from Anna, sent through Ben's channel as Ben or as Anna.
    lies = [
        ben.message(bot.machine, "m.room_key", key_content(ben), sender=ANNA),
        {**ben.room_key(bot.machine), "sender": ANNA},
        {**ben.message(bot.machine, "m.room_key", key_content(ben), sender=ANNA), "sender": ANNA},
    ]
    await bot.sync(to_device=lies)
    opened = await bot.sync(ben.says("!purge 2", sender=ANNA))
    assert bodies(opened) == []
    assert [body for _sender, body in await bot.waiting()] == []
    # And he says with Anna's key what she said: that is nothing of his.
    await bot.sync(to_device=[ben.room_key(bot.machine, of=anna)])
    assert bodies(await bot.sync(anna.says("!take 3", sender=BEN))) == ["!take 3"]
    assert await bot.waiting() == [(BEN, "!take 3")]
    # Nor has he used up what she said. (Behind what she seems to have said before, it waits for a minute.)
    bot.desk.clock.advance(seconds=61)
    said = anna.says("!take 4")
    await bot.sync({**said, "sender": BEN, "event_id": "$copy"})
    await bot.sync(said)
    assert await bot.waiting() == [(BEN, "!take 3"), (BEN, "!take 4"), (ANNA, "!take 4")]


def key_content(phone: Phone) -> Json:
    return {
        "algorithm": MEGOLM,
        "room_id": ROOM,
        "session_id": phone.group.session_id,
        "session_key": phone.group_key,
    }


async def test_a_device_that_nobody_has_speaks_for_nobody(bot: Bot) -> None:
    ghost = Phone(bot.site, device_id="GHOST")
    del bot.site.devices[ANNA]["GHOST"]
    assert bodies(await bot.sync(ghost.says("!take 1"), to_device=[ghost.room_key(bot.machine)])) == []
    assert await bot.waiting() == []
    assert bot.site.queries == [[ANNA]]


async def test_a_device_that_was_logged_out_since_has_said_what_it_said(bot: Bot) -> None:
    phone = Phone(bot.site)
    await bot.sync(phone.says("!take 1"), to_device=[phone.room_key(bot.machine)])
    del bot.site.devices[ANNA]["PHONE"]
    said = phone.says("!take 2")
    await bot.sync(device_lists={"changed": [ANNA]})
    assert await bot.machine.devices_of(ANNA) == []
    assert bodies(await bot.sync(said)) == ["!take 2"]


async def test_the_same_words_under_another_event_id_are_a_replay(bot: Bot) -> None:
    phone = Phone(bot.site)
    said = phone.says("!take 1")
    await bot.sync(said, to_device=[phone.room_key(bot.machine)])
    await bot.sync({**said, "event_id": "$again"})
    await (await bot.again()).sync({**said, "event_id": "$later"})
    assert await bot.waiting() == [(ANNA, "!take 1")]


async def test_what_was_said_in_another_room_does_not_count_here(bot: Bot) -> None:
    phone = Phone(bot.site)
    opened = await bot.sync(phone.says("!take 1", inside="!other:x"), to_device=[phone.room_key(bot.machine)])
    assert opened == []


async def test_strangers_are_not_listened_to(bot: Bot) -> None:
    """Anybody may send anything to any device: nothing of it is kept."""
    olga = Phone(bot.site, OLGA)
    await bot.sync(to_device=[olga.room_key(bot.machine)])
    with bot.desk.database.read() as session:
        assert stored.channels(session, [olga.curve25519]) == []
        assert stored.room_keys(session, [(ROOM, olga.group.session_id)]) == []


HOSTILE: tuple[Any, ...] = (
    {}, {"algorithm": MEGOLM}, {"algorithm": 7, "session_id": "x"}, {"session_id": "x" * 300},
    {"algorithm": MEGOLM, "session_id": "x", "ciphertext": "x" * 200_000},
    {"algorithm": MEGOLM, "session_id": "x", "ciphertext": "AwgA" * 20, "m.relates_to": 7},
    {"algorithm": MEGOLM, "session_id": {"a": []}, "ciphertext": None},
    {"algorithm": MEGOLM, "session_id": "x\0", "ciphertext": "AwgA"},
    {"algorithm": "m.olm.v1.curve25519-aes-sha2", "sender_key": 3, "ciphertext": []},
    {"algorithm": OLM, "sender_key": "x", "ciphertext": {"y": {"type": 9, "body": "!"}}},
)  # fmt: skip


async def test_hostile_events_stop_nothing(bot: Bot) -> None:
    phone = Phone(bot.site)
    mine = {"type": 0, "body": "AwogAAAA"}
    broken: list[Any] = [
        *({"type": ENCRYPTED, "sender": ANNA, "content": content} for content in HOSTILE),
        *(
            {"type": ENCRYPTED, "sender": ANNA, "content": {
                "algorithm": "m.olm.v1.curve25519-aes-sha2", "sender_key": phone.curve25519,
                "ciphertext": {bot.machine.identity.curve25519: told},
            }}
            for told in (mine, {**mine, "type": 1}, {**mine, "type": 2**70}, {**mine, "body": "ü"}, 7, None)
        ),
        phone.message(bot.machine, "m.room_key", {}),
        phone.room_key(bot.machine, session_key="AgAA"),
        phone.room_key(bot.machine, room_id=7),
        phone.room_key(bot.machine, session_id="another"),
        phone.message(bot.machine, "m.forwarded_room_key", key_content(phone)),
        phone.message(bot.machine, "m.room_key", key_content(phone), keys=[]),
        phone.message(bot.machine, "m.room_key", key_content(phone), recipient_keys={"ed25519": "x"}),
        {"type": "m.room_key.withheld", "sender": ANNA, "content": {"code": 7}},
        {"type": 7, "sender": ANNA, "content": {}}, {"sender": 7}, {"content": []}, 7,
    ]  # fmt: skip
    said = [
        {"type": ENCRYPTED, "sender": ANNA, "event_id": f"${number}", "content": content}
        for number, content in enumerate(HOSTILE)
    ]
    lists: Mapping[str, Any] = {"changed": [7, None, ANNA], "left": "x"}
    opened = await bot.sync(
        *said, phone.says("!take 1"), to_device=[*broken, phone.room_key(bot.machine)], device_lists=lists
    )
    assert bodies(opened) == ["!take 1"]


# Keys that come late


async def test_a_command_whose_key_comes_late_is_done_in_order(bot: Bot) -> None:
    phone, ben = Phone(bot.site), Phone(bot.site, BEN)
    key = phone.room_key(bot.machine)
    first, second = phone.says("!take 1"), phone.says("!note 1 hello")
    await bot.sync(first, ben.says("!take 2"), to_device=[ben.room_key(bot.machine)])
    later = Phone(bot.site, ANNA, "TABLET")
    await bot.sync(later.says("!close 1"), to_device=[later.room_key(bot.machine)])
    # Ben need not wait; what Anna says from elsewhere waits for what she said before.
    assert await bot.waiting() == [(BEN, "!take 2")]
    await bot.unseal()
    (asked,) = bot.site.to(phone, "m.room_key_request")
    assert (asked["action"], asked["body"]["session_id"]) == ("request", phone.group.session_id)
    await bot.unseal()
    assert len(bot.site.to(phone, "m.room_key_request")) == 1
    await bot.sync(second, to_device=[key])
    await bot.unseal()
    assert await bot.waiting() == [
        (ANNA, "!take 1"), (BEN, "!take 2"), (ANNA, "!close 1"), (ANNA, "!note 1 hello"),
    ]  # fmt: skip


async def test_a_command_that_nobody_can_read_holds_nobody_up_for_long(bot: Bot) -> None:
    phone, tablet = Phone(bot.site), Phone(bot.site, ANNA, "TABLET")
    await bot.sync(phone.says("!take 1"))
    await bot.sync(tablet.says("!take 2"), to_device=[tablet.room_key(bot.machine)])
    assert await bot.waiting() == []
    bot.desk.clock.advance(seconds=61)
    assert await bot.waiting() == [(ANNA, "!take 2")]


async def told(bot: Bot) -> list[Incoming]:
    found = await bot.desk.units.look(sealed.to_tell)
    answers = [await bot.desk.units.run(partial(sealed.told, event=event)) for event in found]
    return [each for each in answers if each is not None]


async def test_its_sender_is_told_once_per_session(bot: Bot) -> None:
    phone = Phone(bot.site)
    await bot.sync(phone.says("!take 1"), phone.says("!take 2"))
    assert await told(bot) == []  # the key may come a moment later
    bot.desk.clock.advance(seconds=21)
    assert [each.event_id for each in await told(bot)] == ["$ann-PHONE-1"]
    await bot.sync(phone.says("!take 3"))
    bot.desk.clock.advance(seconds=21)
    assert await told(bot) == []


async def test_who_takes_it_away_wants_it_no_more_and_nothing_waits_for_ever(bot: Bot) -> None:
    phone = Phone(bot.site)
    key = phone.room_key(bot.machine)
    first, second = phone.says("!take 1"), phone.says("!take 2")
    redaction = {
        "type": "m.room.redaction", "event_id": "$gone", "sender": ANNA,
        "content": {"redacts": first["event_id"]}, "redacts": first["event_id"],
    }  # fmt: skip
    await bot.sync(first, second)
    await bot.sync(redaction)
    bot.desk.clock.advance(hours=25)
    await bot.desk.units.run(sealed.give_up)
    await bot.sync(phone.says("!take 3"), to_device=[key])
    await bot.unseal()
    assert await bot.waiting() == [(ANNA, "!take 3")]
    with bot.desk.database.read() as session:
        kept = [row.content for row in session.exec(select(InboxEvent)) if row.kind == "sealed"]
    assert kept == [None, None]


async def test_an_app_that_does_not_trust_the_bot_is_named(bot: Bot) -> None:
    phone = Phone(bot.site)
    refused = {
        "type": "m.room_key.withheld", "sender": ANNA,
        "content": {
            "algorithm": MEGOLM, "room_id": ROOM, "session_id": phone.group.session_id,
            "sender_key": phone.curve25519, "code": "m.unverified",
        },
    }  # fmt: skip
    await bot.sync(phone.says("!take 1"), to_device=[refused])
    assert bot.machine.is_withheld(ROOM, phone.group.session_id)


# What goes out


async def say(bot: Bot, body: str) -> Json:
    return await bot.machine.sealed(ROOM, "m.room.message", {"body": body}, {"tx": "1"})


def read_by(phone: Phone, site: Site, content: Json) -> str | None:
    """What a device reads of it, with all that it was sent so far."""
    for message in site.to(phone):
        if message not in getattr(phone, "taken", []):
            phone.opens(message)
            phone.__dict__.setdefault("taken", []).append(message)
    found = phone.reads(content)
    return found["content"]["body"] if found else None


async def test_all_devices_of_the_members_read_it_and_nobody_else(bot: Bot) -> None:
    phones = [Phone(bot.site), Phone(bot.site, ANNA, "TABLET"), Phone(bot.site, BEN)]
    olga, away = Phone(bot.site, OLGA), Phone(bot.site, BEN, "OLD", reachable=False)
    content = await say(bot, "hello")
    assert "hello" not in str(content)
    assert [read_by(phone, bot.site, content) for phone in phones] == ["hello"] * 3
    assert read_by(olga, bot.site, content) is None
    # One request for all their keys, and the one that has none is told why.
    assert [sorted(claim) for claim in bot.site.claims] == [[ANNA, BEN]]
    assert [each["code"] for each in bot.site.to(away, "m.room_key.withheld")] == ["m.no_olm"]
    more = await say(bot, "and more")
    assert [read_by(phone, bot.site, more) for phone in phones] == ["and more"] * 3
    assert len(bot.site.claims) == 1


async def test_only_devices_that_their_owners_have_signed_read_it_if_so_configured(desk: Desk) -> None:
    """What somebody else's key has signed is not signed."""
    site = Site()
    accounts = [vodozemac.Account() for _each in range(4)]
    site.identities[ANNA] = accounts[0], accounts[1]
    site.identities[BEN] = accounts[2], accounts[3]
    phone, unsigned, ben = Phone(site), Phone(site, ANNA, "NEW"), Phone(site, BEN)
    phone.signer, ben.signer = accounts[1], accounts[1]
    machine = await Machine.started(
        cast("MatrixClient", site), desk.units, Sealer("secret"), lambda device: device.signed
    )
    bot = Bot(desk, site, machine)
    await machine.upkeep._round()
    content = await say(bot, "hello")
    assert [read_by(each, site, content) for each in (phone, unsigned, ben)] == ["hello", None, None]
    # Signed later, it reads what is said from then on.
    ben.signer = accounts[3]
    await bot.sync(device_lists={"changed": [BEN]})
    assert read_by(ben, site, await say(bot, "welcome")) == "welcome"


async def test_who_leaves_reads_nothing_more_and_who_comes_nothing_from_before(bot: Bot) -> None:
    anna, ben, olga = Phone(bot.site), Phone(bot.site, BEN), Phone(bot.site, OLGA)
    before = await say(bot, "before")
    assert read_by(ben, bot.site, before) == "before"
    await bot.desk.update(ROOM, members={BEN: None, OLGA: "Olga"})
    after = await say(bot, "after")
    assert after["session_id"] != before["session_id"]
    assert (read_by(anna, bot.site, after), read_by(olga, bot.site, after)) == ("after", "after")
    assert read_by(ben, bot.site, after) is None
    assert read_by(olga, bot.site, before) is None
    await bot.desk.update(ROOM, members={BEN: "Ben"})
    again = await say(bot, "again")
    assert again["session_id"] == after["session_id"]
    assert read_by(ben, bot.site, again) == "again"
    assert read_by(ben, bot.site, after) is None


async def test_a_device_that_is_logged_out_reads_nothing_more(bot: Bot) -> None:
    phone, tablet = Phone(bot.site), Phone(bot.site, ANNA, "TABLET")
    before = await say(bot, "before")
    del bot.site.devices[ANNA]["TABLET"]
    await bot.sync(device_lists={"changed": [ANNA]})
    after = await say(bot, "after")
    assert after["session_id"] != before["session_id"]
    assert read_by(phone, bot.site, after) == "after"
    assert (read_by(tablet, bot.site, before), read_by(tablet, bot.site, after)) == ("before", None)


async def test_each_start_and_a_hundred_messages_make_a_new_key(bot: Bot) -> None:
    Phone(bot.site)
    sessions = [(await say(bot, str(number)))["session_id"] for number in range(101)]
    assert len(set(sessions[:100])) == 1
    assert sessions[100] != sessions[99]
    bot = await bot.again()
    assert (await say(bot, "new"))["session_id"] not in sessions


async def test_no_state_of_a_channel_is_used_twice(bot: Bot) -> None:
    """Killed after the request left, the next key comes by a later state; before, nothing has left."""
    phone = Phone(bot.site)
    read_by(phone, bot.site, await say(bot, "one"))
    bot = await bot.again()
    assert read_by(phone, bot.site, await say(bot, "two")) == "two"
    assert len(bot.site.claims) == 1

    async def unavailable(_work: object) -> None:
        raise DatabaseUnavailable("sqlite")

    bot = await bot.again()
    sent = len(bot.site.to(phone))
    run, bot.desk.units.run = bot.desk.units.run, unavailable  # type: ignore[method-assign,assignment]
    with pytest.raises(DatabaseUnavailable):
        await say(bot, "three")
    bot.desk.units.run = run  # type: ignore[method-assign]
    assert len(bot.site.to(phone)) == sent
    assert read_by(phone, bot.site, await say(bot, "three")) == "three"


async def test_without_devices_lists_nothing_is_said(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_what: str, _request: object) -> Json:
        raise Unreachable("away")

    monkeypatch.setattr(bot.site, "keys", away)
    with pytest.raises(Unreachable):
        await say(bot, "hello")


async def test_what_cannot_be_encrypted_is_put_off_and_not_refused(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused as a message it would be set aside for good; and what is for other rooms need not wait."""

    async def refused(_what: str, _request: object) -> Json:
        raise Refused("M_FORBIDDEN")

    monkeypatch.setattr(bot.site, "keys", refused)
    with pytest.raises(Unprepared):
        await say(bot, "hello")
    bot.machine.upkeep.uploaded.clear()
    monkeypatch.setattr("bot.matrix.encryption.machine._PATIENCE", 0.01)
    with pytest.raises(Unprepared):
        await say(bot, "hello")


async def test_a_broken_channel_is_replaced_and_the_keys_asked_for_again(bot: Bot) -> None:
    phone = Phone(bot.site)
    await bot.sync(to_device=[phone.room_key(bot.machine)])
    lost = phone.message(bot.machine, "m.dummy", {})
    broken = lost["content"]["ciphertext"][bot.machine.identity.curve25519]
    broken["body"] = broken["body"][:-12] + "AAAAAAAAAAAA"
    await bot.sync(to_device=[lost])
    await bot.machine.upkeep._round()
    (dummy,) = bot.site.to(phone)
    assert phone.opens(dummy)["type"] == "m.dummy"
    # Not more often than once an hour.
    await bot.sync(to_device=[{**lost, "content": {**lost["content"], "more": 1}}])
    await bot.machine.upkeep._round()
    assert len(bot.site.to(phone)) == 1


async def test_after_a_restore_no_old_channel_is_used(bot: Bot) -> None:
    """An event of the bot that the database does not know proves it, although nobody has its key now."""
    phone = Phone(bot.site)
    read_by(phone, bot.site, await say(bot, "before"))
    bot.desk.clock.advance(hours=1)
    restored = await bot.again()
    label = bot.machine.labels.written(ROOM, {TX_KEY: "tx", ABOUT_KEY: {"kind": "answer"}})
    echo = {
        "type": ENCRYPTED, "event_id": "$own", "sender": BOT, "origin_server_ts": 1_795_000_000_000,
        "content": {**await say(bot, "since"), restored.machine.labels.KEY: label},
    }  # fmt: skip
    batch = restored.reader.read(await restored.taken(echo), frozenset({ROOM}), frozenset({ROOM})).batch
    assert [(each.tx_id, each.about) for each in batch.echoes] == [("tx", {"kind": "answer"})]
    await restored.commit(replace(batch, first=True))
    assert read_by(phone, bot.site, await say(restored, "after")) == "after"
    assert len(bot.site.claims) == 2


async def test_a_label_counts_in_its_room_only_and_from_the_bot_only(bot: Bot) -> None:
    label = bot.machine.labels.written(ROOM, {"tx": "1"})
    assert bot.machine.labels.read(ROOM, label) == {"tx": "1"}
    for room, text in (("!other:x", label), (ROOM, label[:-4] + "AAAA"), (ROOM, "ü"), (ROOM, 7)):
        assert bot.machine.labels.read(room, text) is None


async def test_the_keys_are_unreadable_with_another_pickle_key(bot: Bot) -> None:
    with pytest.raises(KeysUnreadable):
        await Bot.at(bot.desk, bot.site, "another")


async def test_another_device_begins_with_a_new_account(bot: Bot) -> None:
    phone = Phone(bot.site)
    await bot.sync(to_device=[phone.room_key(bot.machine)])
    bot.site.device_id = "NEW"
    again = await bot.again()
    assert again.machine.identity != bot.machine.identity
    # What could be read by the device before can still be read.
    assert bodies(await again.sync(phone.says("!take 1"))) == ["!take 1"]
    with bot.desk.database.read() as session:
        assert stored.channels(session, [phone.curve25519]) == []


async def test_the_homeserver_has_enough_keys(bot: Bot) -> None:
    uploaded = [key for upload in bot.site.uploads for key in upload.get("one_time_keys", {})]
    assert len(uploaded) == 50
    assert [list(upload["fallback_keys"]) for upload in bot.site.uploads if upload.get("fallback_keys")]
    before = len(bot.site.uploads)
    counts: Any = {
        "device_one_time_keys_count": {"signed_curve25519": 10},
        "device_unused_fallback_key_types": [],
    }
    await bot.sync(**counts)
    await bot.machine.upkeep._round()
    (upload,) = bot.site.uploads[before:]
    assert (len(upload["one_time_keys"]), len(upload["fallback_keys"])) == (40, 1)
