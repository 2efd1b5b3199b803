"""People with a Matrix client of their own: what they do in rooms, and what they then see there.

Plain client-server API over HTTP, so that the tests and the bot share no Matrix library.
"""
# ruff: noqa: ASYNC109 - a test says how long it waits; the transcript of a failure is made inside the wait

import asyncio
import json
import secrets
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import aiohttp
from yarl import URL

from bot.demo.homeserver import Account, Homeserver
from tests.timeline import Event, Shown, rendered, shown

_LONG_POLL: Final = 5.0
_PAGE: Final = 500
_FORMAT: Final = "org.matrix.custom.html"
_Item = TypeVar("_Item")


class MatrixRefusal(Exception):
    """The homeserver refused a request."""

    def __init__(self, status: int, errcode: str, message: str) -> None:
        super().__init__(f"{status} {errcode}: {message}")
        self.status = status
        self.errcode = errcode


@dataclass
class History:
    """What a client has of a room: its events, and the token from which it goes on."""

    since: str
    events: Sequence[Event]


class Human:
    """One person at one client. Every wait is bounded and, where it fails, shows the room."""

    def __init__(self, session: aiohttp.ClientSession, server: Homeserver, account: Account) -> None:
        self._session = session
        self._server = server
        self._account = account
        self._rooms: dict[str, History] = {}

    @property
    def user_id(self) -> str:
        """The person's Matrix id."""
        return self._account.user_id

    @property
    def access_token(self) -> str:
        """For a second client of the same person."""
        return self._account.access_token

    def fresh(self) -> "Human":
        """The same person at a client that has seen nothing yet."""
        return type(self)(self._session, self._server, self._account)

    # Rooms

    async def create_room(
        self,
        name: str,
        *,
        alias: str | None = None,
        invite: Sequence["Human | str"] = (),
        encrypted: bool = False,
        preset: str = "private_chat",
        guest_access: str = "forbidden",
        history_visibility: str = "shared",
        initial_state: Sequence[Mapping[str, Any]] = (),
        **extra: Any,
    ) -> str:
        """Makes a room, by default as a team room is: invite-only and closed to guests. Returns its id."""
        state = [
            _state("m.room.guest_access", guest_access=guest_access),
            _state("m.room.history_visibility", history_visibility=history_visibility),
            *([_state("m.room.encryption", algorithm="m.megolm.v1.aes-sha2")] if encrypted else []),
            *initial_state,
        ]
        request = {
            "name": name,
            "preset": preset,
            "invite": [id_of(guest) for guest in invite],
            "initial_state": state,
            **({"room_alias_name": alias} if alias else {}),
            **extra,
        }
        return str((await self.call("POST", "createRoom", body=request))["room_id"])

    async def direct_chat_with(self, other: "Human | str") -> str:
        """Opens a direct chat: the other is invited and joins or does not. Returns the room's id."""
        return await self.create_room("", preset="trusted_private_chat", invite=[other], is_direct=True)

    async def join(self, room_or_alias: str) -> str:
        """Joins; returns the room's id."""
        return str((await self.call("POST", "join", room_or_alias, body={}))["room_id"])

    async def leave(self, room: str) -> None:
        """Leaves the room or declines the invite."""
        await self.call("POST", "rooms", room, "leave", body={})

    async def invite(self, room: str, other: "Human | str") -> None:
        """Invites a person or the bot."""
        await self.call("POST", "rooms", room, "invite", body={"user_id": id_of(other)})

    async def kick(self, room: str, other: "Human | str") -> None:
        """Removes a person or the bot."""
        await self.call("POST", "rooms", room, "kick", body={"user_id": id_of(other)})

    async def members(self, room: str) -> frozenset[str]:
        """The ids of those who are joined."""
        return frozenset((await self.call("GET", "rooms", room, "joined_members"))["joined"])

    async def send_state(
        self, room: str, event_type: str, content: Mapping[str, Any], state_key: str = ""
    ) -> str:
        """Sets a room's state; returns the event's id."""
        answer = await self.call("PUT", "rooms", room, "state", event_type, state_key, body=content)
        return str(answer["event_id"])

    # Messages

    async def say(
        self,
        room: str,
        text: str,
        *,
        thread: str | None = None,
        reply_to: str | None = None,
        mentions: Sequence["Human | str"] = (),
        formatted: str | None = None,
        msgtype: str = "m.text",
    ) -> str:
        """Sends a message as current clients do; returns its event id. ``thread`` is the root's event id."""
        content = _text(text, formatted, msgtype) | {"m.mentions": _mentions(mentions)}
        relation: dict[str, Any] = {}
        if thread is not None:
            relation = {"rel_type": "m.thread", "event_id": thread, "is_falling_back": reply_to is None}
        if reply_to or thread:
            relation["m.in_reply_to"] = {"event_id": reply_to or thread}
        if relation:
            content["m.relates_to"] = relation
        return await self.send(room, "m.room.message", content)

    async def edit(self, room: str, event_id: str, text: str, *, formatted: str | None = None) -> str:
        """Replaces an own message; returns the id of the edit."""
        content = _text(f"* {text}", formatted and f"* {formatted}", "m.text") | {
            "m.mentions": {},
            "m.new_content": _text(text, formatted, "m.text") | {"m.mentions": {}},
            "m.relates_to": {"rel_type": "m.replace", "event_id": event_id},
        }
        return await self.send(room, "m.room.message", content)

    async def react(self, room: str, event_id: str, key: str) -> str:
        """Taps a reaction; returns the id of the tap, by which it can be redacted."""
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
        return await self.send(room, "m.reaction", {"m.relates_to": relation})

    async def redact(self, room: str, event_id: str) -> None:
        """Removes a message or takes a tap back."""
        await self.call("PUT", "rooms", room, "redact", event_id, uuid.uuid4().hex, body={})

    async def send(self, room: str, event_type: str, content: Mapping[str, Any]) -> str:
        """Sends any event, also one that no decent client would; returns its id."""
        answer = await self.call("PUT", "rooms", room, "send", event_type, uuid.uuid4().hex, body=content)
        return str(answer["event_id"])

    # Looking

    async def timeline(self, room: str) -> list[Event]:
        """The whole history that the person may read, oldest first."""
        events: list[Event] = []
        start: str | None = None
        while True:
            page = {"dir": "b", "limit": str(_PAGE), **({"from": start} if start else {})}
            answer = await self.call("GET", "rooms", room, "messages", query=page)
            events += map(Event.read, answer["chunk"])
            start = answer.get("end")
            if start is None:
                return events[::-1]

    async def sees(self, room: str) -> list[Shown]:
        """The room's messages as they look now, oldest first."""
        return shown((await self._caught_up(room)).events)

    async def reactions_on(self, room: str, event_id: str) -> Mapping[str, frozenset[str]]:
        """Who tapped what on a message: key → user ids."""
        return next((seen.reactions for seen in await self.sees(room) if seen.event_id == event_id), {})

    async def transcript(self, room: str) -> str:
        """The room as text."""
        return rendered(await self.sees(room))

    # Waiting

    async def wait_for(
        self, room: str, wanted: Callable[[Event], bool], *, timeout: float = 10, description: str = ""
    ) -> Event:
        """The first event, there or still to come, that is wanted. Fails with the room's transcript."""
        return await self._until(room, lambda events: events, wanted, timeout, description)

    async def wait_to_see(
        self, room: str, wanted: Callable[[Shown], bool], *, timeout: float = 10, description: str = ""
    ) -> Shown:
        """The first message that looks as wanted, edits and reactions included; else as :meth:`wait_for`."""
        return await self._until(room, shown, wanted, timeout, description)

    async def wait_for_reaction(
        self, room: str, event_id: str, key: str, sender: "Human | str", *, timeout: float = 10
    ) -> None:
        """Until ``sender`` has tapped ``key`` on the message."""
        await self.wait_to_see(
            room,
            lambda seen: seen.event_id == event_id and id_of(sender) in seen.reactions.get(key, ()),
            timeout=timeout,
            description=f"{key} by {id_of(sender)} on {event_id}",
        )

    async def wait_for_notice_reply(self, room: str, event_id: str, *, timeout: float = 10) -> Shown:
        """The notice by which somebody else answers the message."""
        return await self.wait_to_see(
            room,
            lambda seen: (
                seen.reply_to == event_id and seen.msgtype == "m.notice" and seen.sender != self.user_id
            ),
            timeout=timeout,
            description=f"a notice in reply to {event_id}",
        )

    async def stays_quiet(self, room: str, seconds: float = 1, *, since: str | None = None) -> None:
        """Fails if others do anything within that time.

        :param since: an event id; what came after it counts too. Without it an answer that was quicker than
            this call goes unnoticed.
        """
        known: int | None = None
        try:
            async with asyncio.timeout(seconds), aclosing(self._watch(room)) as histories:
                async for events in histories:
                    if known is None:
                        ids = [event.event_id for event in events]
                        known = len(events) if since is None else ids.index(since) + 1
                    loud = [event for event in events[known:] if event.sender != self.user_id]
                    if loud:
                        break
        except TimeoutError:
            return
        what = "\n".join(f"{event.sender} {event.type} {json.dumps(event.content)}" for event in loud)
        raise AssertionError(f"{room} did not stay quiet:\n{what}\n\n{await self.transcript(room)}")

    async def _until(
        self,
        room: str,
        look: Callable[[Sequence[Event]], Sequence[_Item]],
        wanted: Callable[[_Item], bool],
        timeout: float,
        description: str,
    ) -> _Item:
        try:
            async with asyncio.timeout(timeout), aclosing(self._watch(room)) as histories:
                async for events in histories:
                    for item in look(events):
                        if wanted(item):
                            return item
        except TimeoutError:
            pass
        what = description or "what was waited for"
        raise AssertionError(
            f"{self.user_id} did not see within {timeout:g} s: {what}\n\n{await self.transcript(room)}"
        )

    async def _watch(self, room: str) -> AsyncGenerator[Sequence[Event], None]:
        """The room's history now and again after each change, by long-polling; never ends by itself."""
        history = await self._caught_up(room)
        while True:
            yield history.events
            while not await self._followed(room, history, wait=_LONG_POLL):
                pass

    async def _caught_up(self, room: str) -> "History":
        """The room's history as it is now; kept like a client keeps it, as rooms of many tests grow long."""
        history = self._rooms.get(room)
        if history is None:
            since = (await self._sync(room, None))["next_batch"]
            history = self._rooms[room] = History(since, await self.timeline(room))
        await self._followed(room, history, wait=0)
        return history

    async def _followed(self, room: str, history: "History", *, wait: float) -> bool:
        """Adds what came since; says whether anything did."""
        since = history.since
        answer = await self._sync(room, since, wait)
        rooms = answer.get("rooms", {})
        change = next((rooms[kind][room] for kind in ("join", "leave") if room in rooms.get(kind, {})), None)
        limited = change is not None and change["timeline"].get("limited")
        whole = await self.timeline(room) if limited else []
        if history.since != since:
            return True  # another wait of the same person was quicker
        history.since = answer["next_batch"]
        if change is None:
            return False
        known = {event.event_id for event in history.events}
        read = map(Event.read, change["timeline"]["events"])
        history.events = whole or [*history.events, *(each for each in read if each.event_id not in known)]
        return True

    async def _sync(self, room: str, since: str | None, wait: float = 0) -> Mapping[str, Any]:
        nothing = {"not_types": ["*"]}
        only_timeline = {
            "presence": nothing,
            "account_data": nothing,
            "room": {
                "rooms": [room],
                "timeline": {"limit": 100 if since else 1},
                "state": {"lazy_load_members": True},
                "ephemeral": nothing,
                "account_data": nothing,
            },
        }
        query = {"filter": json.dumps(only_timeline), "timeout": str(int(wait * 1000))}
        if since is not None:
            query |= {"since": since}
        return await self.call("GET", "sync", query=query)

    async def download(self, address: str) -> tuple[str, bytes]:
        """A file by its ``mxc`` address: media type and content."""
        server, _, media_id = address.removeprefix("mxc://").partition("/")
        async with self._session.get(
            f"{self._server.url}/_matrix/client/v1/media/download/{server}/{media_id}",
            headers={"Authorization": f"Bearer {self._account.access_token}"},
        ) as response:
            response.raise_for_status()
            return response.content_type, await response.read()

    async def call(
        self,
        method: str,
        *path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        """One request below ``/_matrix/client/v3``; each part of the path is escaped.

        :raises MatrixRefusal: the homeserver answered with an error.
        """
        address = "/".join((self._server.url, "_matrix/client/v3", *(quote(part, safe="") for part in path)))
        async with self._session.request(
            method,
            URL(address, encoded=True).with_query(query),
            json=body,
            headers={"Authorization": f"Bearer {self._account.access_token}"},
        ) as response:
            answer: dict[str, Any] = await response.json()
            if response.status >= 400:
                raise MatrixRefusal(response.status, answer.get("errcode", ""), answer.get("error", ""))
            return answer


class Crowd:
    """Makes people; each is a user of this test's own, so that tests share a homeserver but no rooms."""

    def __init__(self, server: Homeserver, kind: type[Human] = Human) -> None:
        self._server = server
        self._kind = kind
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_LONG_POLL + 25))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    def known(self, account: Account) -> Human:
        """Whoever is logged in already."""
        if self._session is None:
            raise RuntimeError("a crowd is used as a context manager")
        return self._kind(self._session, self._server, account)

    async def __call__(self, name: str, *, display_name: str | None = None, admin: bool = False) -> Human:
        """Registers ``name-<random>``; ``admin`` is the homeserver's administrator, not the bot's."""
        account = await self._server.register(
            f"{name}-{secrets.token_hex(4)}", secrets.token_hex(8), display_name or name.title(), admin=admin
        )
        return self.known(account)


def id_of(who: Human | str) -> str:
    return who if isinstance(who, str) else who.user_id


def _state(event_type: str, **content: Any) -> dict[str, Any]:
    return {"type": event_type, "state_key": "", "content": content}


def _text(body: str, formatted: str | None, msgtype: str) -> dict[str, Any]:
    html = {"format": _FORMAT, "formatted_body": formatted} if formatted else {}
    return {"msgtype": msgtype, "body": body, **html}


def _mentions(who: Sequence[Human | str]) -> dict[str, Any]:
    return {"user_ids": [id_of(person) for person in who]} if who else {}
