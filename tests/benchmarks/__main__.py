"""``make bench``: measure and print the table. Parts that are named are measured alone."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from bot import logs
from tests.benchmarks import burst, footprint, growth, intake, latency, report
from tests.benchmarks.report import Report, Row
from tests.benchmarks.stage import POSTGRESQL, SQLITE, Options, Stage, stage

PARTS: Final[Mapping[str, Callable[[Stage, str, Report], Awaitable[None]]]] = {
    "latency": latency.measure,
    "intake": intake.measure,
    "burst": burst.measure,
    "footprint": footprint.measure,
    "growth": growth.measure,
}
_DATABASES: Final = {name.lower(): name for name in (SQLITE, POSTGRESQL)}


def main() -> None:
    """Print the table; also if something goes wrong on the way."""
    asked = _arguments()
    options = Options(
        tuple(_DATABASES[name] for name in asked.database),
        asked.takes, asked.seconds, tuple(sorted(asked.sizes)), asked.runs, asked.tickets, asked.events,
        asked.idle,
    )  # fmt: skip
    logs.configure("WARNING", as_json=False)
    rows: list[Row] = []
    title = report.machine()
    try:
        asyncio.run(_measure(options, asked.parts or list(PARTS), rows))
    finally:
        report.show(rows, title)
        if asked.json:
            report.save(rows, title, asked.json)


async def _measure(options: Options, parts: list[str], rows: list[Row]) -> None:
    def found(row: Row) -> None:
        rows.append(row)
        report.progress(f"  {row.what}: {row.own}; {row.baseline}")

    with stage(options) as where:
        for part in parts:
            for name in options.databases:
                report.progress(f"{part} on {name}")
                await PARTS[part](where, name, found)


def _arguments() -> argparse.Namespace:
    usual = Options()
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", choices=[*PARTS, []], help=", ".join(PARTS))
    parser.add_argument("--database", nargs="+", choices=list(_DATABASES), default=list(_DATABASES))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")
    parser.add_argument("--takes", type=int, default=usual.takes, help="latency: commands")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="intake: of each figure")
    parser.add_argument("--sizes", type=int, nargs="+", default=usual.sizes, help="growth: tickets")
    parser.add_argument("--runs", type=int, default=usual.runs, help="growth: of each command and size")
    parser.add_argument("--tickets", type=int, default=usual.tickets, help="burst: tickets")
    parser.add_argument("--events", type=int, default=usual.events, help="footprint: events")
    parser.add_argument("--idle", type=float, default=usual.idle, help="footprint: idle seconds")
    return parser.parse_args()


if __name__ == "__main__":
    main()
