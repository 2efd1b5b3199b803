"""A room's history as the homeserver tells it, and as a client shows it. Pure: nothing here asks a server."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a room as the homeserver tells it; a redacted one has lost its content."""

    event_id: str
    sender: str
    type: str
    content: Mapping[str, Any]
    at: datetime
    state_key: str | None
    redacts: str | None
    redacted: bool

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """From the client-server API's JSON."""
        content = raw["content"]
        return cls(
            event_id=raw["event_id"],
            sender=raw["sender"],
            type=raw["type"],
            content=content,
            at=datetime.fromtimestamp(raw["origin_server_ts"] / 1000, UTC),
            state_key=raw.get("state_key"),
            redacts=content.get("redacts", raw.get("redacts")),
            redacted="redacted_because" in raw.get("unsigned", {}),
        )

    @property
    def body(self) -> str:
        """The plain text as it was sent; empty where there is none."""
        return _text(self.content.get("body"))

    @property
    def relation(self) -> Mapping[str, Any]:
        """``m.relates_to``, empty where there is none."""
        return _mapping(self.content.get("m.relates_to"))

    @property
    def related(self) -> str:
        """The event that ``m.relates_to`` names; empty where there is none."""
        return _text(self.relation.get("event_id"))

    @property
    def in_reply_to(self) -> str | None:
        """The event that this one answers."""
        return _text(_mapping(self.relation.get("m.in_reply_to")).get("event_id")) or None


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as a client shows it: edits applied, reactions gathered, redacted ones emptied."""

    event_id: str
    sender: str
    at: datetime
    msgtype: str
    body: str
    formatted_body: str | None
    mentions: frozenset[str]
    mentions_room: bool
    thread: str | None
    reply_to: str | None
    edited: bool
    redacted: bool
    reactions: Mapping[str, frozenset[str]]


def shown(events: Sequence[Event]) -> list[Shown]:
    """What a person sees of a room's history (spec: "Event replacements", "Event annotations")."""
    gone = {event.redacts for event in events if event.redacts} | {e.event_id for e in events if e.redacted}
    senders = {event.event_id: event.sender for event in events}
    edits: dict[str, Mapping[str, Any]] = {}
    reactions: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for event in events:
        target = event.related
        if event.event_id in gone:
            continue
        if event.type == "m.reaction" and event.relation.get("rel_type") == "m.annotation":
            reactions[target][str(event.relation["key"])].add(event.sender)
        elif _is_edit(event) and senders.get(target) == event.sender:
            edits[target] = event.content["m.new_content"]
    return [
        _shown(event, edits.get(event.event_id), reactions[event.event_id], redacted=event.event_id in gone)
        for event in events
        if event.type == "m.room.message" and not _is_edit(event)
    ]


def _is_edit(event: Event) -> bool:
    return (
        event.type == "m.room.message"
        and event.relation.get("rel_type") == "m.replace"
        and isinstance(event.content.get("m.new_content"), dict)
    )


def _shown(
    event: Event, edit: Mapping[str, Any] | None, reactions: Mapping[str, set[str]], *, redacted: bool
) -> Shown:
    content = {} if redacted else edit or event.content
    mentions = _mapping(content.get("m.mentions"))
    people = mentions.get("user_ids")
    return Shown(
        event_id=event.event_id,
        sender=event.sender,
        at=event.at,
        msgtype=_text(content.get("msgtype")),
        body=_text(content.get("body")),
        formatted_body=content.get("formatted_body"),
        mentions=frozenset(people) if isinstance(people, list) else frozenset(),
        mentions_room=bool(mentions.get("room", False)),
        thread=event.related if event.relation.get("rel_type") == "m.thread" else None,
        reply_to=event.in_reply_to,
        edited=edit is not None and not redacted,
        redacted=redacted,
        reactions={key: frozenset(senders) for key, senders in reactions.items()},
    )


def _mapping(value: object) -> Mapping[str, Any]:
    """Content is whatever its sender put there: what is of another type counts as absent."""
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def rendered(messages: Sequence[Shown]) -> str:
    """The messages as text, for a failing test's report."""
    lines = []
    for message in messages:
        marks = [name for name in ("edited", "redacted") if getattr(message, name)]
        indent = "    " if message.thread else ""
        kind = message.msgtype.removeprefix("m.") or "-"
        about = f"({', '.join([kind, *marks])}) {message.event_id}"
        head = f"{indent}[{message.at:%H:%M:%S}] {message.sender} {about}"
        body = [f"{indent}    {line}" for line in message.body.splitlines()]
        taps = [f"{indent}    {key} {', '.join(sorted(who))}" for key, who in message.reactions.items()]
        lines += [head, *body, *taps]
    return "\n".join(lines) or "(nothing)"
