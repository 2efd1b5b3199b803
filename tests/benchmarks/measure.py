"""Measures what volunteers and clients feel, each as a ratio to a named baseline of the same run.

``make bench`` prints one table. Nothing here asserts a time: machines differ.
"""

import asyncio
import os
import platform
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import aiohttp
import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, running_desk
from tests.people import Crowd, Human
from tests.servers import fresh_database, postgres_server

TAKES: Final = 60
SECONDS: Final = 6.0
_FILTER: Final = '{"room":{"timeline":{"limit":50}},"presence":{"types":[]}}'
_BODY: Final = {
    "name": "Kim Doe", "email": "kim@example.org", "subject": "Laptop for school", "message": "Hello, " * 40,
    "region": "berlin",
}  # fmt: skip


class Watcher:
    """A client that syncs on its own connection, as a phone does."""

    def __init__(self, desk: Desk, person: Human) -> None:
        self._url = f"{desk.homeserver.url}/_matrix/client/v3"
        self._headers = {"Authorization": f"Bearer {person.access_token}"}
        self._since = ""

    async def __aenter__(self) -> "Watcher":
        self._session = aiohttp.ClientSession(headers=self._headers)
        await self.sync(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def sync(self, wait_ms: int) -> dict[str, Any]:
        """One sync from where the last one ended."""
        query = {
            "timeout": str(wait_ms),
            "filter": _FILTER,
            **({"since": self._since} if self._since else {}),
        }
        async with self._session.get(f"{self._url}/sync", params=query) as answer:
            body: dict[str, Any] = await answer.json()
        self._since = body["next_batch"]
        return body

    async def say(self, room: str, text: str) -> str:
        """Send a message; its id."""
        content = {"msgtype": "m.text", "body": text}
        url = f"{self._url}/rooms/{room}/send/m.room.message/{time.monotonic_ns()}"
        async with self._session.put(url, json=content) as answer:
            return str((await answer.json())["event_id"])

    async def react(self, room: str, event_id: str) -> None:
        """Put a ✅ on an event."""
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": "✅"}
        url = f"{self._url}/rooms/{room}/send/m.reaction/{time.monotonic_ns()}"
        async with self._session.put(url, json={"m.relates_to": relation}) as answer:
            answer.raise_for_status()

    async def until_reaction(self, room: str, event_id: str) -> None:
        """Sync until somebody reacted to the event."""
        async with asyncio.timeout(30):
            while True:
                body = await self.sync(10_000)
                events = (
                    body.get("rooms", {}).get("join", {}).get(room, {}).get("timeline", {}).get("events", [])
                )
                if any(_target(event) == event_id for event in events if event["type"] == "m.reaction"):
                    return


def _timeline(body: dict[str, Any], room: str) -> list[dict[str, Any]]:
    joined = body.get("rooms", {}).get("join", {})
    events: list[dict[str, Any]] = joined.get(room, {}).get("timeline", {}).get("events", [])
    return events


def _target(event: dict[str, Any]) -> str | None:
    relation = event["content"].get("m.relates_to", {})
    return relation.get("event_id") if isinstance(relation, dict) else None


async def echo_bot(desk: Desk, person: Human, room: str) -> None:
    """The baseline: reacts with ✅ to every message, keeps nothing, checks nothing."""
    async with Watcher(desk, person) as me:
        while True:
            for event in _timeline(await me.sync(30_000), room):
                if event["type"] == "m.room.message" and event["sender"] != person.user_id:
                    await me.react(room, event["event_id"])


async def latency(desk: Desk) -> tuple[list[float], list[float]]:
    """Seconds from a member's command to the ✅ on their client: our bot's, and the echo bot's."""
    anna, olga = desk.person("anna"), desk.person("olga")
    echo_room = await anna.create_room("echo", invite=[olga.user_id])
    await olga.join(echo_room)
    numbers = [await desk.file(f"Request {index}") for index in range(TAKES)]
    await desk.card(numbers[-1])
    ours: list[float] = []
    theirs: list[float] = []
    echo = asyncio.create_task(echo_bot(desk, olga, echo_room))
    await asyncio.sleep(1)
    async with Watcher(desk, anna) as watcher:
        for number in numbers:
            ours.append(await _timed(watcher, desk.rooms["freiburg"], f"!take {number}"))
            theirs.append(await _timed(watcher, echo_room, f"!take {number}"))
    echo.cancel()
    return ours, theirs


async def _timed(watcher: Watcher, room: str, text: str) -> float:
    start = time.perf_counter()
    await watcher.until_reaction(room, await watcher.say(room, text))
    taken = time.perf_counter() - start
    await asyncio.sleep(0.15)  # let the card's edit pass
    return taken


async def intake(desk: Desk, clients: int) -> tuple[float, float]:
    """Tickets per second that the API accepts durably, and the p95 of an answer in milliseconds."""
    took: list[float] = []
    end = time.perf_counter() + SECONDS
    connector = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(headers={"X-API-Key": desk.key}, connector=connector) as session:

        async def client() -> None:
            while time.perf_counter() < end:
                start = time.perf_counter()
                async with session.post(f"{desk.url}/api/tickets.json", json=_BODY) as answer:
                    assert answer.status == 201
                took.append(time.perf_counter() - start)

        await asyncio.gather(*(client() for _ in range(clients)))
    return len(took) / SECONDS, statistics.quantiles(took, n=20)[18] * 1000


def bare_commits(database_url: str) -> float:
    """The baseline: rows per second, each in a commit of its own, with the same durability and no bot."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        connection: Any = sqlite3.connect(f"{url.database}-bare", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
    else:
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(plain, autocommit=True)
    connection.execute("CREATE TABLE bare (id INTEGER, body TEXT)")
    count, end = 0, time.perf_counter() + 2
    while time.perf_counter() < end:
        connection.execute(f"INSERT INTO bare VALUES ({count}, '{'x' * 300}')")
        count += 1
    connection.close()
    return count / 2


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


async def measure(table: Table) -> None:
    """Everything, on both databases."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TICKETTRUHE_BENCH_DIR")) as scratch:
        async with Homeserver(Path(scratch) / "homeserver") as homeserver, Crowd(homeserver) as crowd:
            folder = Path(scratch) / "sqlite"
            folder.mkdir()
            await _one(table, "SQLite", homeserver, crowd, folder, f"sqlite:///{folder}/t.db")
            with postgres_server() as server, fresh_database(server) as url:
                folder = Path(scratch) / "postgresql"
                folder.mkdir()
                shown = url.render_as_string(hide_password=False)
                await _one(table, "PostgreSQL", homeserver, crowd, folder, shown)


async def _one(
    table: Table, name: str, homeserver: Homeserver, crowd: Crowd, folder: Path, database_url: str
) -> None:
    async with running_desk(homeserver, crowd, folder, database_url) as desk:
        idle = memory_mb(desk.bot.pid)
        ours, theirs = await latency(desk)
        for label, of in (("p50", statistics.median), ("p95", lambda v: statistics.quantiles(v, n=20)[18])):
            own, base = of(ours) * 1000, of(theirs) * 1000
            table.add_row(
                name, f"!take to ✅, {label}", f"{own:.0f} ms", f"echo bot {base:.0f} ms", f"{own / base:.2f}"
            )
        base = bare_commits(database_url)
        for clients in (1, 16):
            rate, p95 = await intake(desk, clients)
            own_text = f"{rate:.0f}/s (p95 {p95:.0f} ms)"
            table.add_row(
                name, f"tickets over the API, {clients} clients", own_text, f"bare commits {base:.0f}/s",
                f"{rate / base:.2f}",
            )  # fmt: skip
        table.add_row(
            name, "memory after that", f"{memory_mb(desk.bot.pid):.0f} MB", f"at start {idle:.0f} MB", ""
        )


def main() -> None:
    """Print the table."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = Table("database", "what", "Tickettruhe", "baseline", "ratio", title=machine)
    asyncio.run(measure(table))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
