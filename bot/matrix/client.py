"""The account on its homeserver: what it can be asked for, as typed values and typed errors.

The sync is read as JSON: nio's own handling of a batch runs callbacks and moves its token before anything is
safe, and stops at an event that it cannot parse.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from bot.matrix import clean
from bot.matrix.errors import Refused, TokenRejected, Unreachable
from bot.matrix.transport import TIMEOUT, Json, Transport, error_of, path_of

_UPLOAD_TIMEOUT: Final = 120.0
_FIRST_SYNC_TIMEOUT: Final = 300.0
"""For all rooms that the account is in, of which the homeserver has to look up each."""
_MOST_PAGES: Final = 20
TX_KEY: Final = "org.tickettruhe.tx"
"""Key of the transaction id in every event's content: by it an event is recognised in the room."""
ABOUT_KEY: Final = "org.tickettruhe.about"
"""Key of what a message says of itself: a restored database knows nothing else of it."""


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
        self._transport = Transport(login.homeserver, login.user_id)
        self.user_id = login.user_id
        self.device_id = ""

    async def start(self) -> None:
        """Log in, and learn which device this is.

        :raises TokenRejected: the homeserver does not accept the login, or it is another user's.
        """
        self._transport.token = self._login.access_token or await self._logged_in()
        who = await self._transport.ask("GET", path_of("account", "whoami"))
        user_id = _identifier(who, "user_id")
        if user_id != self.user_id:
            raise TokenRejected(f"the token belongs to {user_id}")
        self.device_id = clean.identifier(who.get("device_id")) or ""

    async def _logged_in(self) -> str:
        request = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": self._login.user_id},
            "password": self._login.password,
            "initial_device_display_name": self._login.device_name,
            **({"device_id": self._login.device_id} if self._login.device_id else {}),
        }
        try:
            answer = await self._transport.ask("POST", path_of("login"), request)
        except Refused as error:
            raise TokenRejected(error.code) from error
        return _text(answer, "access_token")

    async def log_out(self) -> None:
        """End this login, so that no unused device stays behind."""
        await self._transport.ask("POST", path_of("logout"), {})

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def sync(self, since: str | None, timeout_ms: int, sync_filter: Mapping[str, Any]) -> Json:
        """One sync, as the homeserver's JSON; it has a token to go on from.

        :raises Unreachable: it has none, so that it would be followed by all that was ever said.
        """
        query = {"timeout": str(timeout_ms), "filter": json.dumps(sync_filter), "set_presence": "offline"}
        query |= {"since": since} if since is not None else {}
        limit = _FIRST_SYNC_TIMEOUT if since is None else timeout_ms / 1000 + TIMEOUT
        answer = await self._transport.ask("GET", path_of("sync", query=query), limit=limit)
        _text(answer, "next_batch")
        return answer

    async def upload(self, data: bytes, media_type: str, name: str) -> str:
        """Put a file into the homeserver's media repository; its ``mxc`` address."""
        path = path_of("upload", query={"filename": name}, version="media/v3")
        address = _text(await self._transport.upload(path, data, media_type, _UPLOAD_TIMEOUT), "content_uri")
        if not address.startswith("mxc://"):
            raise Unreachable("no content_uri")
        return address

    async def send(self, room_id: str, event_type: str, content: Mapping[str, Any], tx_id: str) -> str:
        """Send an event; its id. The same ``tx_id`` again gives the first event back.

        :raises AlreadyThere: a reaction that stands there already, sent under another ``tx_id``.
        """
        return await self.put(room_id, event_type, {**content, TX_KEY: tx_id}, tx_id)

    async def put(self, room_id: str, event_type: str, content: Mapping[str, Any], tx_id: str) -> str:
        """As :meth:`send`, but the content does not say which transaction it is of."""
        path = path_of("rooms", room_id, "send", event_type, tx_id)
        return _identifier(await self._transport.ask("PUT", path, content), "event_id")

    async def redact(self, room_id: str, event_id: str, tx_id: str) -> None:
        """Redact an event; again is harmless."""
        await self._transport.ask("PUT", path_of("rooms", room_id, "redact", event_id, tx_id), {})

    async def join(self, room: str) -> str:
        """Join a room by id or alias; its id."""
        return _identifier(await self._transport.ask("POST", path_of("join", room), {}), "room_id")

    async def leave(self, room_id: str) -> None:
        """Leave a room, or decline its invitation."""
        await self._transport.ask("POST", path_of("rooms", room_id, "leave"), {})

    async def resolve(self, alias: str) -> str:
        """Room id of an alias."""
        return _identifier(await self._transport.ask("GET", path_of("directory", "room", alias)), "room_id")

    async def state(self, room_id: str) -> list[Json]:
        """The room's state events as they are now."""
        status, value = await self._transport.answer("GET", path_of("rooms", room_id, "state"))
        if status != 200 or not isinstance(value, list):
            raise error_of(status, value)
        return _objects(value)

    async def state_event(self, room_id: str, event_type: str) -> Json:
        """The content of one of the room's state events."""
        return await self._transport.ask("GET", path_of("rooms", room_id, "state", event_type, ""))

    async def keys(self, what: str, request: Mapping[str, Any]) -> Json:
        """Upload, query or claim devices' keys: ``/keys/upload`` and so on."""
        return await self._transport.ask("POST", path_of("keys", what), request)

    async def to_device(self, event_type: str, messages: Mapping[str, Any], tx_id: str) -> None:
        """Send to devices: user id → device id → content. The same ``tx_id`` again sends nothing."""
        path = path_of("sendToDevice", event_type, tx_id)
        await self._transport.ask("PUT", path, {"messages": messages})

    async def answer(
        self, method: str, *parts: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, object]:
        """Status and value of an answer, for what is asked for in steps or may be missing."""
        data = None if body is None else json.dumps(body).encode()
        return await self._transport.answer(method, path_of(*parts), data)

    async def page_back(
        self, room_id: str, start: str | None, end: str | None, event_filter: Mapping[str, Any]
    ) -> tuple[list[Json], str | None]:
        """Up to 100 events before ``start`` (``None``: now), newest first, and where the next page starts."""
        query = {"dir": "b", "limit": "100", "filter": json.dumps(event_filter)}
        query |= {"from": start} if start is not None else {}
        query |= {"to": end} if end is not None else {}
        page = await self._transport.ask("GET", path_of("rooms", room_id, "messages", query=query))
        following = clean.text(page.get("end"))
        return _objects(page.get("chunk")), following if following != start else None

    async def rate_limit(self) -> dict[str, Any]:
        """The account's own limit on Synapse, empty if it has none; only an admin of the server is told."""
        user = quote(self.user_id, safe="")
        return await self._transport.ask("GET", f"/_synapse/admin/v1/users/{user}/override_ratelimit")

    async def make_room(self, name: str) -> str:
        """Make a room in which nobody else is; its id."""
        request = {"name": name, "preset": "private_chat"}
        return _identifier(await self._transport.ask("POST", path_of("createRoom"), request), "room_id")

    async def forget(self, room_id: str) -> None:
        """Let the homeserver forget a room that was left."""
        await self._transport.ask("POST", path_of("rooms", room_id, "forget"), {})

    async def own_reaction(self, room_id: str, target: str, key: str) -> str | None:
        """Id of the bot's own reaction with this emoji on an event, if it stands there."""
        following: str | None = None
        parts = ("rooms", room_id, "relations", target, "m.annotation", "m.reaction")
        for _page in range(_MOST_PAGES):
            query = {"limit": "100", **({"from": following} if following else {})}
            page = await self._transport.ask("GET", path_of(*parts, query=query, version="client/v1"))
            for each in _objects(page.get("chunk")):
                if _is_own_reaction(each, self.user_id, key):
                    return clean.identifier(each.get("event_id"))
            following = clean.text(page.get("next_batch"))
            if not following:
                break
        return None


def _is_own_reaction(event: Json, user_id: str, key: str) -> bool:
    content = event.get("content")
    relation = content.get("m.relates_to") if isinstance(content, dict) else None
    mine = event.get("sender") == user_id
    return mine and isinstance(relation, dict) and relation.get("key") == key


def _objects(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _identifier(answer: Json, key: str) -> str:
    """:raises Unreachable: the answer does not hold it, or nothing that could be kept."""
    found = clean.identifier(answer.get(key))
    if found is None:
        raise Unreachable(f"no {key}")
    return found


def _text(answer: Json, key: str) -> str:
    found = answer.get(key)
    if not isinstance(found, str) or not found:
        raise Unreachable(f"no {key}")
    return found
