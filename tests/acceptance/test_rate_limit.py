"""Synapse's limit on messages in force, ten times as fast as by default, and so is what people do.

By default one message in five seconds after a burst of ten. What a homeserver waits before it refuses (0.5 s)
is not faster, so that the real thing is kinder.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, running_desk
from tests.people import Crowd

TIMES: Final = 10
LIMIT: Final = {"rc_message": {"per_second": 0.2 * TIMES, "burst_count": 10}}


@pytest.fixture(scope="module")
async def limited(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Homeserver]:
    """A Synapse with the limit."""
    async with Homeserver(tmp_path_factory.mktemp("limited"), settings=LIMIT) as server:
        yield server


@pytest.fixture(scope="module")
async def strict(limited: Homeserver, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """A desk there, its bot running."""
    folder = tmp_path_factory.mktemp("desk")
    database = f"sqlite:///{folder / 'tickettruhe.db'}"
    async with Crowd(limited) as crowd, running_desk(limited, crowd, folder, database) as desk:
        yield desk


async def answered(desk: Desk, name: str, command: str) -> tuple[str, float]:
    """A command's event id, and after how many seconds its ✅ was seen."""
    start = asyncio.get_running_loop().time()
    event_id = await desk.say(name, command)
    await desk.person(name).wait_for_reaction(
        desk.rooms["freiburg"], event_id, "✅", desk.account.user_id, timeout=30
    )
    return event_id, asyncio.get_running_loop().time() - start


async def a_busy_time(
    desk: Desk, *, tickets: int, commands: int, pause: float
) -> tuple[list[int], list[tuple[str, float]]]:
    """Many requests at once, and meanwhile people at work; the numbers, and what :func:`answered` says."""
    numbers = list(await asyncio.gather(*(desk.file() for _request in range(tickets))))
    await desk.bot.wait_for_log('"delivery_put_off"')
    waits = []
    for index in range(commands):
        await asyncio.sleep(pause)
        name = ("anna", "ben")[index % 2]
        waits.append(await answered(desk, name, f"!take {numbers[index]}"))
    return numbers, waits


async def between(desk: Desk, command: str) -> list[str]:
    """What the bot sent after a command and before its ✅: the types of the events."""
    types: list[str] = []
    for event in await desk.person("anna").timeline(desk.rooms["freiburg"]):
        if event.event_id == command:
            types = []
        elif event.type == "m.reaction" and event.related == command:
            return types
        elif event.sender == desk.account.user_id:
            types.append(event.type)
    raise AssertionError(f"no answer to {command}")


async def test_commands_are_answered_first_and_offers_come_when_there_is_time(strict: Desk) -> None:
    numbers, waits = await a_busy_time(strict, tickets=5, commands=4, pause=0.5)
    # The next message that the homeserver takes is the answer, but for one that is on its way.
    assert max(wait for _command, wait in waits) < 5, waits
    assert [len(await between(strict, command)) <= 1 for command, _wait in waits] == [True] * 4
    for number in numbers[:4]:
        await strict.offers(number, "⏳ ✅ 🚫", timeout=60)
        assert "In progress" in (await strict.card(number)).body
    await strict.offers(numbers[4], "🙋 ⏳ ✅ 🚫", timeout=60)
