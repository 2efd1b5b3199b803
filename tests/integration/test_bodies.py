"""Bodies that arrive at the same time share the room there is, and none takes more than its own limit."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.intake import bodies as bodies_module
from bot.intake.bodies import Bodies

_LIMIT = 700_000


@asynccontextmanager
async def reading(room: int) -> AsyncIterator[tuple[aiohttp.ClientSession, Bodies]]:
    """A server that answers with a body's length."""
    bodies = Bodies(room)

    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await bodies.read(request, _LIMIT))))

    app = web.Application(client_max_size=10)
    app.router.add_post("/", handle)
    async with TestServer(app) as server, aiohttp.ClientSession(str(server.make_url("/"))) as http:
        yield http, bodies


async def answer(http: aiohttp.ClientSession, body: bytes | AsyncIterator[bytes], **headers: str) -> int:
    async with http.post("/", data=body, headers=headers) as reply:
        return reply.status


async def until(wanted: Callable[[], bool]) -> None:
    """Look again and again, for ten seconds at most."""
    async with asyncio.timeout(10):
        while not wanted():  # noqa: ASYNC110 - there is nothing that would call
            await asyncio.sleep(0.001)


async def test_a_sender_that_falls_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies_module, "SILENCE", 0.2)

    async def silent() -> AsyncIterator[bytes]:
        yield b"x" * 1_000
        await asyncio.sleep(60)

    async with reading(1_000_000) as (http, bodies), asyncio.timeout(10):
        assert await answer(http, silent()) == 408
        assert bodies._held == 0


async def test_a_trailer_that_is_too_long_after_many_chunks_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of this one aiohttp says nothing; found by the fuzz tests."""
    monkeypatch.setattr(bodies_module, "SILENCE", 0.2)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"61\r\n" + b"a" * 97 + b"\r\n"
    trailer = b"0\r\nA: " + b"b" * 20_000 + b"\r\n\r\n"
    async with reading(1_000_000) as (http, bodies), asyncio.timeout(10):
        where = http._base_url
        assert where is not None
        reader, writer = await asyncio.open_connection(where.host, where.port)
        writer.write(head + chunks * 1_870 + trailer)
        await writer.drain()
        status = (await reader.readline()).split()[1]
        assert status in (b"400", b"408")
        assert bodies._held == 0
        writer.close()
        await writer.wait_closed()


async def test_what_no_room_is_left_for_is_put_off_and_the_others_arrive() -> None:
    more = asyncio.Event()
    begun = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"x" * 600_000
        begun.set()
        await more.wait()
        yield b"x" * 1_000

    async with reading(1_000_000) as (http, bodies):
        first = asyncio.create_task(answer(http, slowly()))
        await begun.wait()
        await until(lambda: bodies._held >= 600_000)
        async with http.post("/", data=b"y" * 600_000) as reply:
            assert (reply.status, reply.headers["Retry-After"]) == (503, "10")
        assert await answer(http, b"y" * 300_000) == 200
        more.set()
        assert await first == 200
        assert await answer(http, b"y" * 600_000) == 200
        assert bodies._held == 0


@pytest.mark.parametrize("encoding", ["", "gzip"])
async def test_a_body_without_length_is_read_no_further_than_its_limit(encoding: str) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        packed = gzip.compress(b" " * 50_000_000)
        pieces = [packed] if encoding else [b" " * 65_536] * 800
        for piece in pieces:
            sent += len(piece)
            yield piece

    async with reading(10_000_000) as (http, bodies):
        assert await answer(http, endless(), **({"Content-Encoding": encoding} if encoding else {})) == 413
        assert sent < 20_000_000
        assert bodies._held == 0


async def test_a_sender_who_hangs_up_leaves_no_room_taken() -> None:
    async with reading(1_000_000) as (http, bodies):

        async def broken() -> AsyncIterator[bytes]:
            yield b"x" * 100_000
            await until(lambda: bodies._held == 100_000)
            raise ConnectionError

        with pytest.raises(aiohttp.ClientError):
            await answer(http, broken())
        await until(lambda: bodies._held == 0)
        assert await answer(http, b"x") == 200
