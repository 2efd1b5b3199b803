"""Alerts: what an outbox row of the bot's own accord says, looked up when it is sent."""

from datetime import date
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.domain.words import Action, MessageKind, RoomKind, Team
from bot.services import digest, files, greetings, people, quiet, reads, reports
from bot.services.unit import Unit, room_key, team_of_room
from bot.services.views import (
    Alert,
    AssignmentAlert,
    DigestView,
    Greeting,
    MessageAlert,
    MovedAway,
    Person,
    TransferSummary,
    WithdrawalAlert,
)
from storage import mutes, tickets
from storage.models import OutboxRow, Ticket, TicketMessage


def load(unit: Unit, row: OutboxRow) -> Alert | None:
    """The alert that a row stands for; ``None`` if what it was about is gone."""
    payload = row.payload or {}
    if payload.get("what") in reports.LOAD:
        return reports.LOAD[payload["what"]](unit, payload)
    if payload.get("what") in _OF_MESSAGES:
        return _OF_MESSAGES[payload["what"]](unit, row, payload)
    match payload.get("what"):
        case "withdrawal":
            return _withdrawal(unit, row.number or 0)
        case "assignment":
            return _assignment(unit, row, payload)
        case "transfer":
            return _transfer(unit, row.number or 0, payload)
        case "moved":
            return _moved(unit, row.number or 0, payload)
        case "greeting":
            return _greeting(unit, row.room or "", payload)
        case "digest":
            return _digest(unit, payload)
        case "quiet":
            return quiet.reminder(unit, row)
    raise ValueError(f"outbox row {row.id}: nothing is known of its payload")


def team_of(unit: Unit, row: OutboxRow) -> Team:
    """The team in whose language and time zone a row is to be said."""
    payload = row.payload or {}
    if "team" in payload:
        team: Team = payload["team"]
        return team
    if row.room is not None:
        return team_of_room(row.room)
    ticket = tickets.get(unit.session, row.number) if row.number is not None else None
    return ticket.team if ticket else None


def _greeting(unit: Unit, room: str, payload: dict[str, Any]) -> Greeting | None:
    kind = RoomKind(payload["kind"])
    return greetings.load(unit, kind, payload["team"], room, payload.get("person"))


def _digest(unit: Unit, payload: dict[str, Any]) -> DigestView | None:
    day, zone = date.fromisoformat(payload["day"]), ZoneInfo(payload["zone"])
    if day < unit.now.astimezone(zone).date():
        return None  # that day is over; what it would say now is for the next one
    return digest.view(unit, payload["team"], day, payload)


def _message(unit: Unit, row: OutboxRow, payload: dict[str, Any]) -> MessageAlert | None:
    number = row.number or 0
    ticket = tickets.get(unit.session, number)
    message = unit.session.get(TicketMessage, payload["message_id"])
    if ticket is None or message is None or message.at > row.created_at:
        # Undone meanwhile; SQLite gives its id to the next message, of whatever ticket.
        return None
    automatic = message.kind == MessageKind.AUTOMATIC.value
    return MessageAlert(
        number,
        reads.message_views(unit, [message], ticket.team)[0],
        _name(unit, ticket),
        payload["reopened"],
        () if automatic else _meant(unit, ticket, payload["author"]),
    )


_OF_MESSAGES: Final = MappingProxyType({"message": _message, "file": files.view})


def _meant(unit: Unit, ticket: Ticket, author: str | None = None) -> tuple[Person, ...]:
    """Whom what the requester did is for, but for those who have muted the ticket or wrote it down."""
    told = people.to_notify(unit, ticket.assignee, ticket.team)
    told -= {author, *mutes.of(unit.session, ticket.number or 0)}
    return tuple(people.person(unit, user_id, ticket.team) for user_id in sorted(told))


def _withdrawal(unit: Unit, number: int) -> WithdrawalAlert | None:
    ticket = tickets.get(unit.session, number)
    return None if ticket is None else WithdrawalAlert(number, _name(unit, ticket), _meant(unit, ticket))


def _name(unit: Unit, ticket: Ticket) -> str:
    requester = tickets.requester_of(unit.session, ticket)
    return requester.name if requester else ""


def _assignment(unit: Unit, row: OutboxRow, payload: dict[str, Any]) -> AssignmentAlert | None:
    number = row.number or 0
    ticket = tickets.get(unit.session, number)
    if ticket is None or payload["person"] not in people.joined_to(unit, row.room or room_key(ticket.team)):
        return None  # who is not in the room would not see it, and the others know from the card
    return AssignmentAlert(
        number,
        people.person(unit, payload["person"], ticket.team),
        people.optional_person(unit, payload["by"], ticket.team),
        payload["given"],
        Action(payload["action"]),
    )


def _moved(unit: Unit, number: int, payload: dict[str, Any]) -> MovedAway:
    return MovedAway(number, payload["to"], people.optional_person(unit, payload["by"], payload["from"]))


def _transfer(unit: Unit, number: int, payload: dict[str, Any]) -> TransferSummary | None:
    ticket = tickets.get(unit.session, number)
    if ticket is None:
        return None
    entries = tickets.history(unit.session, number)
    return TransferSummary(
        number,
        payload["from"],
        people.optional_person(unit, payload["by"], payload["from"]),
        ticket.changed_at,
        tickets.message_count(unit.session, number, (MessageKind.MESSAGE,)),
        reads.history_lines(unit, entries[-10:], ticket.team),
    )
