"""Taking back what somebody did to a ticket last: its standing, and what the change had touched beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sqlalchemy import delete, update
from sqlmodel import col

from bot.domain.errors import NothingToUndo, Refusal, UndoProblem, UnknownTicket
from bot.domain.lifecycle import Decision, Details, decide
from bot.domain.words import EVERYTHING, Action
from bot.services import changes
from bot.services.changes import Cause, Done
from bot.services.people import Caller
from bot.services.unit import Unit
from storage import conversation, tickets
from storage.models import HistoryEntry, Purged, Task, Ticket, TicketMessage


@dataclass(frozen=True, slots=True)
class _Step:
    """A ticket, what happened to it last, and its standing without that."""

    ticket: Ticket
    entry: HistoryEntry
    decision: Decision


def undo(unit: Unit, number: int, caller: Caller) -> Done:
    """Undo the ticket's last change, if it is the caller's and ten minutes old at most.

    A merge is undone for both tickets, whichever is named. The history keeps the change and its undoing.

    :raises Refusal: there is nothing to undo, or not by this person; nothing is written.
    """
    ticket = tickets.get(unit.session, number)
    if ticket is None:
        raise _of_no_ticket(unit, number, caller)
    if caller.cause and tickets.was_changed_by(unit.session, caller.cause, number):
        return Done(number, changed=False)
    step = _step(unit, ticket, caller)
    steps = [step, _other_half(unit, step, caller)] if step.entry.action == Action.MERGE else [step]
    who = caller.actor.user_id
    for each in steps:
        effect = _EFFECTS.get(Action(each.entry.action))
        if effect is not None:
            effect(unit, each.entry)
    for each in sorted(steps, key=lambda each: changes.number_of(each.ticket)):
        beside = next((other.ticket for other in steps if other is not each), None)
        cause = Cause(who, caller.cause)
        changes.write(unit, each.ticket, each.decision, cause, beside=beside)
        changes.tell(unit, changes.number_of(each.ticket), each.decision, who)
    return Done(number, changed=True)


def _of_no_ticket(unit: Unit, number: int, caller: Caller) -> Refusal:
    """Only where all tickets are known may it be told that one was purged."""
    purged = unit.session.get(Purged, number)
    if purged is None or not caller.actor.admin or caller.place.scope != EVERYTHING:
        return UnknownTicket(number)
    return NothingToUndo(number, UndoProblem.PURGED, purged.purged_by, purged.purged_at)


def _step(unit: Unit, ticket: Ticket, caller: Caller) -> _Step:
    number = changes.number_of(ticket)
    entry = tickets.last_change(unit.session, number)
    details = Details(last=changes.change_of(entry))
    standing = changes.standing_of(ticket)
    decision = decide(Action.UNDO, number, standing, caller.actor, caller.place.scope, details, unit.now)
    assert entry is not None  # noqa: S101 - without one there was nothing to undo
    return _Step(ticket, entry, decision)


def _other_half(unit: Unit, step: _Step, caller: Caller) -> _Step:
    """The same of the other ticket of a merge.

    :raises NothingToUndo: something happened to it since.
    """
    number = int((step.entry.detail or {})["other"])
    other = tickets.get(unit.session, number)
    last = tickets.last_change(unit.session, number) if other is not None else None
    detail = (last.detail if last is not None and last.action == Action.MERGE else None) or {}
    if other is None or last is None or detail.get("other") != step.ticket.number:
        raise NothingToUndo(step.ticket.number, UndoProblem.SINCE)
    return _step(unit, other, caller)


def _remove_messages(unit: Unit, entry: HistoryEntry) -> None:
    ids = (entry.detail or {}).get("messages", ())
    unit.session.exec(delete(TicketMessage).where(col(TicketMessage.id).in_(ids)))


def _remove_tasks(unit: Unit, entry: HistoryEntry) -> None:
    ids = (entry.detail or {}).get("tasks", ())
    unit.session.exec(delete(Task).where(col(Task.id).in_(ids)))


def _open_tasks(unit: Unit, entry: HistoryEntry) -> None:
    ids = (entry.detail or {}).get("tasks", ())
    unit.session.exec(
        update(Task)
        .where(col(Task.id).in_(ids))
        .values(done_by=None, done_at=None)
        .execution_options(synchronize_session=False)
    )


def _move_back(unit: Unit, entry: HistoryEntry) -> None:
    """Only the source's entry names what had moved."""
    detail = entry.detail or {}
    conversation.move_messages(unit.session, detail.get("messages", ()), entry.number)
    for task_id, position in zip(detail.get("tasks", ()), detail.get("positions", ()), strict=True):
        task = unit.session.get_one(Task, task_id)
        task.number, task.position = entry.number, position
        unit.session.add(task)
    unit.session.flush()


_EFFECTS: Final[Mapping[Action, Callable[[Unit, HistoryEntry], None]]] = MappingProxyType(
    {
        Action.NOTE: _remove_messages,
        Action.MESSAGE: _remove_messages,
        Action.TASK_ADD: _remove_tasks,
        Action.TASK_DONE: _open_tasks,
        Action.MERGE: _move_back,
    }
)
"""What undoing does beside giving the standing back."""
