"""Whether the bot lives and is ready, for whatever watches it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from aiohttp import web
from aiohttp.typedefs import Handler


@dataclass(frozen=True, slots=True)
class Health:
    """``problems``: part (``sync``, ``database``) → why it does not work; none: all is well."""

    problems: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


HealthCheck = Callable[[], Awaitable[Health]]


@dataclass(frozen=True, slots=True)
class Checks:
    """``alive``: whether the process can do its work; ``ready``: whether all that it needs is there."""

    alive: HealthCheck
    ready: HealthCheck


def health_routes(checks: Checks) -> list[web.RouteDef]:
    """``/healthz`` and ``/readyz``: 200 or 503, with the reasons as JSON."""
    return [web.get("/healthz", _answering(checks.alive)), web.get("/readyz", _answering(checks.ready))]


def _answering(check: HealthCheck) -> Handler:
    async def answer(_request: web.Request) -> web.StreamResponse:
        problems = dict((await check()).problems)
        body = {"status": "failing", "problems": problems} if problems else {"status": "ok"}
        headers = {"Cache-Control": "no-store"}
        return web.json_response(body, status=503 if problems else 200, headers=headers)

    return answer
