"""What every change of a ticket writes: the row, its history, and what the rooms are to be told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.lifecycle import Change, Decision
from bot.domain.words import Action, Standing, Status, Team
from bot.services import people
from bot.services.unit import ADMIN_ROOM, Unit, room_key
from storage import mutes, outbox, tickets
from storage.models import HistoryEntry, Ticket
from storage.outbox import Kind, Priority


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
    )


def change_of(entry: HistoryEntry | None) -> Change | None:
    """A history entry as undo sees it; ``None`` for what cannot be undone by anybody."""
    if entry is None or entry.who is None or entry.before is None:
        return None
    return Change(Action(entry.action), entry.who, entry.at, from_json(entry.before))


@dataclass(frozen=True, slots=True)
class Cause:
    """Who changed something, on whose event, and in which words."""

    who: str | None = None
    event_id: str | None = None
    note: str | None = None


async def write(unit: Unit, ticket: Ticket, decision: Decision, cause: Cause, **columns: Any) -> None:  # noqa: ANN401
    """Write a decision: row (compare-and-set), history, card.

    :raises Conflict: the ticket was changed since it was read.
    """
    changed = values_of(decision.after) | columns | {"changed_at": unit.now}
    if _moved(decision):
        changed["moved_at"] = unit.now
    await tickets.compare_and_set(unit.session, ticket, changed)
    number, holder = number_of(ticket), decision.after.assignee
    await record(unit, number, decision, cause)
    if holder is not None and holder != decision.before.assignee:
        # Whoever is responsible from now on hears of it, also if they had muted it as another's.
        await mutes.end(unit.session, number, holder)
    await outbox.refresh_card(unit.session, number, unit.now, new=False)
    unit.wake_courier()


def _moved(decision: Decision) -> bool:
    before, after = decision.before, decision.after
    return (before.status, before.team, before.assignee) != (after.status, after.team, after.assignee)


async def record(unit: Unit, number: int, decision: Decision, cause: Cause) -> None:
    """Append to the ticket's history."""
    unit.session.add(
        HistoryEntry(
            number=number,
            at=unit.now,
            action=decision.action.value,
            who=cause.who,
            from_status=decision.before.status.value,
            to_status=decision.after.status.value,
            note=cause.note,
            before=to_json(decision.before),
            after=to_json(decision.after),
            cause=cause.event_id,
        )
    )
    await unit.session.flush()


async def tell_assignments(unit: Unit, number: int, decision: Decision, who: str | None) -> None:
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
        room = await _room_for(unit, person, team, elsewhere=team != after)
        await outbox.put(
            unit.session, Kind.ALERT, Priority.ALERT, unit.now, room=room, number=number, payload=payload
        )


async def _room_for(unit: Unit, person: str, team: Team, *, elsewhere: bool) -> str | None:
    """Where to tell a person something of a ticket: under its card (``None``) if they are in its room.

    An admin may have a ticket of a team whose room they are not in; they are told in the admin room.
    """
    if person not in await people.members_of(unit, team) and person in await people.joined_to(
        unit, ADMIN_ROOM
    ):
        return ADMIN_ROOM
    return room_key(team) if elsewhere else None


async def tell_transfer(unit: Unit, number: int, decision: Decision, who: str | None) -> None:
    """Clear the old room and tell both."""
    before: Team = decision.before.team
    moved = {"from": before, "to": decision.after.team, "by": who}
    await outbox.put(
        unit.session,
        Kind.RETIRE,
        Priority.REDACTION,
        unit.now,
        number=number,
        payload={"what": "moved", **moved},
    )
    await outbox.put(
        unit.session,
        Kind.ALERT,
        Priority.ALERT,
        unit.now,
        number=number,
        payload={"what": "transfer", **moved},
    )
