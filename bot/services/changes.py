"""What every change of a ticket writes: the row, its history, and what the rooms are to be told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.domain.errors import UnknownTicket
from bot.domain.lifecycle import Change, Decision, Details, decide
from bot.domain.words import Action, Standing, State, Status, Team, statuses_of
from bot.services import people
from bot.services.people import Caller
from bot.services.unit import ADMIN_ROOM, Unit, room_key
from storage import conversation, mutes, outbox, rows, search, tickets
from storage.models import HistoryEntry, Ticket
from storage.outbox import Kind, Priority

_CARDS_AT_ONCE: Final = 10
"""One person's tickets whose cards are kept true at once: the newest. Only robots have more under way."""


@dataclass(frozen=True, slots=True)
class Done:
    """A move that succeeded. Not ``changed``: the ticket already was as wished."""

    number: int
    changed: bool


def standing_of(ticket: Ticket) -> Standing:
    """The row as the lifecycle sees it."""
    return Standing(
        Status(ticket.status),
        ticket.topic,
        ticket.team,
        ticket.assignee,
        ticket.waiting_since,
        ticket.need,
        ticket.purge_at,
        ticket.merged_into,
    )


def number_of(ticket: Ticket) -> int:
    """The number of a ticket that is in the database."""
    assert ticket.number is not None  # noqa: S101 - given by the insert
    return ticket.number


def values_of(standing: Standing) -> dict[str, Any]:
    """Columns that a standing sets."""
    return {
        "status": standing.status.value,
        "topic": standing.topic,
        "team": standing.team,
        "assignee": standing.assignee,
        "waiting_since": standing.waiting_since,
        "need": standing.need,
        "purge_at": standing.purge_at,
        "merged_into": standing.merged_into,
    }


def to_json(standing: Standing) -> dict[str, Any]:
    """A standing as the history keeps it."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values_of(standing).items()
    }


def from_json(kept: dict[str, Any]) -> Standing:
    """The inverse of :func:`to_json`."""

    def when(name: str) -> datetime | None:
        return datetime.fromisoformat(kept[name]) if kept[name] else None

    return Standing(
        Status(kept["status"]),
        kept["topic"],
        kept["team"],
        kept["assignee"],
        when("waiting_since"),
        kept["need"],
        when("purge_at"),
        kept.get("merged_into"),
    )


def change_of(entry: HistoryEntry | None) -> Change | None:
    """A history entry as undo sees it; ``None`` for what cannot be undone by anybody."""
    if entry is None or entry.who is None or entry.before is None:
        return None
    return Change(Action(entry.action), entry.who, entry.at, from_json(entry.before))


def asked(unit: Unit, action: Action, number: int, caller: Caller) -> tuple[Ticket, Decision] | None:
    """The ticket and what the gate says to an action that needs no details; ``None``: its event was handled
    before.

    :raises Refusal: the rules say no.
    """
    ticket = tickets.get(unit.session, number)
    if ticket is None:
        raise UnknownTicket(number)
    if caller.cause and tickets.was_changed_by(unit.session, caller.cause, number):
        return None
    standing, scope = standing_of(ticket), caller.place.scope
    return ticket, decide(action, number, standing, caller.actor, scope, Details(), unit.now)


@dataclass(frozen=True, slots=True)
class Cause:
    """Who changed something, on whose event, in which words, and which other rows it touched."""

    who: str | None = None
    event_id: str | None = None
    note: str | None = None
    detail: dict[str, Any] | None = None


_CHANGES_WORDS: Final = frozenset({Action.NOTE, Action.REPLY, Action.MERGE, Action.UNDO})
"""What changes the words by which a ticket is found, beside the requester's messages."""


def write(
    unit: Unit,
    ticket: Ticket,
    decision: Decision,
    cause: Cause,
    *,
    beside: Ticket | None = None,
    **columns: Any,  # noqa: ANN401
) -> None:
    """Write a decision: row (compare-and-set), history, card; and the cards of others that name the ticket.

    ``beside`` is another ticket that the same unit of work writes.

    :raises Conflict: the ticket was changed since it was read.
    """
    changed = values_of(decision.after) | columns | {"changed_at": unit.now}
    if _moved(decision):
        changed["moved_at"] = unit.now
    if decision.before.team != decision.after.team:
        changed.setdefault("diverted_from", None)
    tickets.compare_and_set(unit.session, ticket, changed)
    number, holder = number_of(ticket), decision.after.assignee
    record(unit, number, decision, cause)
    if decision.action in _CHANGES_WORDS or decision.before.team != decision.after.team:
        search.reindex(unit.session, number)
    if holder is not None and holder != decision.before.assignee:
        # Whoever is responsible from now on hears of it, also if they had muted it as another's.
        mutes.end(unit.session, number, holder)
    outbox.refresh_card(unit.session, number, unit.now, new=False)
    refresh_seeds(unit, number)
    unit.wake_courier()
    before, after = decision.before, decision.after
    if (before.status, before.team, before.merged_into) != (after.status, after.team, after.merged_into):
        refresh_others(unit, ticket, {before.team, after.team}, beside)


def refresh_others(unit: Unit, ticket: Ticket, teams: set[Team], beside: Ticket | None = None) -> None:
    """Bring the cards up to date that name this ticket: of the same person's others, and of merged ones."""
    session, number = unit.session, number_of(ticket)
    under_way = statuses_of(State.OPEN)
    naming = {
        *conversation.numbers_of_others(session, ticket, teams, _CARDS_AT_ONCE, under_way),
        *conversation.numbers_merged_here(session, number),
        ticket.merged_into,
    }
    naming -= {number, beside.number if beside else None}
    numbers = sorted(each for each in naming if each is not None)
    conversation.touch(session, numbers)
    for each in numbers:
        outbox.refresh_card(session, each, unit.now, new=False)


def refresh_seeds(unit: Unit, number: int) -> None:
    """Let the reactions that a ticket's card offers fit its status."""
    if unit.policy.one_tap:
        target = outbox.card_target(number)
        outbox.ask_seeds(unit.session, target, unit.now, unit.now, [number])


def _moved(decision: Decision) -> bool:
    before, after = decision.before, decision.after
    return (before.status, before.team, before.assignee) != (after.status, after.team, after.assignee)


def record(unit: Unit, number: int, decision: Decision, cause: Cause) -> None:
    """Append to the ticket's history."""
    rows.insert(
        unit.session,
        HistoryEntry,
        number=number,
        at=unit.now,
        action=decision.action.value,
        who=cause.who,
        from_status=decision.before.status.value,
        to_status=decision.after.status.value,
        note=cause.note,
        before=to_json(decision.before),
        after=to_json(decision.after),
        detail=cause.detail,
        cause=cause.event_id,
    )
    of = {} if cause.event_id is None else {"event_id": cause.event_id}
    unit.log("change", ticket=number, action=decision.action.value, status=decision.after.status.value, **of)


def tell(unit: Unit, number: int, decision: Decision, who: str | None) -> None:
    """Tell the rooms of a transfer, and people of what they were given and lost."""
    if decision.before.team != decision.after.team:
        tell_transfer(unit, number, decision, who)
    tell_assignments(unit, number, decision, who)


def tell_assignments(unit: Unit, number: int, decision: Decision, who: str | None) -> None:
    """Tell whoever was given the ticket, and whoever lost it, through somebody else's act."""
    before, after = decision.before.team, decision.after.team
    for person, given, team in ((decision.loser, False, before), (decision.gainer, True, after)):
        if person is None:
            continue
        payload = {
            "what": "assignment",
            "person": person,
            "by": who,
            "given": given,
            "action": decision.action.value,
        }
        # Who does not come along to the new team is told where they are.
        room = _room_for(unit, person, team, elsewhere=team != after)
        outbox.put(
            unit.session, Kind.ALERT, Priority.ALERT, unit.now, room=room, number=number, payload=payload
        )


def _room_for(unit: Unit, person: str, team: Team, *, elsewhere: bool) -> str | None:
    """Where to tell a person something of a ticket: under its card (``None``) if they are in its room.

    An admin may have a ticket of a team whose room they are not in; they are told in the admin room.
    """
    if person not in people.members_of(unit, team) and person in people.joined_to(unit, ADMIN_ROOM):
        return ADMIN_ROOM
    return room_key(team) if elsewhere else None


def tell_transfer(unit: Unit, number: int, decision: Decision, who: str | None) -> None:
    """Clear the old room and tell both."""
    before: Team = decision.before.team
    moved = {"from": before, "to": decision.after.team, "by": who}
    outbox.put(
        unit.session,
        Kind.RETIRE,
        Priority.REDACTION,
        unit.now,
        number=number,
        payload={"what": "moved", **moved},
    )
    outbox.put(
        unit.session,
        Kind.ALERT,
        Priority.ALERT,
        unit.now,
        number=number,
        payload={"what": "transfer", **moved},
    )
