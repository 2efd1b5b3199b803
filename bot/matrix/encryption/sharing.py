"""What the bot says in encrypted rooms: encrypted with a key that all devices there are given first.

The key of a room is made anew with each start and never kept: no state of it can be used twice. It changes
when somebody who has it leaves or logs a device out, and as often as the room wants.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog
import vodozemac

from bot.matrix import clean
from bot.matrix.client import MatrixClient
from bot.matrix.encryption.delivery import Postbox
from bot.matrix.encryption.devices import Device, Devices
from bot.matrix.encryption.own import MEGOLM, OwnDevice
from bot.matrix.errors import Refused, Unprepared
from bot.services import keys
from bot.services.unit import Units

_LOG = structlog.get_logger(__name__)
_MESSAGES: Final = 100
_WEEK_MS: Final = 7 * 24 * 3600 * 1000
_SHORTEST_MS: Final = 3600 * 1000
"""Client-server API, "m.room.encryption"; a room that wants a new key more often would keep the bot busy."""

_PATIENCE: Final = 2.0
"""Seconds for which a message waits for those before it in its room, while homeservers are asked for keys."""

_Has = tuple[str, str, str]
"""Who has a key: user, device, and its Curve25519 key."""


class Policy(Protocol):
    """To which devices of joined members the bot speaks."""

    def __call__(self, device: Device) -> bool: ...


@dataclass(slots=True)
class _RoomKey:
    group: vodozemac.GroupSession
    ends_at: float
    messages: int
    said: int = 0
    given: set[_Has] = field(default_factory=set)


class Sharing:
    """Encrypts what goes into rooms."""

    def __init__(
        self,
        client: MatrixClient,
        units: Units,
        own: OwnDevice,
        devices: Devices,
        postbox: Postbox,
        allowed: Policy,
    ) -> None:
        self._client = client
        self._units = units
        self._own = own
        self._devices = devices
        self._postbox = postbox
        self._allowed = allowed
        self._keys: dict[str, _RoomKey] = {}
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """Per room: one that is large must not keep the others waiting."""

    async def sealed(self, room_id: str, event_type: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Content of the ``m.room.encrypted`` that says this; everybody there who may read it has the key.

        :raises MatrixError: or :class:`DatabaseUnavailable`: not now; nothing may be sent instead.
        """
        async with self._turn(room_id):
            key = await self._given(room_id)
            key.said += 1
            clear = {name: content[name] for name in ("m.relates_to",) if name in content}
            hidden = {name: value for name, value in content.items() if name not in clear}
            told = {"type": event_type, "content": hidden, "room_id": room_id}
            # As the size of a content is counted: escapes would make three bytes of each "ü" and more.
            plain = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
            return {
                "algorithm": MEGOLM,
                "sender_key": self._own.identity.curve25519,
                "device_id": self._own.device_id,
                "session_id": key.group.session_id,
                "ciphertext": key.group.encrypt(plain).to_base64(),
                **clear,
            }

    @asynccontextmanager
    async def _turn(self, room_id: str) -> AsyncIterator[None]:
        """One after the other in each room; who waits long lets rows of other rooms go first."""
        turn = self._turns[room_id]
        try:
            async with asyncio.timeout(_PATIENCE):
                await turn.acquire()
        except TimeoutError as error:
            raise Unprepared("the room's key is being given") from error
        try:
            yield
        finally:
            turn.release()

    async def _given(self, room_id: str) -> _RoomKey:
        """The room's key, once all who may have it were given it."""
        members = await self._units.look(lambda unit: keys.members(unit, room_id))
        await self._devices.refresh(members)
        mine = (self._own.user_id, self._own.device_id)
        there = [each for user_id in members for each in self._devices.of(user_id)]
        others = [each for each in there if (each.user_id, each.device_id) != mine]
        readers = [each for each in others if self._allowed(each)]
        key = self._keys.get(room_id)
        if key is None or self._is_over(key, readers):
            key = self._keys[room_id] = await self._made(room_id)
        await self._give(room_id, key, [each for each in readers if _has(each) not in key.given])
        return key

    def _is_over(self, key: _RoomKey, readers: Iterable[Device]) -> bool:
        too_old = asyncio.get_running_loop().time() >= key.ends_at
        return too_old or key.said >= key.messages or not key.given <= {_has(each) for each in readers}

    async def _made(self, room_id: str) -> _RoomKey:
        try:
            wanted = await self._client.state_event(room_id, "m.room.encryption")
        except Refused:
            # What once was encrypted stays so, whatever the room's state says now.
            wanted = {}
        period = clean.whole(wanted.get("rotation_period_ms"), _WEEK_MS)
        ends_at = asyncio.get_running_loop().time() + max(period, _SHORTEST_MS) / 1000
        messages = clean.whole(wanted.get("rotation_period_msgs"), _MESSAGES)
        _LOG.info("room_key_made", room_id=room_id)
        return _RoomKey(vodozemac.GroupSession(), ends_at, min(max(messages, 1), _MESSAGES))

    async def _give(self, room_id: str, key: _RoomKey, readers: Sequence[Device]) -> None:
        content = {
            "algorithm": MEGOLM,
            "room_id": room_id,
            "session_id": key.group.session_id,
            "session_key": key.group.session_key.to_base64(),
        }
        if readers:
            reached = await self._postbox.send("m.room_key", readers, content)
            key.given |= {_has(each) for each in reached}

    def lost(self, user_id: str, curve25519: str) -> None:
        """A device has opened a new channel: it may have lost what it was given, and is given it again."""
        for key in self._keys.values():
            key.given = {has for has in key.given if (has[0], has[2]) != (user_id, curve25519)}

    def asked(self, user_id: str, content: Mapping[str, Any]) -> None:
        """A device that was given a key asks for it (``m.room_key_request``): it comes with the next message.

        Others get nothing by asking, and none gets a key from before.
        """
        body = clean.mapping(content.get("body"))
        key = self._keys.get(clean.identifier(body.get("room_id")) or "")
        if key is None or content.get("action") != "request":
            return
        if body.get("session_id") == key.group.session_id:
            device_id = content.get("requesting_device_id")
            key.given = {has for has in key.given if has[:2] != (user_id, device_id)}

    def forget(self) -> None:
        """Begin anew in every room."""
        self._keys.clear()


def _has(device: Device) -> _Has:
    return device.user_id, device.device_id, device.curve25519
