"""How many tickets a second the API makes durable, and how long an answer takes while the bot works."""

import asyncio
import time
from dataclasses import dataclass
from itertools import count
from typing import Final

import aiohttp

from tests.benchmarks.bare_server import PATH, bare_server
from tests.benchmarks.report import Report, Row, milliseconds, p50, p95, progress
from tests.benchmarks.stage import Stage
from tests.desk import Desk

_CLIENTS: Final = (1, 16)
_RATE: Final = 500
_OPEN_LOOP: Final = 100
_OPEN_LOOP_SECONDS: Final = 10.0
_ANSWER: Final = 0.050
_WARM_UP: Final = 0.5
_numbers = count(1)


def somebody() -> dict[str, str]:
    """A request of somebody who never wrote before."""
    number = next(_numbers)
    return {
        "name": f"Kim Doe {number}", "email": f"kim{number}@example.org", "subject": "Laptop for school",
        "message": f"Request {number}. " + "Hello, we need one. " * 15,
        "region": "freiburg" if number % 2 else "berlin",
    }  # fmt: skip


@dataclass(frozen=True)
class Server:
    """Takes tickets at its address, from whoever has the key."""

    url: str
    key: str = ""

    def session(self) -> aiohttp.ClientSession:
        """Connections to it, as many as are wanted."""
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=60)
        return aiohttp.ClientSession(headers={"X-API-Key": self.key}, connector=connector, timeout=timeout)

    async def file(self, session: aiohttp.ClientSession) -> None:
        """One request of somebody new, accepted."""
        async with session.post(f"{self.url}{PATH}", json=somebody()) as answer:
            text = await answer.text()
            if answer.status != 201:
                raise RuntimeError(f"{answer.status}: {text}")


def intake_of(desk: Desk) -> Server:
    """A desk's intake."""
    return Server(desk.url, desk.key)


async def measure(stage: Stage, name: str, report: Report) -> None:
    """On one database."""
    seconds = stage.options.seconds
    open_loop_seconds = min(_OPEN_LOOP_SECONDS, seconds * 2)
    with stage.database(name) as url:
        async with bare_server(url) as address:
            bare = Server(address)
            progress(f"intake, {name}: bare server")
            bare_took = await open_loop(bare, open_loop_seconds)
            base = {clients: await closed_loop(bare, clients, seconds) for clients in _CLIENTS}
    with stage.database(name) as url:
        async with stage.desk(url) as desk:
            intake = intake_of(desk)
            progress(f"intake, {name}: {_OPEN_LOOP} a second")
            report(_answers(name, await open_loop(intake, open_loop_seconds), bare_took))
            for how in ("bot posts cards", "homeserver away"):
                if how == "homeserver away":
                    await desk.homeserver.stop()
                for clients in _CLIENTS:
                    progress(f"intake, {name}: {clients} clients, {how}")
                    took = await closed_loop(intake, clients, seconds)
                    what = f"tickets over the API, {clients} clients, {how}"
                    report(_rate(name, what, len(took) / seconds, took, len(base[clients]) / seconds))


def _rate(name: str, what: str, rate: float, took: list[float], base: float) -> Row:
    own = f"{rate:.0f}/s (p50 {milliseconds(p50(took))}, p95 {milliseconds(p95(took))})"
    return Row(name, what, own, f"bare server {base:.0f}/s", rate / base,
               f"≥ {_RATE}/s", rate >= _RATE)  # fmt: skip


def _answers(name: str, took: list[float], bare: list[float]) -> Row:
    own = f"p95 {milliseconds(p95(took))} (p50 {milliseconds(p50(took))}, most {milliseconds(max(took))})"
    return Row(name, f"API's answer at {_OPEN_LOOP} a second, bot posts cards", own,
               f"bare server p95 {milliseconds(p95(bare))}", p95(took) / p95(bare),
               target=f"p95 ≤ {milliseconds(_ANSWER)}", met=p95(took) <= _ANSWER)  # fmt: skip


async def closed_loop(server: Server, clients: int, seconds: float) -> list[float]:
    """Clients that each send the next request after the last answer: seconds of every answer."""
    took: list[float] = []
    async with server.session() as session:
        begin = time.perf_counter() + _WARM_UP

        async def one() -> None:
            while (start := time.perf_counter()) < begin + seconds:
                await server.file(session)
                end = time.perf_counter()
                if begin <= end <= begin + seconds:
                    took.append(end - start)

        await asyncio.gather(*(one() for _ in range(clients)))
    return took


async def open_loop(server: Server, seconds: float) -> list[float]:
    """Requests at fixed times, however long answers take: seconds from the time that was meant."""
    took: list[float] = []
    async with server.session() as session, asyncio.TaskGroup() as group:
        begin = time.perf_counter()

        async def one(meant: float) -> None:
            await server.file(session)
            if meant >= begin + _WARM_UP:
                took.append(time.perf_counter() - meant)

        for index in range(round((_WARM_UP + seconds) * _OPEN_LOOP)):
            meant = begin + index / _OPEN_LOOP
            await asyncio.sleep(max(0.0, meant - time.perf_counter()))
            group.create_task(one(meant))
    return took
