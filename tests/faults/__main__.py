"""The long form: ``python -m tests.faults --kills 1000``, or ``make faults``."""

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.demo.homeserver import Homeserver
from tests.faults.rounds import Plan, Result, judged, played, seed_of
from tests.faults.stage import Servers
from tests.forks import Launcher
from tests.servers import Postgres, fresh_database, restartable_postgres

_PER_ROUND = 50


def main() -> None:
    """Play rounds until there were enough kills; exit status 1 if anything was lost or done twice."""
    options = _options()
    # Told to stop it cleans up as after Ctrl-C: there are servers, and a file system that is mounted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"seed {options.seed}: make faults ARGS='--seed {options.seed} --kills {options.kills}"
          f" --database {options.database}'", flush=True)  # fmt: skip
    began = time.monotonic()
    results: list[Result] = []
    with suppress(KeyboardInterrupt):  # what was found by then is shown
        asyncio.run(_run(options, results))
    _show(results, time.monotonic() - began)
    sys.exit(any(each.breaches for each in results))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of an earlier run")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--round", type=int, default=None, help="play only this one of the run's rounds")
    parser.add_argument("--pace", type=float, default=1.0, help="smaller: people and clients do more")
    parser.add_argument("--folder", type=Path, default=None, help="where logs and databases stay")
    return parser.parse_args()


async def _run(options: argparse.Namespace, results: list[Result]) -> None:
    folder = options.folder or Path(tempfile.mkdtemp(prefix="tickettruhe-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    rounds = range((options.kills + _PER_ROUND - 1) // _PER_ROUND)
    chosen = rounds if options.round is None else [options.round]
    lanes: defaultdict[str, list[int]] = defaultdict(list)
    for number in chosen:
        turn = "postgresql" if number % 2 else "sqlite"
        lanes[turn if options.database == "both" else options.database].append(number)
    async with asyncio.TaskGroup() as group:
        for database, numbers in lanes.items():
            group.create_task(_lane(options, folder, database, numbers, results))


async def _lane(
    options: argparse.Namespace, folder: Path, database: str, numbers: Sequence[int], results: list[Result]
) -> None:
    """Rounds on one database, one after the other; another lane has servers of its own."""
    with ExitStack() as stack:
        postgres = stack.enter_context(restartable_postgres()) if database == "postgresql" else None
        async with (
            Homeserver(folder / f"homeserver-{database}") as homeserver,
            Launcher(folder / f"launcher-{database}.log") as launcher,
        ):
            for number in numbers:
                kills = min(_PER_ROUND, options.kills - number * _PER_ROUND)
                plan = Plan(seed_of(options.seed, number), kills, pace=options.pace)
                place = folder / f"round-{number}"
                place.mkdir()
                results.append(await _round(Servers(homeserver, launcher, postgres), place, number, plan))


async def _round(servers: Servers, folder: Path, number: int, plan: Plan) -> Result:
    database = "SQLite" if servers.postgres is None else "PostgreSQL"
    began = time.monotonic()
    done = 0

    def tell(step: str) -> None:
        nonlocal done
        done += 1
        print(f"  round {number}, {database}: {done:3} {time.monotonic() - began:5.0f} s  {step}", flush=True)

    with _database(servers.postgres) as url:
        async with played(servers, folder, url, plan, tell) as stage:
            result = await judged(stage)
            if result.breaches and stage.disk is not None:
                shutil.copytree(stage.disk.folder, folder / "database")
    print(
        f"round {number}, {database}, {time.monotonic() - began:.0f} s: {sum(result.kills.values())} kills, "
        f"{result.tickets} tickets, {result.commands} commands, {result.taps} taps, "
        f"{len(result.breaches)} breaches",
        flush=True,
    )
    for breach in result.breaches:
        print(f"  BREACH {breach}", flush=True)
    return result


@contextmanager
def _database(postgres: Postgres | None) -> Iterator[str | None]:
    if postgres is None:
        yield None
        return
    with fresh_database(postgres.url) as url:
        yield url.render_as_string(hide_password=False)


def _show(results: list[Result], seconds: float) -> None:
    table = Table("what", "how often")
    totals: Counter[str] = Counter()
    for result in results:
        totals += Counter({f"kill {moment}": count for moment, count in result.kills.items()})
        totals += Counter(result.faults)
    for what, count in sorted(totals.items()):
        table.add_row(what, str(count))
    table.add_section()
    for what, count in (
        ("kills", sum(sum(each.kills.values()) for each in results)),
        ("tickets", sum(each.tickets for each in results)),
        ("commands", sum(each.commands for each in results)),
        ("taps", sum(each.taps for each in results)),
        ("breaches", sum(len(each.breaches) for each in results)),
        ("minutes", round(seconds / 60)),
    ):
        table.add_row(what, str(count))
    Console().print(table)


if __name__ == "__main__":
    main()
