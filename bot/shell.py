"""What the commands of the command line share: how they tell, end and fail."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Coroutine
from dataclasses import asdict
from typing import Any, Final, NoReturn, TypeVar

from bot.console import Console, escape
from bot.doctor import Finding, Level
from bot.domain.errors import TickettruheError
from bot.explained import explained

T = TypeVar("T")
out: Final = Console()
err: Final = Console(stderr=True)
_MARKS: Final = {Level.GOOD: "[green]✓[/]", Level.POOR: "[yellow]![/]", Level.BAD: "[red]✗[/]"}


async def told(findings: AsyncIterator[Finding], *, as_json: bool = False) -> bool:
    """Print each finding when it is there; says whether all is well, or well enough."""
    well = True
    async for finding in findings:
        well = well and finding.level is not Level.BAD
        if as_json:
            out.print(json.dumps(asdict(finding), ensure_ascii=False), soft_wrap=True, markup=False)
            continue
        text = f"{_MARKS[finding.level]} {escape(finding.what)}: {escape(finding.detail)}"
        out.print(text, soft_wrap=True)
        if finding.hint:
            out.print(f"  → {escape(finding.hint)}", soft_wrap=True)
    return well


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what a person can mend ends with one clear line instead of a traceback."""
    try:
        return asyncio.run(work)
    except* TickettruheError as group:
        fail(explained(first(group)))
    raise AssertionError("unreachable")


def first(group: BaseExceptionGroup[TickettruheError]) -> TickettruheError:
    """The first error of a group of groups."""
    inner = group.exceptions[0]
    return first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def fail(message: str) -> NoReturn:
    """End with a line on what is wrong."""
    err.print(escape(message), soft_wrap=True)
    sys.exit(1)
