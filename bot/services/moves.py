"""Changing a ticket: every action of the lifecycle's table that a person in the chat can ask for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from bot.domain.errors import NameKind, UnknownTicket
from bot.domain.lifecycle import Details, decide, is_known
from bot.domain.words import TRIAGE, Action, OpenTask, Status, Team
from bot.services import changes, people, undoing
from bot.services.changes import Cause
from bot.services.changes import Done as Done
from bot.services.people import Caller
from bot.services.unit import Unit
from storage import tickets
from storage.models import Ticket


@dataclass(frozen=True, slots=True)
class Wish:
    """What a command asks beside its action; names are as typed."""

    note: str | None = None
    person: str | None = None
    team: str | None = None
    topic: str | None = None


_NOTHING = Wish()
_WITH_MORE: Final = frozenset(
    {Action.NOTE, Action.REPLY, Action.TASK_ADD, Action.TASK_DONE, Action.MERGE, Action.PURGE}
)

TO_TRIAGE: Final = frozenset({"none", "triage", "keins", "kein"})
"""Words that transfer a ticket to nobody's team."""


def move(unit: Unit, action: Action, number: int, caller: Caller, wish: Wish = _NOTHING) -> Done:
    """Do one action to one ticket: row, history, card and alerts in one commit.

    Run again for the same event (after a crash), it finds its work done.

    :raises Refusal: the rules say no; nothing is written.
    :raises UnknownName: no such topic or person.
    :raises ValueError: the action has a use case of its own, which changes more than the standing.
    """
    if action is Action.UNDO:
        return undoing.undo(unit, number, caller)
    # The ticket first: what was committed after it was read is told by its version.
    ticket = tickets.get(unit.session, number)
    if ticket is None:
        raise UnknownTicket(number)
    if caller.cause and tickets.was_changed_by(unit.session, caller.cause, number):
        return Done(number, changed=False)
    before = changes.standing_of(ticket)
    if not is_known(before, caller.actor, caller.place.scope):
        # Before any name is looked up: whether one is known must not tell that the number is.
        raise UnknownTicket(number)
    if action in _WITH_MORE:
        raise ValueError(f"{action} needs more than a standing; it has a use case of its own")
    details = details_of(unit, action, ticket, wish)
    decision = decide(action, number, before, caller.actor, caller.place.scope, details, unit.now)
    if decision.changed:
        columns: dict[str, Any] = {"close_reason": wish.note} if action is Action.CLOSE else {}
        cause = Cause(caller.actor.user_id, caller.cause, wish.note)
        changes.write(unit, ticket, decision, cause, **columns)
        changes.tell(unit, number, decision, caller.actor.user_id)
    return Done(number, changed=decision.changed)


def details_of(unit: Unit, action: Action, ticket: Ticket, wish: Wish) -> Details:
    """What the gate must know for an action."""
    tasks = tickets.open_tasks(unit.session, changes.number_of(ticket))
    of_action = _DETAILS[action](unit, ticket, wish) if action in _DETAILS else Details()
    return replace(
        of_action,
        waitlist=unit.policy.topics.get(ticket.topic, False),
        open_tasks=tuple(OpenTask(position, words) for position, words in tasks),
        note=wish.note,
    )


def _for_assign(unit: Unit, ticket: Ticket, wish: Wish) -> Details:
    members = frozenset(people.members_of(unit, ticket.team))
    return Details(named=people.find_member(unit, wish.person or "", ticket.team), members=members)


def team_called(unit: Unit, typed: str) -> Team:
    """The team that somebody called by key or name, or triage.

    :raises UnknownName: there is none.
    """
    return TRIAGE if typed.casefold() in TO_TRIAGE else unit.policy.key_of(NameKind.TEAM, typed)


def _for_transfer(unit: Unit, _ticket: Ticket, wish: Wish) -> Details:
    team = team_called(unit, wish.team or "")
    return Details(team=team, members=frozenset(people.members_of(unit, team)))


def _for_topic(unit: Unit, _ticket: Ticket, wish: Wish) -> Details:
    return Details(topic=unit.policy.key_of(NameKind.TOPIC, wish.topic or ""))


def _for_delete(unit: Unit, _ticket: Ticket, _wish: Wish) -> Details:
    return Details(purge_at=unit.now + unit.policy.purge_grace)


def _for_restore(unit: Unit, ticket: Ticket, _wish: Wish) -> Details:
    left = tickets.last_change(
        unit.session,
        changes.number_of(ticket),
        actions=(Action.ARCHIVE, Action.DELETE),
        to_status=Status(ticket.status),
    )
    return Details(earlier=Status(left.from_status) if left and left.from_status else None)


_DETAILS: Mapping[Action, Callable[[Unit, Ticket, Wish], Details]] = {
    Action.ASSIGN: _for_assign,
    Action.TRANSFER: _for_transfer,
    Action.TOPIC: _for_topic,
    Action.DELETE: _for_delete,
    Action.RESTORE: _for_restore,
}
