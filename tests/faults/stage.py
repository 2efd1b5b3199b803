"""Everything a round plays on: desk, bot, proxy, clock, servers, and what is known of it."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine
from sqlmodel import Session

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, make_desk
from tests.faults.disk import SmallDisk, small_disk
from tests.faults.facts import engine_of, waiting_events, waiting_rows
from tests.faults.log import Log
from tests.faults.proxy import FaultProxy
from tests.faults.workload import Patient, Workload
from tests.forks import Clock, ForkedBot, Launcher
from tests.people import Crowd
from tests.servers import Postgres

ZONE: Final = "Europe/Berlin"
DIGEST_AT: Final = (2, 30)
"""Local time of the digest: in the hour that the clocks skip in spring and repeat in autumn."""
_LEASE_FREE: Final = 15.0
_READY: Final = 30.0
_STALLED: Final = 90.0
"""Seconds without any change; a row is tried again after a minute at the latest."""
_HELD: Final = "Another process runs on this database"


@dataclass
class Servers:
    """What rounds share: they are restarted, but their data stay."""

    homeserver: Homeserver
    launcher: Launcher
    postgres: Postgres | None = None
    """The server of the round's database, if that is not SQLite."""


@dataclass
class Stage:
    """One round's."""

    servers: Servers
    desk: Desk
    bot: ForkedBot
    proxy: FaultProxy
    clock: Clock
    engine: Engine
    dice: random.Random
    log: Log
    workload: Workload
    disk: SmallDisk | None
    _started_at: int = 0

    async def start(self) -> None:
        """Start the bot as a service manager does: again, while the killed one's lease is not free yet."""
        deadline = asyncio.get_running_loop().time() + _LEASE_FREE
        while True:
            mark = self.bot.log_size
            await self.bot.start(until_ready=False)
            try:
                await self.bot.wait_for_log('"event": "listening"', mark, _READY)
            except AssertionError:
                if _HELD not in self.bot.logged_since(mark) or asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.1)
            else:
                self._started_at = mark
                return

    async def ready(self, seconds: float = _READY) -> bool:
        """Wait until the bot that was started last is ready, at most so long; whether it is."""
        try:
            await self.bot.wait_for_log('"event": "ready"', self._started_at, seconds)
        except TimeoutError:
            return False
        return True

    async def warmed_up(self) -> None:
        """Wait until everybody has begun, so that a short round has something to lose."""
        async with asyncio.timeout(_READY):
            while not (self.log.numbers and self.log.commands and self.log.taps):  # noqa: ASYNC110 - several
                await asyncio.sleep(0.05)

    async def restart(self) -> None:
        """Kill the bot if it runs, and start it."""
        await self.bot.kill()
        await self.start()
        await self.ready()

    async def settled(self) -> None:
        """Wait until all that was said is answered and nothing is left to send, however slow the machine is.

        :raises TimeoutError: nothing has changed for a while; the oracle will tell what was left.
        """
        left: list[str] = []
        async with asyncio.timeout(_STALLED) as patience:
            for name, room in (("anna", "freiburg"), ("carla", "berlin")):
                last = await self.desk.say(name, "!help", room)
                await self.desk.person(name).wait_for_notice_reply(
                    self.desk.room(room), last, timeout=_STALLED
                )
            while waiting := await asyncio.to_thread(self._waiting):
                if waiting != left:
                    left = waiting
                    patience.reschedule(asyncio.get_running_loop().time() + _STALLED)
                await asyncio.sleep(0.1)

    def _waiting(self) -> list[str]:
        with Session(self.engine) as session:
            return [*waiting_events(session), *waiting_rows(session, self.clock.now)]


@asynccontextmanager
async def staged(
    servers: Servers, folder: Path, database_url: str | None, seed: object, pace: float = 1.0, **extra: Any
) -> AsyncIterator[Stage]:
    """A desk of its own behind a proxy of its own; the bot is not started yet.

    :param database_url: of an empty database; ``None`` for a SQLite file in the folder.
    """
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(FaultProxy(servers.homeserver.url, seed))
        crowd = await stack.enter_async_context(Crowd(servers.homeserver, Patient))
        disk = stack.enter_context(small_disk(folder / "disk")) if database_url is None else None
        url = database_url or f"sqlite:///{folder / 'disk' / 'tickettruhe.db'}"
        desk = await make_desk(
            servers.homeserver, crowd, folder, url, matrix={"homeserver": proxy.url}, timezone=ZONE,
            digest={"schedule": f"{DIGEST_AT[1]} {DIGEST_AT[0]} * * *"}, **extra,
        )  # fmt: skip
        clock = Clock(folder / "clock")
        desk.program = lambda config, log: servers.launcher.bot(config, log, clock)
        bot = desk.bot
        assert isinstance(bot, ForkedBot)
        engine = engine_of(url)
        stack.callback(engine.dispose)
        log = Log()
        stage = Stage(
            servers, desk, bot, proxy, clock, engine, random.Random(f"{seed} stage"), log,
            Workload(desk, log, seed, pace), disk,
        )  # fmt: skip
        try:
            yield stage
        finally:
            if bot.running:
                await bot.kill()
