"""A requester withdraws their request."""

from bot.domain.errors import UnknownTicket
from bot.domain.lifecycle import decide_withdrawal
from bot.domain.words import STATE_OF, State, Status
from bot.services import changes
from bot.services.changes import Cause, Done
from bot.services.unit import Unit
from storage import conversation, outbox, tickets
from storage.outbox import Kind, Priority


def withdraw(unit: Unit, number: int) -> Done:
    """Close the ticket for its requester; the assignee, or else the team, is told. Twice is success.

    What is meant for a merged ticket goes where its conversation goes on.

    :raises UnknownTicket: there is no such ticket, or it is deleted: for its requester that is the same.
    """
    ticket = tickets.get(unit.session, number)
    ticket = None if ticket is None else conversation.goes_on_in(unit.session, ticket)
    if ticket is None or ticket.status == Status.DELETED.value:
        raise UnknownTicket(number)
    number, standing = changes.number_of(ticket), changes.standing_of(ticket)
    if STATE_OF[standing.status] is not State.OPEN:
        return Done(number, changed=False)
    # The reason that stands there is that of an earlier close.
    changes.write(unit, ticket, decide_withdrawal(number, standing), Cause(), close_reason=None)
    payload = {"what": "withdrawal"}
    outbox.put(unit.session, Kind.ALERT, Priority.ALERT, unit.now, number=number, payload=payload)
    return Done(number, changed=True)
