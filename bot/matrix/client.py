"""The one thin adapter around matrix-nio: typed errors instead of error objects, one attempt per call.

nio retries for ever by itself; here every wait is bounded and the callers decide. The sync is read as JSON:
nio's own handling of a batch runs callbacks and moves its token before anything is safe, and stops at an
event that it cannot parse.
"""

import asyncio
import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import nio

from bot.matrix.errors import AlreadyThere, MatrixError, RateLimited, Refused, TokenRejected, Unreachable

_TIMEOUT: Final = 30.0
_UPLOAD_TIMEOUT: Final = 120.0
_TOKEN_CODES: Final = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED"})
_PASSING_CODES: Final = frozenset(
    {"M_RESOURCE_LIMIT_EXCEEDED", "M_USER_LOCKED", "M_USER_SUSPENDED", "M_CONSENT_NOT_GIVEN"}
)
"""Somebody has to do something at the homeserver; what was refused until then is right again after."""
_SHORTEST_RATE_LIMIT: Final = 0.5
_LONGEST_RATE_LIMIT: Final = 3600.0
_MOST_PAGES: Final = 20
TX_KEY: Final = "org.tickettruhe.tx"
"""Key of the transaction id in every event's content: by it an event is recognised in the room."""

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Login:
    """Way into the account: a token, or a password for which the homeserver gives one."""

    homeserver: str
    user_id: str
    access_token: str | None = None
    password: str | None = None
    device_id: str | None = None
    device_name: str = "Tickettruhe"


class MatrixClient:
    """The account on its homeserver. Whatever the network does, a :class:`MatrixError` is raised."""

    def __init__(self, login: Login) -> None:
        self._login = login
        config = nio.AsyncClientConfig(
            max_limit_exceeded=0,
            max_timeouts=0,
            request_timeout=_TIMEOUT,
            encryption_enabled=False,
            store_sync_tokens=False,
        )
        self._nio = nio.AsyncClient(
            login.homeserver, login.user_id, device_id=login.device_id or "", config=config
        )
        self.user_id = login.user_id
        self.device_id = ""

    async def start(self) -> None:
        """Log in, and learn which device this is.

        :raises TokenRejected: the homeserver does not accept the login, or it is another user's.
        """
        if self._login.access_token is not None:
            self._nio.access_token = self._login.access_token
            self._nio.user_id = self._login.user_id
        else:
            answer = await _call(self._nio.login(self._login.password, self._login.device_name))
            if isinstance(answer, nio.LoginError):
                error = await _error_of(answer)
                raise TokenRejected(error.code) if isinstance(error, Refused) else error
        who = await self._checked(self._nio.whoami(), nio.WhoamiResponse)
        if who.user_id != self.user_id:
            raise TokenRejected(f"the token belongs to {who.user_id}")
        self.device_id = who.device_id or ""

    async def log_out(self) -> None:
        """End this login, so that no unused device stays behind."""
        await self._checked(self._nio.logout(), nio.LogoutResponse)

    async def close(self) -> None:
        """Close the connections."""
        await self._nio.close()

    async def sync(
        self, since: str | None, timeout_ms: int, sync_filter: Mapping[str, Any]
    ) -> dict[str, Any]:
        """One sync, as the homeserver's JSON."""
        query = {"timeout": str(timeout_ms), "filter": json.dumps(sync_filter), "set_presence": "offline"}
        query |= {"since": since} if since is not None else {}
        return await self._json(f"/_matrix/client/v3/sync?{urlencode(query)}", timeout_ms / 1000 + _TIMEOUT)

    async def upload(self, data: bytes, media_type: str, name: str) -> str:
        """Put a file into the homeserver's media repository; its ``mxc`` address."""
        path = f"/_matrix/media/v3/upload?{urlencode({'filename': name})}"
        answer = await self._json(path, _UPLOAD_TIMEOUT, data, media_type)
        address = answer.get("content_uri")
        if not isinstance(address, str) or not address.startswith("mxc://"):
            raise Unreachable("no content_uri")
        return address

    async def _json(
        self, path: str, limit: float, data: bytes | None = None, media_type: str = ""
    ) -> dict[str, Any]:
        """GET, or POST if there is something to send; the answer's object."""
        status, parsed = await self._answer(path, limit, data, media_type)
        if status != 200 or not isinstance(parsed, dict):
            raise _error(status, parsed if isinstance(parsed, dict) else {})
        return parsed

    async def _answer(
        self, path: str, limit: float, data: bytes | None = None, media_type: str = ""
    ) -> tuple[int, object]:
        headers = {"Authorization": f"Bearer {self._nio.access_token}"}
        method = "GET"
        if data is not None:
            method, headers["Content-Type"] = "POST", media_type
        try:
            async with asyncio.timeout(limit):
                answer = await self._nio.send(method, path, data, headers, timeout=limit)
                body = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unreachable(type(error).__name__) from error
        return answer.status, _parsed(body)

    async def send(self, room_id: str, event_type: str, content: Mapping[str, Any], tx_id: str) -> str:
        """Send an event; its id. The same ``tx_id`` again gives the first event back.

        :raises AlreadyThere: a reaction that stands there already, sent under another ``tx_id``.
        """
        sent = await self._checked(
            self._nio.room_send(room_id, event_type, {**content, TX_KEY: tx_id}, tx_id=tx_id),
            nio.RoomSendResponse,
        )
        return str(sent.event_id)

    async def redact(self, room_id: str, event_id: str, tx_id: str) -> None:
        """Redact an event; again is harmless."""
        await self._checked(self._nio.room_redact(room_id, event_id, tx_id=tx_id), nio.RoomRedactResponse)

    async def join(self, room: str) -> str:
        """Join a room by id or alias; its id."""
        joined = await self._checked(self._nio.join(room), nio.JoinResponse)
        return str(joined.room_id)

    async def leave(self, room_id: str) -> None:
        """Leave a room, or decline its invitation."""
        await self._checked(self._nio.room_leave(room_id), nio.RoomLeaveResponse)

    async def resolve(self, alias: str) -> str:
        """Room id of an alias."""
        found = await self._checked(self._nio.room_resolve_alias(alias), nio.RoomResolveAliasResponse)
        return str(found.room_id)

    async def state(self, room_id: str) -> list[dict[str, Any]]:
        """The room's state events as they are now; nio would refuse all because of one that is odd."""
        path = f"/_matrix/client/v3/rooms/{quote(room_id, safe='')}/state"
        status, parsed = await self._answer(path, _TIMEOUT)
        if status != 200 or not isinstance(parsed, list):
            raise _error(status, parsed if isinstance(parsed, dict) else {})
        return [event for event in parsed if isinstance(event, dict)]

    async def page_back(
        self, room_id: str, start: str | None, end: str | None, event_filter: Mapping[str, Any]
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Up to 100 events before ``start`` (``None``: now), newest first, and where the next page starts."""
        query = {"dir": "b", "limit": "100", "filter": json.dumps(event_filter)}
        query |= {"from": start} if start is not None else {}
        query |= {"to": end} if end is not None else {}
        path = f"/_matrix/client/v3/rooms/{quote(room_id, safe='')}/messages?{urlencode(query)}"
        page = await self._json(path, _TIMEOUT)
        chunk = page.get("chunk")
        following = page.get("end")
        return (
            [event for event in chunk if isinstance(event, dict)] if isinstance(chunk, list) else [],
            following if isinstance(following, str) and following != start else None,
        )

    async def own_reaction(self, room_id: str, target: str, key: str) -> str | None:
        """Id of the bot's own reaction with this emoji on an event, if it stands there."""
        following: str | None = None
        for _page in range(_MOST_PAGES):
            query = {"limit": "100", **({"from": following} if following is not None else {})}
            room, event = quote(room_id, safe=""), quote(target, safe="")
            path = f"/_matrix/client/v1/rooms/{room}/relations/{event}/m.annotation/m.reaction"
            page = await self._json(f"{path}?{urlencode(query)}", _TIMEOUT)
            chunk, following = page.get("chunk"), page.get("next_batch")
            for each in chunk if isinstance(chunk, list) else []:
                if _is_own_reaction(each, self.user_id, key):
                    return str(each.get("event_id"))
            if not isinstance(following, str):
                break
        return None

    async def _checked(self, request: Awaitable[Any], expected: type[R]) -> R:
        answer = await _call(request)
        if isinstance(answer, expected):
            return answer
        raise await _error_of(answer)


async def _call(request: Awaitable[R]) -> R:
    try:
        async with asyncio.timeout(_TIMEOUT):
            return await request
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unreachable(type(error).__name__) from error


def _is_own_reaction(event: object, user_id: str, key: str) -> bool:
    if not isinstance(event, dict) or event.get("sender") != user_id:
        return False
    content = event.get("content")
    relation = content.get("m.relates_to") if isinstance(content, dict) else None
    return isinstance(relation, dict) and relation.get("key") == key


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


async def _error_of(answer: object) -> MatrixError:
    """nio gives errors as objects that lose the code of an incomplete answer: that is read here again."""
    transport = getattr(answer, "transport_response", None)
    if transport is None:
        return Unreachable(type(answer).__name__)
    body = _parsed(await _call(transport.read()))
    return _error(transport.status, body if isinstance(body, dict) else {})


def _error(status: int, body: Mapping[str, Any]) -> MatrixError:
    code = body.get("errcode")
    code = code if isinstance(code, str) else ""
    if status == 429 or code == "M_LIMIT_EXCEEDED":
        after = body.get("retry_after_ms")
        seconds = after / 1000 if isinstance(after, int | float) else 5.0
        return RateLimited(min(max(_SHORTEST_RATE_LIMIT, seconds), _LONGEST_RATE_LIMIT))
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
