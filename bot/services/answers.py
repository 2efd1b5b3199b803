"""Answers to commands: written into the outbox in the commit of what they answer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.taps import ACKNOWLEDGED
from bot.services import delivery, prompts
from bot.services.media import Media
from bot.services.prompts import NewPrompt
from bot.services.reception import Incoming
from bot.services.unit import Unit
from storage import outbox, posted
from storage.outbox import Kind, Priority


@dataclass(frozen=True, slots=True)
class Spot:
    """What an answer is given to: an event, and the root of the thread that it stands in."""

    room_id: str
    event_id: str
    thread: str | None = None

    @property
    def relation(self) -> dict[str, Any]:
        """``m.relates_to`` of the answer; clients without threads show it as a reply."""
        reply = {"m.in_reply_to": {"event_id": self.event_id}}
        if self.thread is None:
            return reply
        return {"rel_type": "m.thread", "event_id": self.thread, "is_falling_back": True, **reply}


def spot_of(incoming: Incoming) -> Spot:
    """The place of a command: its answer goes into the thread that it was given in."""
    relates_to = incoming.content.get("m.relates_to")
    root = None
    if isinstance(relates_to, Mapping) and relates_to.get("rel_type") == "m.thread":
        root = relates_to.get("event_id")
    return Spot(incoming.room_id, incoming.event_id, root if isinstance(root, str) else None)


def acknowledge(unit: Unit, room_id: str, event_id: str) -> None:
    """✅ on the command: it is done, and the card shows it."""
    relation = {"rel_type": "m.annotation", "event_id": event_id, "key": ACKNOWLEDGED}
    _put(unit, Kind.REACTION, room_id, {"content": {"m.relates_to": relation}})


def _put(
    unit: Unit, kind: Kind, room_id: str, payload: dict[str, Any], shows: Collection[int] = ()
) -> outbox.Added:
    row = outbox.put(
        unit.session, kind, Priority.ANSWER, unit.now, room=room_id, payload=payload, shows=shows
    )
    delivery.hand_over(unit, row, kind, room_id, payload, shows)
    unit.wake_courier()
    return row


def answer(
    unit: Unit,
    spot: Spot,
    content: Mapping[str, Any],
    shows: Collection[int],
    *,
    person: str,
    prompt: NewPrompt | None = None,
    command: str | None = None,
    media: Media | None = None,
) -> None:
    """A rendered message, in the thread that the command was given in or else as a reply to it.

    ``person`` gave the command; with a ``prompt`` the answer waits for a tap. ``command`` is that command's
    event, where the answer is given to another one. With ``media`` that is sent
    instead, if its file can be uploaded.
    """
    payload = {
        "content": {**content, "m.relates_to": spot.relation},
        **({"media": media.to_json()} if media else {}),
    }
    row = _put(unit, Kind.ANSWER, spot.room_id, payload, shows)
    if prompt is not None:
        asked = command or spot.event_id
        prompts.ask(
            unit, prompt, row.id, spot.room_id, thread=spot.thread, person=person, command=asked, shows=shows
        )


def note_words(unit: Unit, room_id: str, event_id: str, shows: Collection[int]) -> None:
    """Let a purge find a search or a refused command, whose words may be a requester's.

    Nothing else notes them. A search that is gone on with shows further tickets.
    """
    if shows and not posted.record(unit.session, event_id, room_id, "command", shows, unit.now):
        posted.also_shows(unit.session, event_id, shows)


def change(unit: Unit, room_id: str, content: Mapping[str, Any], shows: Collection[int]) -> None:
    """Bring an earlier answer up to date: ``content`` is an edit of it."""
    _put(unit, Kind.ANSWER, room_id, {"content": dict(content)}, shows)


def untap(unit: Unit, incoming: Incoming) -> None:
    """Take a handled tap away, so that the next one needs one tap, too."""
    outbox.take_away(unit.session, incoming.room_id, incoming.event_id, unit.now, Priority.EDIT)
    unit.wake_courier()
