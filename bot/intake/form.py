"""The public contact form: works without JavaScript, and keeps what was entered whatever goes wrong."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qsl

import structlog
from aiohttp import web

from bot.domain.errors import InputProblem
from bot.domain.request import Checker, InvalidFields, NewRequest, check_request
from bot.domain.words import Intake
from bot.intake.bodies import Bodies
from bot.intake.form_fields import HONEYPOT, NAMES
from bot.intake.form_pages import FormPages, Notice
from bot.intake.form_token import FormToken, FormTokens
from bot.intake.pages import waiting
from bot.intake.settings import IntakeSettings
from bot.intake.throttle import Throttle
from bot.intake.visitors import language_of, sender_of
from bot.services import intake, status_links
from bot.services.intake import RetryKey
from bot.services.letters import AckWish
from bot.services.status_links import Proof
from bot.services.unit import Clock, Unit, Units

_BODY_LIMIT: Final = 512 * 1024
"""The longest message in signs of four bytes, percent-encoded, with room for the rest."""
_ROOM: Final = 16 * 1024 * 1024
"""Bytes for all forms that arrive at the same time: some thousand usual ones."""
_FIELD_COUNT: Final = 50
_SCOPE: Final = "form"
Entered = Mapping[str, str]

_log = structlog.stdlib.get_logger(__name__)


class ContactForm:
    """Shows the form, files what is sent, and shows the number."""

    def __init__(self, units: Units, settings: IntakeSettings, tokens: FormTokens, clock: Clock) -> None:
        self._units = units
        self._settings = settings
        self._tokens = tokens
        self._clock = clock
        self._pages = FormPages(settings)
        self._bodies = Bodies(_ROOM)
        self._throttle = Throttle(settings.form.per_address, settings.form.window)

    async def show(self, request: web.Request) -> web.Response:
        """An empty form."""
        return self._pages.form(self._language(request), self._tokens.issue(self._clock()).text)

    async def submit(self, request: web.Request) -> web.Response:
        """File the request, and send the browser on to the result; or show the form again and say why."""
        language = self._language(request)
        try:
            entered = _entered(await self._bodies.read(request, _BODY_LIMIT))
        except web.HTTPRequestEntityTooLarge:
            return self._pages.problem(language, Notice.TOO_LARGE, 413)
        token = self._tokens.read(entered.get("token", ""))
        if token is not None and await self._number(token) is not None:
            return _see_result(token, language)
        now = self._clock()
        if token is None or token.expired(now):
            fresh = self._tokens.issue(now)
            return self._pages.form(language, fresh.text, entered, notice=Notice.EXPIRED, status=400)
        if entered.get(HONEYPOT):
            return self._pages.form(language, token.text, entered, notice=Notice.ONCE_MORE, status=400)
        try:
            wanted = self._checked(entered)
        except InvalidFields as error:
            return self._pages.form(language, token.text, entered, errors=error.errors, status=400)
        wait = self._throttle.admit(self._sender(request), token.id, now)
        if wait is not None:
            return self._wait(language, token, entered, wait)
        await self._file(replace(wanted, language=language), token, self._sender(request))
        return _see_result(token, language)

    async def sent(self, request: web.Request) -> web.Response:
        """The number of what was sent, and for a day the link to the request's own page.

        Nothing else, and later the number alone: the address of this page may be passed on.
        """
        language = self._language(request)
        token = self._tokens.read(request.match_info["token"])
        number = await self._number(token) if token else None
        if token is None or number is None:
            return self._pages.problem(language, Notice.NOT_FOUND, 404)
        if token.expired(self._clock()):
            return self._pages.sent(language, number, None)
        link = await self._units.look(lambda unit: status_links.issue(unit, number, Proof.FORM))
        return self._pages.sent(language, number, link)

    def _language(self, request: web.Request) -> str:
        return language_of(request, self._settings)

    def _sender(self, request: web.Request) -> str:
        return sender_of(request, self._settings)

    def _checked(self, entered: Entered) -> NewRequest:
        check = Checker()
        if self._settings.topics and not entered.get("topic"):
            check.refuse("topic", InputProblem.MISSING)
        for field, choices in (("topic", self._settings.topics), ("region", self._settings.regions)):
            if entered.get(field) and entered[field] not in {choice.key for choice in choices}:
                check.refuse(field, InputProblem.NOT_A_CHOICE)
        return check_request(entered, Intake.FORM, check=check)

    def _wait(self, language: str, token: FormToken, entered: Entered, wait: timedelta) -> web.Response:
        page = self._pages.form(language, token.text, entered, notice=Notice.WAIT, wait=wait, status=429)
        return waiting(page, wait)

    async def _file(self, wanted: NewRequest, token: FormToken, origin: str) -> None:
        def work(unit: Unit) -> intake.Accepted:
            wish = AckWish(origin=origin)
            return intake.open_ticket(unit, wanted, key=_retry_key(token), acknowledge=wish)

        accepted = await self._units.run(work)
        _log.info("intake_accepted", intake=Intake.FORM.value, ticket=accepted.number)

    async def _number(self, token: FormToken) -> int | None:
        earlier = await self._units.look(lambda unit: intake.replayed(unit, _retry_key(token)))
        return earlier.number if earlier else None


def _retry_key(token: FormToken) -> RetryKey:
    # One token is one request, whatever is in it: the second tap must not fail.
    return RetryKey(_SCOPE, token.id, intake.fingerprint(token.id.encode()))


def _see_result(token: FormToken, language: str) -> web.Response:
    # Relative, so that the form may stand in a folder of a web site.
    return web.Response(status=303, headers={"Location": f"sent/{token.text}?lang={language}"})


def _entered(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"),
            keep_blank_values=True,
            errors="replace",
            max_num_fields=_FIELD_COUNT,
        )
    except ValueError as error:
        raise web.HTTPBadRequest(text="Too many fields") from error
    return {name: value for name, value in pairs if name in (*NAMES, HONEYPOT, "token")}
