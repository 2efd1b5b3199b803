"""A first sync on an account that is in far more rooms than are the bot's."""

import asyncio
import os
import sqlite3
from contextlib import closing
from typing import Final

import psutil
import pytest

from bot.demo.homeserver import Homeserver
from tests.desk import make_desk
from tests.people import Crowd, Human

ROOMS: Final = int(os.environ.get("TICKETTRUHE_TEST_ROOMS", "24"))
"""How many; more for a long run."""
_AT_ONCE: Final = 8
_MOST_GROWTH: Final = 40_000_000
"""Bytes, from before the first sync to after it and some work."""


@pytest.mark.timeout(600)
async def test_an_account_in_many_rooms_starts_with_its_own(
    homeserver: Homeserver, people: Crowd, tmp_path_factory: pytest.TempPathFactory, sqlite_database: str
) -> None:
    """The others are left bit by bit, nothing of them is kept, and tickets come in meanwhile."""
    desk = await make_desk(homeserver, people, tmp_path_factory.mktemp("many"), sqlite_database)
    assert people._session is not None
    account = Human(people._session, homeserver, desk.account)
    strange = await _enter_rooms(account)
    direct = await account.direct_chat_with(desk.person("ben"))
    await desk.person("ben").join(direct)
    await desk.bot.start(until_ready=False)
    try:
        await desk.bot.wait_for_log('"event": "listening"')
        before = psutil.Process(desk.bot.pid).memory_info().rss
        number = await desk.file()
        await desk.card(number)
        await desk.done("anna", f"!take {number}")
        assert f"#{number} " in (await desk.told("ben", "!list", direct)).body
        left = strange - await _joined(account)
        known = _known(sqlite_database)
        assert known - set(desk.rooms.values()) - {direct} <= strange
        assert _with_members(sqlite_database) == {*desk.rooms.values(), direct}
        assert 0 < len(left) < ROOMS // 2, "they are left, but not all at once"
        assert not left & known
        grown = psutil.Process(desk.bot.pid).memory_info().rss - before
        assert grown < _MOST_GROWTH
        print(f"{ROOMS} rooms, {len(left)} left meanwhile, {grown // 1_000_000} MB more than before")
    finally:
        await desk.bot.stop()


async def _enter_rooms(account: Human) -> set[str]:
    """The account is in rooms of its own, with talk in some."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def enter(index: int) -> str:
        async with turns:
            room = await account.create_room(f"Room {index}")
            if index % 10 == 0:
                await account.say(room, "!list")
            return room

    return set(await asyncio.gather(*(enter(index) for index in range(ROOMS))))


async def _joined(account: Human) -> set[str]:
    return set((await account.call("GET", "joined_rooms"))["joined_rooms"])


def _known(database_url: str) -> set[str]:
    """Rooms that the bot keeps anything of."""
    return _asked(database_url, "SELECT room_id FROM rooms")


def _with_members(database_url: str) -> set[str]:
    """Rooms of which it knows who is in them."""
    return _asked(database_url, "SELECT DISTINCT room_id FROM room_members")


def _asked(database_url: str, query: str) -> set[str]:
    with closing(sqlite3.connect(database_url.partition(":///")[2])) as database:
        return {room_id for (room_id,) in database.execute(query)}
