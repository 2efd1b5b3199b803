"""The HTTP API: osTicket's calls for a new ticket and for a mail, and a further message on a ticket."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog
from aiohttp import web

from bot.domain.errors import InputProblem, InvalidInput, TickettruheError, UnknownTicket
from bot.domain.request import InvalidFields
from bot.domain.words import Intake
from bot.intake.addresses import client_address
from bot.intake.api_body import MalformedBody, read_message, read_object, read_request
from bot.intake.bodies import Bodies
from bot.intake.email.receiving import receive
from bot.intake.settings import IntakeSettings
from bot.services import apikeys, arrivals, intake
from bot.services.apikeys import Address
from bot.services.arrivals import NewMessage
from bot.services.intake import KeyReused, RetryKey, fingerprint
from bot.services.letters import AckWish
from bot.services.status_links import Proof, status_link
from bot.services.unit import Unit, Units

TICKETS: Final = ("/api/tickets.json", "/api/http.php/tickets.json")
MAILS: Final = ("/api/tickets.email", "/api/http.php/tickets.email")
MESSAGES: Final = r"/api/tickets/{number:[0-9]{1,15}}/messages"

_ROOM: Final = 64 * 1024 * 1024
"""Bytes for all bodies that arrive at the same time; room for two of the largest at least."""
_LARGE: Final = 64 * 1024
"""Bytes that are read in a millisecond or so, whatever they are."""
_RETRY_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
T = TypeVar("T")
_log = structlog.stdlib.get_logger(__name__)

_REASONS: Final = {
    InputProblem.MISSING: "is missing",
    InputProblem.TOO_LONG: "is longer than {limit} characters",
    InputProblem.TOO_MANY: "are more than {limit}",
    InputProblem.TOO_LARGE: "hold more than {limit} bytes in one",
    InputProblem.NOT_TEXT: "is not text",
    InputProblem.NOT_AN_ADDRESS: "is not an e-mail address",
    InputProblem.NOT_A_CHOICE: "is not one of the choices",
    InputProblem.MALFORMED: "cannot be read",
}


@dataclass(frozen=True, slots=True)
class _Call:
    """A call, its body read, with what it says who it is from."""

    presented: str
    address: Address | None
    body: bytes
    retry: str | None

    def admitted(self, unit: Unit, about: str) -> RetryKey | None:
        """Check the key in the commit of what is asked for; gives what makes the call safe to repeat, if the
        client asked for that. ``about`` is what it is for.

        :raises _NotAdmitted: the key is not valid.
        """
        key_id = apikeys.check(unit, self.presented, self.address)
        if key_id is None:
            raise _NotAdmitted
        if self.retry is None:
            return None
        return RetryKey(f"api:{key_id}", self.retry, fingerprint(f"{about}\n".encode() + self.body))


@dataclass(frozen=True, slots=True)
class _Filed:
    """A ticket that took what was sent, and the address of its requester's page."""

    number: int
    link: str | None = None

    def answer(self, request: web.Request) -> web.Response:
        """The bare number, as osTicket answers; more for who asks for JSON."""
        if "application/json" not in request.headers.get("Accept", "").lower():
            return web.Response(status=201, text=str(self.number))
        return web.json_response({"number": self.number, "link": self.link}, status=201)


class _NotAdmitted(TickettruheError):
    """The key is not valid, or not any more."""


class Api:
    """Answers the calls. A 201 follows the commit."""

    def __init__(self, units: Units, settings: IntakeSettings) -> None:
        self._units = units
        self._settings = settings
        self._bodies = Bodies(max(_ROOM, 2 * settings.max_body, 2 * settings.mail.max_size))
        self._good: set[str] = set()
        """Hashes of keys that were valid when they came last: their calls are let in as far as the unit that
        does what they ask for, and checked there. All others are turned away before their body is read.
        """

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to the application."""
        return [
            *(web.post(path, self._answering(self._create)) for path in TICKETS),
            web.post(MESSAGES, self._answering(self._message)),
            *(web.post(path, self._receive) for path in MAILS),
        ]

    def _answering(
        self, handler: Callable[[web.Request, _Call], Awaitable[_Filed]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            presented, address = self._who(request)
            if apikeys.digest(presented) not in self._good:
                await self._check(presented, address)
            try:
                filed = await handler(request, await self._read(request, presented, address))
            except (TickettruheError, web.HTTPException) as error:
                # What is wrong with a request is told only to whoever may send one.
                await self._check(presented, address)
                if isinstance(error, TickettruheError):
                    return _refusal(error)
                raise
            _log.info("intake_accepted", intake=Intake.HTTP.value, ticket=filed.number)
            return filed.answer(request)

        return answer

    def _who(self, request: web.Request) -> tuple[str, Address | None]:
        """The key that a call presents, and where it comes from."""
        forwarded = request.headers.getall("X-Forwarded-For", ())
        address = client_address(request.remote, forwarded, self._settings.trusted_proxies)
        return request.headers.get("X-API-Key", ""), address

    async def _check(self, presented: str, address: Address | None) -> None:
        """:raises web.HTTPUnauthorized: the key is not valid."""
        key_id = await self._units.look(lambda unit: apikeys.check(unit, presented, address))
        if key_id is None:
            self._good.discard(apikeys.digest(presented))
            raise web.HTTPUnauthorized(text="Valid API key required")
        self._good.add(apikeys.digest(presented))

    async def _read(self, request: web.Request, presented: str, address: Address | None) -> _Call:
        retry = request.headers.get("Idempotency-Key")
        if retry is not None and not _RETRY_KEY.fullmatch(retry):
            raise web.HTTPBadRequest(text="Idempotency-Key: 1 to 255 visible ASCII characters")
        body = await self._bodies.read(request, self._settings.max_body)
        return _Call(presented, address, body, retry)

    async def _create(self, _request: web.Request, call: _Call) -> _Filed:
        wanted = await _aside(
            call.body, lambda body: read_request(read_object(body), self._settings, self._units.policy)
        )

        def work(unit: Unit) -> _Filed:
            key = call.admitted(unit, "tickets")
            number = intake.open_ticket(unit, wanted, key=key, acknowledge=AckWish()).number
            # As after the bot's own form: whoever sent it has shown nothing but that.
            return _Filed(number, status_link(unit, number, Proof.FORM))

        return await self._units.run(work)

    async def _receive(self, request: web.Request) -> web.Response:
        """A raw mail, as a mail server's pipe hands it over: whatever comes of it, it is here now."""
        mail = self._settings.mail
        await self._check(*self._who(request))
        body = await self._bodies.read(request, mail.max_size)
        received = await receive(self._units, body, mail.box, mail.limits)
        told = received.fate.value if received.number is None else str(received.number)
        return web.Response(status=201, text=told)

    async def _message(self, request: web.Request, call: _Call) -> _Filed:
        number = int(request.match_info["number"])
        body = await _aside(call.body, lambda body: read_message(read_object(body), self._settings))
        message = NewMessage(body.text, Intake.HTTP, attachments=body.attachments, acknowledge=AckWish())

        def work(unit: Unit) -> _Filed:
            key = call.admitted(unit, f"tickets/{number}/messages")
            # Without a link: whoever has a key would get one to any ticket.
            return _Filed(arrivals.receive_message(unit, number, message, key=key).number)

        return await self._units.run(work)


async def _aside(body: bytes, read: Callable[[bytes], T]) -> T:
    """Read a body; a large one in a thread, so that everything else goes on meanwhile."""
    return read(body) if len(body) < _LARGE else await asyncio.to_thread(read, body)


def _refusal(error: TickettruheError) -> web.Response:
    match error:
        case MalformedBody():
            return web.Response(status=400, text=f"Malformed body: {error}")
        case InvalidFields():
            return web.Response(status=400, text="; ".join(_reason(each) for each in error.errors))
        case KeyReused():
            return web.Response(status=409, text="Idempotency-Key was used for another request")
        case _NotAdmitted():
            return web.Response(status=503, text="Busy, please try again in a moment.")
        case UnknownTicket():
            return web.Response(status=404, text="No such ticket")
        case _:
            raise error


def _reason(error: InvalidInput) -> str:
    return f"{error.field} {_REASONS[error.problem].format(limit=error.limit)}"
