"""One request to the homeserver: what it answers as JSON, or what went wrong as a :class:`MatrixError`.

nio only carries it. Its own reading of answers raises whatever the standard library raises at a body that a
proxy broke, and loses the error's code where an answer is incomplete.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import quote, urlencode

import aiohttp

from bot.matrix.errors import AlreadyThere, MatrixError, RateLimited, Refused, TokenRejected, Unreachable
from bot.matrix.json_text import parsed
from bot.matrix.nio_alone import nio

TIMEOUT: Final = 30.0
"""Seconds for a request that has no reason to take long."""
_TOKEN_CODES: Final = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED"})
_PASSING_CODES: Final = frozenset(
    {"M_RESOURCE_LIMIT_EXCEEDED", "M_USER_LOCKED", "M_USER_SUSPENDED", "M_CONSENT_NOT_GIVEN"}
)
"""Somebody has to do something at the homeserver; what was refused until then is right again after."""
_SHORTEST_RATE_LIMIT: Final = 0.5
_LONGEST_RATE_LIMIT: Final = 3600.0
_CODE: Final = re.compile(r"[A-Za-z0-9_.]{1,100}")
"""A code is kept, logged and told to the admins: one that is none would not even go into the database."""

Json = dict[str, Any]


def path_of(*parts: str, query: Mapping[str, str] | None = None, version: str = "client/v3") -> str:
    """An endpoint below ``/_matrix``; each part is escaped."""
    path = "/".join(("/_matrix", version, *(quote(part, safe="") for part in parts)))
    return f"{path}?{urlencode(query)}" if query else path


class Transport:
    """Carries requests, each one attempt: nio would retry for ever by itself; here the callers decide."""

    def __init__(self, homeserver: str, user_id: str) -> None:
        config = nio.AsyncClientConfig(
            max_limit_exceeded=0,
            max_timeouts=0,
            request_timeout=TIMEOUT,
            encryption_enabled=False,
            store_sync_tokens=False,
        )
        self._nio = nio.AsyncClient(homeserver, user_id, config=config)
        self.token: str | None = None
        """The access token, once there is one."""

    async def close(self) -> None:
        """Close the connections."""
        await self._nio.close()

    async def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, limit: float = TIMEOUT
    ) -> Json:
        """The object that the homeserver answers with.

        :raises MatrixError: of the kind that fits.
        """
        data = None if body is None else json.dumps(body).encode()
        return _object(*await self.answer(method, path, data, limit=limit))

    async def upload(self, path: str, data: bytes, media_type: str, limit: float) -> Json:
        """POST a file; the object that the homeserver answers with."""
        return _object(*await self.answer("POST", path, data, media_type, limit))

    async def answer(
        self,
        method: str,
        path: str,
        data: bytes | None = None,
        media_type: str = "application/json",
        limit: float = TIMEOUT,
    ) -> tuple[int, object]:
        """Status and value of an answer, whatever it is.

        :raises Unreachable: there is none, or it was cut off.
        """
        headers = {} if data is None else {"Content-Type": media_type}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        tries = _Tries()
        self._nio.client_session = self._nio.client_session or _session()
        try:
            async with asyncio.timeout(limit):
                answer = await self._nio.send(method, path, data, headers, tries, timeout=limit)
                body = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            # A request with a body is none without it.
            arrived = not data or tries.body_begun
            raise Unreachable(type(error).__name__, may_have_arrived=arrived) from error
        if data and answer.status >= 400 and tries.number > 1 + len(answer.history):
            # The first try may have been heard before its connection broke; this answer is to the second.
            raise Unreachable(f"HTTP {answer.status}")
        return answer.status, parsed(body)


@dataclass(slots=True)
class _Tries:
    """What became of a request: aiohttp sends it again where a kept connection breaks, and to where it is
    redirected.
    """

    number: int = 0
    body_begun: bool = False


def _session() -> aiohttp.ClientSession:
    """As nio makes one, but for what it notes of each request."""

    async def headers(_session: object, context: SimpleNamespace, _params: object) -> None:
        context.trace_request_ctx.number += 1

    async def body(_session: object, context: SimpleNamespace, _params: object) -> None:
        context.trace_request_ctx.body_begun = True

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(headers)
    trace.on_request_chunk_sent.append(body)
    return aiohttp.ClientSession(trace_configs=[trace])


def _object(status: int, value: object) -> Json:
    if status != 200 or not isinstance(value, dict):
        raise error_of(status, value)
    return value


def error_of(status: int, value: object) -> MatrixError:
    """What an answer that is not the wanted one means."""
    told = value if isinstance(value, dict) else {}
    code = told.get("errcode")
    code = code if isinstance(code, str) and _CODE.fullmatch(code) else ""
    if status == 429 or code == "M_LIMIT_EXCEEDED":
        return _rate_limited(told.get("retry_after_ms"))
    if code in _TOKEN_CODES:
        return TokenRejected(code)
    if code in _PASSING_CODES:
        return Unreachable(code)
    if code == "M_DUPLICATE_ANNOTATION":
        return AlreadyThere(code)
    # Without a code it is not the homeserver that speaks but a proxy before it, which may get well again.
    if 400 <= status < 500 and status != 408 and code:
        return Refused(code)
    if status == 413:
        return Refused("M_TOO_LARGE")
    return Unreachable(f"HTTP {status}")


def _rate_limited(after: object) -> RateLimited:
    seconds = after / 1000 if isinstance(after, int | float) else 5.0
    return RateLimited(min(max(_SHORTEST_RATE_LIMIT, seconds), _LONGEST_RATE_LIMIT))
