"""Faults of the house around the bot. Each leaves everything mended, and the bot running."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import aiohttp
import psycopg
from sqlmodel import Session, select

from storage.models import DigestMark, OutboxRow
from tests.faults.stage import DIGEST_AT, ZONE, Stage

_LONGER_THAN_BUSY: Final = 11.0
"""Seconds: beyond the time for which the bot waits for a lock of SQLite."""
_BERLIN: Final = ZoneInfo(ZONE)
_DIGEST_ROOMS: Final = ("team:freiburg", "team:berlin", "triage")


async def homeserver_restarts(stage: Stage) -> None:
    """Synapse stops, stays away for a while, and comes back."""
    await stage.servers.homeserver.stop()
    await asyncio.sleep(stage.dice.uniform(0.2, 3))
    await stage.servers.homeserver.start()


async def token_expires(stage: Stage) -> None:
    """The bot's login ends; it ends with a clear message, and goes on with a new one."""
    desk = stage.desk
    mark = stage.bot.log_size
    headers = {"Authorization": f"Bearer {desk.account.access_token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{desk.homeserver.url}/_matrix/client/v3/logout", headers=headers, json={}) as answer,
    ):
        answer.raise_for_status()
    code = await stage.bot.ended(60)
    said = stage.bot.logged_since(mark)
    if code != 1 or "The homeserver refuses the login (M_UNKNOWN_TOKEN)" not in said or "Traceback" in said:
        stage.log.mishaps.append(f"with an expired token the bot ended with {code}: {said[-1500:]}")
    await asyncio.sleep(stage.dice.uniform(0, 1))
    localpart = desk.account.user_id[1:].partition(":")[0]
    desk.account = await desk.homeserver.register(localpart, desk.password, "Tickettruhe")
    desk.write_config()
    await stage.start()
    await stage.ready()


async def sqlite_locked(stage: Stage) -> None:
    """Another process holds SQLite's write lock, longer than the bot waits for it."""
    await _sqlite_locked(stage, _LONGER_THAN_BUSY)


async def sqlite_locked_briefly(stage: Stage) -> None:
    """Another process holds SQLite's write lock, as a backup does."""
    await _sqlite_locked(stage, stage.dice.uniform(1, 3))


async def _sqlite_locked(stage: Stage, seconds: float) -> None:
    path = str(stage.engine.url.database)
    connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    try:
        await asyncio.to_thread(connection.execute, "BEGIN IMMEDIATE")
        await asyncio.sleep(seconds)
        connection.execute("ROLLBACK")
    finally:
        connection.close()


async def disk_full(stage: Stage) -> None:
    """Nothing can be written any more; then there is room again."""
    assert stage.disk is not None
    await asyncio.to_thread(stage.disk.fill)
    await asyncio.sleep(stage.dice.uniform(2, 5))
    if stage.dice.random() < 0.5:
        await stage.bot.kill()
        stage.log.kills["on a full disk"] += 1
    stage.disk.clear()
    if not stage.bot.running:
        await stage.start()


async def postgres_restarts(stage: Stage) -> None:
    """The database server stops, stays away for a while, and comes back."""
    assert stage.servers.postgres is not None
    stage.engine.dispose()
    await asyncio.to_thread(stage.servers.postgres.stop)
    await asyncio.sleep(stage.dice.uniform(0.2, 3))
    await asyncio.to_thread(stage.servers.postgres.start)


async def postgres_cuts(stage: Stage) -> None:
    """The server ends all connections, that of the lease as well."""
    with _maintenance(stage) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            (stage.engine.url.database,),
        )


async def postgres_locked(stage: Stage) -> None:
    """Somebody else has locked a table."""
    address = stage.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg.connect(address)
    try:
        await asyncio.to_thread(connection.execute, "LOCK TABLE tickets, outbox IN SHARE MODE")
        await asyncio.sleep(stage.dice.uniform(1, 4))
    finally:
        connection.close()


def _maintenance(stage: Stage) -> psycopg.Connection:
    assert stage.servers.postgres is not None
    url = stage.servers.postgres.url.set(drivername="postgresql")
    return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)


async def clock_jumps(stage: Stage) -> None:
    """Over midnight to after the digest's time, back to before it, and on again: one digest a day."""
    local = stage.clock.now.astimezone(_BERLIN)
    tomorrow = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), _BERLIN)
    hour, minute = DIGEST_AT
    late = tomorrow.replace(hour=hour, minute=minute) + timedelta(minutes=1)
    await _jump(stage, tomorrow - timedelta(seconds=2))
    await asyncio.sleep(2.5)
    await _jump(stage, late, due=True)
    await _jump(stage, late - timedelta(minutes=stage.dice.randrange(5, 180)))
    await _jump(stage, late + timedelta(minutes=1), due=True)


async def clock_set_right(stage: Stage) -> None:
    """It was hours ahead and is set back under the running bot: what was written meanwhile must not wait."""
    ahead = timedelta(hours=stage.dice.randrange(1, 4))
    stage.bot.set_clock(stage.clock.now + ahead)
    await asyncio.sleep(stage.dice.uniform(1, 3))
    stage.bot.set_clock(stage.clock.now - ahead)
    if stage.dice.random() < 0.5:
        await stage.restart()
        stage.log.kills["after the clock jumped"] += 1


async def clocks_go_forward(stage: Stage) -> None:
    """In spring: the hour of the digest does not exist; it comes an hour later, once."""
    day = _next(stage, month=3)
    await _jump(stage, day.replace(hour=1, minute=59, second=58))
    await asyncio.sleep(2.5)
    await _jump(stage, day.replace(hour=3, minute=31), due=True)


async def clocks_go_back(stage: Stage) -> None:
    """In autumn: the hour of the digest comes twice, the digest once."""
    day = _next(stage, month=10)
    await _jump(stage, day.replace(hour=2, minute=31), due=True)
    await _jump(stage, day.replace(hour=2, minute=29, fold=1))
    await _jump(stage, day.replace(hour=2, minute=31, fold=1), due=True)


def _next(stage: Stage, month: int) -> datetime:
    """Midnight of the next last Sunday of a month, when European clocks change."""
    local = stage.clock.now.astimezone(_BERLIN)
    for year in (local.year, local.year + 1):
        last = datetime(year, month, 31, tzinfo=_BERLIN)
        sunday = last - timedelta(days=(last.weekday() + 1) % 7)
        if sunday > local:
            return sunday
    raise AssertionError("unreachable")


async def _jump(stage: Stage, moment: datetime, *, due: bool = False) -> None:
    """Let the clock jump under the running bot, then restart it: at its start it looks what is due."""
    stage.bot.set_clock(moment)
    await asyncio.sleep(stage.dice.uniform(0, 0.5))
    await stage.restart()
    stage.log.kills["after the clock jumped"] += 1
    if due:
        await _digests_are_there(stage, moment)


async def _digests_are_there(stage: Stage, moment: datetime) -> None:
    """Wait until they are sent, too: once its day is over a digest is no news any more."""
    day = moment.astimezone(_BERLIN).date()

    def there() -> bool:
        with Session(stage.engine) as session:
            marked = session.exec(select(DigestMark.key).where(DigestMark.day == day)).all()
            waiting = select(OutboxRow).where(OutboxRow.kind == "digest", OutboxRow.state == "waiting")
            return {*marked} >= {*_DIGEST_ROOMS} and session.exec(waiting).first() is None

    for _ in range(300):
        if await asyncio.to_thread(there):
            return
        await asyncio.sleep(0.1)
    stage.log.mishaps.append(f"no digest of {day} by {moment}")


Fault = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Kind:
    """A fault and where it can happen."""

    run: Fault
    on: tuple[str, ...] = ("sqlite", "postgresql")

    def possible(self, stage: Stage) -> bool:
        """Whether it can happen on this stage."""
        return stage.engine.dialect.name in self.on and (self.run is not disk_full or stage.disk is not None)


FAULTS: Final[Mapping[str, Kind]] = {
    "Synapse restarted": Kind(homeserver_restarts),
    "token expired": Kind(token_expires),
    "database locked": Kind(sqlite_locked, ("sqlite",)),
    "database locked briefly": Kind(sqlite_locked_briefly, ("sqlite",)),
    "tables locked": Kind(postgres_locked, ("postgresql",)),
    "disk full": Kind(disk_full, ("sqlite",)),
    "PostgreSQL restarted": Kind(postgres_restarts, ("postgresql",)),
    "PostgreSQL's connections cut": Kind(postgres_cuts, ("postgresql",)),
    "clock over midnight": Kind(clock_jumps),
    "clock set right": Kind(clock_set_right),
    "clocks go forward": Kind(clocks_go_forward),
    "clocks go back": Kind(clocks_go_back),
}


async def happen(stage: Stage, name: str) -> None:
    """Let a fault happen to a bot that works, and note it."""
    await stage.ready()
    await FAULTS[name].run(stage)
    stage.log.faults[name] += 1
