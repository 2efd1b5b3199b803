"""Reads a sync's JSON. It comes from strangers: every type is checked, and nothing raises."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from bot.matrix import clean
from bot.matrix.client import ABOUT_KEY, TX_KEY
from bot.matrix.encryption.receiving import ENCRYPTED, Plain, is_verification
from bot.matrix.encryption.sealing import Labels
from bot.matrix.room_state import Json, predecessor_of, room_update
from bot.services.echoes import Echo
from bot.services.reception import Batch, ReceivedEvent, Redaction, RoomUpdate

_STATE_TYPES: Final = (
    "m.room.create",
    "m.room.member",
    "m.room.power_levels",
    "m.room.join_rules",
    "m.room.history_visibility",
    "m.room.guest_access",
    "m.room.encryption",
    "m.room.name",
    "m.room.tombstone",
)
_SAID: Final = ("m.room.message", "m.reaction", "m.room.redaction", "m.room.encrypted")
_ALSO: Final = ("m.key.verification.*",)
_TWO: Final = 2
_NOTHING: Final = {"types": [], "limit": 0}
TIMELINE_FILTER: Final[Mapping[str, Any]] = {"types": list(_SAID)}
JOIN_FILTER: Final[Mapping[str, Any]] = {"types": [*_SAID, "m.room.member"]}
"""For a history in which the bot's own coming is to be found."""


def _sync_filter(*, timeline: int, lazy: bool) -> Mapping[str, Any]:
    return {
        "presence": _NOTHING,
        "account_data": _NOTHING,
        "room": {
            "state": {"types": list(_STATE_TYPES), "lazy_load_members": lazy},
            "timeline": {"types": [*_STATE_TYPES, *_SAID, *_ALSO], "limit": timeline},
            "ephemeral": _NOTHING,
            "account_data": _NOTHING,
        },
    }


SYNC_FILTER: Final = _sync_filter(timeline=100, lazy=False)
FIRST_SYNC_FILTER: Final = _sync_filter(timeline=20, lazy=True)
"""The account may be in hundreds of rooms that are not the bot's: who is there it need not know."""


def unlike_any(sync_filter: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same filter, in words that no request had before: a homeserver may keep its answer to those."""
    nobody = f"@{secrets.token_hex(8)}:invalid"
    return {**sync_filter, "presence": {**_NOTHING, "not_senders": [nobody]}}


class Concerns(Protocol):
    """Whether a message's content is for the bot; ``private``: outside of the configured rooms."""

    def __call__(self, content: Mapping[str, object], *, private: bool) -> bool: ...


@dataclass(frozen=True, slots=True)
class Gap:
    """The timeline was cut: events between the last sync and ``before`` are still to be fetched."""

    room_id: str
    before: str
    since_join: tuple[Json, ...] | None = None
    """Of a room that is new, whose cut timeline this is: only what was said after the bot came in counts."""


@dataclass(frozen=True, slots=True)
class SyncAnswer:
    """A sync, read: what to commit, and what to fetch first."""

    batch: Batch
    gaps: tuple[Gap, ...] = ()
    unsure: tuple[str, ...] = ()
    """Rooms whose state has to be asked for: what the sync tells of it may be an older one."""


@dataclass(frozen=True, slots=True)
class Said:
    """What people and the bot said in a room, and what was taken away."""

    events: tuple[ReceivedEvent, ...] = ()
    echoes: tuple[Echo, ...] = ()
    redactions: tuple[Redaction, ...] = ()


@dataclass(slots=True)
class _Collected:
    rooms: list[RoomUpdate] = field(default_factory=list)
    events: list[ReceivedEvent] = field(default_factory=list)
    echoes: list[Echo] = field(default_factory=list)
    redactions: list[Redaction] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)

    def said(self) -> Said:
        """What was said."""
        return Said(tuple(self.events), tuple(self.echoes), tuple(self.redactions))


class Reader:
    """Reads syncs for one account."""

    def __init__(self, user_id: str, concerns: Concerns, labels: Labels | None = None) -> None:
        self._me = user_id
        self._concerns = concerns
        self._labels = labels
        self._configured: frozenset[str] = frozenset()
        self._serving: frozenset[str] = frozenset()

    def read(
        self,
        raw: Json,
        joined: frozenset[str],
        configured: frozenset[str],
        following: frozenset[str] = frozenset(),
    ) -> SyncAnswer:
        """Read a sync; ``joined`` are the rooms that the bot was in at the last one.

        In a room that is new, only what was said after the bot came in counts. Outside of the ``configured``
        rooms there are only direct chats, until they are left, and those ``following`` that may replace one.
        """
        self._configured = configured
        self._serving = configured | following
        found = _Collected()
        rooms = clean.mapping(raw.get("rooms"))
        for room_id, room in _mappings(rooms.get("join")):
            self._read_joined(found, room_id, room, known=room_id in joined)
        for room_id, _room in _mappings(rooms.get("leave")):
            found.rooms.append(RoomUpdate(room_id, membership="leave"))
        for room_id, room in _mappings(rooms.get("invite")):
            self._read_invitation(found, room_id, room)
        batch = Batch(
            clean.text(raw.get("next_batch")) or "",
            tuple(found.rooms),
            tuple(found.events),
            tuple(found.echoes),
            tuple(found.redactions),
        )
        return SyncAnswer(batch, tuple(found.gaps), tuple(found.unsure))

    def read_page(self, gap: Gap, events: Sequence[Json]) -> Said:
        """What was said in a gap; ``events`` are its history, oldest first."""
        found = _Collected()
        said = events if gap.since_join is None else self._since_join([*events, *gap.since_join])
        for event in said:
            self._read_said(found, gap.room_id, event)
        return found.said()

    def _read_joined(self, found: _Collected, room_id: str, room: Json, *, known: bool) -> None:
        count = clean.mapping(room.get("summary")).get("m.joined_member_count")
        timeline = clean.mapping(room.get("timeline"))
        said = list(_events(timeline))
        before = list(_events(room.get("state")))
        may_serve = room_id in self._serving or predecessor_of([*before, *said]) in self._configured
        if not may_serve and isinstance(count, int) and count != _TWO:
            # No room that is or may be configured, and no direct chat: it is to be left, no more to be known.
            found.rooms.append(RoomUpdate(room_id, membership="join"))
            return
        update = room_update(room_id, [*before, *said], self._me)
        if update.tells_anything or not (known and room_id in self._configured):
            found.rooms.append(update)
        levels = any(event.get("type") == "m.room.power_levels" for event in said)
        if count is not None or not known or before or levels:
            # Of a room that is new, or told with a count, not all members need be told: those who never spoke
            # are left out. Two events at once, as a member leaving while the bot writes, fork the room's
            # history: the sync then tells the state before one of them, in which the member is still there
            # (MSC4222). And levels alone do not say whether the bot may write.
            found.unsure.append(room_id)
        start = timeline.get("prev_batch")
        since_join = said if known else self._since_join(said)
        if timeline.get("limited") is True and isinstance(start, str) and (known or not since_join):
            found.gaps.append(Gap(room_id, start, None if known else tuple(said)))
        for event in since_join:
            self._read_said(found, room_id, event)

    def _since_join(self, said: Sequence[Json]) -> Sequence[Json]:
        """What was said since the bot came in last; it may have been there before, and out meanwhile."""
        came: int | None = None
        for index, event in enumerate(said):
            if event.get("type") == "m.room.member" and event.get("state_key") == self._me:
                joined = clean.mapping(event.get("content")).get("membership") == "join"
                # Who is in already and joins has another name or picture.
                came = (index if came is None else came) if joined else None
        return [] if came is None else said[came:]

    def _read_said(self, found: _Collected, room_id: str, event: Json) -> None:
        if event.get("type") == "m.room.redaction":
            self._read_redaction(found, room_id, event)
        else:
            self._read_message(found, room_id, event)

    def _read_redaction(self, found: _Collected, room_id: str, event: Json) -> None:
        """Since room version 11 the content names what is redacted; before, it means nothing there."""
        target = event.get("redacts") or clean.mapping(event.get("content")).get("redacts")
        event_id = clean.identifier(target)
        if event_id is not None:
            by_bot = event.get("sender") == self._me
            found.redactions.append(Redaction(event_id, room_id, by_bot=by_bot, at=_sent_at(event)))

    def _read_message(self, found: _Collected, room_id: str, event: Json) -> None:
        event_id, sender = clean.identifier(event.get("event_id")), clean.identifier(event.get("sender"))
        if event_id is None or sender is None or not isinstance(event.get("content"), Mapping):
            return
        content = clean.content(event["content"])
        if is_verification(event):
            return
        if sender == self._me:
            told = self._told(room_id, event, content)
            tx_id = told.get(TX_KEY)
            if isinstance(tx_id, str):
                found.echoes.append(_echo(event, told, tx_id, event_id, room_id))
            elif because := _redacted_by_another(event):
                found.redactions.append(Redaction(event_id, room_id, own=True, at=_sent_at(because)))
        elif "state_key" in event:
            return
        elif event.get("type") == "m.room.message":
            private = room_id not in self._configured
            kept = content if self._concerns(content, private=private) else None
            thread = clean.identifier(_thread(content))
            cipher = event.cipher if isinstance(event, Plain) else None
            found.events.append(
                ReceivedEvent(event_id, room_id, sender, kept, _sent_at(event), thread, cipher=cipher)
            )
        elif event.get("type") == ENCRYPTED:
            self._read_sealed(found, room_id, event_id, sender, event, content)
        elif event.get("type") == "m.reaction" and (tapped := _tapped(content)) is not None:
            found.events.append(
                ReceivedEvent(event_id, room_id, sender, content, _sent_at(event), tapped=tapped)
            )

    def _read_sealed(
        self, found: _Collected, room_id: str, event_id: str, sender: str, event: Json, content: Json
    ) -> None:
        """What nobody can read yet waits for its key; an edit is no command, and neither is an empty one."""
        session_id = clean.identifier(content.get("session_id"))
        relation = clean.mapping(content.get("m.relates_to"))
        if session_id is None or relation.get("rel_type") in ("m.replace", "m.annotation"):
            return
        found.events.append(
            ReceivedEvent(
                event_id, room_id, sender, content, _sent_at(event), clean.identifier(_thread(content)),
                sealed=True, cipher=f"{session_id}:",
            )
        )  # fmt: skip

    def read_late(self, room_id: str, event: Json, configured: frozenset[str]) -> ReceivedEvent | None:
        """An event whose key came after it; ``None`` if it says nothing to the bot."""
        self._configured = configured
        found = _Collected()
        self._read_message(found, room_id, event)
        return found.events[0] if found.events else None

    def _told(self, room_id: str, event: Json, content: Json) -> Json:
        """What an own event says of itself; an encrypted one in its label."""
        if event.get("type") != ENCRYPTED or self._labels is None:
            return content
        label = self._labels.read(room_id, content.get(self._labels.KEY)) or {}
        return {**content, **label}

    def _read_invitation(self, found: _Collected, room_id: str, room: Json) -> None:
        state = list(_events(room.get("invite_state")))
        encrypted = any(event.get("type") == "m.room.encryption" for event in state)
        for event in state:
            content = clean.mapping(event.get("content"))
            mine = event.get("type") == "m.room.member" and event.get("state_key") == self._me
            inviter = clean.identifier(event.get("sender"))
            if mine and content.get("membership") == "invite" and inviter is not None:
                direct = content.get("is_direct") is True
                update = RoomUpdate(
                    room_id, "invite", invited_by=inviter, direct=direct, encrypted=encrypted,
                    predecessor=predecessor_of(state),
                )  # fmt: skip
                found.rooms.append(update)
                return


def in_order(events: Iterable[ReceivedEvent]) -> tuple[ReceivedEvent, ...]:
    """Events of several rooms by their times; those of one room stay in order, whatever times they claim."""
    latest: dict[str, datetime] = {}
    timed: list[tuple[datetime, ReceivedEvent]] = []
    for event in events:
        latest[event.room_id] = max(event.sent_at, latest.get(event.room_id, event.sent_at))
        timed.append((latest[event.room_id], event))
    return tuple(event for _, event in sorted(timed, key=lambda pair: pair[0]))


def _echo(event: Json, content: Json, tx_id: str, event_id: str, room_id: str) -> Echo:
    """An own event; what it says of itself was written by the bot, or by somebody with the bot's account."""
    relates_to = clean.mapping(content.get("m.relates_to"))
    target = clean.identifier(relates_to.get("event_id"))
    key = clean.text(relates_to.get("key"))
    return Echo(
        tx_id,
        event_id,
        room_id,
        _thread(content),
        _sent_at(event),
        on=target if relates_to.get("rel_type") in ("m.annotation", "m.replace") else None,
        key=key if relates_to.get("rel_type") == "m.annotation" else None,
        answers=clean.identifier(clean.mapping(relates_to.get("m.in_reply_to")).get("event_id")),
        about=clean.mapping(content.get(ABOUT_KEY)),
    )


def _thread(content: Json) -> str | None:
    relates_to = clean.mapping(content.get("m.relates_to"))
    root = relates_to.get("event_id")
    return root if relates_to.get("rel_type") == "m.thread" and isinstance(root, str) else None


def _redacted_by_another(event: Json) -> Json | None:
    """The event by which somebody took this one away, before it was seen."""
    because = clean.mapping(clean.mapping(event.get("unsigned")).get("redacted_because"))
    return because if because.get("sender") not in (None, event.get("sender")) else None


def _tapped(content: Json) -> str | None:
    """The event that a reaction is on; ``None`` if it is none, as once it was taken back."""
    relates_to = clean.mapping(content.get("m.relates_to"))
    key = relates_to.get("key")
    if relates_to.get("rel_type") != "m.annotation" or not isinstance(key, str) or not key:
        return None
    return clean.identifier(relates_to.get("event_id"))


def _sent_at(event: Json) -> datetime:
    return clean.moment(event.get("origin_server_ts"))


def _mappings(value: object) -> Iterator[tuple[str, Json]]:
    """Rooms by id; one whose id cannot be kept is left out."""
    for key, inner in clean.mapping(value).items():
        if isinstance(inner, Mapping) and clean.identifier(key) is not None:
            yield key, inner


def _events(section: object) -> Iterator[Json]:
    events = clean.mapping(section).get("events")
    if isinstance(events, list):
        yield from (event for event in events if isinstance(event, Mapping))
