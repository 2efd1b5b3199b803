"""A room as a Matrix client shows it: edits applied, reactions gathered, removed messages emptied."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from bot.demo.person import Event


class Happening(StrEnum):
    """What an event does to the room."""

    MESSAGE = "message"
    EDIT = "edit"
    REACTION = "reaction"
    REMOVAL = "removal"


@dataclass(slots=True)
class Shown:
    """One message as it looks now."""

    event_id: str
    sender: str
    at: datetime
    body: str
    notice: bool
    thread: str | None
    answers: str | None
    """Event id of the message that this one replies to."""
    mentions: frozenset[str] = frozenset()
    """User ids of those whom it rings for."""
    edited: bool = False
    removed: bool = False
    reactions: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Key → user ids, in the order they came."""


@dataclass(frozen=True, slots=True)
class Change:
    """What just happened: to which message, by whom and when."""

    kind: Happening
    message: Shown
    by: str
    at: datetime
    key: str = ""
    """Of a reaction."""


class RoomView:
    """Takes a room's events in their order, each as often as it comes, and keeps how the room looks."""

    def __init__(self) -> None:
        self._messages: dict[str, Shown] = {}
        self._reactions: dict[str, tuple[Shown, str, str]] = {}
        self._known: set[str] = set()

    @property
    def messages(self) -> tuple[Shown, ...]:
        """Oldest first."""
        return tuple(self._messages.values())

    def message(self, event_id: str) -> Shown | None:
        """The message with that id, if it was seen."""
        return self._messages.get(event_id)

    def apply(self, event: Event) -> Change | None:
        """What the event changes; ``None`` for what a reader does not see, or was told before."""
        if event["event_id"] in self._known:
            return None
        self._known.add(event["event_id"])
        match event["type"]:
            case "m.room.message":
                return self._spoken(event)
            case "m.reaction":
                return self._reacted(event)
            case "m.room.redaction":
                return self._removed(event)
        return None

    def _spoken(self, event: Event) -> Change | None:
        relation = _relation(event)
        if relation.get("rel_type") == "m.replace":
            return self._edited(event, relation)
        content, reply = event["content"], relation.get("m.in_reply_to")
        message = Shown(
            event_id=event["event_id"],
            sender=event["sender"],
            at=_moment(event),
            body=str(content.get("body", "")),
            notice=content.get("msgtype") == "m.notice",
            thread=relation.get("event_id") if relation.get("rel_type") == "m.thread" else None,
            answers=reply.get("event_id") if isinstance(reply, dict) else None,
            mentions=_mentioned(content),
            removed="redacted_because" in event.get("unsigned", {}),
        )
        self._messages[message.event_id] = message
        return None if message.removed else Change(Happening.MESSAGE, message, message.sender, message.at)

    def _edited(self, event: Event, relation: dict[str, Any]) -> Change | None:
        message = self._messages.get(relation.get("event_id", ""))
        new = event["content"].get("m.new_content")
        # Only its author may edit a message (spec: "Validity of replacement events").
        if message is None or message.removed or message.sender != event["sender"] or new is None:
            return None
        message.body, message.edited = str(new.get("body", "")), True
        return Change(Happening.EDIT, message, event["sender"], _moment(event))

    def _reacted(self, event: Event) -> Change | None:
        relation = _relation(event)
        message = self._messages.get(relation.get("event_id", ""))
        if message is None or message.removed:
            return None
        key = str(relation.get("key", ""))
        message.reactions[key].append(event["sender"])
        self._reactions[event["event_id"]] = (message, key, event["sender"])
        return Change(Happening.REACTION, message, event["sender"], _moment(event), key)

    def _removed(self, event: Event) -> Change | None:
        target = event["content"].get("redacts", event.get("redacts", ""))
        if target in self._reactions:
            self._untapped(*self._reactions.pop(target))
            return None
        if (found := self._messages.get(target)) is None or found.removed:
            return None
        found.body, found.removed = "", True
        found.reactions.clear()
        return Change(Happening.REMOVAL, found, event["sender"], _moment(event))

    def _untapped(self, message: Shown, key: str, by: str) -> None:
        if by in message.reactions.get(key, ()):
            message.reactions[key].remove(by)
            if not message.reactions[key]:
                del message.reactions[key]


def _relation(event: Event) -> dict[str, Any]:
    relation = event["content"].get("m.relates_to")
    return relation if isinstance(relation, dict) else {}


def _mentioned(content: dict[str, Any]) -> frozenset[str]:
    mentions = content.get("m.mentions")
    named = mentions.get("user_ids") if isinstance(mentions, dict) else None
    return frozenset(map(str, named)) if isinstance(named, list) else frozenset()


def _moment(event: Event) -> datetime:
    return datetime.fromtimestamp(event["origin_server_ts"] / 1000, UTC)
