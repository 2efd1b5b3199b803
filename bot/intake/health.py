"""Whether the bot lives, for whatever watches it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Health:
    """``problems``: part (``sync``, ``database``) → why it does not work; none: all is well."""

    problems: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


HealthCheck = Callable[[], Awaitable[Health]]


def health_route(check: HealthCheck) -> web.RouteDef:
    """``/healthz``: 200 or 503, with the reasons as JSON."""

    async def answer(_request: web.Request) -> web.Response:
        problems = dict((await check()).problems)
        body = {"status": "failing", "problems": problems} if problems else {"status": "ok"}
        headers = {"Cache-Control": "no-store"}
        return web.json_response(body, status=503 if problems else 200, headers=headers)

    return web.get("/healthz", answer)
