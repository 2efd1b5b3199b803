"""What helps when something cannot be read: to ask for the key, and to replace a channel that is broken."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from bot.matrix import clean
from bot.matrix.client import MatrixClient
from bot.matrix.encryption.channels import Channels
from bot.matrix.encryption.delivery import Postbox
from bot.matrix.encryption.devices import Devices
from bot.matrix.encryption.own import MEGOLM, OwnDevice
from bot.matrix.encryption.room_keys import Place

_LOG = structlog.get_logger(__name__)
_ONCE_IN: Final = timedelta(hours=1)
"""A channel is replaced no more often: a device whose messages never open must not keep the bot busy."""
_MOST: Final = 1000
"""Sessions and devices that are remembered: strangers must not fill the memory."""

Json = Mapping[str, Any]


class Repair:
    """Remembers what is broken until somebody mends it."""

    def __init__(
        self, client: MatrixClient, own: OwnDevice, channels: Channels, devices: Devices, postbox: Postbox
    ) -> None:
        self._client = client
        self._own = own
        self._channels = channels
        self._devices = devices
        self._postbox = postbox
        self._wedged: dict[tuple[str, str], None] = {}
        self._mended: dict[tuple[str, str], datetime] = {}
        self._asked: dict[Place, None] = {}
        self._withheld: dict[Place, str] = {}

    # --- channels ---

    def is_wedged(self, sender: str, sender_key: str) -> None:
        """What came by this device's channel could not be opened."""
        _remember(self._wedged, (sender, sender_key), None)

    async def mend(self, now: datetime) -> None:
        """Open new channels to the devices whose are broken, and say so to them (``m.dummy``).

        :raises MatrixError: or :class:`DatabaseUnavailable`: those that are left are tried the next time.
        """
        while self._wedged:
            sender, sender_key = place = next(iter(self._wedged))
            await self._devices.refresh([sender])
            device = self._devices.owner_has(sender, sender_key)
            last = self._mended.get(place)
            if device is not None and not device.gone and (last is None or now - last > _ONCE_IN):
                _LOG.info("channel_replaced", device=device.device_id)
                await self._postbox.send("m.dummy", [device], {}, anew=True)
                _remember(self._mended, place, now)
                # Keys that went by the broken channel are lost; they are asked for once more.
                self._asked.clear()
            self._wedged.pop(place, None)

    # --- keys ---

    def asked_for(self, place: Place) -> bool:
        """Whether the key of a session was asked for."""
        return place in self._asked

    async def ask_for(self, place: Place, sender: str, content: Json) -> None:
        """Ask the sender's devices for the key of a session, once.

        :raises MatrixError: it could not be asked for.
        """
        if place in self._asked:
            return
        room_id, session_id = place
        device_id = clean.identifier(content.get("device_id")) or "*"
        body = {"algorithm": MEGOLM, "room_id": room_id, "session_id": session_id}
        sender_key = clean.identifier(content.get("sender_key"))
        request = {
            "action": "request",
            "body": {**body, "sender_key": sender_key} if sender_key else body,
            "request_id": uuid.uuid4().hex,
            "requesting_device_id": self._own.device_id,
        }
        await self._client.to_device("m.room_key_request", {sender: {device_id: request}}, uuid.uuid4().hex)
        _remember(self._asked, place, None)
        _LOG.info("key_asked_for", room_id=room_id)

    def withheld(self, sender: str, content: Json) -> None:
        """Somebody's device says that it does not give the key of a session, and why."""
        room_id, session_id = (
            clean.identifier(content.get("room_id")),
            clean.identifier(content.get("session_id")),
        )
        code = clean.identifier(content.get("code"))
        if room_id is not None and session_id is not None and code is not None:
            _LOG.info("key_withheld", room_id=room_id, code=code if code in _CODES else "other")
            _remember(self._withheld, (room_id, session_id), code)

    def is_withheld(self, place: Place) -> bool:
        """Whether the sender's device does not trust the bot's."""
        return self._withheld.get(place) in _DISTRUST


_CODES: Final = frozenset({"m.blacklisted", "m.unverified", "m.unauthorised", "m.unavailable", "m.no_olm"})
_DISTRUST: Final = frozenset({"m.blacklisted", "m.unverified"})


def _remember(known: dict[Any, Any], key: Any, value: Any) -> None:  # noqa: ANN401
    known[key] = value
    if len(known) > _MOST:
        del known[next(iter(known))]
