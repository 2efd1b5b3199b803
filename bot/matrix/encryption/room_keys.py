"""The keys to what people say in rooms (Megolm), one of each device for some time."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import vodozemac

from bot.matrix import clean
from bot.matrix.encryption.channels import Payload, Unreadable
from bot.matrix.encryption.journal import Journal
from bot.matrix.encryption.own import MEGOLM
from bot.matrix.encryption.sealing import Sealer
from bot.matrix.json_text import parsed
from bot.services import keys
from bot.services.keys import MegolmSession
from bot.services.unit import Units

_AT_HAND: Final = 500
"""Sessions that are not looked up again."""
_LARGEST: Final = 100_000
"""Characters of an encrypted content; no homeserver takes larger events."""

Place = tuple[str, str]
"""Room and session id."""


class KeyMissing(Exception):
    """The key to an event has not come, or one that begins later."""


@dataclass(frozen=True, slots=True)
class Encrypted:
    """An event's encrypted content, as far as it is needed."""

    session_id: str
    ciphertext: vodozemac.MegolmMessage

    @property
    def cipher(self) -> str:
        """Its session and its place there: each counts for one event only."""
        return f"{self.session_id}:{self.ciphertext.message_index()}"


@dataclass(frozen=True, slots=True)
class Opened:
    """What an event says, and whose key it is said with."""

    type: str
    content: Mapping[str, Any]
    cipher: str
    sender_key: str
    signing_key: str


@dataclass(slots=True)
class _Key:
    session: vodozemac.InboundGroupSession
    row: MegolmSession


def encrypted(content: Mapping[str, Any]) -> Encrypted:
    """An ``m.room.encrypted`` event's content, read.

    :raises Unreadable: it is none that could ever be read.
    """
    session_id, ciphertext = clean.identifier(content.get("session_id")), content.get("ciphertext")
    if content.get("algorithm") != MEGOLM or session_id is None:
        raise Unreadable("not megolm")
    if not isinstance(ciphertext, str) or len(ciphertext) > _LARGEST:
        raise Unreadable("malformed")
    try:
        return Encrypted(session_id, vodozemac.MegolmMessage.from_base64(ciphertext))
    except ValueError as error:
        raise Unreadable("malformed") from error


class RoomKeys:
    """The keys that came. The last used ones are at hand, the others in the database."""

    def __init__(self, sealer: Sealer, journal: Journal, units: Units) -> None:
        self._sealer = sealer
        self._journal = journal
        self._units = units
        self._at_hand: OrderedDict[Place, list[_Key]] = OrderedDict()

    async def load(self, wanted: Iterable[Place]) -> None:
        """Have these sessions at hand."""
        places = set(wanted)
        for place in places & self._at_hand.keys():
            self._at_hand.move_to_end(place)
        missing = places - self._at_hand.keys()
        if not missing:
            return
        rows = await self._units.look(lambda unit: keys.room_keys(unit, missing))
        for place in missing - self._at_hand.keys():
            found = [row for row in rows if (row.room_id, row.session_id) == place]
            self._at_hand[place] = [self._restored(row) for row in found]

    def let_go(self) -> None:
        """Keep no more at hand than is worth it; what is loaded for a sync must all stay until it is read."""
        while len(self._at_hand) > _AT_HAND:
            self._at_hand.popitem(last=False)

    def _restored(self, row: MegolmSession) -> _Key:
        return _Key(vodozemac.InboundGroupSession.from_pickle(row.pickle, self._sealer.pickling), row)

    def take(self, payload: Payload) -> Place | None:
        """Keep the key of an ``m.room_key``, if it is a better one; its session must be loaded.

        :raises Unreadable: it is none.
        """
        place = place_of(payload.content)
        session_key = payload.content.get("session_key")
        if not isinstance(session_key, str):
            raise Unreadable("malformed")
        try:
            session = vodozemac.InboundGroupSession(vodozemac.SessionKey(session_key))
        except ValueError as error:
            raise Unreadable("no session key") from error
        return self._taken(payload, place, session)

    def take_again(self, payload: Payload) -> Place | None:
        """Keep the key of an ``m.forwarded_room_key`` that the session's own device sends, and no other.

        :raises Unreadable: it is none.
        """
        place = place_of(payload.content)
        session_key = payload.content.get("session_key")
        if not isinstance(session_key, str) or payload.content.get("sender_key") != payload.sender_key:
            raise Unreadable("not its own")
        try:
            exported = vodozemac.ExportedSessionKey(session_key)
            session = vodozemac.InboundGroupSession.import_session(exported)
        except ValueError as error:
            raise Unreadable("no session key") from error
        return self._taken(payload, place, session)

    def _taken(self, payload: Payload, place: Place, session: vodozemac.InboundGroupSession) -> Place | None:
        room_id, session_id = place
        if session.session_id != session_id:
            raise Unreadable("another session's key")
        known = self._of(place, payload.sender)
        if known is not None and not _better(session, known):
            return None
        row = MegolmSession(
            room_id=room_id,
            session_id=session_id,
            user_id=payload.sender,
            sender_key=payload.sender_key,
            signing_key=payload.signing_key,
            pickle=session.pickle(self._sealer.pickling),
            received_at=self._units.clock(),
        )
        others = [each for each in self._at_hand.get(place, []) if each.row.user_id != payload.sender]
        self._at_hand[place] = [*others, _Key(session, row)]
        self._journal.put(row)
        return place

    def _of(self, place: Place, user_id: str) -> _Key | None:
        keys_there = self._at_hand.get(place, [])
        return next((each for each in keys_there if each.row.user_id == user_id), None)

    def opened(self, room_id: str, sender: str, event: Encrypted) -> Opened:
        """What an event says; its session must be loaded.

        :raises KeyMissing: its sender has not given the key.
        :raises Unreadable: it is not what the key opens, or was said in another room.
        """
        key = self._of((room_id, event.session_id), sender)
        if key is None or event.ciphertext.message_index() < key.session.first_known_index:
            raise KeyMissing
        try:
            plain = parsed(key.session.decrypt(event.ciphertext).plaintext)
        except ValueError as error:
            raise Unreadable("its key does not open it") from error
        told = clean.mapping(plain)
        event_type, content = told.get("type"), told.get("content")
        if told.get("room_id") != room_id:
            raise Unreadable("said in another room")
        if not isinstance(event_type, str) or not isinstance(content, Mapping):
            raise Unreadable("malformed")
        return Opened(event_type, content, event.cipher, key.row.sender_key, key.row.signing_key)


def place_of(content: Mapping[str, Any]) -> Place:
    """Which session a key is for.

    :raises Unreadable: none.
    """
    room_id, session_id = (
        clean.identifier(content.get("room_id")),
        clean.identifier(content.get("session_id")),
    )
    if content.get("algorithm") != MEGOLM or room_id is None or session_id is None:
        raise Unreadable("malformed")
    return room_id, session_id


def _better(new: vodozemac.InboundGroupSession, known: _Key) -> bool:
    """Whether it is the same key, but from earlier on."""
    first = known.session.first_known_index
    if new.first_known_index >= first:
        return False
    ours, theirs = known.session.export_at(first), new.export_at(first)
    return ours is not None and theirs is not None and ours.to_base64() == theirs.to_base64()
