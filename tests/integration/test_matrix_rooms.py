"""What the edge makes of rooms: hundreds that are none of its own, ones that refuse, aliases that move."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from bot.matrix.courier import Courier
from bot.matrix.events import Reader
from bot.matrix.media import Uploader
from bot.matrix.rooms import Doorkeeper
from bot.services import delivery, intake, reception
from bot.services.jobs import Send
from bot.services.reception import Batch, RoomUpdate
from bot.services.unit import Units
from storage import outbox, rooms
from storage.models import Greeting
from tests.integration.desk_data import (
    ANNA,
    BOT,
    FREIBURG,
    POLICY,
    ROOMS,
    START,
    Clock,
    first_sync,
    put,
    request,
)
from tests.integration.test_matrix_edge import JSON, Bot, bot_at, fake, no_file

NEW = "!new:example.org"


class Server:
    """A homeserver's answers, by the end of the path; keeps what was asked."""

    def __init__(self, **answers: tuple[int, JSON]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, request: web.Request) -> tuple[int, JSON]:
        self.asked.append(request.path)
        for part, answer in self.answers.items():
            if f"/{part}" in request.path:
                return answer
        return 200, {"room_id": FREIBURG, "event_id": "$sent"}


@asynccontextmanager
async def bot_in_rooms(server: Server, database: str) -> AsyncIterator[Bot]:
    """A bot that is in its rooms, with the policy of the other tests."""
    async with fake(server) as url, bot_at(url, BOT, "t", database) as bot:
        bot.units = Units(bot.database, POLICY, Clock())
        await put(bot.database, *(Greeting(room_id=room_id, at=START) for room_id in ROOMS.values()))
        found = {key: (room_id, room_id) for key, room_id in ROOMS.items()}
        await bot.units.run(lambda unit: reception.start(unit, BOT, "DEVICE"))
        await bot.units.run(lambda unit: reception.configure_rooms(unit, found))
        await bot.units.run(lambda unit: reception.receive(unit, first_sync()))
        yield bot


# Rooms that are none of the bot's


async def strange(bot: Bot, count: int) -> None:
    """A first sync that tells of so many further rooms."""
    told = {f"!r{n}:example.org": {"summary": {"m.joined_member_count": 50}} for n in range(count)}
    reader = Reader(BOT, lambda _content, *, private: private)
    answer = reader.read({"next_batch": "t", "rooms": {"join": told}}, frozenset(), frozenset())
    await bot.units.run(lambda unit: reception.receive(unit, answer.batch))


async def test_hundreds_of_rooms_are_left_bit_by_bit(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    async with bot_in_rooms(server, sqlite_database) as bot:
        await strange(bot, 200)
        doorkeeper = bot.doorkeeper()
        for _round in range(5):
            await doorkeeper.leave_strangers()
        assert len(server.asked) == 2
        monkeypatch.setattr("bot.matrix.rooms._LEAVE_PAUSE", 0.0)
        doorkeeper = bot.doorkeeper()
        await doorkeeper.leave_strangers()
        await doorkeeper.leave_strangers()
        left = [path for path in server.asked if path.endswith("/leave")]
        assert len(left) == len(set(left)) == 6
        assert len(await bot.units.look(reception.strangers_rooms)) == 194


async def test_a_homeserver_that_asks_for_patience_gets_it(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.matrix.rooms._LEAVE_PAUSE", 0.0)
    server = Server(leave=(429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 60_000}))
    async with bot_in_rooms(server, sqlite_database) as bot:
        await strange(bot, 20)
        doorkeeper = bot.doorkeeper()
        for _round in range(5):
            await doorkeeper.leave_strangers()
        assert len([path for path in server.asked if path.endswith("/leave")]) == 1
        assert len(await bot.units.look(reception.strangers_rooms)) == 20


async def test_rooms_that_cannot_be_left_keep_no_others_waiting(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.matrix.rooms._LEAVE_PAUSE", 0.0)
    server = Server(leave=(403, {"errcode": "M_FORBIDDEN"}))
    async with bot_in_rooms(server, sqlite_database) as bot:
        await strange(bot, 4)
        doorkeeper = bot.doorkeeper()
        for _round in range(4):
            await doorkeeper.leave_strangers()
        left = [path for path in server.asked if path.endswith("/leave")]
        assert len(left) == len(set(left)) == 4


# A room that refuses


def state(*events: tuple[str, str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"type": kind, "state_key": key, "sender": ANNA, "content": content} for kind, key, content in events
    ]


HERE = ("m.room.member", BOT, {"membership": "join"})
FORBIDDEN: tuple[int, JSON] = (403, {"errcode": "M_FORBIDDEN"})


async def first_card(bot: Bot) -> tuple[Courier, Send]:
    """A new ticket's card, to be sent now."""
    courier = Courier(
        bot.client,
        bot.machine,
        bot.units,
        lambda _send: {},
        Uploader(bot.client, bot.machine, bot.units, no_file),
    )
    await bot.units.run(lambda unit: intake.open_ticket(unit, request()))
    return courier, await next_card(bot)


async def next_card(bot: Bot) -> Send:
    claimed = await bot.units.run(lambda unit: delivery.claim(unit, (), 10))
    (card,) = [job for job in claimed.jobs if isinstance(job, Send) and job.edits is None]
    return card


async def test_a_refusal_is_understood_before_a_sync_tells_of_it(sqlite_database: str) -> None:
    """The room's levels changed a moment ago: the ticket goes to triage at once."""
    levels = ("m.room.power_levels", "", {"events_default": 50})
    server = Server(send=FORBIDDEN, state=(200, state(HERE, levels)))
    async with bot_in_rooms(server, sqlite_database) as bot:
        courier, card = await first_card(bot)
        assert card.room_id == FREIBURG
        await courier._deliver(card)
        with bot.database.read() as session:
            assert [each.value for each in rooms.hindrances_of(rooms.get(session, FREIBURG))] == ["muted"]
        claimed = await bot.units.run(lambda unit: delivery.claim(unit, (), 10))
        rooms_told = {job.room_id for job in claimed.jobs if isinstance(job, Send)}
        assert FREIBURG not in rooms_told


@pytest.mark.parametrize(
    "answer", [FORBIDDEN, (200, state(("m.room.member", BOT, {"membership": "leave"})))], ids=["out", "left"]
)
async def test_what_a_room_refuses_because_the_bot_was_removed_waits(
    sqlite_database: str, answer: tuple[int, JSON]
) -> None:
    """The next sync tells that; a state that the bot is told as it was then changes nothing."""
    server = Server(send=FORBIDDEN, state=answer)
    async with bot_in_rooms(server, sqlite_database) as bot:
        courier, card = await first_card(bot)
        for _time in range(5):
            await courier._deliver(card)
        with bot.database.read() as session:
            assert rooms.hindrances_of(rooms.get(session, FREIBURG)) == ()
        left = courier._failures[card.row_id]
        assert left == 5
        await courier._deliver(card)
        assert card.row_id not in courier._failures


async def test_a_state_that_a_sync_overtook_is_asked_for_again(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the sync told meanwhile is newer, and no other sync will tell it."""
    levels = ("m.room.power_levels", "", {"events_default": 50})
    anna = ("m.room.member", ANNA, {"membership": "join"})
    server = Server(send=FORBIDDEN, state=(200, state(HERE, anna, levels)))
    async with bot_in_rooms(server, sqlite_database) as bot:
        courier, card = await first_card(bot)
        asked = bot.client.state

        async def overtaken(room_id: str) -> Any:
            found = await asked(room_id)
            left = Batch("newer", rooms=(RoomUpdate(FREIBURG, members={ANNA: None}),))
            await bot.units.run(lambda unit: reception.receive(unit, left))
            return found

        monkeypatch.setattr(bot.client, "state", overtaken)
        await courier._deliver(card)
        with bot.database.read() as session:
            assert ANNA not in rooms.members(session, FREIBURG)
            row = outbox.waiting_row(session, card.row_id)
            assert row is not None
            assert row.next_attempt_at > START
        monkeypatch.setattr(bot.client, "state", asked)
        server.answers["state"] = (200, state(HERE, levels))
        await courier._deliver(card)
        with bot.database.read() as session:
            assert [each.value for each in rooms.hindrances_of(rooms.get(session, FREIBURG))] == ["muted"]


async def test_pauses_grow_as_long_as_the_homeserver_fails(sqlite_database: str) -> None:
    server = Server(send=(502, {}))
    async with bot_in_rooms(server, sqlite_database) as bot:
        courier, card = await first_card(bot)
        pauses = []
        for _time in range(6):
            await courier._deliver(card)
            with bot.database.read() as session:
                row = outbox.get(session, card.row_id)
                assert row is not None
                pauses.append((row.next_attempt_at - START).total_seconds())
        assert pauses[-1] >= 16 > pauses[0]
        server.answers = {}
        await courier._deliver(card)
        assert courier._failures == {}


# Invitations


async def test_an_invitation_that_waits_for_an_admin_is_no_reason_to_look_for_missing_rooms(
    sqlite_database: str,
) -> None:
    server = Server(directory=(404, {"errcode": "M_NOT_FOUND"}))
    async with bot_in_rooms(server, sqlite_database) as bot:
        doorkeeper = Doorkeeper(bot.client, bot.units, {**ROOMS, "team:ulm": "#ulm:example.org"})
        await doorkeeper.settle()
        looked = len(server.asked)
        update = RoomUpdate(NEW, "invite", invited_by=ANNA, predecessor=FREIBURG)
        await bot.units.run(lambda unit: reception.receive(unit, Batch("t", rooms=(update,))))
        await doorkeeper.answer_invitations()
        assert len(server.asked) == looked
        update = RoomUpdate("!direct:example.org", "invite", invited_by=ANNA, direct=True)
        await bot.units.run(lambda unit: reception.receive(unit, Batch("u", rooms=(update,))))
        await doorkeeper.answer_invitations()
        assert len(server.asked) > looked + 1


# An alias that moves along


@pytest.mark.parametrize(("replaced_by", "expected"), [(NEW, FREIBURG), (None, NEW), ("!x:example.org", NEW)])
async def test_an_alias_that_an_upgrade_took_along_waits_for_an_admin(
    sqlite_database: str, replaced_by: str | None, expected: str
) -> None:
    """One that somebody put elsewhere by hand is followed, as the config says."""
    tombstone = ("m.room.tombstone", "", {"replacement_room": replaced_by})
    told: Mapping[str, tuple[int, JSON]] = {
        "directory": (200, {"room_id": NEW}),
        "state": (200, state(HERE, *([tombstone] if replaced_by else []))),
    }
    async with bot_in_rooms(Server(**told), sqlite_database) as bot:
        yesterday = {"team:freiburg": ("#freiburg:example.org", FREIBURG)}
        await bot.units.run(lambda unit: reception.configure_rooms(unit, yesterday))
        await Doorkeeper(bot.client, bot.units, {"team:freiburg": "#freiburg:example.org"}).settle()
        assert await bot.units.look(lambda unit: reception.is_configured(unit, expected))
