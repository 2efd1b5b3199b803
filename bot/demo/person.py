"""People of the demo at their Matrix clients: plain client-server API over HTTP."""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import quote

import aiohttp
from yarl import URL

from bot.demo.errors import Refused
from bot.demo.homeserver import Account

Event: TypeAlias = Mapping[str, Any]
"""An event as the homeserver tells it (spec: "Room event format")."""
LONG_POLL: Final = 20.0
_PAGE: Final = 500


class Person:
    """One account. Every method raises :class:`Refused` if the homeserver does not allow it, and aiohttp's
    ``ClientError`` or ``TimeoutError`` if it does not answer."""

    def __init__(self, session: aiohttp.ClientSession, url: str, account: Account) -> None:
        self._session = session
        self._url = url
        self._account = account

    @property
    def user_id(self) -> str:
        """The person's Matrix id."""
        return self._account.user_id

    async def create_room(self, name: str, alias: str, invite: Sequence[str], moderator: str) -> str:
        """Makes a room that the bot accepts as a team room: invite-only, closed to guests. Returns its id."""
        closed = {"type": "m.room.guest_access", "state_key": "", "content": {"guest_access": "forbidden"}}
        body = {
            "name": name,
            "room_alias_name": alias,
            "preset": "private_chat",
            "invite": list(invite),
            "initial_state": [closed],
            # In rooms of version 12 the creator must not stand here: they may do everything anyway.
            "power_level_content_override": {"users": {moderator: 50}},
        }
        return str((await self._call("POST", "createRoom", body=body))["room_id"])

    async def join(self, room: str) -> None:
        """Joins a room that the person is invited to."""
        await self._call("POST", "join", room, body={})

    async def say(self, room: str, text: str, thread: str | None = None) -> str:
        """Sends a message as clients do, into a thread if one is named; returns its event id."""
        body: dict[str, Any] = {"msgtype": "m.text", "body": text, "m.mentions": {}}
        if thread is not None:
            reply = {"m.in_reply_to": {"event_id": thread}, "is_falling_back": True}
            body["m.relates_to"] = {"rel_type": "m.thread", "event_id": thread, **reply}
        return await self._send(room, "m.room.message", body)

    async def tap(self, room: str, event_id: str, key: str) -> str:
        """Taps a reaction; returns the tap's event id."""
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
        return await self._send(room, "m.reaction", {"m.relates_to": relation})

    async def _send(self, room: str, event_type: str, body: Mapping[str, Any]) -> str:
        path = ("rooms", room, "send", event_type, uuid.uuid4().hex)
        return str((await self._call("PUT", *path, body=body))["event_id"])

    async def timeline(self, room: str) -> list[Event]:
        """The room's whole history, oldest first."""
        events: list[Event] = []
        start: str | None = None
        while True:
            query = {"dir": "b", "limit": str(_PAGE), **({"from": start} if start else {})}
            answer = await self._call("GET", "rooms", room, "messages", query=query)
            events += answer["chunk"]
            start = answer.get("end")
            if start is None:
                return events[::-1]

    async def sync(self, rooms: Sequence[str], since: str | None) -> Mapping[str, Any]:
        """What happened in the rooms since then: waits for it, for ``LONG_POLL`` seconds at most."""
        nothing = {"not_types": ["*"]}
        timeline = {"limit": 100 if since else 1}
        room = {"rooms": list(rooms), "timeline": timeline, "ephemeral": nothing, "account_data": nothing}
        query = {"filter": json.dumps({"presence": nothing, "account_data": nothing, "room": room})}
        if since is not None:
            query |= {"since": since, "timeout": str(int(LONG_POLL * 1000))}
        return await self._call("GET", "sync", query=query)

    async def _call(
        self,
        method: str,
        *path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        address = "/".join((self._url, "_matrix/client/v3", *(quote(part, safe="") for part in path)))
        async with self._session.request(
            method,
            URL(address, encoded=True).with_query(query),
            json=body,
            headers={"Authorization": f"Bearer {self._account.access_token}"},
        ) as response:
            answer: dict[str, Any] = await response.json()
            if response.status >= 400:
                raise Refused(f"{response.status} {answer.get('errcode', '')}: {answer.get('error', '')}")
            return answer
