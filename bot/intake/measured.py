"""Tells the meters of each request: what it was for, how it was answered, how long that took."""

import time
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.intake.api import MAILS, TICKETS
from bot.meters import Meters

_KINDS: Final = {
    **dict.fromkeys(TICKETS, "ticket"),
    **dict.fromkeys(MAILS, "mail"),
    "/api/tickets/{number}/messages": "message",
    "/": "form",
}
"""Canonical paths of the routes: what was asked for itself, with its number, is nobody's business."""


def measuring(meters: Meters) -> Middleware:
    """A middleware, to be the outermost. It counts what is sent in, not pages that are only looked at."""

    @web.middleware
    async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        kind = _KINDS.get(resource.canonical) if resource is not None and request.method == "POST" else None
        if kind is None:
            return await handler(request)
        began = time.perf_counter()
        try:
            response = await handler(request)
        except web.HTTPException as refusal:
            meters.request(kind, refusal.status, time.perf_counter() - began)
            raise
        meters.request(kind, response.status, time.perf_counter() - began)
        return response

    return measured
