"""A limit of the homeserver's: what yields to answers, and what is kept of it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.domain.words import Action
from bot.services import delivery, limits
from bot.services.delivery import Claimed
from bot.services.jobs import Clear, Seed
from storage import limits as kept
from storage import outbox
from tests.integration.desk_data import FREIBURG, START, Desk, desk_on


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


async def claimed(desk: Desk, allowance: float | None) -> Claimed:
    """What may go if the homeserver takes so many events at the moment."""
    return await desk.units.run(lambda unit: delivery.claim(unit, (), 8, allowance))


async def test_offers_wait_until_there_is_enough_for_answers_and_then_come_one_by_one(desk: Desk) -> None:
    number = await desk.open()
    (card,) = (await claimed(desk, 0.9)).jobs
    await desk.finish(card)
    waiting = await claimed(desk, 5.9)
    assert (waiting.jobs, waiting.more) == ((), False)
    keys = ["🙋", "⏳", "✅", "🚫"]
    for index, _key in enumerate(keys):
        (seed,) = (await claimed(desk, 6.0)).jobs
        assert isinstance(seed, Seed)
        assert (seed.plan.add, seed.plan.remove) == ((keys[index],), ())
        await desk.finish(seed)
    assert await desk.seeded(number) == keys
    assert (await claimed(desk, None)).jobs == ()
    await desk.do(Action.CLOSE, number)
    (edit,) = (await claimed(desk, 6.0)).jobs
    await desk.finish(edit)
    (seed,) = (await claimed(desk, 6.0)).jobs
    assert isinstance(seed, Seed)
    assert ([key for key, _event_id in seed.plan.remove], seed.plan.add) == (["🙋"], ())


async def test_taps_are_taken_away_when_two_answers_more_could_be_given(desk: Desk) -> None:
    await desk.units.run(lambda unit: outbox.take_away(unit.session, FREIBURG, "$tap", unit.now))
    assert (await claimed(desk, 2.9)).jobs == ()
    (job,) = (await claimed(desk, 3.0)).jobs
    assert isinstance(job, Clear)


async def test_refusals_are_counted_and_those_of_long_ago_forgotten(desk: Desk) -> None:
    assert await desk.units.look(lambda unit: kept.met(unit.session)) is None
    for hours in (0, 1, 2):
        await desk.units.run(lambda unit: limits.met(unit, 5.0))
        desk.clock.advance(hours=1)
        found = await desk.units.look(lambda unit: kept.met(unit.session))
        assert found is not None
        assert (found.times, found.seconds, found.first_at) == (hours + 1, 5.0, START)
        assert found.last_at == START + timedelta(hours=hours)
    desk.clock.advance(days=8)
    await desk.units.run(lambda unit: limits.met(unit, 0.5))
    found = await desk.units.look(lambda unit: kept.met(unit.session))
    assert found is not None
    assert (found.times, found.seconds, found.first_at) == (1, 0.5, found.last_at)
