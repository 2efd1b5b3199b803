"""Joining two tickets of one person: one goes on with the whole conversation, the other is closed."""

from dataclasses import dataclass
from typing import Any

from bot.domain.errors import NotSamePerson, UnknownTicket
from bot.domain.lifecycle import Decision, Details, decide, is_known
from bot.domain.merging import Contact, Half, same_person, stays
from bot.domain.words import Action, Status
from bot.services import changes
from bot.services.changes import Cause, Done
from bot.services.people import Caller
from bot.services.unit import Unit
from storage import conversation, tickets
from storage.models import Requester, Ticket


@dataclass(frozen=True, slots=True)
class _Half:
    """One of the two tickets, and what becomes of it."""

    ticket: Ticket
    decision: Decision

    @property
    def number(self) -> int:
        return changes.number_of(self.ticket)


def merge(unit: Unit, one: int, other: int, caller: Caller, *, force: bool = False) -> Done:
    """Join two tickets, in whatever order they are named: both rows, histories and cards in one commit.

    Messages, notes and open tasks move to the ticket that stays. ``force`` joins those of a person who has
    two addresses.

    :raises Refusal: one is unknown here, cannot be merged, or is another person's; nothing is written.
    """
    found = {number: tickets.get(unit.session, number) for number in (one, other)}
    if caller.cause and tickets.was_changed_by(unit.session, caller.cause, one):
        return Done(one, changed=False)
    # Both are looked for before anything is told of either.
    first, second = (_known(number, ticket, caller) for number, ticket in found.items())
    source, target = (second, first) if _stays(first, second) else (first, second)
    into, other_standing = changes.number_of(target), changes.standing_of(source)
    goes = _Half(source, _decide(unit, source, caller, Details(into=into)))
    kept = _Half(target, _decide(unit, target, caller, Details(other=other_standing)))
    if not force:
        _check_person(unit, first, second)
    _write(unit, goes, kept, caller)
    return Done(into, changed=True)


def _known(number: int, ticket: Ticket | None, caller: Caller) -> Ticket:
    if ticket is None or not is_known(changes.standing_of(ticket), caller.actor, caller.place.scope):
        raise UnknownTicket(number)
    return ticket


def _stays(first: Ticket, second: Ticket) -> bool:
    one, other = (
        Half(changes.number_of(each), Status(each.status), each.opened_at) for each in (first, second)
    )
    return stays(one, other) is one


def _decide(unit: Unit, ticket: Ticket, caller: Caller, details: Details) -> Decision:
    number, standing = changes.number_of(ticket), changes.standing_of(ticket)
    return decide(Action.MERGE, number, standing, caller.actor, caller.place.scope, details, unit.now)


def _check_person(unit: Unit, first: Ticket, second: Ticket) -> None:
    """Asked last: who may not act for both teams must not learn who wrote."""
    one = unit.session.get_one(Requester, first.requester_id)
    other = unit.session.get_one(Requester, second.requester_id)
    contacts = [Contact(each.id or 0, each.email, each.phone) for each in (one, other)]
    if not same_person(*contacts):
        raise NotSamePerson(first.number, changes.number_of(second), one.name, other.name)


def _write(unit: Unit, goes: _Half, kept: _Half, caller: Caller) -> None:
    messages = conversation.message_ids(unit.session, goes.number)
    conversation.move_messages(unit.session, messages, kept.number)
    tasks = _move_tasks(unit, goes.number, kept.number)
    moved = {"messages": messages, "tasks": [*tasks], "positions": [*tasks.values()]}
    details: dict[int, dict[str, Any]] = {
        goes.number: {"other": kept.number, **moved},
        kept.number: {"other": goes.number},
    }
    # An open ticket's reason is that of an earlier close.
    stale = goes.decision.before.status is not Status.CLOSED
    columns: dict[int, dict[str, Any]] = {
        goes.number: {"close_reason": None} if stale else {},
        kept.number: {},
    }
    # In the order of their numbers, so that two merges at once do not wait for each other.
    for half, other in sorted(((goes, kept), (kept, goes)), key=lambda pair: pair[0].number):
        cause = Cause(caller.actor.user_id, caller.cause, detail=details[half.number])
        changes.write(unit, half.ticket, half.decision, cause, beside=other.ticket, **columns[half.number])
    # Who had the one that goes on has it still.
    changes.tell_assignments(unit, goes.number, goes.decision, caller.actor.user_id)


def _move_tasks(unit: Unit, source: int, target: int) -> dict[int, int]:
    """Move open tasks behind those that are there; ids and what their numbers were."""
    taken = [task.position for task in tickets.tasks(unit.session, target)]
    last = max(taken, default=0)
    moved: dict[int, int] = {}
    for task in tickets.tasks(unit.session, source):
        if task.done_at is None and task.id is not None:
            moved[task.id] = task.position
            last += 1
            task.number, task.position = target, last
            unit.session.add(task)
    unit.session.flush()
    return moved
