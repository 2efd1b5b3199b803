"""Notes: what the team wants to remember about a ticket. The requester never sees them."""

from bot.domain.request import Checker
from bot.domain.words import Action, Intake, MessageKind
from bot.services import changes
from bot.services.changes import Cause, Done
from bot.services.people import Caller
from bot.services.unit import Unit
from storage.models import TicketMessage


def note(unit: Unit, number: int, text: str, caller: Caller) -> Done:
    """Keep a note in the ticket's conversation.

    :raises Refusal: the rules say no; nothing is written.
    :raises InvalidFields: the text is empty or too long.
    """
    asked = changes.asked(unit, Action.NOTE, number, caller)
    if asked is None:
        return Done(number, changed=False)
    check = Checker()
    text = check.text("note", text, required=True)
    check.finish()
    message = TicketMessage(
        number=number,
        kind=MessageKind.NOTE.value,
        text=text,
        intake=Intake.CHAT.value,
        author=caller.actor.user_id,
        at=unit.now,
    )
    unit.session.add(message)
    unit.session.flush()
    cause = Cause(caller.actor.user_id, caller.cause, detail={"messages": [message.id]})
    changes.write(unit, *asked, cause)
    return Done(number, changed=True)
