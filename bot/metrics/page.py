"""The page that Prometheus reads."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from bot.metrics.state import State, Vital
from bot.recent import Recent
from bot.services.figures import Figures
from bot.services.unit import DatabaseUnavailable

PATH: Final = "/metrics"


class Page:
    """Finds out how the bot stands, and tells it together with what was counted."""

    def __init__(
        self,
        registry: CollectorRegistry,
        state: State,
        vital: Callable[[], Awaitable[Vital]],
        figures: Recent[Figures],
    ) -> None:
        self._registry = registry
        self._state = state
        self._vital = vital
        self._figures = figures
        registry.register(state)
        ProcessCollector(registry=registry)

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [web.get(PATH, self._answer)]

    async def _answer(self, request: web.Request) -> web.Response:
        self._state.vital = await self._vital()
        try:
            self._state.figures = await self._figures.get()
        except (TimeoutError, DatabaseUnavailable):
            self._state.figures = None
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        headers = {"Content-Type": content_type, "Cache-Control": "no-store"}
        # Hundreds of series take a while to write down; the loop has commands to answer meanwhile.
        return web.Response(body=await asyncio.to_thread(encode, self._registry), headers=headers)
