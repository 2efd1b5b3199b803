"""Answers to commands: written into the outbox in the commit of what they answer."""

from collections.abc import Collection, Mapping
from typing import Any

from bot.services.reception import Incoming
from bot.services.unit import Unit
from storage import outbox, posted
from storage.outbox import Kind, Priority

ACKNOWLEDGED = "✅"


async def acknowledge(unit: Unit, incoming: Incoming) -> None:
    """✅ on the command: it is done, and the card shows it."""
    relation = {"rel_type": "m.annotation", "event_id": incoming.event_id, "key": ACKNOWLEDGED}
    await outbox.put(
        unit.session,
        Kind.REACTION,
        Priority.ANSWER,
        unit.now,
        room=incoming.room_id,
        payload={"content": {"m.relates_to": relation}},
    )
    unit.wake_courier()


async def answer(
    unit: Unit,
    incoming: Incoming,
    content: Mapping[str, Any],
    shows: Collection[int],
    *,
    wordy: bool = False,
) -> None:
    """A rendered message, in the thread that the command was given in or else as a reply to it.

    :param wordy: the command is a search or was refused. Nothing else notes it, and its words may be a
        requester's: a purge must find it.
    """
    if wordy and shows:
        await posted.record(unit.session, incoming.event_id, incoming.room_id, "command", shows, unit.now)
    await outbox.put(
        unit.session,
        Kind.ANSWER,
        Priority.ANSWER,
        unit.now,
        room=incoming.room_id,
        payload={"content": {**content, "m.relates_to": _relation(incoming)}},
        shows=shows,
    )
    unit.wake_courier()


def _relation(incoming: Incoming) -> dict[str, Any]:
    reply = {"m.in_reply_to": {"event_id": incoming.event_id}}
    relates_to = incoming.content.get("m.relates_to")
    if isinstance(relates_to, Mapping) and relates_to.get("rel_type") == "m.thread":
        return {
            "rel_type": "m.thread",
            "event_id": relates_to.get("event_id"),
            "is_falling_back": True,
            **reply,
        }
    return reply
