"""Tells the meters of each request: what it was for, how it was answered, how long that took."""

import time
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.intake.api import MAILS, TICKETS
from bot.intake.status_site import REQUEST, WITHDRAW
from bot.meters import Meters

_KINDS: Final = {
    **{("POST", path): "ticket" for path in TICKETS},
    **{("POST", path): "mail" for path in MAILS},
    ("POST", "/api/tickets/{number}/messages"): "message",
    ("POST", "/"): "form",
    ("GET", REQUEST): "page",
    ("POST", REQUEST): "page_message",
    ("POST", WITHDRAW): "page_withdrawal",
}
"""By method and canonical path of the route: number and link of what was asked for are nobody's business."""


def measuring(meters: Meters) -> Middleware:
    """A middleware, to be the outermost. It counts what is sent in; of pages that are only looked at those
    behind links alone, where many refusals tell of somebody who guesses.
    """

    @web.middleware
    async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        kind = None if resource is None else _KINDS.get((request.method, resource.canonical))
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
