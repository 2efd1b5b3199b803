"""Kill -9 at moments that matter, and what was seen there."""

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import psycopg

from tests.faults.proxy import Trap
from tests.faults.stage import Stage

_PATIENCE: Final = 4.0
"""Seconds to wait for a moment; then the kill comes at any."""
_ANYWHERE: Final = "at any moment"


async def anywhere(stage: Stage) -> bool:
    """At any moment of its work."""
    await asyncio.sleep(stage.dice.uniform(0, 0.5))
    return True


async def starting(stage: Stage) -> bool:
    """Soon after its start, before it is ready."""
    await stage.bot.kill()
    await stage.bot.start(until_ready=False)
    await asyncio.sleep(stage.dice.uniform(0.0, 0.4))
    return True


async def before_send(stage: Stage) -> bool:
    """When it has begun to send something that the homeserver does not have yet."""
    return await _trapped(stage, Trap(after=False))


async def after_send(stage: Stage) -> bool:
    """When the homeserver has what was sent, and the bot does not know."""
    return await _trapped(stage, Trap(after=True))


async def _trapped(stage: Stage, trap: Trap) -> bool:
    stage.proxy.trap = trap
    try:
        async with asyncio.timeout(_PATIENCE):
            await trap.sprung.wait()
    except TimeoutError:
        stage.proxy.trap = None
        return False
    return True


async def in_a_write(stage: Stage) -> bool:
    """In the middle of a transaction that writes."""
    pid = stage.bot.pid
    watch = _watch_sqlite if stage.engine.dialect.name == "sqlite" else _watch_postgresql
    return await asyncio.to_thread(watch, stage, pid)


def _watch_sqlite(stage: Stage, pid: int) -> bool:
    """Kills when somebody holds the write lock."""
    deadline = time.monotonic() + _PATIENCE
    connection = sqlite3.connect(str(stage.engine.url.database), timeout=0, isolation_level=None)
    try:
        while time.monotonic() < deadline:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGKILL)
                return True
            connection.execute("ROLLBACK")
            time.sleep(0.0005)
    finally:
        connection.close()
    return False


def _watch_postgresql(stage: Stage, pid: int) -> bool:
    """Kills when a transaction has written something."""
    deadline = time.monotonic() + _PATIENCE
    address = stage.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    writing = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL"
    with psycopg.connect(address, autocommit=True) as connection:
        while time.monotonic() < deadline:
            if connection.execute(writing).fetchone():
                os.kill(pid, signal.SIGKILL)
                return True
    return False


MOMENTS: Final[Mapping[str, Callable[[Stage], Awaitable[bool]]]] = {
    _ANYWHERE: anywhere,
    "while starting": starting,
    "before a send": before_send,
    "between send and mark": after_send,
    "in a transaction": in_a_write,
}


async def kill_at(stage: Stage, moment: str) -> None:
    """Kill the bot at that moment, if it comes."""
    came = await MOMENTS[moment](stage)
    if not stage.bot.running and not came:
        stage.log.mishaps.append(f"the bot ended by itself: {stage.bot.log[-1500:]}")
    await stage.bot.kill()
    stage.log.kills[moment if came else _ANYWHERE] += 1
