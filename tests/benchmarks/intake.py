"""How many tickets a second the API makes durable, and how long an answer takes while the bot works."""

import asyncio
import sqlite3
import time
from itertools import count
from typing import Any, Final

import aiohttp
import psycopg
from sqlalchemy import make_url

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


async def measure(stage: Stage, name: str, report: Report) -> None:
    """On one database."""
    seconds = stage.options.seconds
    with stage.database(name) as url:
        progress(f"intake, {name}: bare commits")
        base = bare_commits(url, min(seconds, 3.0))
        async with stage.desk(url) as desk:
            open_loop_seconds = min(_OPEN_LOOP_SECONDS, seconds * 2)
            progress(f"intake, {name}: {_OPEN_LOOP} a second")
            report(_answers(name, await open_loop(desk, open_loop_seconds)))
            for how in ("bot posts cards", "homeserver away"):
                if how == "homeserver away":
                    await desk.homeserver.stop()
                for clients in _CLIENTS:
                    progress(f"intake, {name}: {clients} clients, {how}")
                    took = await closed_loop(desk, clients, seconds)
                    report(_rate(name, f"{clients} clients, {how}", took, seconds, base))


def _rate(name: str, how: str, took: list[float], seconds: float, base: float) -> Row:
    rate = len(took) / seconds
    own = f"{rate:.0f}/s (p50 {milliseconds(p50(took))}, p95 {milliseconds(p95(took))})"
    return Row(name, f"tickets over the API, {how}", own, f"bare commits {base:.0f}/s", rate / base,
               f"≥ {_RATE}/s", rate >= _RATE)  # fmt: skip


def _answers(name: str, took: list[float]) -> Row:
    own = f"p95 {milliseconds(p95(took))} (p50 {milliseconds(p50(took))}, most {milliseconds(max(took))})"
    return Row(name, f"API's answer at {_OPEN_LOOP} a second, bot posts cards", own,
               target=f"p95 ≤ {milliseconds(_ANSWER)}", met=p95(took) <= _ANSWER)  # fmt: skip


async def closed_loop(desk: Desk, clients: int, seconds: float) -> list[float]:
    """Clients that each send the next request after the last answer: seconds of every answer."""
    took: list[float] = []
    async with session_of(desk) as session:
        begin = time.perf_counter() + _WARM_UP

        async def one() -> None:
            while (start := time.perf_counter()) < begin + seconds:
                await file_one(session, desk)
                end = time.perf_counter()
                if begin <= end <= begin + seconds:
                    took.append(end - start)

        await asyncio.gather(*(one() for _ in range(clients)))
    return took


async def open_loop(desk: Desk, seconds: float) -> list[float]:
    """Requests at fixed times, however long answers take: seconds from the time that was meant."""
    took: list[float] = []
    async with session_of(desk) as session, asyncio.TaskGroup() as group:
        begin = time.perf_counter()

        async def one(meant: float) -> None:
            await file_one(session, desk)
            took.append(time.perf_counter() - meant)

        for index in range(round(seconds * _OPEN_LOOP)):
            meant = begin + index / _OPEN_LOOP
            await asyncio.sleep(max(0.0, meant - time.perf_counter()))
            group.create_task(one(meant))
    return took


def session_of(desk: Desk) -> aiohttp.ClientSession:
    """With the intake's key."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=60)
    return aiohttp.ClientSession(headers={"X-API-Key": desk.key}, connector=connector, timeout=timeout)


async def file_one(session: aiohttp.ClientSession, desk: Desk) -> None:
    """One request of somebody new, accepted."""
    async with session.post(f"{desk.url}/api/tickets.json", json=somebody()) as answer:
        text = await answer.text()
        if answer.status != 201:
            raise RuntimeError(f"{answer.status}: {text}")


def bare_commits(database_url: str, seconds: float) -> float:
    """The baseline: rows a second, each in a commit of its own, as durable, by one connection and no bot."""
    connection = _bare_connection(database_url)
    connection.execute("CREATE TABLE bare (id INTEGER, body TEXT)")
    count, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        connection.execute(f"INSERT INTO bare VALUES ({count}, '{'x' * 300}')")
        count += 1
    connection.execute("DROP TABLE bare")
    connection.close()
    return count / seconds


def _bare_connection(database_url: str) -> Any:
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(plain, autocommit=True)
    connection = sqlite3.connect(f"{url.database}-bare", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection
