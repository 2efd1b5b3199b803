"""The bodies of requests: read to their ends within a time, a size, and a room that all of them share."""

import asyncio
from typing import Final

from aiohttp import web

SECONDS: Final = 120.0
"""How long a body may take to arrive; the largest on a slow line needs a minute or so."""
SILENCE: Final = 30.0
"""How long nothing of it may arrive. It ends not only senders that are gone: after a thousand chunks aiohttp
3.14 loses the error of a trailer that is too long, and waits for more of it.
"""
_RETRY_SECONDS: Final = 10


class Bodies:
    """Reads bodies that arrive at the same time; together they take ``room`` bytes of memory at most.

    Neither a hundred slow senders nor compressed bodies that grow a thousandfold fill the memory.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._held = 0

    async def read(self, request: web.Request, limit: int) -> bytes:
        """The whole body.

        :raises web.HTTPRequestEntityTooLarge: it has, or says it has, more than ``limit`` bytes.
        :raises web.HTTPRequestTimeout: it takes too long to arrive.
        :raises web.HTTPBadRequest: it ends early, as where the sender hangs up, or its encoding is broken.
        :raises web.HTTPServiceUnavailable: there is no room for it at the moment.
        """
        if (request.content_length or 0) > limit:
            raise _too_large(limit)
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(SECONDS):
                await self._collect(request, limit, parts)
        except TimeoutError as error:
            raise web.HTTPRequestTimeout(text="The body did not arrive in time") from error
        except (web.RequestPayloadError, ConnectionError) as error:
            raise web.HTTPBadRequest(text="The body cannot be read") from error
        finally:
            self._held -= sum(map(len, parts))
        return b"".join(parts)

    async def _collect(self, request: web.Request, limit: int, parts: list[bytes]) -> None:
        size = 0
        arriving = request.content.iter_any()
        while True:
            async with asyncio.timeout(SILENCE):
                part = await anext(arriving, None)
            if part is None:
                return
            parts.append(part)
            self._held += len(part)
            size += len(part)
            if size > limit:
                raise _too_large(limit)
            if self._held > self._room:
                headers = {"Retry-After": str(_RETRY_SECONDS)}
                raise web.HTTPServiceUnavailable(text="Busy, please try again in a moment.", headers=headers)


def _too_large(limit: int) -> web.HTTPRequestEntityTooLarge:
    return web.HTTPRequestEntityTooLarge(limit, text=f"Too large: at most {limit} bytes")
