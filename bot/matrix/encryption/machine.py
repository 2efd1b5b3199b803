"""The machine that encrypts and decrypts, on vodozemac: put together, and what the rest of the bot asks it.

It works in memory, outside of units; what is to be kept goes through its journal into the database, and what
a sync brought in the very commit of that sync's token.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import structlog

from bot.matrix import clean
from bot.matrix.client import MatrixClient
from bot.matrix.encryption.channels import Channels
from bot.matrix.encryption.delivery import Postbox
from bot.matrix.encryption.devices import Device, Devices
from bot.matrix.encryption.journal import Journal
from bot.matrix.encryption.own import NoDevice, OwnDevice
from bot.matrix.encryption.receiving import ENCRYPTED, Plain, Receiver, ToDevice, is_verification
from bot.matrix.encryption.repair import Repair
from bot.matrix.encryption.room_keys import RoomKeys
from bot.matrix.encryption.sealing import Labels, Sealer
from bot.matrix.encryption.sharing import Policy, Sharing
from bot.matrix.encryption.upkeep import Upkeep
from bot.matrix.errors import Refused, Unprepared
from bot.services import keys
from bot.services.unit import Units
from bot.waiting import called

_LOG = structlog.get_logger(__name__)

Json = Mapping[str, Any]
_MOST_INVITERS: Final = 100
_PATIENCE: Final = 5.0
"""Seconds that what is to be sent waits at the start."""


@dataclass(frozen=True, slots=True)
class RoomEvent:
    """A verification's event in a room."""

    room_id: str
    event_id: str
    sender: str
    type: str
    content: Json
    sent_at: datetime
    encrypted: bool


class Handler(Protocol):
    """Who takes what is none of the machine's own business; called after the commit that brought it."""

    async def to_device(self, event: ToDevice) -> None:
        """Something for this device."""

    async def in_room(self, event: RoomEvent) -> None:
        """A verification's event in a room."""


class Machine:
    """The bot's end of encryption."""

    def __init__(
        self,
        client: MatrixClient,
        units: Units,
        sealer: Sealer,
        own: OwnDevice,
        journal: Journal,
        allowed: Policy,
    ) -> None:
        self._client = client
        self._units = units
        self._own = own
        self.sealer = sealer
        self.labels = Labels(sealer)
        self.journal = journal
        self.identity = own.identity
        self.user_id, self.device_id = own.user_id, own.device_id
        self._devices = Devices(client, units, journal)
        self._channels = Channels(own, sealer, journal, units)
        self._room_keys = RoomKeys(sealer, journal, units)
        self._postbox = Postbox(client, own, self._channels, journal)
        self._repair = Repair(client, own, self._channels, self._devices, self._postbox)
        self._sharing = Sharing(client, units, own, self._devices, self._postbox, allowed)
        self._receiver = Receiver(
            units, journal, self._channels, self._room_keys, self._devices, self._repair, self._sharing
        )
        self.upkeep = Upkeep(client, units, own, journal, self._repair)
        self._encrypted: set[str] = set()
        self._inviters: dict[str, str] = {}
        """Who has invited the bot into a room: keys come before it has joined."""
        self._verifications: list[RoomEvent] = []
        self._to_hand_over: asyncio.Queue[ToDevice | RoomEvent] = asyncio.Queue()
        self.handlers: list[Handler] = []
        self.locked = asyncio.Event()
        """Set when events may wait whose key has come, or is to be asked for."""

    @classmethod
    async def started(
        cls, client: MatrixClient, units: Units, sealer: Sealer, allowed: Policy = lambda device: True
    ) -> "Machine":
        """With the keys of the last run, or new ones for a new device.

        :raises KeysUnreadable: there are keys, and the pickle key does not open them.
        :raises NoDevice: the login is that of none.
        :raises DatabaseUnavailable: it cannot be told.
        """
        if not client.device_id:
            raise NoDevice
        kept = await units.look(keys.kept)
        journal = Journal(units)
        own = OwnDevice.restored(client.user_id, client.device_id, kept.account, sealer, journal)
        if kept.account is not None and kept.account.device_id != client.device_id:
            _LOG.warning("another_device", device=client.device_id)
            await units.run(keys.another_device)
        machine = cls(client, units, sealer, own, journal, allowed)
        machine._encrypted |= kept.encrypted_rooms
        machine.locked.set()
        await journal.keep()
        return machine

    # --- for the sync ---

    async def take_in(self, raw: Json, *, first: bool) -> dict[str, Any]:
        """Take what is the machine's in a sync; gives the sync with its rooms' events decrypted.

        :param first: it goes on from nothing, and tells no changes.
        :raises DatabaseUnavailable: the sync has to come again.
        """
        joined = clean.mapping(clean.mapping(raw.get("rooms")).get("join"))
        timelines = {
            room_id: _listed(clean.mapping(room).get("timeline")) for room_id, room in joined.items()
        }
        self._note_invitations(raw)
        members = self._looked_at(joined, timelines).union(self._inviters.values())
        if first:
            await self._units.run(keys.outdate_devices)
            self._devices.forget_all()
        lists = clean.mapping(raw.get("device_lists"))
        changed = [*_texts(lists.get("changed")), *_texts(lists.get("left"))]
        await self._devices.changed(changed)
        await self._receiver.take(_listed(raw.get("to_device")), strangers=first, members=members)
        self.upkeep.told(raw)
        opened = await self._receiver.opened(timelines)
        self._verifications = [each for room_id in opened for each in self._found(room_id, opened[room_id])]
        return _with_timelines(raw, joined, opened)

    async def opened(self, room_id: str, events: Sequence[Json]) -> Sequence[Json]:
        """A page of a room's history, oldest first, with its events decrypted."""
        found = (await self._receiver.opened({room_id: events}))[room_id]
        self._verifications += self._found(room_id, found)
        return found

    async def opened_late(self, room_id: str, event: Json) -> Json | None:
        """One event, decrypted; as it is while its key is missing, ``None`` if it never will be readable."""
        found = (await self._receiver.opened({room_id: [event]}))[room_id]
        return found[0] if found else None

    async def ask_for_key(self, room_id: str, session_id: str, sender: str, content: Json) -> None:
        """Ask the sender's devices for a session's key, once a run.

        :raises MatrixError: it could not be asked for.
        """
        await self._repair.ask_for((room_id, session_id), sender, content)

    def is_withheld(self, room_id: str, session_id: str) -> bool:
        """Whether the sender's device does not trust the bot's, and said so."""
        return self._repair.is_withheld((room_id, session_id))

    def committed(self, *, restored: bool) -> None:
        """What the last sync brought is in the database."""
        self._receiver.committed()
        if restored:
            # Channels are further on than the backup knows.
            self._channels.forget(before=self.journal.began_at)
            self._sharing.forget()
        arrived: list[ToDevice | RoomEvent] = [*self._receiver.arrived, *self._verifications]
        for event in arrived:
            self._to_hand_over.put_nowait(event)
        self._receiver.arrived, self._verifications = [], []
        if self._receiver.keys_came:
            self._receiver.keys_came = False
            self.locked.set()
        self.upkeep.wanted.set()

    def _note_invitations(self, raw: Json) -> None:
        for room_id, room in clean.mapping(clean.mapping(raw.get("rooms")).get("invite")).items():
            for event in _listed(clean.mapping(room).get("invite_state")):
                inviter, of = clean.identifier(event.get("sender")), event.get("state_key")
                if (event.get("type"), of) == ("m.room.member", self.user_id) and inviter is not None:
                    self._inviters[room_id] = inviter
        while len(self._inviters) > _MOST_INVITERS:
            del self._inviters[next(iter(self._inviters))]

    def _looked_at(self, joined: Json, timelines: Mapping[str, Sequence[Json]]) -> set[str]:
        """Who is in a room, by this sync; and which rooms are encrypted from now on."""
        members: set[str] = set()
        for room_id, room in joined.items():
            for event in [*_listed(clean.mapping(room).get("state")), *timelines[room_id]]:
                key, kind = event.get("state_key"), event.get("type")
                if kind == "m.room.encryption" and key == "":
                    self._encrypted.add(room_id)
                elif kind == "m.room.member" and isinstance(key, str):
                    members.add(key)
        return members

    def _found(self, room_id: str, events: Sequence[Json]) -> list[RoomEvent]:
        """The verifications' events of a room, but for the bot's own."""
        found = []
        for event in events:
            event_id, sender = clean.identifier(event.get("event_id")), clean.identifier(event.get("sender"))
            if not is_verification(event) or sender in (None, self.user_id) or event_id is None:
                continue
            sent_at = clean.moment(event.get("origin_server_ts"))
            content = clean.content(event["content"])
            encrypted = isinstance(event, Plain)
            found.append(
                RoomEvent(room_id, event_id, str(sender), str(event["type"]), content, sent_at, encrypted)
            )
        return found

    # --- for the courier ---

    def is_encrypted(self, room_id: str) -> bool:
        """Whether nothing may be said in clear there. What once was encrypted is so for good."""
        return room_id in self._encrypted

    def note_encrypted(self, room_id: str) -> None:
        """The room's state says that it is encrypted."""
        self._encrypted.add(room_id)

    async def sealed(
        self, room_id: str, event_type: str, content: Json, label: Json | None = None
    ) -> dict[str, Any]:
        """Content of the ``m.room.encrypted`` that says this, for all who may read it there.

        :raises MatrixError: or :class:`DatabaseUnavailable`: not now; nothing may be sent instead.
        """
        await called(self.upkeep.uploaded, _PATIENCE)
        if not self.upkeep.uploaded.is_set():
            raise Unprepared("the device's keys are not uploaded")
        try:
            sealed = await self._sharing.sealed(room_id, event_type, content)
        except Refused as error:
            # It is not the message that is refused, which would be set aside for good.
            raise Unprepared(error.code) from error
        return sealed if label is None else {**sealed, Labels.KEY: self.labels.written(room_id, label)}

    # --- for verification and cross-signing ---

    async def uploaded(self) -> None:
        """Wait until the homeserver has this device's keys."""
        await self.upkeep.uploaded.wait()

    def sign(self, value: Json) -> str:
        """The device's signature over an object, unpadded base64."""
        return self._own.sign(value)

    def device_keys(self) -> dict[str, Any]:
        """What others are told of this device, signed by itself."""
        return self._own.device_keys()

    async def devices_of(self, user_id: str) -> Sequence[Device]:
        """A person's devices as they are now.

        :raises MatrixError: the homeserver does not tell.
        """
        await self._devices.refresh([user_id])
        return self._devices.of(user_id)

    async def send_plain(self, event_type: str, messages: Mapping[str, Json], tx_id: str) -> None:
        """Send to devices in clear: user id → device id → content."""
        await self._client.to_device(event_type, messages, tx_id)

    async def send_sealed(self, event_type: str, user_id: str, device_id: str, content: Json) -> bool:
        """Send to one device, encrypted; says whether it could be reached."""
        devices = [each for each in await self.devices_of(user_id) if each.device_id == device_id]
        return bool(await self._postbox.send(event_type, devices, content))

    async def say(self, room_id: str, event_type: str, content: Json, tx_id: str) -> str:
        """Say something in a room that no outbox row asks for, encrypted if the room is; its event id."""
        if not self.is_encrypted(room_id):
            return await self._client.put(room_id, event_type, content, tx_id)
        sealed = await self.sealed(room_id, event_type, content)
        return await self._client.put(room_id, ENCRYPTED, sealed, tx_id)

    async def hand_over(self) -> None:
        """Give the handlers what is theirs, one after the other, until cancelled."""
        while True:
            event = await self._to_hand_over.get()
            for handler in self.handlers:
                try:
                    await (
                        handler.to_device(event) if isinstance(event, ToDevice) else handler.in_room(event)
                    )
                except Exception as error:  # noqa: BLE001 - strangers' events must not end the bot
                    _LOG.error("handler_fault", error=type(error).__name__, type=event.type[:60])


def _with_timelines(raw: Json, joined: Json, opened: Mapping[str, Sequence[Json]]) -> dict[str, Any]:
    """The sync with its rooms' events as they are now."""
    rooms = {
        room_id: {
            **room,
            "timeline": {**clean.mapping(room.get("timeline")), "events": list(opened[room_id])},
        }
        for room_id, room in joined.items()
        if isinstance(room, Mapping)
    }
    return {**raw, "rooms": {**clean.mapping(raw.get("rooms")), "join": rooms}}


def _listed(section: object) -> list[Json]:
    events = clean.mapping(section).get("events")
    return [event for event in events if isinstance(event, Mapping)] if isinstance(events, list) else []


def _texts(value: object) -> list[str]:
    return [each for each in value if clean.identifier(each)] if isinstance(value, list) else []
