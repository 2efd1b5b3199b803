"""Taps: which event of the bot was tapped, and one tap on a card as one move."""

from dataclasses import dataclass

from bot.domain.errors import NotAllowedFrom, NothingToUndo
from bot.domain.lifecycle import UNDO_WINDOW
from bot.domain.taps import is_reached
from bot.domain.words import Action
from bot.services import moves, prompts
from bot.services.people import Caller
from bot.services.prompts import PromptView
from bot.services.unit import Unit
from storage import posted, tickets


@dataclass(frozen=True, slots=True)
class TappedCard:
    """A tap went to a ticket's card, in whose thread a refusal belongs, after its latest event."""

    number: int
    event_id: str
    latest: str


Tapped = TappedCard | PromptView


def is_offered(unit: Unit, event_id: str) -> bool:
    """Whether an event is one of the bot's on which a tap can mean something."""
    return find(unit, event_id) is not None


def find(unit: Unit, event_id: str) -> Tapped | None:
    """The card or prompt that an event is, looked up in the database: it survives every restart."""
    card = posted.card_of_event(unit.session, event_id) if unit.policy.one_tap else None
    if card is not None:
        return TappedCard(card.number, card.event_id, card.latest or card.event_id)
    return prompts.at_event(unit, event_id)


def tap(unit: Unit, action: Action, number: int, caller: Caller) -> None:
    """One tap on a card. What is as wished already is a success: two people may tap at once.

    :raises Refusal: the rules say no; nothing is written.
    """
    try:
        moves.move(unit, action, number, caller)
    except NotAllowedFrom as refusal:
        if not is_reached(action, refusal.status):
            raise
    except NothingToUndo:
        if not _just_undone(unit, number, caller.actor.user_id):
            raise


def _just_undone(unit: Unit, number: int, person: str) -> bool:
    last = tickets.last_change(unit.session, number)
    return (
        last is not None
        and last.action == Action.UNDO.value
        and last.who == person
        and unit.now - last.at <= UNDO_WINDOW
    )
