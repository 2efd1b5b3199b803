"""Memory of the bot after very many events, and what it costs to do nothing."""

import asyncio
import time
from typing import Final

import psutil
from sqlalchemy import text

from storage.database import Database
from tests.benchmarks.intake import intake_of
from tests.benchmarks.paper import Talkative, paper_desk, talkative
from tests.benchmarks.report import Report, Row, progress
from tests.benchmarks.stage import Stage
from tests.desk import Desk, api_key

_MEMORY: Final = 120.0
_FLAT: Final = 1.05
_IDLE: Final = 0.01
_SETTLED: Final = 5.0
_PATIENCE: Final = 1200.0
_TICKETS: Final = 50
_UNHANDLED: Final = "SELECT count(*) FROM inbox WHERE handled_at IS NULL"


async def measure(stage: Stage, name: str, report: Report) -> None:
    """On one database."""
    with stage.database(name) as url:
        progress(f"footprint, {name}: {stage.options.events} events")
        await _memory(stage, name, url, report)
    with stage.database(name) as url:
        async with stage.desk(url) as desk:
            progress(f"footprint, {name}: idle")
            report(await _idle(desk, name, stage.options.idle))


async def _memory(stage: Stage, name: str, url: str, report: Report) -> None:
    wanted = stage.options.events
    with stage.scratch() as folder:
        async with talkative() as fake:
            desk = paper_desk(fake, folder, url)
            desk.key = await api_key(desk)
            await desk.bot.start()
            try:
                at_start = _resident(desk)
                intake = intake_of(desk)
                async with intake.session() as session:
                    for _index in range(_TICKETS):
                        await intake.file(session)
                begin = time.perf_counter()
                half = await _told(desk, fake, url, wanted // 2)
                whole = await _told(desk, fake, url, wanted)
                seconds = time.perf_counter() - begin
            finally:
                await desk.bot.stop()
    report(
        Row(name, f"memory after {wanted} events ({wanted / seconds:.0f}/s)", f"{whole:.1f} MB",
            f"at the start {at_start:.1f} MB", whole / at_start, f"≤ {_MEMORY:.0f} MB", whole <= _MEMORY)
    )  # fmt: skip
    report(
        Row(name, "… grown over the last half", f"{whole - half:+.1f} MB", f"after half {half:.1f} MB",
            whole / half, f"≤ {_FLAT}", whole / half <= _FLAT)
    )  # fmt: skip


async def _told(desk: Desk, fake: Talkative, url: str, wanted: int) -> float:
    """Tell the bot so many events; its memory once it has done all that was asked in them."""
    await fake.has(wanted)
    spoken = 0
    database = Database(url)
    try:
        async with asyncio.timeout(_PATIENCE):
            while fake.told < wanted or await _unhandled(database):
                await asyncio.sleep(1)
                if (spoken := spoken + 1) % 10 == 0:
                    progress(f"footprint: {fake.told} events, {_resident(desk):.1f} MB")
    finally:
        await database.close()
    return _resident(desk)


async def _unhandled(database: Database) -> int:
    return await database.reading(
        lambda session: int(session.connection().execute(text(_UNHANDLED)).scalar_one())
    )


def _resident(desk: Desk) -> float:
    """Memory of the bot's process in MB."""
    return float(psutil.Process(desk.bot.pid).memory_info().rss) / 2**20


async def _idle(desk: Desk, name: str, seconds: float) -> Row:
    """What the process costs while nothing happens at a real homeserver."""
    await asyncio.sleep(_SETTLED)
    process = psutil.Process(desk.bot.pid)
    before, begin = _worked(process), time.perf_counter()
    await asyncio.sleep(seconds)
    share = (_worked(process) - before) / (time.perf_counter() - begin)
    return Row(name, f"processor while idle, {seconds:.0f} s", f"{share:.2%}", "one core", None,
               f"≤ {_IDLE:.0%}", share <= _IDLE)  # fmt: skip


def _worked(process: psutil.Process) -> float:
    """Processor time so far in seconds; the system counts it in hundredths."""
    times = process.cpu_times()
    return float(times.user + times.system)
