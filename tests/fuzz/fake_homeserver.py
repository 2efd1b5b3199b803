"""A homeserver of the test's own: says what it is told to in syncs, and keeps what the bot sends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.fuzz.rubbish import written
from tests.integration.desk_data import BOT, MEMBERS

_EMPTY: Final[dict[str, Any]] = {"chunk": []}


@dataclass
class FakeHomeserver:
    """Answers each token with its own sync, the same one again if it is asked again."""

    url: str = ""
    answers: list[bytes] = field(default_factory=list)
    """The syncs: the token ``s3`` leads to the fourth."""
    history: dict[str, Any] = field(default_factory=dict)
    """Room → what stands in the gap before its cut timeline, oldest first."""
    state: dict[str, Any] = field(default_factory=dict)
    """Room → state events, where somebody asks for them."""
    answered: dict[str, list[str]] = field(default_factory=dict)
    """Event → the emoji that the bot put on it, and the bodies of its replies."""
    sent: int = 0
    asked: int = 0
    """Syncs that were asked for."""
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def tell(self, value: dict[str, Any]) -> None:
        """The next sync; its token is added."""
        async with self._changed:
            token = f"s{len(self.answers) + 1}"
            self.answers.append(written({**value, "next_batch": token}).encode())
            self._changed.notify_all()

    async def until_answered(self, event_id: str, how: str, seconds: float) -> None:
        """Until the bot has put this emoji on an event, or replied with these words."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(
                lambda: any(how in answer for answer in self.answered.get(event_id, ()))
            )

    async def handle(self, request: web.Request) -> web.Response:
        """Any request."""
        path = request.path.removeprefix("/_matrix/client/v3/")
        parts = path.split("/")
        if path == "sync":
            return web.Response(body=await self._sync(request), content_type="application/json")
        return web.Response(
            body=written(await self._answer(request, parts)).encode(), content_type="application/json"
        )

    async def _answer(self, request: web.Request, parts: list[str]) -> Any:
        match parts:
            case ["account", "whoami"]:
                return {"user_id": BOT, "device_id": "DEVICE"}
            case ["rooms", _, "send", kind, _]:
                return {"event_id": await self._keep(kind, await request.json())}
            case ["rooms", _, "redact", *_]:
                return {"event_id": "$redaction"}
            case ["rooms", room, "messages"]:
                return {"chunk": self.history.get(room, [])[::-1]}
            case ["rooms", room, "state"]:
                return self.state.get(room, _state_of(room))
            case ["join", room]:
                return {"room_id": room}
        return _EMPTY

    async def _keep(self, kind: str, content: dict[str, Any]) -> str:
        async with self._changed:
            self.sent += 1
            relation = content.get("m.relates_to", {})
            to = relation.get("m.in_reply_to", relation).get("event_id", "")
            if kind == "m.room.encrypted":
                said = "sealed"
            else:
                said = content["body"] if kind == "m.room.message" else relation["key"]
            self.answered.setdefault(to, []).append(said)
            self._changed.notify_all()
            return f"$sent{self.sent}"

    async def _sync(self, request: web.Request) -> bytes:
        wait = int(request.query["timeout"]) / 1000
        token = request.query.get("since", "s0")
        at = int(token[1:])
        try:
            async with asyncio.timeout(wait or 0.001), self._changed:
                self.asked += 1
                await self._changed.wait_for(lambda: len(self.answers) > at)
        except TimeoutError:
            return json.dumps({"next_batch": token}).encode()
        if at > 1:
            self.answers[at - 2] = b""  # what comes before was taken in long ago
        return self.answers[at]


def member(user_id: str, membership: str = "join", name: object = None) -> dict[str, Any]:
    """Somebody's membership."""
    content = {"membership": membership, "displayname": name or user_id[1:].partition(":")[0].title()}
    return {
        "type": "m.room.member", "state_key": user_id, "sender": user_id, "event_id": f"$member-{user_id}",
        "content": content,
    }  # fmt: skip


def _state_of(room_id: str) -> list[dict[str, Any]]:
    """What is true of a room, if it is a configured one."""
    return [member(BOT), *map(member, MEMBERS[room_id])] if room_id in MEMBERS else []


def first_sync() -> dict[str, Any]:
    """What the first sync tells: the configured rooms with their members."""
    return {"rooms": {"join": {room_id: {"state": {"events": _state_of(room_id)}} for room_id in MEMBERS}}}


Fake = TypeVar("Fake", bound=FakeHomeserver)


@asynccontextmanager
async def running(fake: Fake) -> AsyncIterator[Fake]:
    """Let one run."""
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{path:.*}", fake.handle)
    async with TestServer(app) as server:
        fake.url = str(server.make_url("")).rstrip("/")
        yield fake


def fake_homeserver() -> AbstractAsyncContextManager[FakeHomeserver]:
    """One that runs."""
    return running(FakeHomeserver())
