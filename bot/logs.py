"""Structured logs: numbers, event ids and kinds of errors; never a requester's words."""

import logging
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog

_QUIET: Final = ("aiohttp", "apscheduler", "alembic", "sqlalchemy", "asyncio", "peewee")


def configure(level: str, *, as_json: bool) -> None:
    """Set up structlog and the standard library's logging for the process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    tail = [structlog.processors.format_exc_info, last] if as_json else [last]
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, *tail],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # nio quotes the events that it cannot parse; its errors reach us as values and are logged by code.
    logging.getLogger("nio").setLevel(logging.CRITICAL + 1)


def about(numbers: Sequence[int]) -> dict[str, object]:
    """Which tickets a line is about: ``ticket`` if it is one. By its number its way can be followed."""
    match numbers:
        case []:
            return {}
        case [number]:
            return {"ticket": number}
        case _:
            return {"tickets": sorted(numbers)}


def place_of(error: BaseException) -> str:
    """File and line where it happened, and no values: they could be a requester's words."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
