"""A real bot process at a homeserver that tells rubbish: it lives, and what is valid in between is done."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
import yaml
from hypothesis import given

from tests.desk import TOPICS, free_port
from tests.forks import Launcher
from tests.fuzz.cases import cases
from tests.fuzz.fake_homeserver import FakeHomeserver, fake_homeserver, first_sync
from tests.fuzz.matrix_events import DIRECT, EVENTS, IN_BERLIN, syncs, with_command
from tests.integration.desk_data import BERLIN, BOT, FREIBURG, ROOMS
from tests.process import BotProcess

_FAULTS = ("Traceback", '"level": "error"', "sync_failed", "_unavailable", "put_off")
_names = count()


@dataclass
class Place:
    """The bot's process and the homeserver that it is at."""

    homeserver: FakeHomeserver
    bot: BotProcess
    port: int
    """Of the bot's intake."""

    read: int = 0
    """So much of the log was looked at."""

    def faults(self) -> list[str]:
        """What the log has told of faults since the last time."""
        text = self.bot.log
        new, self.read = text[self.read :], len(text)
        return [line for line in new.splitlines() if any(sign in line for sign in _FAULTS)]

    def memory(self) -> int:
        """Of the process, in bytes."""
        return int(psutil.Process(self.bot.pid).memory_info().rss)


def write_config(folder: Path, url: str, database: str) -> Path:
    """A config for the fake's rooms."""
    config = {
        "language": "en",
        "timezone": "Europe/Berlin",
        "database": database.replace("+aiosqlite", "").replace("+psycopg", ""),
        "matrix": {"homeserver": url, "user": BOT, "access_token": "t"},
        "rooms": {"admin": ROOMS["admin"], "triage": ROOMS["triage"]},
        "teams": {
            "freiburg": {"name": "Freiburg", "room": FREIBURG, "regions": ["freiburg"]},
            "berlin": {"name": "Berlin", "room": BERLIN, "regions": ["berlin"]},
        },
        "regions": {"freiburg": "Freiburg", "berlin": "Berlin"},
        "topics": TOPICS,
        "default_topic": "donation_request",
        "digest": {"schedule": "59 23 * * *"},
        "intake": {"listen": "127.0.0.1", "port": free_port()},
    }
    path = folder / "config.yaml"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config, allow_unicode=True))
    return path


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, launcher: Launcher
) -> AsyncIterator[Place]:
    """One bot for many cases, on each of the databases."""
    folder = tmp_path_factory.mktemp("fuzzed")
    database = f"sqlite+aiosqlite:///{folder / 'tickettruhe.db'}"
    if request.param == "postgresql":
        database = request.getfixturevalue("lasting_postgres")
    async with fake_homeserver() as homeserver:
        await homeserver.tell(first_sync())
        config = write_config(folder, homeserver.url, database)
        bot = BotProcess(config, folder / "bot.log", launcher.start)
        await bot.start()
        try:
            await homeserver.tell(with_command({}, "$new", "!new --name Kim -- Hello", []))
            await homeserver.until_answered("$new", "#1", 20)
            port = int(yaml.safe_load(config.read_text())["intake"]["port"])
            yield Place(homeserver, bot, port)
        finally:
            await bot.stop()


@cases(20, 0.01, lasting=True)
@given(sync=syncs(), around=IN_BERLIN, gap=EVENTS, state=EVENTS)
async def test_what_is_valid_is_done_whatever_is_told_besides(
    place: Place, sync: dict[str, Any], around: list[Any], gap: list[Any], state: list[Any]
) -> None:
    homeserver, event_id = place.homeserver, f"$command{next(_names)}"
    homeserver.history = homeserver.state = {}
    homeserver.history, homeserver.state = {FREIBURG: gap, DIRECT: gap}, {FREIBURG: state, DIRECT: state}
    await homeserver.tell(with_command(sync, event_id, "!take 1", around))
    try:
        await homeserver.until_answered(event_id, "✅", 10)
    except TimeoutError:
        pytest.fail(f"not done; the log's end:\n{place.bot.log[-3000:]}")
    assert place.faults() == []


_BOMB = gzip.compress(b" " * 100_000_000)


async def post(place: Place, headers: str, body: bytes) -> int:
    """Send a form as it is; the status of the answer, or 0 if the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    try:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            writer.write(f"POST / HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n".encode() + body)
            await writer.drain()
            return int((await reader.readuntil(b"\r\n"))[9:12])
        return 0
    finally:
        writer.close()


async def test_neither_bombs_nor_slow_senders_fill_the_memory(place: Place) -> None:
    """Runs on the process that has seen all the rest; to be asked by anybody who can reach the form."""
    before = place.memory()
    told = f"Content-Length: {len(_BOMB)}\r\nContent-Encoding: gzip"
    assert set(await asyncio.gather(*(post(place, told, _BOMB) for _ in range(20)))) == {413}
    piece = b"80000\r\n" + b"x" * 0x70000
    slow = [asyncio.create_task(post(place, "Transfer-Encoding: chunked", piece)) for _ in range(120)]
    told_off = [await first for first in islice(asyncio.as_completed(slow, timeout=60), 60)]
    assert set(told_off) == {503}
    assert place.memory() - before < 60_000_000
    for task in slow:
        task.cancel()
    await asyncio.wait(slow)
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{place.port}/") as page:
        assert page.status == 200
    assert place.faults() == []
