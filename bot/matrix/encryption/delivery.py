"""Messages to single devices, through channels that are opened where there is none."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from bot.matrix import clean
from bot.matrix.client import MatrixClient
from bot.matrix.encryption.canonical import verified
from bot.matrix.encryption.channels import Channels
from bot.matrix.encryption.devices import Device
from bot.matrix.encryption.journal import Journal
from bot.matrix.encryption.own import MEGOLM, OwnDevice

_LOG = structlog.get_logger(__name__)
_AT_ONCE: Final = 50
"""Messages in one request; each is about a kilobyte."""
_PATIENCE_MS: Final = 8_000
_CLOSED: Final = 600.0
"""Seconds until a device that had no key for a channel is asked again."""

Json = Mapping[str, Any]


class Postbox:
    """Sends to devices."""

    def __init__(self, client: MatrixClient, own: OwnDevice, channels: Channels, journal: Journal) -> None:
        self._client = client
        self._own = own
        self._channels = channels
        self._journal = journal
        self._closed_until: dict[tuple[str, str], float] = {}
        self._told: set[tuple[str, str]] = set()
        """Devices that know that no channel to them can be opened."""

    async def send(
        self, event_type: str, devices: Sequence[Device], content: Json, *, anew: bool = False
    ) -> Sequence[Device]:
        """Send this to devices, each through a channel of its own; those that could be reached.

        :param anew: open a new channel to each, also where there is one.
        :raises MatrixError: or :class:`DatabaseUnavailable`: it was not sent to all of them.
        """
        await self._channels.load(each.curve25519 for each in devices)
        wanting = [each for each in devices if anew or not self._channels.leads_to(each)]
        opened = await self._open([each for each in wanting if not self._is_closed(each)])
        reached = [each for each in devices if each in opened or (each not in wanting)]
        for start in range(0, len(reached), _AT_ONCE):
            messages: dict[str, dict[str, Any]] = {}
            for device in reached[start : start + _AT_ONCE]:
                sealed = self._channels.sealed(device, event_type, content)
                messages.setdefault(device.user_id, {})[device.device_id] = sealed
            # The state of each channel is safe before anything leaves that was encrypted with the one before.
            await self._journal.keep()
            await self._client.to_device("m.room.encrypted", messages, uuid.uuid4().hex)
        return reached

    def _is_closed(self, device: Device) -> bool:
        until = self._closed_until.get((device.user_id, device.device_id), 0.0)
        return until > asyncio.get_running_loop().time()

    async def _open(self, devices: Sequence[Device]) -> Sequence[Device]:
        """Open channels to devices, all in one request; those that had a key for it."""
        if not devices:
            return ()
        asked: dict[str, dict[str, str]] = {}
        for device in devices:
            asked.setdefault(device.user_id, {})[device.device_id] = "signed_curve25519"
        answer = await self._client.keys("claim", {"timeout": _PATIENCE_MS, "one_time_keys": asked})
        given = clean.mapping(answer.get("one_time_keys"))
        opened = [each for each in devices if self._begun(each, given)]
        closed = [each for each in devices if each not in opened]
        self._own.keep()
        if closed:
            await self._tell_closed(closed)
        return opened

    def _begun(self, device: Device, given: Json) -> bool:
        offered = clean.mapping(clean.mapping(given.get(device.user_id)).get(device.device_id))
        for told in offered.values():
            key = clean.mapping(told)
            if not isinstance(key.get("key"), str):
                continue
            if not verified(key, device.user_id, device.device_id, device.ed25519):
                continue
            try:
                self._channels.begin(device, key["key"])
            except ValueError:
                continue
            return True
        return False

    async def _tell_closed(self, devices: Sequence[Device]) -> None:
        """Let devices without a key for a channel know why they cannot read (``m.no_olm``); each once."""
        until = asyncio.get_running_loop().time() + _CLOSED
        places = {(each.user_id, each.device_id) for each in devices}
        self._closed_until |= dict.fromkeys(places, until)
        _LOG.warning("devices_without_keys", devices=len(devices))
        content = {
            "algorithm": MEGOLM,
            "code": "m.no_olm",
            "reason": "Unable to establish a secure channel.",
            "sender_key": self._own.identity.curve25519,
        }
        messages: dict[str, dict[str, Any]] = {}
        for user_id, device_id in places - self._told:
            messages.setdefault(user_id, {})[device_id] = content
        if messages:
            self._told |= places
            await self._client.to_device("m.room_key.withheld", messages, uuid.uuid4().hex)
