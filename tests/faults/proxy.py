"""A proxy between the bot and its homeserver that spoils what passes, from a seed."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NoReturn, Self

import aiohttp
from aiohttp import web
from yarl import URL

_HOP: Final = frozenset(
    {"host", "connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "date",
     "server", "accept-encoding"}
)  # fmt: skip
_SENDS: Final = ("/send/", "/redact/")


class Spoil(StrEnum):
    """What may become of a request."""

    LIMITED = "HTTP 429"
    ERROR = "HTTP 500"
    BAD_GATEWAY = "HTTP 502"
    CUT_BEFORE = "connection cut before the homeserver had it"
    CUT_AFTER = "connection cut instead of the answer"
    TRUNCATED = "answer truncated"
    SLOW = "slow"


_BEFORE: Final = frozenset({Spoil.LIMITED, Spoil.ERROR, Spoil.BAD_GATEWAY, Spoil.CUT_BEFORE})


@dataclass
class Trap:
    """Waits for the next send; ``sprung`` once it has it, which then gets no answer."""

    after: bool
    """Whether the homeserver gets it first."""
    sprung: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Answer:
    """The homeserver's."""

    status: int
    headers: dict[str, str]
    body: bytes


class FaultProxy:
    """Passes everything on to ``upstream``, or what the weather leaves of it."""

    def __init__(self, upstream: str, seed: object) -> None:
        self._upstream = upstream
        self._random = random.Random(f"{seed} proxy")
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self.chance = 0.0
        """Of a request being spoilt."""
        self.kinds: tuple[Spoil, ...] = tuple(Spoil)
        self.trap: Trap | None = None
        self.spoilt: Counter[Spoil] = Counter()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=120), connector=aiohttp.TCPConnector(limit=0),
            auto_decompress=False,
        )  # fmt: skip
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._handle)
        # A bot that is killed cuts its long poll, as far as to the homeserver.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        trap = self._trap_for(request)
        if trap is not None and not trap.after:
            await self._hold(trap)
        spoil = self._drawn()
        if spoil in _BEFORE:
            return self._refuse(request, spoil)
        if spoil is Spoil.SLOW:
            await asyncio.sleep(self._random.uniform(0.2, 2))
        try:
            answer = await self._passed_on(request, body)
        except aiohttp.ClientError:
            # As a reverse proxy says it whose homeserver is away.
            return _bad_gateway()
        if trap is not None and answer.status == 200:
            await self._hold(trap)
        if spoil is Spoil.CUT_AFTER:
            return _cut(request)
        if spoil is Spoil.TRUNCATED and answer.body:
            return await self._truncated(request, answer)
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    def _trap_for(self, request: web.Request) -> Trap | None:
        if self.trap is None or request.method != "PUT" or not any(s in request.path for s in _SENDS):
            return None
        trap, self.trap = self.trap, None
        return trap

    async def _hold(self, trap: Trap) -> NoReturn:
        trap.sprung.set()
        # Whoever set the trap kills the bot now, which cancels this.
        await asyncio.sleep(20)
        raise web.HTTPGatewayTimeout

    def _drawn(self) -> Spoil | None:
        if self._random.random() >= self.chance:
            return None
        spoil = self._random.choice(self.kinds)
        self.spoilt[spoil] += 1
        return spoil

    def _refuse(self, request: web.Request, spoil: Spoil) -> web.Response:
        match spoil:
            case Spoil.LIMITED:
                again = self._random.randrange(100, 1500)
                said = {"errcode": "M_LIMIT_EXCEEDED", "error": "Too many", "retry_after_ms": again}
                return web.json_response(said, status=429)
            case Spoil.ERROR:
                return web.json_response(
                    {"errcode": "M_UNKNOWN", "error": "Internal server error"}, status=500
                )
            case Spoil.BAD_GATEWAY:
                return _bad_gateway()
            case _:
                return _cut(request)

    async def _passed_on(self, request: web.Request, body: bytes) -> Answer:
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        address = URL(self._upstream + request.raw_path, encoded=True)
        async with self._session.request(request.method, address, headers=headers, data=body) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            return Answer(answer.status, kept, await answer.read())

    async def _truncated(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        """Half of it: as an answer that ends early, or as one that seems whole."""
        half = answer.body[: len(answer.body) // 2]
        if self._random.random() < 0.5:
            return web.Response(status=answer.status, headers=answer.headers, body=half)
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        response.content_length = len(answer.body)
        await response.prepare(request)
        await response.write(half)
        _cut(request)
        return response


def _bad_gateway() -> web.Response:
    return web.Response(status=502, text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html")


def _cut(request: web.Request) -> web.Response:
    """Nobody gets what this returns."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=502)
