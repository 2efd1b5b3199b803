"""A desk without a homeserver: rooms and people on paper, and a homeserver that only talks."""

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from aiohttp import web

from bot.demo.homeserver import Account, Homeserver
from tests.desk import Desk, free_port
from tests.fuzz.fake_homeserver import FakeHomeserver, first_sync, running
from tests.integration.desk_data import ANNA, BEN, BERLIN, BOT, CARLA, FREIBURG, ROOMS

BATCH: Final = 100
"""Events of one sync."""
_TALK: Final = "And then I told them that the keyboard is the least of our troubles, see you on Friday! "
_NUMBER: Final = 50
"""Tickets that the commands are about."""


@dataclass
class Talkative(FakeHomeserver):
    """Has as many events ready as are wanted, and answers each sync with the next hundred."""

    wanted: int = 0

    async def has(self, wanted: int) -> None:
        """Have so many events to tell, those told already included."""
        async with self._changed:
            self.wanted = wanted
            self._changed.notify_all()

    async def _sync(self, request: web.Request) -> bytes:
        at = int(request.query.get("since", "s0")[1:])
        wait = int(request.query["timeout"]) / 1000
        try:
            async with asyncio.timeout(wait or 0.001), self._changed:
                await self._changed.wait_for(lambda: at == 0 or (at - 1) * BATCH < self.wanted)
        except TimeoutError:
            return json.dumps({"next_batch": f"s{at}"}).encode()
        self.asked = max(self.asked, at + 1)
        value = first_sync() if at == 0 else _batch(at)
        return json.dumps({**value, "next_batch": f"s{at + 1}"}).encode()

    @property
    def told(self) -> int:
        """Events that the bot has asked for."""
        return max(0, self.asked - 1) * BATCH

    async def _keep(self, kind: str, content: dict[str, Any]) -> str:
        self.answered.clear()
        return await super()._keep(kind, content)


def _batch(at: int) -> dict[str, Any]:
    """A hundred events in two rooms: mostly talk."""
    rooms: dict[str, list[dict[str, Any]]] = {FREIBURG: [], BERLIN: []}
    for index in range(at * BATCH, (at + 1) * BATCH):
        room, sender = ((FREIBURG, ANNA), (BERLIN, CARLA), (FREIBURG, BEN))[index % 3]
        rooms[room].append(_event(index, sender))
    return {"rooms": {"join": {room: {"timeline": {"events": said}} for room, said in rooms.items()}}}


_COMMANDS: Final = ("!take {}", "!show {}", "!list", "!release {}", "!search laptop", "!next", "!help")


def _event(index: int, sender: str) -> dict[str, Any]:
    event = {"event_id": f"$said{index}", "sender": sender, "origin_server_ts": 1_795_000_000_000 + index}
    if index % 50 == 1:
        key = "🙋" if index % 100 == 1 else "👍"
        relation = {"rel_type": "m.annotation", "event_id": f"$sent{1 + index % 997}", "key": key}
        return {**event, "type": "m.reaction", "content": {"m.relates_to": relation}}
    if index % 50 == 2:
        number = index // 50
        body = _COMMANDS[number % len(_COMMANDS)].format(1 + number % _NUMBER)
    else:
        body = f"{index}: {_TALK * (1 + index % 3)}"
    return {**event, "type": "m.room.message", "content": {"msgtype": "m.text", "body": body}}


def talkative() -> AbstractAsyncContextManager[Talkative]:
    """One that runs, and has nothing to tell yet but the rooms."""
    return running(Talkative())


def paper_desk(fake: FakeHomeserver, folder: Path, database_url: str) -> Desk:
    """A desk in the fake's rooms, its config written; the bot is not started."""
    rooms = {key.removeprefix("team:"): room for key, room in ROOMS.items()}
    account = Account(BOT, "token", "DEVICE")
    # Of the homeserver a config says the address alone.
    homeserver = cast("Homeserver", fake)
    desk = Desk(homeserver, cast("Any", None), account, folder, database_url, free_port(), rooms=rooms)
    desk.write_config()
    return desk
