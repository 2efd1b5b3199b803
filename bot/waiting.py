"""Bounded waits.

``asyncio.wait_for`` is not used: before Python 3.12 it can swallow a cancellation that comes in the same
moment as what it waits for, and the task that was to end goes on.
"""

import asyncio


async def called(event: asyncio.Event, seconds: float) -> bool:
    """Wait until the event is set, at most so long; whether it was."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
