"""A wait ends by the call, by the time or by a cancellation, and never hides the latter."""

import asyncio

import pytest

from bot.waiting import called


async def test_a_wait_ends_with_the_call_or_after_its_time() -> None:
    event = asyncio.Event()
    assert not await called(event, 0.001)
    event.set()
    assert await called(event, 60)


async def test_a_cancellation_in_the_moment_of_the_call_is_not_swallowed() -> None:
    event = asyncio.Event()

    async def waits() -> None:
        await called(event, 60)
        await asyncio.sleep(0)

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    event.set()
    # The call has reached the waiting task, which has not run yet.
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
