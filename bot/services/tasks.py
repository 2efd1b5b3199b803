"""Tasks: what is to be done before a ticket can be closed. Their numbers within the ticket never change."""

from collections.abc import Collection
from typing import Final

from bot.domain.errors import UnknownTask
from bot.domain.lifecycle import Decision
from bot.domain.request import Checker
from bot.domain.words import Action
from bot.services import changes, reads
from bot.services.changes import Cause, Done
from bot.services.people import Caller
from bot.services.unit import Unit
from bot.services.views import TasksView
from storage import tickets
from storage.models import Task, Ticket

TEXT_LIMIT: Final = 200


def add(unit: Unit, number: int, text: str, caller: Caller) -> Done:
    """Add a task to a ticket that is under way.

    :raises Refusal: the rules say no; nothing is written.
    :raises InvalidFields: the text is empty or too long.
    """
    asked = changes.asked(unit, Action.TASK_ADD, number, caller)
    if asked is None:
        return Done(number, changed=False)
    check = Checker()
    text = check.line("task", text, TEXT_LIMIT, required=True)
    check.finish()
    positions = [task.position for task in tickets.tasks(unit.session, number)]
    task = Task(
        number=number,
        position=max(positions, default=0) + 1,
        text=text,
        added_by=caller.actor.user_id,
        added_at=unit.now,
    )
    unit.session.add(task)
    unit.session.flush()
    _write(unit, *asked, caller, [task])
    return Done(number, changed=True)


def done(unit: Unit, number: int, positions: Collection[int], caller: Caller) -> Done:
    """Tick tasks off, all of these or none. Those that were done already stay as they are.

    :raises UnknownTask: the ticket has no task of that number.
    :raises Refusal: the rules say no; nothing is written.
    """
    asked = changes.asked(unit, Action.TASK_DONE, number, caller)
    if asked is None:
        return Done(number, changed=False)
    known = {task.position: task for task in tickets.tasks(unit.session, number)}
    unknown = [position for position in positions if position not in known]
    if unknown:
        raise UnknownTask(number, unknown[0], tuple(known))
    ticked = [known[each] for each in dict.fromkeys(positions) if known[each].done_at is None]
    if not ticked:
        return Done(number, changed=False)
    for task in ticked:
        task.done_by, task.done_at = caller.actor.user_id, unit.now
        unit.session.add(task)
    _write(unit, *asked, caller, ticked)
    return Done(number, changed=True)


def _write(unit: Unit, ticket: Ticket, decision: Decision, caller: Caller, tasks: Collection[Task]) -> None:
    detail = {"tasks": [task.id for task in tasks]}
    # The ticket's version is what a close that saw the tasks otherwise is told apart by.
    changes.write(unit, ticket, decision, Cause(caller.actor.user_id, caller.cause, detail=detail))


def tasks_view(unit: Unit, number: int, caller: Caller) -> TasksView:
    """The ticket's tasks.

    :raises UnknownTicket: it may not be shown here.
    """
    reads.visible(unit, number, caller)
    return TasksView(number, reads.task_views(tickets.tasks(unit.session, number)))
