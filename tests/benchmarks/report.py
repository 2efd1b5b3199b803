"""The table of what was measured."""

import json
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

_MARKS: Final[Mapping[bool | None, str]] = {True: "✓", False: "✗", None: ""}
_START: Final = time.monotonic()


@dataclass(frozen=True)
class Row:
    """One figure beside its baseline."""

    database: str
    what: str
    own: str
    baseline: str = ""
    """Named, with its figure of the same run."""
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    """``None``: there is no target."""


Report = Callable[[Row], None]


def p50(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    """What 95 of 100 do not exceed."""
    return statistics.quantiles(values, n=20, method="inclusive")[18] if len(values) > 1 else values[0]


def milliseconds(seconds: float) -> str:
    """As the table shows it: three figures are enough."""
    return f"{seconds * 1000:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


def progress(text: str) -> None:
    """Tell on stderr what is done at the moment."""
    print(f"[{time.monotonic() - _START:5.0f} s] {text}", file=sys.stderr, flush=True)


def machine() -> str:
    """What it was measured on."""
    cores = os.cpu_count() or 1
    load = os.getloadavg()[0]
    return (
        f"{_processor()}, {cores} cores, {_memory_gb():.0f} GB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load at the start {load:.1f}"
    )


def _processor() -> str:
    named = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return named[1] if named else platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def show(rows: Iterable[Row], title: str) -> None:
    """Print the table."""
    table = Table(title=title)
    for heading in ("database", "what", "Tickettruhe", "baseline", "ratio", "target", "met"):
        table.add_column(heading, justify="right" if heading == "ratio" else "left", overflow="fold")
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(
            row.database, row.what, row.own, row.baseline, ratio, row.target, _MARKS[row.met]
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def save(rows: Iterable[Row], title: str, path: Path) -> None:
    """Write the same as JSON."""
    found = {"machine": title, "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
