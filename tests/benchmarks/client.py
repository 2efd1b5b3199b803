"""A Matrix client as a phone's: one connection that syncs on."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import quote

import aiohttp

_FILTER: Final = '{"room":{"timeline":{"limit":50}},"presence":{"types":[]}}'
_PAGE: Final = 500


class Client:
    """Sends and syncs with an account's token; keeps nothing."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = f"{url}/_matrix/client/v3"
        self._since = ""

    async def sync(self, wait_ms: int) -> dict[str, Any]:
        """One sync from where the last one ended."""
        query = {"timeout": str(wait_ms), "filter": _FILTER}
        if self._since:
            query["since"] = self._since
        async with self._session.get(f"{self._url}/sync", params=query) as answer:
            answer.raise_for_status()
            body: dict[str, Any] = await answer.json()
        self._since = body["next_batch"]
        return body

    async def quiet(self, wait_ms: int = 300) -> None:
        """Sync until nothing more comes for so long."""
        while self._has_news(await self.sync(wait_ms)):
            pass

    @staticmethod
    def _has_news(body: Mapping[str, Any]) -> bool:
        return bool(body.get("rooms", {}).get("join"))

    async def send(self, room: str, kind: str, content: Mapping[str, Any]) -> str:
        """Send an event; its id."""
        url = f"{self._url}/rooms/{quote(room, safe='')}/send/{kind}/{uuid.uuid4().hex}"
        async with self._session.put(url, json=content) as answer:
            answer.raise_for_status()
            return str((await answer.json())["event_id"])

    async def say(self, room: str, text: str) -> str:
        """Send a message; its id."""
        return await self.send(room, "m.room.message", {"msgtype": "m.text", "body": text})

    async def react(self, room: str, event_id: str) -> None:
        """Put a ✅ on an event."""
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": "✅"}
        await self.send(room, "m.reaction", {"m.relates_to": relation})

    async def messages(self, room: str) -> list[dict[str, Any]]:
        """All messages and edits that stand in a room, the newest first."""
        url = f"{self._url}/rooms/{quote(room, safe='')}/messages"
        query = {"dir": "b", "limit": str(_PAGE), "filter": '{"types":["m.room.message"]}'}
        found: list[dict[str, Any]] = []
        while True:
            async with self._session.get(url, params=query) as answer:
                answer.raise_for_status()
                page = await answer.json()
            found += page["chunk"]
            if "end" not in page:
                return found
            query["from"] = page["end"]


@asynccontextmanager
async def client(url: str, access_token: str) -> AsyncIterator[Client]:
    """A client with a connection of its own."""
    headers = {"Authorization": f"Bearer {access_token}"}
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield Client(session, url)


def said_in(body: Mapping[str, Any], room: str) -> list[dict[str, Any]]:
    """A room's new events in a sync's answer."""
    joined = body.get("rooms", {}).get("join", {})
    events: list[dict[str, Any]] = joined.get(room, {}).get("timeline", {}).get("events", [])
    return events


def related_to(event: Mapping[str, Any]) -> str | None:
    """What an event reacts on or replaces."""
    relation = event["content"].get("m.relates_to", {})
    return relation.get("event_id") if isinstance(relation, dict) else None
