"""The bot's web server: API, contact form and health, with the same care for all answers."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from bot.domain.errors import Conflict, TickettruheError
from bot.intake.api import Api
from bot.intake.form import ContactForm
from bot.intake.form_token import FormTokens
from bot.intake.health import Checks, health_routes
from bot.intake.measured import measuring
from bot.intake.pages import STYLE
from bot.intake.settings import IntakeSettings
from bot.intake.status_site import StatusSite
from bot.services import secrets, status_links
from bot.services.unit import Clock, DatabaseUnavailable, Units, utc_now

_GRACE: Final = 0.8
"""Seconds for requests under way at the end; aiohttp waits twice so long at most."""

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Server": "Tickettruhe",
}
_RETRY_SECONDS: Final = 5
_FORM_KEY: Final = "form"
_PAGE_KEY: Final = "page"

_log = structlog.stdlib.get_logger(__name__)


class CannotListen(TickettruheError):
    """The address is taken, or not this machine's."""

    def __init__(self, address: str, port: int, reason: str) -> None:
        super().__init__(f"{address}:{port}: {reason}")
        self.address = address
        self.port = port
        self.reason = reason


async def build_app(
    units: Units, settings: IntakeSettings, checks: Checks, clock: Clock = utc_now
) -> web.Application:
    """The web application. Reads (at the first start: makes) the form's signing key."""
    app = web.Application(middlewares=[measuring(units.meters), _shield], client_max_size=settings.max_body)
    app.on_response_prepare.append(_add_headers)
    app.add_routes([*health_routes(checks), *Api(units, settings).routes()])
    page = units.policy.page
    if settings.form.enabled or page is not None:
        app.router.add_get("/static/form.css", _style)
    if settings.form.enabled:
        key = await units.run(lambda unit: secrets.ensure(unit, _FORM_KEY))
        form = ContactForm(units, settings, FormTokens(key), clock)
        app.add_routes(
            [web.get("/", form.show), web.post("/", form.submit), web.get("/sent/{token}", form.sent)]
        )
    if page is not None:
        await units.run(status_links.ensure_key)
        key = await units.run(lambda unit: secrets.ensure(unit, _PAGE_KEY))
        app.add_routes(StatusSite(units, settings, page, key, clock).routes())
    return app


@asynccontextmanager
async def serve(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve until the end of the block; yields the bound port (of use if ``port`` is 0).

    At the end no new request is taken; those under way get at most two seconds.

    :raises CannotListen: the address is taken, or not this machine's.
    """
    runner = web.AppRunner(app, access_log=None, logger=_http_logger(), shutdown_timeout=_GRACE)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise CannotListen(host, port, os.strerror(error.errno or 0)) from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@web.middleware
async def _shield(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong: the answer and the log tell nothing of the request's content."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 - the last resort; its text may hold requester data
        resource = request.match_info.route.resource
        path = resource.canonical if resource else "?"
        _log.error("intake_failed", error=type(error).__name__, path=path)
        if isinstance(error, Conflict | DatabaseUnavailable):
            headers = {"Retry-After": str(_RETRY_SECONDS)}
            return web.Response(status=503, text="Busy, please try again in a moment.", headers=headers)
        return web.Response(status=500, text="Something went wrong on our side. Please try again later.")


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")


async def _style(_request: web.Request) -> web.Response:
    # Its address has its hash in it.
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return web.Response(body=STYLE, content_type="text/css", charset="utf-8", headers=headers)


def _http_logger() -> logging.Logger:
    """What aiohttp reports about broken requests; without their content, which it would quote."""
    logger = logging.getLogger(f"{__name__}.http")
    logger.addFilter(_without_content)
    return logger


def _without_content(record: logging.LogRecord) -> bool:
    """Tell the kind of trouble in the record's place; what is no HTTP comes from scanners every day."""
    kind = record.exc_info[0] if record.exc_info else None
    error = kind.__name__ if kind else record.levelname
    if kind is None or not issubclass(kind, HttpProcessingError):
        _log.error("http_fault", error=error)
    else:
        _log.info("request_broken", error=error)
    return False
