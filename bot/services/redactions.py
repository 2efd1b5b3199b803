"""What becomes of the bot's messages that are taken away, by somebody else or where no answer told of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.services import prompts, seeds
from bot.services.echoes import EVER
from bot.services.unit import Unit
from storage import inbox, outbox, posted
from storage.models import PostedEvent
from storage.outbox import Kind

_GONE: Final = "gone"
"""Kind of an event that was taken away before the bot knew which of its own it was."""
_FIGHT: Final = timedelta(hours=1)
_MOST_CORRECTIONS: Final = 3
"""Of a card in that time: another bot may take each edit away. Then the ticket's next change counts."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """Somebody took an event away. ``own``: one of the bot's, which was gone before it was seen."""

    event_id: str
    room_id: str
    own: bool = False
    by_bot: bool = False
    """The bot took it away itself."""
    at: datetime = EVER
    """When, by the clock of the homeserver where it was done; if that does not say, any change counts as a
    later one.
    """


def by_bot(unit: Unit, redaction: Redaction) -> None:
    """The bot took an event away. If no answer told of that, the ticket may have changed since.

    Only a seeded reaction is wanted again then; what else it redacts stays away, and is redacted once more.
    """
    event = posted.get(unit.session, redaction.event_id)
    if event is not None and event.key is not None and _counts(event, redaction):
        posted.is_gone(unit.session, event.event_id, unit.now)
        seeds.ask(unit, event.thread or "")


def by_another(unit: Unit, redaction: Redaction) -> None:
    """Somebody took an event away.

    A card that is gone is posted anew with its ticket's next change, not at once: whoever took it away meant
    it, and the ticket stands in lists and digests meanwhile. A change counts as the next one also if the bot
    told it before it saw that the card was gone: that edit shows nothing. Where only an edit went, the card
    shows again what is not true any more: it is edited at once, but not for ever against one who takes each
    away.
    """
    event = posted.get(unit.session, redaction.event_id)
    if event is None:
        inbox.withdraw_sealed(unit.session, redaction.event_id, redaction.room_id, unit.now)
        if redaction.own:
            # Killed between sending and noting it: who sends it again is given this event.
            posted.record(unit.session, redaction.event_id, redaction.room_id, _GONE, (), unit.now)
            posted.is_gone(unit.session, redaction.event_id, unit.now)
        return
    if not _counts(event, redaction):
        return
    posted.is_gone(unit.session, event.event_id, unit.now)
    if event.kind == Kind.CARD.value:
        _card_went(unit, event, redaction.at)
    elif event.kind == "edit":
        _edit_went(unit, event)
    else:
        prompts.went(unit, event.event_id)


def _counts(event: PostedEvent, redaction: Redaction) -> bool:
    """An event is taken away once, and only in its own room: elsewhere anybody may name its id."""
    return event.redacted_at is None and event.room_id == redaction.room_id


def _card_went(unit: Unit, event: PostedEvent, at: datetime) -> None:
    card = posted.card_of_event(unit.session, event.event_id)
    if card is None:
        return
    unit.session.delete(card)
    edits = posted.edits_of(unit.session, card.number, card.event_id)
    outbox.cancel_correction(unit.session, card.number, unit.now)
    if any(edit.redacted_at is None and edit.posted_at > at for edit in edits):
        outbox.refresh_card(unit.session, card.number, unit.now, new=True)
    for seed in posted.seeds_on(unit.session, event.event_id).values():
        outbox.take_away(unit.session, event.room_id, seed, unit.now)
    unit.wake_courier()


def _edit_went(unit: Unit, event: PostedEvent) -> None:
    card = posted.card_of_event(unit.session, event.thread or "")
    if card is None:
        return
    edits = posted.edits_of(unit.session, card.number, card.event_id)
    if any(edit.redacted_at is None and edit.posted_at > event.posted_at for edit in edits):
        return  # a later one is what the card shows
    card.version = 0
    unit.session.add(card)
    if sum(_was_fought(edit, unit.now) for edit in edits) <= _MOST_CORRECTIONS:
        outbox.correct_card(unit.session, card.number, unit.now)
        unit.wake_courier()


def _was_fought(edit: PostedEvent, now: datetime) -> bool:
    """Whether an edit was posted a short time ago and is gone."""
    return edit.redacted_at is not None and now - edit.posted_at < _FIGHT
