"""What a sync brings, opened: keys and messages for this device, and what was said in encrypted rooms.

All of it comes from strangers, and decides whose command is done. An event counts as its sender's only if the
key to it came from that same person, through a channel from a device of theirs, and for that very room.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from bot.matrix import clean
from bot.matrix.encryption.channels import Channels, Payload, Unreadable
from bot.matrix.encryption.devices import Device, Devices
from bot.matrix.encryption.journal import Journal
from bot.matrix.encryption.repair import Repair
from bot.matrix.encryption.room_keys import KeyMissing, Opened, Place, RoomKeys, encrypted, place_of
from bot.matrix.encryption.sharing import Sharing
from bot.matrix.errors import MatrixError
from bot.services import keys
from bot.services.unit import Units

_LOG = structlog.get_logger(__name__)
ENCRYPTED: Final = "m.room.encrypted"
_VERIFICATION: Final = "m.key.verification."
_QUERIES_FOR_STRANGERS: Final = 50
"""People whose devices are asked for because of one sync's events."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToDevice:
    """Something for this device that is none of the machine's own business."""

    sender: str
    type: str
    content: Json
    device: Device | None = None
    """From which device, if it came encrypted."""


class Plain(dict[str, Any]):
    """An event that was decrypted. Nobody can send one that claims to be."""

    cipher: str = ""


class Receiver:
    """Opens what comes in."""

    def __init__(
        self,
        units: Units,
        journal: Journal,
        channels: Channels,
        room_keys: RoomKeys,
        devices: Devices,
        repair: Repair,
        sharing: Sharing,
    ) -> None:
        self._units = units
        self._journal = journal
        self._sharing = sharing
        self._channels = channels
        self._room_keys = room_keys
        self._devices = devices
        self._repair = repair
        self._seen: set[bytes] = set()
        """What came for this device and is not committed: it comes again, and opens only once."""
        self._brought: list[Payload] = []
        """Keys that were opened and are not taken yet."""
        self.arrived: list[ToDevice] = []
        """For others, once it is committed."""
        self.keys_came = False

    def committed(self) -> None:
        """What was taken in is safe, and does not come again."""
        self._seen.clear()

    # --- for this device ---

    async def take(self, events: Iterable[Json], strangers: bool, members: Iterable[str]) -> None:
        """Take what came for this device.

        :param strangers: whether also from people that are in no room with the bot, as far as is known;
        :param members: who is in one, besides those that are known.
        """
        fresh = {_digest(event): event for event in events if _is_sent(event)}
        fresh = {digest: event for digest, event in fresh.items() if digest not in self._seen}
        senders = {str(event["sender"]) for event in fresh.values()}
        if not fresh and not self._brought:
            return
        if not strangers:
            known = await self._units.look(lambda unit: keys.acquainted(unit, senders))
            welcome = known.union(members)
            fresh = {digest: event for digest, event in fresh.items() if event["sender"] in welcome}
        sender_keys = (clean.identifier(event["content"].get("sender_key")) for event in fresh.values())
        await self._channels.load(each for each in sender_keys if each is not None)
        await self._devices.load(str(event["sender"]) for event in fresh.values())
        # A channel opens a message once: nobody may commit that it did without the key that came by it.
        async with self._journal.together():
            for digest, event in fresh.items():
                self._seen.add(digest)
                self._look_into(event)
            await self._take_brought()

    def _look_into(self, event: Json) -> None:
        try:
            self._take_one(event)
        except Unreadable as error:
            _LOG.warning("to_device_unreadable", reason=error.reason)
            if error.wedged:
                self._repair.is_wedged(str(event["sender"]), event["content"]["sender_key"])

    def _take_one(self, event: Json) -> None:
        sender, content = str(event["sender"]), event["content"]
        match event.get("type"):
            case "m.room.encrypted":
                self._take_payload(self._channels.opened(sender, content))
            case "m.room_key.withheld":
                self._repair.withheld(sender, content)
            case "m.room_key_request":
                self._sharing.asked(sender, content)
            case str(kind) if kind.startswith(_VERIFICATION):
                self.arrived.append(ToDevice(sender, kind, clean.content(content)))

    def _take_payload(self, payload: Payload) -> None:
        if payload.anew:
            self._sharing.lost(payload.sender, payload.sender_key)
        match payload.type:
            case "m.room_key" | "m.forwarded_room_key":
                self._brought.append(payload)
            case "m.dummy":
                self._sharing.lost(payload.sender, payload.sender_key)
            case kind:
                device = self._devices.owner_has(payload.sender, payload.sender_key, payload.signing_key)
                self.arrived.append(ToDevice(payload.sender, kind, clean.content(payload.content), device))

    async def _take_brought(self) -> None:
        """Take the keys; if those that are known cannot be looked up, all of them the next time."""
        await self._room_keys.load({place for each in self._brought if (place := _place(each)) is not None})
        brought, self._brought = self._brought, []
        for payload in brought:
            try:
                self._take_key(payload)
            except Unreadable as error:
                _LOG.warning("to_device_unreadable", reason=error.reason)

    def _take_key(self, payload: Payload) -> None:
        again = payload.type == "m.forwarded_room_key"
        if again and not self._repair.asked_for(place_of(payload.content)):
            raise Unreadable("not asked for")
        take = self._room_keys.take_again if again else self._room_keys.take
        if take(payload) is not None:
            self.keys_came = True

    # --- said in rooms ---

    async def opened(self, rooms: Mapping[str, Sequence[Json]]) -> dict[str, list[Json]]:
        """The rooms' events with those decrypted that can be.

        Those whose key is missing stay as they are; those that never will be readable, or are not from whom
        they say, are left out.
        """
        found = [(room_id, event) for room_id, events in rooms.items() for event in events if _locked(event)]
        await self._prepare(found)
        result = {
            room_id: [self._open(room_id, event) for event in events] for room_id, events in rooms.items()
        }
        self._room_keys.let_go()
        return {room_id: [each for each in events if each is not None] for room_id, events in result.items()}

    async def _prepare(self, found: Sequence[tuple[str, Json]]) -> None:
        places: set[Place] = set()
        for room_id, event in found:
            session_id = clean.identifier(event["content"].get("session_id"))
            if session_id is not None:
                places.add((room_id, session_id))
        if not places:
            return
        await self._room_keys.load(places)
        await self._devices.load({event["sender"] for _room_id, event in found})
        strange = {event["sender"] for room_id, event in found if self._is_strange(room_id, event)}
        if strange:
            asked = sorted(strange)[:_QUERIES_FOR_STRANGERS]
            self._devices.doubt(asked)
            try:
                await self._devices.refresh(asked)
            except MatrixError as error:
                # They stay locked, and are looked at again.
                _LOG.warning("devices_not_told", error=repr(error))

    def _is_strange(self, room_id: str, event: Json) -> bool:
        try:
            opened = self._room_keys.opened(room_id, event["sender"], encrypted(event["content"]))
        except (KeyMissing, Unreadable):
            return False
        return not self._is_from(event["sender"], opened)

    def _is_from(self, sender: str, opened: Opened) -> bool:
        return self._devices.owner_has(sender, opened.sender_key, opened.signing_key) is not None

    def _open(self, room_id: str, event: Json) -> Json | None:
        if not _locked(event):
            return event
        sender, content = event["sender"], event["content"]
        try:
            opened = self._room_keys.opened(room_id, sender, encrypted(content))
        except KeyMissing:
            return event
        except Unreadable as error:
            _LOG.warning(
                "event_unreadable", room_id=room_id, event_id=event.get("event_id"), reason=error.reason
            )
            return None
        if not self._is_from(sender, opened):
            _LOG.warning("event_of_unknown_device", room_id=room_id, event_id=event.get("event_id"))
            return event
        if opened.type != "m.room.message" and not opened.type.startswith(_VERIFICATION):
            # The homeserver asks nobody's rights for what is inside, such as a redaction.
            _LOG.warning("event_of_odd_type", room_id=room_id, event_id=event.get("event_id"))
            return None
        relation = {"m.relates_to": content["m.relates_to"]} if "m.relates_to" in content else {}
        plain = Plain({**event, "type": opened.type, "content": {**opened.content, **relation}})
        # Of one sender: nobody uses up what another says by repeating it as their own.
        plain.cipher = f"{sender} {opened.cipher}"
        return plain


def _is_sent(event: Json) -> bool:
    return clean.identifier(event.get("sender")) is not None and isinstance(event.get("content"), Mapping)


def _digest(event: Json) -> bytes:
    # Cut where it lies too deep: what the parser takes, the writer may give up at.
    return hashlib.sha256(json.dumps(clean.content(event), sort_keys=True).encode()).digest()


def _place(payload: Payload) -> Place | None:
    try:
        return place_of(payload.content)
    except Unreadable:
        return None


def _locked(event: Json) -> bool:
    """Whether it is a person's encrypted event."""
    return (
        event.get("type") == ENCRYPTED
        and "state_key" not in event
        and clean.identifier(event.get("sender")) is not None
        and isinstance(event.get("content"), Mapping)
        and "session_id" in event["content"]
    )


def is_verification(event: Json) -> bool:
    """Whether an event is part of a verification, which is no word to the bot."""
    kind, content = event.get("type"), clean.mapping(event.get("content"))
    asks = kind == "m.room.message" and content.get("msgtype") == f"{_VERIFICATION}request"
    return asks or (isinstance(kind, str) and kind.startswith(_VERIFICATION) and "content" in event)
