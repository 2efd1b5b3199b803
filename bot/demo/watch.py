"""Follows the demo's rooms through the eyes of their members."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from bot.demo.errors import Refused
from bot.demo.person import Event, Person
from bot.demo.room_view import Change, RoomView

_PAUSE: Final = 1.0


class Watch:
    """How each room looks now, by the room's key."""

    def __init__(self, seats: Mapping[str, tuple[Person, str]]) -> None:
        """:param seats: the room's key → through whose eyes, and the room's id."""
        self._seats = seats
        self._views = {key: RoomView() for key in seats}
        self._changed = asyncio.Condition()
        self.on_change: Callable[[str, Change], None] = lambda _room, _change: None
        """Is told what happens from now on: the room's key and the change."""

    def view(self, room: str) -> RoomView:
        """The room with that key."""
        return self._views[room]

    async def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Whether something about the rooms, or the mails, becomes true within that time."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(holds)
        except TimeoutError:
            return holds()
        return True

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Keeps the views up to date; what was there before is in them on entry."""
        tokens = {room: await self._load(room) for room in self._seats}
        tasks = [asyncio.create_task(self._follow(room, token)) for room, token in tokens.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _load(self, room: str) -> str:
        person, room_id = self._seats[room]
        token = str((await person.sync([room_id], None))["next_batch"])
        # What happens in between comes twice, and the view takes it once.
        for event in await person.timeline(room_id):
            self._views[room].apply(event)
        return token

    async def _follow(self, room: str, token: str) -> None:
        person, room_id = self._seats[room]
        while True:
            try:
                answer = await person.sync([room_id], token)
                timeline = answer.get("rooms", {}).get("join", {}).get(room_id, {}).get("timeline", {})
                missed = timeline.get("limited", False)
                events = await person.timeline(room_id) if missed else timeline.get("events", [])
            except (aiohttp.ClientError, TimeoutError, Refused):
                # Somebody restarts the homeserver, say.
                await asyncio.sleep(_PAUSE)
                continue
            token = answer["next_batch"]
            await self._take(room, events)

    async def _take(self, room: str, events: Iterable[Event]) -> None:
        for event in events:
            change = self._views[room].apply(event)
            if change is not None:
                self.on_change(room, change)
        await self.look_again()

    async def look_again(self) -> None:
        """Something has changed that somebody may be waiting for."""
        async with self._changed:
            self._changed.notify_all()
