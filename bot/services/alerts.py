"""Alerts: what an outbox row of the bot's own accord says, looked up when it is sent."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.words import Action, MessageKind, RoomKind, Team
from bot.services import digest, greetings, people, quiet, reads
from bot.services.unit import Unit, room_key, team_of_room
from bot.services.views import (
    Alert,
    AssignmentAlert,
    CommandFailed,
    DeliveryReport,
    DigestView,
    Greeting,
    MessageAlert,
    MovedAway,
    PurgeReport,
    RoomReport,
    TransferSummary,
)
from storage import mutes, tickets
from storage.models import OutboxRow, Purged, Requester, TicketMessage


async def load(unit: Unit, row: OutboxRow) -> Alert | None:
    """The alert that a row stands for; ``None`` if what it was about is gone."""
    payload = row.payload or {}
    match payload.get("what"):
        case "message":
            return await _message(unit, row.number or 0, payload)
        case "assignment":
            return await _assignment(unit, row, payload)
        case "transfer":
            return await _transfer(unit, row.number or 0, payload)
        case "moved":
            return await _moved(unit, row.number or 0, payload)
        case "room" | "delivery" | "purged" | "failed":
            return await _report(unit, payload)
        case "greeting":
            return await _greeting(unit, row.room or "", payload)
        case "digest":
            return await _digest(unit, payload)
        case "quiet":
            return await quiet.reminder(unit, row)
    raise ValueError(f"outbox row {row.id}: nothing is known of its payload")


async def _report(unit: Unit, payload: dict[str, Any]) -> Alert | None:
    match payload["what"]:
        case "room":
            return RoomReport(payload["name"], payload["room_id"], tuple(payload["problems"]))
        case "delivery":
            numbers = tuple(payload["numbers"])
            return DeliveryReport(payload["kind"], payload["room"], numbers, payload["reason"])
        case "purged":
            return _purged(await unit.session.get(Purged, payload["number"]))
        case _:
            return CommandFailed(payload["event_id"])


async def team_of(unit: Unit, row: OutboxRow) -> Team:
    """The team in whose language and time zone a row is to be said."""
    payload = row.payload or {}
    if "team" in payload:
        team: Team = payload["team"]
        return team
    if row.room is not None:
        return team_of_room(row.room)
    ticket = await tickets.get(unit.session, row.number) if row.number is not None else None
    return ticket.team if ticket else None


async def _greeting(unit: Unit, room: str, payload: dict[str, Any]) -> Greeting | None:
    kind = RoomKind(payload["kind"])
    return await greetings.load(unit, kind, payload["team"], room, payload.get("person"))


async def _digest(unit: Unit, payload: dict[str, Any]) -> DigestView | None:
    day, zone = date.fromisoformat(payload["day"]), ZoneInfo(payload["zone"])
    if day < unit.now.astimezone(zone).date():
        return None  # that day is over; what it would say now is for the next one
    return await digest.view(unit, payload["team"], day, payload)


def _purged(purged: Purged | None) -> PurgeReport | None:
    return PurgeReport(purged.number, purged.redacted, purged.failed) if purged else None


async def _message(unit: Unit, number: int, payload: dict[str, Any]) -> MessageAlert | None:
    ticket = await tickets.get(unit.session, number)
    message = await unit.session.get(TicketMessage, payload["message_id"])
    if ticket is None or message is None:
        return None
    requester = await unit.session.get(Requester, ticket.requester_id)
    told = await people.to_notify(unit, ticket.assignee, ticket.team)
    told -= {payload["author"], *await mutes.of(unit.session, number)}
    mentions = tuple([await people.person(unit, user_id, ticket.team) for user_id in sorted(told)])
    return MessageAlert(
        number,
        (await reads.message_views(unit, [message], ticket.team))[0],
        requester.name if requester else "",
        payload["reopened"],
        mentions,
    )


async def _assignment(unit: Unit, row: OutboxRow, payload: dict[str, Any]) -> AssignmentAlert | None:
    number = row.number or 0
    ticket = await tickets.get(unit.session, number)
    if ticket is None or payload["person"] not in await people.joined_to(
        unit, row.room or room_key(ticket.team)
    ):
        return None  # who is not in the room would not see it, and the others know from the card
    return AssignmentAlert(
        number,
        await people.person(unit, payload["person"], ticket.team),
        await people.optional_person(unit, payload["by"], ticket.team),
        payload["given"],
        Action(payload["action"]),
    )


async def _moved(unit: Unit, number: int, payload: dict[str, Any]) -> MovedAway:
    return MovedAway(
        number, payload["to"], await people.optional_person(unit, payload["by"], payload["from"])
    )


async def _transfer(unit: Unit, number: int, payload: dict[str, Any]) -> TransferSummary | None:
    ticket = await tickets.get(unit.session, number)
    if ticket is None:
        return None
    entries = await tickets.history(unit.session, number)
    return TransferSummary(
        number,
        payload["from"],
        await people.optional_person(unit, payload["by"], payload["from"]),
        ticket.changed_at,
        await tickets.message_count(unit.session, number, (MessageKind.MESSAGE,)),
        await reads.history_lines(unit, entries[-10:], ticket.team),
    )
