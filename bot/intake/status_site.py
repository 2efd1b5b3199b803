"""The page behind a requester's link: see where the request stands, write on, withdraw it.

To look changes nothing: mail scanners follow every link. What changes something is a POST with a token from
the page before it, which is good for that link alone.
"""

import asyncio
import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

import structlog
from aiohttp import web

from bot.domain.request import Checker, InvalidFields, NewAttachment
from bot.domain.words import Intake
from bot.intake.bodies import Bodies
from bot.intake.form_token import FormToken, FormTokens
from bot.intake.settings import IntakeSettings
from bot.intake.status_pages import Said, StatusPages
from bot.intake.throttle import Throttle
from bot.intake.uploads import Form, MalformedForm, check_files, read_form
from bot.intake.visitors import language_of, sender_of
from bot.services import status_page
from bot.services.arrivals import NewMessage
from bot.services.intake import RetryKey, fingerprint
from bot.services.letters import AckWish
from bot.services.status_links import PATH
from bot.services.status_page import StatusView
from bot.services.unit import Clock, PagePolicy, Units

REQUEST: Final = f"/{PATH}/{{link}}"
WITHDRAW: Final = f"{REQUEST}/withdraw"

_LINKS: Final = 30
"""So many different links from one address within the form's window are one family's or one office's."""
_MESSAGES: Final = 20
"""So many messages on one request within that window are no conversation, from wherever they come."""
_ROOM: Final = 32 * 1024 * 1024
_CONFIRM_LIMIT: Final = 4 * 1024
_SCOPE: Final = "page"
_SAID: Final = {each.name.lower(): each for each in (Said.SENT, Said.ANEW, Said.WITHDRAWN)}
"""What an address may make a page say: things that a visitor has just done."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Visit:
    """A visit by a link that is good."""

    language: str
    sender: str
    link: str
    view: StatusView


class StatusSite:
    """Answers behind the links."""

    def __init__(
        self, units: Units, settings: IntakeSettings, page: PagePolicy, key: bytes, clock: Clock
    ) -> None:
        self._units = units
        self._settings = settings
        self._page = page
        self._key = key
        self._clock = clock
        self._pages = StatusPages(settings)
        self._bodies = Bodies(max(_ROOM, 2 * settings.max_body))
        window = settings.form.window
        self._links = Throttle(_LINKS, window)
        self._senders = Throttle(settings.form.per_address, window)
        self._requests = Throttle(_MESSAGES, window)

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to the application."""
        return [
            web.get(REQUEST, self._show),
            web.post(REQUEST, self._write),
            web.get(WITHDRAW, self._ask),
            web.post(WITHDRAW, self._withdraw),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        visit = await self._enter(request)
        if isinstance(visit, web.Response):
            return visit
        return self._shown(visit, said=_SAID.get(request.query.get("done", "")))

    async def _write(self, request: web.Request) -> web.Response:
        """Store the message and send the browser on; or show the page again and say why."""
        visit = await self._enter(request)
        if isinstance(visit, web.Response):
            return visit
        try:
            body = await self._bodies.read(request, self._settings.max_body)
            form = await asyncio.to_thread(read_form, request.headers.get("Content-Type", ""), body)
        except web.HTTPRequestEntityTooLarge:
            return self._pages.too_large(visit.language, visit.link)
        except MalformedForm:
            return self._shown(visit, said=Said.NOT_SENT, status=400)
        text, again = form.fields.get("message", ""), bool(form.files)
        token = self._token(visit.link, form.fields.get("token", ""))
        if token is None:
            return self._shown(visit, said=Said.EXPIRED, text=text, again=again, status=400)
        try:
            message = self._checked(form, visit)
        except InvalidFields as error:
            return self._shown(visit, text=text, again=again, errors=error.errors, status=400)
        key = _retry_key(token, message)
        wait = self._admit(visit, key)
        if wait is not None:
            return self._shown(visit, said=Said.BUSY, text=text, again=again, wait=wait, status=429)
        return await self._stored(visit, message, key)

    async def _stored(self, visit: _Visit, message: NewMessage, key: RetryKey) -> web.Response:
        where = await self._units.run(lambda unit: status_page.write(unit, visit.link, message, key))
        if where is None:
            return self._gone(visit.language, "")
        _log.info("page_message", ticket=visit.view.number)
        done = Said.SENT if where == visit.link else Said.ANEW
        return _see(f"{where}?lang={visit.language}&done={done.name.lower()}")

    async def _ask(self, request: web.Request) -> web.Response:
        visit = await self._enter(request, "withdraw")
        if isinstance(visit, web.Response):
            return visit
        if not visit.view.withdrawable:
            return _see(f"../{visit.link}?lang={visit.language}")
        return self._asked(visit)

    async def _withdraw(self, request: web.Request) -> web.Response:
        visit = await self._enter(request, "withdraw")
        if isinstance(visit, web.Response):
            return visit
        body = await self._bodies.read(request, _CONFIRM_LIMIT)
        if self._token(visit.link, _confirmed(body)) is None:
            return self._asked(visit)
        if not await self._units.run(lambda unit: status_page.withdraw(unit, visit.link)):
            return self._gone(visit.language, "withdraw")
        _log.info("page_withdrawal", ticket=visit.view.number)
        return _see(f"../{visit.link}?lang={visit.language}&done={Said.WITHDRAWN.name.lower()}")

    async def _enter(self, request: web.Request, below: str = "") -> _Visit | web.Response:
        """The visit, or the page that says why there is none."""
        language, sender = language_of(request, self._settings), sender_of(request, self._settings)
        link = request.match_info["link"]
        # The links that are tried are counted, not the visits: who reads their own page again and again may.
        wait = self._links.admit(sender, fingerprint(link.encode("utf-8", "replace")), self._clock())
        if wait is not None:
            return self._pages.wait(language, below, wait)
        view = await self._units.look(lambda unit: status_page.view(unit, link))
        return self._gone(language, below) if view is None else _Visit(language, sender, link, view)

    def _gone(self, language: str, below: str) -> web.Response:
        return self._pages.gone(language, below, self._page.lifetime)

    def _shown(self, visit: _Visit, **more: Any) -> web.Response:  # noqa: ANN401 - what the page takes
        token = self._tokens(visit.link).issue(self._clock())
        return self._pages.request(visit.language, visit.view, visit.link, token.text, **more)

    def _asked(self, visit: _Visit) -> web.Response:
        token = self._tokens(visit.link).issue(self._clock())
        return self._pages.ask(visit.language, visit.view, visit.link, token.text)

    def _tokens(self, link: str) -> FormTokens:
        return FormTokens(hmac.digest(self._key, link.encode(), hashlib.sha256))

    def _token(self, link: str, text: str) -> FormToken | None:
        token = self._tokens(link).read(text)
        return None if token is None or token.expired(self._clock()) else token

    def _checked(self, form: Form, visit: _Visit) -> NewMessage:
        """:raises InvalidFields: something is missing or too much."""
        check = Checker()
        text = check.text("message", form.fields.get("message"), required=True)
        check_files(check, form.files, self._settings.max_attachments, self._settings.max_attachment)
        check.finish()
        wish = AckWish(origin=visit.sender)
        return NewMessage(text, Intake.FORM, attachments=tuple(form.files), acknowledge=wish)

    def _admit(self, visit: _Visit, key: RetryKey) -> timedelta | None:
        now = self._clock()
        wait = self._senders.admit(visit.sender, key.key, now)
        return wait or self._requests.admit(str(visit.view.number), key.key, now)


def _retry_key(token: FormToken, message: NewMessage) -> RetryKey:
    """A second tap is the same message; another text in a page that was gone back to is another one."""
    content = [message.text.encode(), *(part for file in message.attachments for part in _parts(file))]
    print_ = fingerprint(b"\0".join(content))
    return RetryKey(_SCOPE, f"{token.id}.{print_[:22]}", print_)


def _parts(file: NewAttachment) -> tuple[bytes, bytes]:
    return file.name.encode(), hashlib.sha256(file.data).digest()


def _confirmed(body: bytes) -> str:
    """The token of the page that asked."""
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), max_num_fields=5)
    except ValueError:
        return ""
    return dict(pairs).get("token", "")


def _see(address: str) -> web.Response:
    # Relative, so that the pages may stand in a folder of a web site.
    return web.Response(status=303, headers={"Location": address})
