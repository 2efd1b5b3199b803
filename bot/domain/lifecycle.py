"""Which moves there are, who may make them, and what else they change: one table, one gate.

Nothing changes a ticket's status but :func:`decide`. The table follows the charity's wiki ("Ticketstatus");
where the wiki lets every status be set at any time, the moves here are the sensible ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from bot.domain.errors import (
    MergedInto,
    NotAllowedFrom,
    NotAMember,
    NothingToUndo,
    NotPermitted,
    NoWaitlist,
    OpenTasks,
    TakenBy,
    UndoProblem,
    UnknownTicket,
)
from bot.domain.words import (
    Action,
    Actor,
    OpenTask,
    Right,
    Scope,
    Standing,
    State,
    Status,
    Team,
    statuses_of,
)

UNDO_WINDOW: Final = timedelta(minutes=10)


class Holder(StrEnum):
    """What a move does to the assignment."""

    KEEP = "keep"
    ACTOR = "actor"
    NAMED = "named"
    NOBODY = "nobody"
    IF_MEMBER = "if_member"
    """Kept if the assignee is a member of the new team."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: from which statuses, to which, by whom, and what becomes of the assignee."""

    sources: frozenset[Status]
    target: Status | None
    """``None``: the status stays, or is found in the ticket's past (restore, undo)."""
    right: Right
    holder: Holder = Holder.KEEP
    stays: frozenset[Status] = frozenset()
    """Sources that keep their status although there is a target."""


def _from(*sources: Status) -> frozenset[Status]:
    return frozenset(sources)


_OPEN_OR_CLOSED: Final = statuses_of(State.OPEN, State.CLOSED)
_UNDER_WAY: Final = statuses_of(State.OPEN)
_HANDLED: Final = _UNDER_WAY | {Status.CLOSED}
_ALL: Final = frozenset(Status)

RULES: Final[Mapping[Action, Rule]] = MappingProxyType(
    {
        Action.TAKE: Rule(
            _from(Status.OPEN, Status.WAITING, Status.CLOSED), Status.IN_PROGRESS, Right.MEMBER, Holder.ACTOR
        ),
        Action.STEAL: Rule(
            _from(Status.OPEN, Status.IN_PROGRESS, Status.WAITING, Status.CLOSED),
            Status.IN_PROGRESS,
            Right.MEMBER,
            Holder.ACTOR,
        ),
        Action.ASSIGN: Rule(_HANDLED, Status.OPEN, Right.MEMBER, Holder.NAMED, stays=_from(Status.CLOSED)),
        Action.RELEASE: Rule(
            _from(Status.OPEN, Status.IN_PROGRESS), Status.OPEN, Right.ASSIGNEE, Holder.NOBODY
        ),
        Action.WAIT: Rule(
            _from(Status.OPEN, Status.IN_PROGRESS, Status.CLOSED),
            Status.WAITING,
            Right.MEMBER,
            Holder.NOBODY,
        ),
        Action.CLOSE: Rule(_UNDER_WAY, Status.CLOSED, Right.MEMBER),
        Action.SPAM: Rule(_HANDLED, Status.SPAM, Right.MEMBER),
        Action.REOPEN: Rule(_from(Status.WAITING, Status.CLOSED, Status.SPAM), Status.OPEN, Right.MEMBER),
        Action.UNDO: Rule(_ALL, None, Right.SAME_PERSON),
        Action.WITHDRAW: Rule(_UNDER_WAY, Status.CLOSED, Right.REQUESTER),
        Action.TRANSFER: Rule(_OPEN_OR_CLOSED, None, Right.MEMBER, Holder.IF_MEMBER),
        Action.TOPIC: Rule(_ALL - {Status.DELETED}, None, Right.MEMBER),
        Action.MERGE: Rule(_OPEN_OR_CLOSED, Status.CLOSED, Right.MEMBER),
        Action.NOTE: Rule(_ALL - {Status.DELETED}, None, Right.MEMBER),
        Action.REPLY: Rule(_HANDLED, None, Right.MEMBER),
        # A closed ticket has no open tasks: what is still to be done begins with reopening it.
        Action.TASK_ADD: Rule(_UNDER_WAY, None, Right.MEMBER),
        Action.TASK_DONE: Rule(_OPEN_OR_CLOSED, None, Right.MEMBER),
        Action.ARCHIVE: Rule(_from(Status.CLOSED, Status.SPAM), Status.ARCHIVED, Right.ADMIN),
        Action.DELETE: Rule(_ALL - {Status.DELETED}, Status.DELETED, Right.ADMIN),
        Action.RESTORE: Rule(_from(Status.ARCHIVED, Status.DELETED), None, Right.ADMIN),
        Action.PURGE: Rule(_from(Status.DELETED), None, Right.ADMIN),
    }
)


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was made: what undo and the history need of it."""

    action: Action
    by: str
    at: datetime
    before: Standing


UNDOABLE: Final = frozenset(RULES) - {Action.UNDO, Action.WITHDRAW, Action.PURGE, Action.REPLY} | {
    Action.MESSAGE
}
"""A mail that was sent cannot be taken back."""

_AFTER_MERGE: Final = frozenset({Action.UNDO, Action.ARCHIVE, Action.DELETE, Action.RESTORE, Action.PURGE})
"""What can still be done to a ticket that was merged into another: all else belongs there."""

_STATUS_STAYS: Final = frozenset({Action.NOTE, Action.REPLY, Action.TASK_ADD, Action.TASK_DONE})
"""They change what hangs on a ticket and nothing of its standing."""


@dataclass(frozen=True, slots=True)
class Details:
    """What the gate must know beside the ticket; only what the action needs is filled in."""

    waitlist: bool = True
    """Whether the ticket's topic has a waiting list; like ``open_tasks`` also for what a refusal offers."""
    open_tasks: tuple[OpenTask, ...] = ()
    named: str | None = None
    """The person to assign to."""
    members: frozenset[str] = frozenset()
    """Members of the team that the ticket is in afterwards (assign, transfer)."""
    team: Team = None
    topic: str = ""
    note: str | None = None
    """Reason of a close, need of a wait."""
    earlier: Status | None = None
    """The status before archive or delete (restore)."""
    last: Change | None = None
    """The ticket's last change (undo)."""
    purge_at: datetime | None = None
    into: int | None = None
    """The ticket that this one is merged into; none: it is the one that stays (merge)."""
    other: Standing | None = None
    """The other ticket of a merge."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from an allowed action. ``loser`` and ``gainer``: to whom somebody else did it."""

    action: Action
    before: Standing
    after: Standing
    loser: str | None = field(default=None)
    gainer: str | None = field(default=None)

    @property
    def changed(self) -> bool:
        """Whether anything is to be written."""
        written = self.action in _STATUS_STAYS | {Action.PURGE, Action.UNDO, Action.MERGE}
        return written or self.before != self.after


def may(right: Right, who: Actor, ticket: Standing, last: Change | None = None) -> bool:
    """Whether the person has the right on this ticket."""
    if right is Right.ANYONE:
        return True
    if right is Right.MEMBER:
        return who.belongs_to(ticket.team)
    if right is Right.ASSIGNEE:
        return who.admin or (ticket.assignee == who.user_id and who.belongs_to(ticket.team))
    if right is Right.SAME_PERSON:
        # A transfer takes the ticket out of the actor's team; undoing it must still be theirs.
        return last is not None and last.by == who.user_id and who.belongs_to(last.before.team)
    return right is Right.ADMIN and who.admin


def possible_moves(ticket: Standing, who: Actor, details: Details) -> tuple[Action, ...]:
    """The actions that this person could do to the ticket now, for the text of a refusal."""
    hindered = {
        Action.TAKE: ticket.assignee not in (None, who.user_id),
        Action.WAIT: not details.waitlist,
        Action.CLOSE: bool(details.open_tasks),
    }
    return tuple(
        action
        for action, rule in RULES.items()
        if action not in _NOT_OFFERED
        and (ticket.merged_into is None or action in _AFTER_MERGE)
        and ticket.status in rule.sources
        and may(rule.right, who, ticket)
        and not hindered.get(action)
    )


_NOT_OFFERED: Final = _STATUS_STAYS | {
    Action.UNDO,
    Action.WITHDRAW,
    Action.TOPIC,
    Action.MERGE,
    Action.STEAL,
}
"""They help nobody who wanted another move."""


def decide(
    action: Action,
    number: int,
    ticket: Standing | None,
    who: Actor,
    scope: Scope,
    details: Details,
    now: datetime,
) -> Decision:
    """The one gate. Checks, in this order: known here? allowed from here? may this person?

    :param now: aware; the clock is an argument.
    :raises Refusal: one of its kinds; nothing is to be written then.
    """
    if ticket is None or not _known(action, ticket, who, scope, details):
        raise UnknownTicket(number)
    rule = RULES[action]
    if ticket.merged_into is not None and action not in _AFTER_MERGE:
        raise MergedInto(number, ticket.merged_into)
    if action is Action.TAKE:
        _refuse_anothers(number, ticket, who)
        if ticket.status is Status.IN_PROGRESS and who.belongs_to(ticket.team):
            return Decision(action, ticket, ticket)
    if ticket.status not in rule.sources:
        raise NotAllowedFrom(number, action, ticket.status, possible_moves(ticket, who, details))
    if action is Action.UNDO:
        return _undo(number, ticket, who, details, now)
    if not may(rule.right, who, ticket):
        raise NotPermitted(number, action, rule.right, ticket.assignee)
    _check_conditions(action, number, ticket, details)
    after = _after(action, rule, ticket, who, details, now)
    return _decision(action, ticket, after, who)


def decide_withdrawal(number: int, ticket: Standing) -> Decision:
    """What follows when the requester takes the request back; the assignee stays noted, as after a close.

    Open tasks do not hinder it: nobody is left to do them for.

    :raises Refusal: the ticket is not under way, or its conversation goes on elsewhere.
    """
    if ticket.merged_into is not None:
        raise MergedInto(number, ticket.merged_into)
    rule = RULES[Action.WITHDRAW]
    if ticket.status not in rule.sources:
        raise NotAllowedFrom(number, Action.WITHDRAW, ticket.status, ())
    after = replace(ticket, status=rule.target or ticket.status)
    return Decision(Action.WITHDRAW, ticket, after)


_ENDING: Final = frozenset({Action.DELETE, Action.MERGE})
"""Actions that take a ticket under way out of its assignee's hands although the assignment stays noted."""


def _decision(action: Action, before: Standing, after: Standing, who: Actor) -> Decision:
    """The decision, with those who are to hear of it: whoever acts knows already."""
    passed_on = before.assignee != after.assignee
    taken = action in _ENDING and before.status in _UNDER_WAY
    brought_back = before.status is Status.DELETED and after.status in _UNDER_WAY
    return Decision(
        action,
        before,
        after,
        loser=before.assignee if (passed_on or taken) and before.assignee != who.user_id else None,
        gainer=after.assignee if (passed_on or brought_back) and after.assignee != who.user_id else None,
    )


def is_known(ticket: Standing, who: Actor, scope: Scope) -> bool:
    """Whether the ticket exists for this person in a room of this scope."""
    return scope.shows(ticket.team) and (who.admin or ticket.status is not Status.DELETED)


def _known(action: Action, ticket: Standing, who: Actor, scope: Scope, details: Details) -> bool:
    if is_known(ticket, who, scope):
        return True
    last = details.last
    return (
        action is Action.UNDO
        and (who.admin or ticket.status is not Status.DELETED)
        and may(Right.SAME_PERSON, who, ticket, last)
        and (last is not None and scope.shows(last.before.team))
    )


def _refuse_anothers(number: int, ticket: Standing, who: Actor) -> None:
    """Taking somebody else's ticket needs ``--force``, so that it never happens by accident."""
    takeable = RULES[Action.STEAL].sources
    if (
        ticket.assignee not in (None, who.user_id)
        and ticket.status in takeable
        and who.belongs_to(ticket.team)
    ):
        assert ticket.assignee is not None  # noqa: S101 - for the type checker, shown one line above
        raise TakenBy(number, ticket.assignee, ticket.status)


def _check_conditions(action: Action, number: int, ticket: Standing, details: Details) -> None:
    if action is Action.WAIT and not details.waitlist:
        raise NoWaitlist(number, ticket.topic)
    if action is Action.CLOSE and details.open_tasks:
        raise OpenTasks(number, details.open_tasks)
    if action is Action.ASSIGN and details.named not in details.members:
        raise NotAMember(number, details.named or "", ticket.team)


def _after(
    action: Action, rule: Rule, ticket: Standing, who: Actor, details: Details, now: datetime
) -> Standing:
    if action is Action.ASSIGN and details.named == ticket.assignee:
        return ticket
    if action is Action.STEAL and ticket.status is Status.IN_PROGRESS and ticket.assignee == who.user_id:
        return ticket
    holder = _holder(rule.holder, ticket, who, details)
    status = ticket.status if rule.target is None or ticket.status in rule.stays else rule.target
    after = replace(ticket, status=status, assignee=holder)
    if action is Action.WAIT:
        # Set once: taking a ticket from the waiting list and putting it back does not cost the place.
        return replace(after, waiting_since=ticket.waiting_since or now, need=details.note or ticket.need)
    if action is Action.MERGE:
        return _merged(ticket, details)
    if action is Action.TOPIC:
        return replace(after, topic=details.topic)
    if action is Action.TRANSFER:
        dropped = ticket.status is Status.IN_PROGRESS and holder is None
        return replace(after, team=details.team, status=Status.OPEN if dropped else ticket.status)
    if action is Action.DELETE:
        return replace(after, purge_at=details.purge_at)
    if action is Action.RESTORE:
        return replace(after, status=details.earlier or Status.CLOSED, purge_at=None)
    return after


def _merged(ticket: Standing, details: Details) -> Standing:
    """The one that goes is closed; the one that stays keeps the earlier place on the waiting list."""
    if details.into is not None:
        return replace(ticket, status=Status.CLOSED, merged_into=details.into)
    other = details.other
    if other is None or ticket.status not in _UNDER_WAY or other.status not in _UNDER_WAY:
        # Who was served once does not jump the queue with the next request.
        return ticket
    places = [since for since in (ticket.waiting_since, other.waiting_since) if since is not None]
    need = ticket.need or other.need
    return replace(ticket, waiting_since=min(places, default=None), need=need)


def _holder(holder: Holder, ticket: Standing, who: Actor, details: Details) -> str | None:
    match holder:
        case Holder.ACTOR:
            return who.user_id
        case Holder.NAMED:
            return details.named
        case Holder.NOBODY:
            return None
        case Holder.IF_MEMBER:
            stays = details.team == ticket.team or ticket.assignee in details.members
            return ticket.assignee if stays else None
        case Holder.KEEP:
            return ticket.assignee


def _undo(number: int, ticket: Standing, who: Actor, details: Details, now: datetime) -> Decision:
    last = details.last
    if last is not None and last.action is Action.OPEN and last.by == who.user_id:
        raise NothingToUndo(number, UndoProblem.OPENED, last.by, last.at)
    if last is not None and last.action is Action.REPLY:
        raise NothingToUndo(number, UndoProblem.SENT, last.by, last.at)
    if last is None or last.action not in UNDOABLE:
        raise NothingToUndo(number, UndoProblem.NOTHING)
    if last.by != who.user_id:
        raise NothingToUndo(number, UndoProblem.OTHERS, last.by, last.at)
    if now - last.at > UNDO_WINDOW:
        raise NothingToUndo(number, UndoProblem.TOO_OLD, last.by, last.at)
    if not may(Right.SAME_PERSON, who, ticket, last):
        raise NotPermitted(number, Action.UNDO, Right.SAME_PERSON, ticket.assignee)
    return _decision(Action.UNDO, ticket, last.before, who)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a requester's message does to a ticket in a given status."""

    target: Status | None
    """``None``: the message opens a new ticket that names the old number."""
    notify: bool


ARRIVALS: Final[Mapping[Status, Arrival]] = MappingProxyType(
    {
        # Wiki, "Closed": a new message opens the ticket again and notifies assignee or team.
        Status.CLOSED: Arrival(Status.OPEN, notify=True),
        Status.OPEN: Arrival(Status.OPEN, notify=True),
        Status.IN_PROGRESS: Arrival(Status.IN_PROGRESS, notify=True),
        Status.WAITING: Arrival(Status.WAITING, notify=True),
        # Stored and counted in the digest, so that a false spam is found; nobody is alerted by spammers.
        Status.SPAM: Arrival(Status.SPAM, notify=False),
        Status.ARCHIVED: Arrival(None, notify=True),
        Status.DELETED: Arrival(None, notify=True),
    }
)

SILENT_IN: Final = frozenset({Status.SPAM, Status.ARCHIVED, Status.DELETED})
"""Statuses in which a program's message is kept and shown nowhere; it moves no ticket and alerts nobody."""
