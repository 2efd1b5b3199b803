"""What becomes of the bot's messages that are taken away, by somebody else or where no answer told of it."""

from dataclasses import dataclass
from typing import Final

from bot.services import prompts, seeds
from bot.services.unit import Unit
from storage import outbox, posted
from storage.models import PostedEvent
from storage.outbox import Kind, Priority

_GONE: Final = "gone"
"""Kind of an event that was taken away before the bot knew which of its own it was."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """Somebody took an event away. ``own``: one of the bot's, which was gone before it was seen."""

    event_id: str
    room_id: str
    own: bool = False
    by_bot: bool = False
    """The bot took it away itself."""


def by_bot(unit: Unit, redaction: Redaction) -> None:
    """The bot took an event away. If no answer told of that, the ticket may have changed since.

    Only a seeded reaction is wanted again then; what else it redacts stays away, and is redacted once more.
    """
    event = posted.get(unit.session, redaction.event_id)
    if event is not None and event.key is not None and event.redacted_at is None:
        posted.is_gone(unit.session, event.event_id, unit.now)
        seeds.ask(unit, event.thread or "")


def by_another(unit: Unit, redaction: Redaction) -> None:
    """Somebody took an event away.

    A card that is gone is posted anew with its ticket's next change, not at once: whoever took it away meant
    it, and the ticket stands in lists and digests meanwhile. Where only an edit went, the card shows
    again what is not true any more: it is edited at once.
    """
    event = posted.get(unit.session, redaction.event_id)
    if event is None:
        if redaction.own:
            # Killed between sending and noting it: who sends it again is given this event.
            posted.record(unit.session, redaction.event_id, redaction.room_id, _GONE, (), unit.now)
            posted.is_gone(unit.session, redaction.event_id, unit.now)
        return
    if event.redacted_at is not None:
        return
    posted.is_gone(unit.session, event.event_id, unit.now)
    if event.kind == Kind.CARD.value:
        _card_went(unit, event)
    elif event.kind == "edit":
        _edit_went(unit, event)
    else:
        prompts.went(unit, event.event_id)


def _card_went(unit: Unit, event: PostedEvent) -> None:
    card = posted.card_of_event(unit.session, event.event_id)
    if card is None:
        return
    unit.session.delete(card)
    for seed in posted.seeds_on(unit.session, event.event_id).values():
        payload = {"event_id": seed}
        outbox.put(
            unit.session, Kind.UNTAP, Priority.REDACTION, unit.now, room=event.room_id, payload=payload
        )
    unit.wake_courier()


def _edit_went(unit: Unit, event: PostedEvent) -> None:
    card = posted.card_of_event(unit.session, event.thread or "")
    if card is None:
        return
    card.version = 0
    unit.session.add(card)
    outbox.refresh_card(unit.session, card.number, unit.now, new=False)
    unit.wake_courier()
