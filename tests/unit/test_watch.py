"""Whether a process that has stopped moving is found."""

import asyncio
from typing import Any

from bot.services.status import Soundness
from bot.services.unit import utc_now
from bot.watch import PARTS, STUCK_AFTER, Watch


class Units:
    """A database that is sound, or hangs."""

    def __init__(self) -> None:
        self.clock = utc_now
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked = 0

    async def look(self, _work: object) -> Soundness:
        """What the database tells."""
        self.asked += 1
        await self.answers.wait()
        return Soundness("0007", {"admin": ()})


def watch(units: Any = None) -> Watch:
    """A watch over a bot that is well."""
    made = Watch(units or Units(), "0007")  # type: ignore[arg-type]
    made.logged_in, made.synced_at = True, utc_now()
    return made


async def test_a_loop_that_has_not_moved_for_long_is_told() -> None:
    now = asyncio.get_running_loop().time()
    watching = watch()
    watching.over("courier", lambda: now - STUCK_AFTER + 30)
    watching.over("not started yet", lambda: None)
    assert (await watching.alive()).problems == {}
    watching.over("worker", lambda: now - STUCK_AFTER - 1)
    assert (await watching.alive()).problems == {"worker": "has not moved for 301 seconds"}


async def test_a_bot_that_is_well_is_ready() -> None:
    assert (await watch().ready()).problems == {}


async def test_each_part_has_its_reason() -> None:
    watching = watch()
    watching.logged_in, watching.synced_at, watching.lease_held, watching.stopping = False, None, False, True
    problems = (await watching.ready()).problems
    assert list(problems) == ["lease", "homeserver", "sync", "intake"]
    assert set(problems) < set(PARTS)


async def test_another_schema_is_not_ready() -> None:
    units = Units()
    watching = Watch(units, "0008")  # type: ignore[arg-type]
    assert (await watching.ready()).problems["schema"] == "is 0007, this version works with 0008"


async def test_a_database_that_hangs_is_told_of_in_time_and_asked_once() -> None:
    units = Units()
    units.answers.clear()
    watching = watch(units)
    problems = [(await watching.ready()).problems for _ in range(2)]
    assert problems == [{"database": "no answer within 2 seconds"}] * 2
    assert units.asked == 1
    units.answers.set()
    assert (await watching.ready()).problems == {}
