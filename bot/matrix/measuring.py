"""How many messages the homeserver takes, tried out in a room in which nobody else is.

It uses up what the account may send at once, so it is for when no bot runs.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from bot.matrix.client import MatrixClient
from bot.matrix.errors import RateLimited

_MOST: Final = 30
"""Messages: a homeserver that takes so many at once is not in the way."""
_TRIES: Final = 4
_LONGEST: Final = 30.0
_NAME: Final = "Measuring how fast Tickettruhe may send"


@dataclass(frozen=True, slots=True)
class Measured:
    """So many messages were taken at once, then one in ``interval`` seconds; ``None``: no limit was met."""

    at_once: int
    interval: float | None


async def measured(client: MatrixClient) -> Measured:
    """Measure; takes about two intervals. The room is left again.

    :raises MatrixError: the homeserver did not let it.
    """
    room_id = await client.make_room(_NAME)
    try:
        return await _measured(client, room_id)
    finally:
        # Leaving counts like a message. What is not left here, the bot leaves when it runs.
        await _patiently(lambda: client.leave(room_id))
        await client.forget(room_id)


async def _measured(client: MatrixClient, room_id: str) -> Measured:
    async def say() -> None:
        content = {"msgtype": "m.notice", "body": _NAME, "m.mentions": {}}
        await client.send(room_id, "m.room.message", content, secrets.token_hex(8))

    at_once, refusal = await _burst(say, _MOST)
    if refusal is None:
        return Measured(at_once, None)
    # The first refusal tells when the next message is allowed; one right after that tells the interval.
    await _patiently(say)
    more, after = await _burst(say, _TRIES)
    return Measured(at_once, after.retry_after if after is not None and not more else refusal.retry_after)


async def _burst(say: Callable[[], Awaitable[None]], most: int) -> tuple[int, RateLimited | None]:
    """Say it until it is refused; how often it was taken."""
    for taken in range(most):
        try:
            await say()
        except RateLimited as refusal:
            return taken, refusal
    return most, None


async def _patiently(request: Callable[[], Awaitable[None]]) -> None:
    for _try in range(_TRIES):
        try:
            return await request()
        except RateLimited as refusal:
            await asyncio.sleep(min(refusal.retry_after, _LONGEST))
    return await request()
