"""Seeing inside: what is counted, whether the bot lives and is ready, and the page that Prometheus reads."""

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry

from bot.intake.health import Checks, health_routes
from bot.metrics.counting import Counting, new_registry
from bot.metrics.page import Page
from bot.metrics.state import Build, State, Vital
from bot.recent import Recent
from bot.services import figures
from bot.services.figures import Counts, Figures
from bot.services.status import Program
from bot.services.unit import DatabaseUnavailable, Units
from bot.watch import PARTS, Watch

_KEEP: Final = 5.0
_KEEP_OVER: Final = 900.0
"""Tickets that are over are most of all: counting them takes long, and their number grows slowly."""
_PATIENCE: Final = 2.0
_PATIENCE_OVER: Final = 1.0
"""The counting goes on; whoever waits for all figures has less patience than it may take."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the parts tell is kept here, also while nobody reads it."""

    registry: CollectorRegistry
    meters: Counting


def counted(commands: Iterable[str]) -> Counted:
    """The meters to hand to the parts. ``commands`` are all commands' names."""
    registry = new_registry()
    return Counted(registry, Counting(registry, commands, figures.KINDS))


class Insight:
    """What is served to those who look after the bot."""

    def __init__(self, units: Units, watch: Watch, program: Program, registry: CollectorRegistry) -> None:
        self._units = units
        self._watch = watch
        self._over = Recent(self._find_over, keep=_KEEP_OVER, patience=_PATIENCE_OVER)
        self._last_over: Counts | None = None
        self._figures = Recent(self._find, keep=_KEEP, patience=_PATIENCE)
        build = Build(program.version, platform.python_version(), program.database)
        self._page = Page(registry, State(build), self._vital, self._figures)
        self.checks = Checks(watch.alive, watch.ready)

    def app(self) -> web.Application:
        """Figures and health checks, for an address that is not for the world."""
        app = web.Application()
        app.add_routes([*self._page.routes(), *health_routes(self.checks)])
        return app

    async def _find(self) -> Figures:
        over = await self._counted_over()
        return await self._units.look(lambda unit: figures.figures(unit, over))

    async def _counted_over(self) -> Counts:
        """The tickets that are over, as they were counted last: what waits must be seen meanwhile."""
        try:
            self._last_over = await self._over.get()
        except (TimeoutError, DatabaseUnavailable):
            if self._last_over is None:
                raise
        return self._last_over

    async def _find_over(self) -> Counts:
        return await self._units.look(figures.over)

    async def _vital(self) -> Vital:
        problems = (await self._watch.ready()).problems
        parts = {part: part not in problems for part in PARTS}
        failures = self._watch.sync.failures if self._watch.sync is not None else 0
        return Vital(parts, self._watch.sync_lag, failures)

    async def close(self) -> None:
        """End what is under way."""
        await self._figures.close()
        await self._over.close()
        await self._watch.close()
