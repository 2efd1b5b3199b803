"""What the bot's answers cost as the years go by: from a thousand tickets of history to a million."""

import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy import text

from bot import wiring
from bot.commands.declarations import build_registry
from bot.commands.executor import Content, Problem
from bot.commands.helping import german_names
from bot.commands.worker import Worker
from bot.services import digest, outcomes, reception, room_updates
from bot.services.reception import Batch, ReceivedEvent, receive, waiting
from bot.services.status import Program
from bot.services.unit import Units
from storage import schema
from storage.database import Database
from tests.benchmarks.filling import COMMON, NEEDLE, OPEN, RARE, fill
from tests.benchmarks.paper import paper_desk, talkative
from tests.benchmarks.report import Report, Row, milliseconds, progress
from tests.benchmarks.stage import Stage
from tests.desk import Desk as Place
from tests.integration.desk_data import ANNA, BOT, FREIBURG, START, Desk, desk_on

_MOST: Final = 2.0
_COMMANDS: Final = (
    "!list", "!list waiting", "!waitlist", f"!search {RARE}", f"!search {COMMON}", "!next", "!show {old}",
    "!history {old}", "!take {open}", "!stats --text",
)  # fmt: skip
_UNTARGETED: Final = ("tidying up",)
"""What shows no page."""

Times = dict[str, list[float]]


async def measure(stage: Stage, name: str, report: Report) -> None:
    """On one database: each size in a database of its own."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for size in stage.options.sizes:
        with stage.database(name) as url, stage.scratch() as folder:
            async with talkative() as fake:
                place = paper_desk(fake, folder, url)
                times = await _commands(place, size, stage.options.runs)
                times |= await _starts(place, max(1, stage.options.runs // 2))
        for what, seconds in times.items():
            found[what][size] = statistics.median(seconds)
            progress(f"growth, {name}, {size}: {what} {milliseconds(found[what][size])}")
    for what, medians in found.items():
        report(_row(name, what, medians))


def _row(name: str, what: str, medians: dict[int, float]) -> Row:
    smallest, *_others = sizes = sorted(medians)
    ratio = medians[sizes[-1]] / medians[smallest]
    own = " · ".join(milliseconds(medians[size]) for size in sizes)
    target, met = ("", None) if what in _UNTARGETED else (f"≤ {_MOST:.0f}", ratio <= _MOST)
    baseline = f"{smallest:,} tickets; then {', '.join(f'{size:,}' for size in sizes[1:])}"
    return Row(name, what, own, baseline, ratio, target, met)


async def _commands(place: Place, size: int, runs: int) -> Times:
    """Seconds from an event's arrival to its answer in the outbox."""
    config = place.config
    async with desk_on(place.database_url, wiring.policy(config)) as desk:
        await desk.deliver()
        _fill(desk.database, size)
        chat = _Chat(place, desk)
        times: Times = {command.partition(" {")[0]: [] for command in _COMMANDS}
        open_ones = iter(range(size + 1, size + 3 * OPEN, 3))
        for _run in range(runs + 1):
            for command in _COMMANDS:
                line = command.format(old=NEEDLE, open=next(open_ones) if "{open}" in command else 0)
                times[command.partition(" {")[0]].append(await chat.say(line))
        times |= await _by_itself(desk, runs)
        return {what: seconds[1:] or seconds for what, seconds in times.items()}


def _fill(database: Database, size: int) -> None:
    begin = time.perf_counter()
    with database.connection() as connection:
        if database.dialect == "sqlite":
            connection.execute(text("PRAGMA cache_size=-400000"))
        fill(connection, size)
    progress(f"growth: filled {size} in {time.perf_counter() - begin:.0f} s")


class _Speaker(wiring.Speaker):
    """The bot's own; what is refused would be quick for nothing."""

    def problem(self, error: Problem, *_how: object, **_more: object) -> Content:
        """Nothing is expected to be refused."""
        raise RuntimeError(repr(error))


class _Chat:
    """Anna in Freiburg's room, and the worker with its renderer."""

    def __init__(self, place: Place, desk: Desk) -> None:
        config = place.config
        registry = build_registry(Program("1", START, desk.database.dialect), config.prefix)
        speaker = _Speaker(config, german_names(registry), desk.clock)
        self._desk = desk
        self._worker = Worker(desk.units, registry, speaker, wiring.identity(config))
        self._count = 0

    async def say(self, body: str) -> float:
        """A command; seconds until it was done and answered in the database."""
        self._count += 1
        event = ReceivedEvent(
            f"$said{self._count}", FREIBURG, ANNA, {"msgtype": "m.text", "body": body}, self._desk.clock.now
        )
        batch = Batch(f"t{self._count}", events=(event,))
        begin = time.perf_counter()
        await self._desk.units.run(lambda unit: receive(unit, batch))
        for incoming in await self._desk.units.look(waiting):
            await self._worker.handle(incoming)
        taken = time.perf_counter() - begin
        await self._desk.deliver()
        return taken


async def _by_itself(desk: Desk, runs: int) -> Times:
    """What nobody asks for."""
    times: Times = {"digest": [], "filing a ticket": [], "tidying up": []}
    zone = desk.units.policy.zone
    today = desk.clock.now.date()
    for run in range(runs + 1):
        day = today + timedelta(days=run)
        send = partial(digest.send_digest, team="freiburg", day=day, zone=zone)
        async with _timed(times["digest"]):
            await desk.units.run(send)
        async with _timed(times["filing a ticket"]):
            await desk.open(email=f"somebody{run}@example.org")
        await desk.deliver()
    async with _timed(times["tidying up"]):
        await desk.units.run(outcomes.tidy)
        await desk.units.scrub()
    return times


@asynccontextmanager
async def _timed(times: list[float]) -> AsyncIterator[None]:
    begin = time.perf_counter()
    yield
    times.append(time.perf_counter() - begin)


async def _starts(place: Place, runs: int) -> Times:
    """Seconds of the bot's start: the process until it is ready, and the database's part of that."""
    times: Times = {"start until ready": [], "start, database alone": []}
    for _run in range(runs + 1):
        async with _timed(times["start, database alone"]):
            await _database_part(place)
        async with _timed(times["start until ready"]):
            await place.bot.start()
        await place.bot.stop()
    return {what: seconds[1:] for what, seconds in times.items()}


async def _database_part(place: Place) -> None:
    """What a start asks of the database, in this process."""
    database = Database(place.database_url)
    try:
        await schema.ensure(database)
        await database.hold(START)
        units = Units(database, wiring.policy(place.config))
        rooms = {key: (room, room) for key, room in wiring.rooms(place.config).items()}
        await units.look(lambda unit: reception.device_of(unit, BOT))
        await units.run(lambda unit: reception.configure_rooms(unit, rooms))
        await units.run(lambda unit: reception.start(unit, BOT, "DEVICE"))
        await units.run(room_updates.judge_all)
        await units.look(waiting)
    finally:
        await database.close()
