"""While requests come in one after the other, they go before what is posted: who sent one waits."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from bot.matrix import courier
from bot.services.jobs import Job
from bot.services.restoring import GuardedUnits
from tests.integration.desk_data import Desk, desk_on
from tests.integration.test_matrix_media import Post, post_at

_CARDS = 12


@pytest.fixture
async def desk(sqlite_database: str) -> AsyncIterator[Desk]:
    async with desk_on(sqlite_database) as desk:
        yield desk


async def under_way(post: Post, numbers: Sequence[int]) -> int:
    """Let the courier post all cards; how many jobs it had under way at most."""
    now = most = 0

    async def bring(job: Job) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        await post.desk.finish(job)

    post.courier._carrier.bring = bring  # type: ignore[method-assign]
    running = asyncio.create_task(post.courier.run())
    async with asyncio.timeout(20):
        while not all(post.desk.homeserver.cards(number) for number in numbers):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        post.courier.stop()
        await running
    return most


@pytest.mark.parametrize("comes_in", [True, False])
async def test_cards_are_posted_one_by_one_while_much_comes_in(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch, *, comes_in: bool
) -> None:
    monkeypatch.setattr("bot.services.unit.A_MOMENT", 60.0)
    async with desk_on(sqlite_database) as desk, post_at(desk) as post:
        numbers = [await desk.open() for _each in range(_CARDS)]
        if comes_in:
            await GuardedUnits(desk.units, lambda: False).run(lambda _unit: None)
        assert await under_way(post, numbers) == (1 if comes_in else courier._AT_ONCE)


async def test_it_is_over_a_moment_after_the_last_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.services.unit.A_MOMENT", 0.05)
    assert not desk.units.signals.much_comes_in()
    await GuardedUnits(desk.units, lambda: False).run(lambda _unit: None)
    assert desk.units.signals.much_comes_in()
    await desk.units.run(lambda _unit: None)
    await asyncio.sleep(0.06)
    assert not desk.units.signals.much_comes_in()


async def test_a_request_that_fails_came_in_all_the_same(desk: Desk) -> None:
    def fail(_unit: object) -> None:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - its own
        await GuardedUnits(desk.units, lambda: False).run(fail)
    assert desk.units.signals.much_comes_in()


@pytest.mark.parametrize("moment", [0.3, 60.0])
async def test_what_takes_long_does_not_hold_up_the_others(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch, moment: float
) -> None:
    """Whether the requests stop, of which nobody calls the courier, or go on."""
    monkeypatch.setattr("bot.services.unit.A_MOMENT", moment)
    async with desk_on(sqlite_database) as desk, post_at(desk) as post:
        slow, quick = [await desk.open() for _each in range(2)]
        stuck = asyncio.Event()

        async def bring(job: Job) -> None:
            if slow in job.shows:
                await stuck.wait()
            await desk.finish(job)

        post.courier._carrier.bring = bring  # type: ignore[method-assign]
        await GuardedUnits(desk.units, lambda: False).run(lambda _unit: None)
        running = asyncio.create_task(post.courier.run())
        async with asyncio.timeout(5):
            while not desk.homeserver.cards(quick):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            stuck.set()
            post.courier.stop()
            await running
