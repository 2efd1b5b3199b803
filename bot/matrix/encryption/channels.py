"""Channels to single devices (Olm): by them keys come and go."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import vodozemac

from bot.matrix import clean
from bot.matrix.encryption.devices import Device
from bot.matrix.encryption.journal import Journal
from bot.matrix.encryption.own import OLM, OwnDevice
from bot.matrix.encryption.sealing import Sealer
from bot.matrix.json_text import parsed
from bot.services import keys
from bot.services.keys import OlmSession
from bot.services.unit import Units

_MOST: Final = 5
"""Channels to one device: it decides which one it uses, and may open as many as it likes."""

Json = Mapping[str, Any]


class Unreadable(Exception):
    """A message that cannot be opened. ``wedged``: the channel is at fault, and a new one may help."""

    def __init__(self, reason: str, *, wedged: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wedged = wedged


@dataclass(slots=True)
class _Channel:
    session: vodozemac.Session
    sender_key: str
    made_at: datetime
    used_at: datetime


@dataclass(frozen=True, slots=True)
class Payload:
    """What came by a channel; who sent it is as sure as the homeserver, from which device is certain."""

    sender: str
    sender_key: str
    signing_key: str
    type: str
    content: Json
    anew: bool = False
    """Whether it opened a new channel: what went by the one before may be lost."""


class Channels:
    """The open channels. What is loaded stays, and what changes goes into the journal."""

    def __init__(self, own: OwnDevice, sealer: Sealer, journal: Journal, units: Units) -> None:
        self._own = own
        self._sealer = sealer
        self._journal = journal
        self._units = units
        self._open: dict[str, list[_Channel]] = {}

    async def load(self, sender_keys: Iterable[str]) -> None:
        """Read from the database what there is to these devices."""
        wanted = set(sender_keys) - self._open.keys()
        if not wanted:
            return
        rows = await self._units.look(lambda unit: keys.channels(unit, wanted))
        for sender_key in wanted - self._open.keys():
            found = [self._restored(row) for row in rows if row.sender_key == sender_key]
            if found:
                # Nothing is remembered of devices to which there is none: strangers may name any number.
                self._open[sender_key] = found

    def _restored(self, row: OlmSession) -> _Channel:
        session = vodozemac.Session.from_pickle(row.pickle, self._sealer.pickling)
        return _Channel(session, row.sender_key, row.made_at, row.used_at)

    def forget(self, before: datetime) -> None:
        """Drop those that were made before: after a restore their state is one that was used already."""
        self._journal.drop_channels(before)
        left = {
            sender_key: [each for each in channels if each.made_at >= before]
            for sender_key, channels in self._open.items()
        }
        self._open = {sender_key: channels for sender_key, channels in left.items() if channels}

    def leads_to(self, device: Device) -> bool:
        """Whether there is one to this device; it must be loaded."""
        return bool(self._open.get(device.curve25519))

    def newest(self, sender_key: str) -> datetime | None:
        """When the newest one was made."""
        return max((each.made_at for each in self._open.get(sender_key, [])), default=None)

    def begin(self, device: Device, one_time_key: str) -> None:
        """Open a new one.

        :raises ValueError: the key is none.
        """
        session = self._own.account.create_outbound_session(
            vodozemac.Curve25519PublicKey.from_base64(device.curve25519),
            vodozemac.Curve25519PublicKey.from_base64(one_time_key),
        )
        self._add(session, device.curve25519)

    def sealed(self, device: Device, event_type: str, content: Json) -> dict[str, Any]:
        """Content of the ``m.room.encrypted`` that carries this; keep the journal before it is sent."""
        channel = max(self._open[device.curve25519], key=lambda each: each.used_at)
        payload = {
            "type": event_type,
            "content": content,
            "sender": self._own.user_id,
            "sender_device": self._own.device_id,
            "keys": {"ed25519": self._own.identity.ed25519},
            "recipient": device.user_id,
            "recipient_keys": {"ed25519": device.ed25519},
        }
        message = channel.session.encrypt(json.dumps(payload).encode())
        kind, body = message.to_parts()
        self._keep(channel)
        return {
            "algorithm": OLM,
            "sender_key": self._own.identity.curve25519,
            "ciphertext": {device.curve25519: {"type": kind, "body": _unpadded(body)}},
        }

    def opened(self, sender: str, content: Json) -> Payload:
        """What an ``m.room.encrypted`` to this device holds; the channels of its sender key must be loaded.

        :raises Unreadable: it is not for us, not from whom it says, or not to be decrypted.
        """
        sender_key = clean.identifier(content.get("sender_key"))
        if content.get("algorithm") != OLM or sender_key is None:
            raise Unreadable("not olm")
        told = clean.mapping(clean.mapping(content.get("ciphertext")).get(self._own.identity.curve25519))
        kind, body = told.get("type"), told.get("body")
        if type(kind) is not int or not isinstance(body, str):
            raise Unreadable("not for this device")
        try:
            message = vodozemac.AnyOlmMessage.from_parts(kind, _bytes(body))
        except (ValueError, OverflowError) as error:
            raise Unreadable("malformed") from error
        plain, anew = self._decrypted(sender_key, message)
        return self._checked(sender, sender_key, parsed(plain), anew=anew)

    def _decrypted(self, sender_key: str, message: vodozemac.AnyOlmMessage) -> tuple[bytes, bool]:
        """What it says, and whether it opened a new channel."""
        opening = message.to_pre_key()
        for channel in self._open.get(sender_key, []):
            if opening is not None and not channel.session.session_matches(opening):
                continue
            try:
                plain = channel.session.decrypt(message)
            except ValueError as error:
                if opening is not None:
                    raise Unreadable("its channel does not open it", wedged=True) from error
                continue
            channel.used_at = self._units.clock()
            self._keep(channel)
            return plain, False
        if opening is None:
            raise Unreadable("no channel opens it", wedged=True)
        try:
            session, plain = self._own.account.create_inbound_session(
                vodozemac.Curve25519PublicKey.from_base64(sender_key), opening
            )
        except ValueError as error:
            raise Unreadable("it opens no channel", wedged=True) from error
        self._own.keep()
        self._add(session, sender_key)
        return plain, True

    def _checked(self, sender: str, sender_key: str, payload: object, *, anew: bool) -> Payload:
        told = clean.mapping(payload)
        signing_key = clean.identifier(clean.mapping(told.get("keys")).get("ed25519"))
        event_type, content = told.get("type"), told.get("content")
        if told.get("sender") != sender or signing_key is None:
            raise Unreadable("it names another sender")
        recipient = told.get("recipient"), clean.mapping(told.get("recipient_keys")).get("ed25519")
        if recipient != (self._own.user_id, self._own.identity.ed25519):
            raise Unreadable("it names another recipient")
        if not isinstance(event_type, str) or not isinstance(content, Mapping):
            raise Unreadable("malformed")
        return Payload(sender, sender_key, signing_key, event_type, content, anew)

    def _add(self, session: vodozemac.Session, sender_key: str) -> None:
        now = self._units.clock()
        channel = _Channel(session, sender_key, now, now)
        channels = self._open.setdefault(sender_key, [])
        channels.append(channel)
        self._keep(channel)
        if len(channels) > _MOST:
            oldest = min(channels, key=lambda each: each.used_at)
            channels.remove(oldest)
            self._journal.drop(self._row(oldest))

    def _keep(self, channel: _Channel) -> None:
        self._journal.put(self._row(channel))

    def _row(self, channel: _Channel) -> OlmSession:
        return OlmSession(
            session_id=channel.session.session_id,
            sender_key=channel.sender_key,
            pickle=channel.session.pickle(self._sealer.pickling),
            made_at=channel.made_at,
            used_at=channel.used_at,
        )


def _unpadded(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
