"""Rows of the outbox become jobs: where each goes and what it says, as the database stands at this moment."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final

import structlog

from bot.domain.rooms import RoomProblem
from bot.domain.words import TRIAGE, Team
from bot.logs import about, place_of
from bot.services import (
    alerts,
    diversion,
    echoes,
    letters,
    outcomes,
    people,
    quiet,
    reads,
    restoring,
    seeds,
)
from bot.services.jobs import Clear, Job, Seed, Send
from bot.services.letter_views import ReplyPost
from bot.services.media import media_of
from bot.services.unit import Unit, room_key
from bot.services.views import Alert, CardView, DigestView, Greeting, MovedAway, NowhereReport, QuietReminder
from storage import outbox, posted, room_moves, rooms, tickets
from storage.models import Card, OutboxRow
from storage.outbox import Kind, RowState

_LOG = structlog.get_logger(__name__)
_FORGOTTEN_AFTER: Final = timedelta(hours=12)
"""Homeservers forget transaction ids after a day: older ones are looked for in the room before a resend."""
_MUTED: Final = (RoomProblem.MUTED,)
"""Nothing but the room's power levels is in the way."""
_HELD_FOR: Final = timedelta(minutes=1)


def prepare_or_fail(unit: Unit, row: OutboxRow) -> Job | None:
    """A row that cannot be understood is set aside: it must not keep the courier from all others."""
    try:
        return _prepare(unit, row)
    except (LookupError, ValueError, TypeError) as error:
        of = about((row.number,) if row.number is not None else ())
        _LOG.error("row_not_understood", row=row.id, error=type(error).__name__, place=place_of(error), **of)
        outcomes.failed(unit, _id(row), row.room or "", f"internal: {type(error).__name__}")
        return None


def _prepare(unit: Unit, row: OutboxRow) -> Job | None:
    match Kind(row.kind):
        case Kind.CARD:
            return _prepare_card(unit, row)
        case Kind.RETIRE:
            return _prepare_retirement(unit, row)
        case Kind.SEED:
            return _prepare_seeds(unit, row)
        case Kind.UNTAP:
            tap = (row.room or "", (row.payload or {})["event_id"])
            return Clear(_id(row), row.kind, 0, (tap,))
        case Kind.ERASE:
            return Clear(_id(row), row.kind, row.number or 0, _events_about(unit, row.number or 0))
        case _:
            return _prepare_message(unit, row)


def _prepare_card(unit: Unit, row: OutboxRow) -> Send | None:
    number = row.number or 0
    view = reads.card_view(unit, number)
    if view is None:
        _drop(unit, row)
        return None
    hindrances, room_id = _room_for(unit, room_key(view.team))
    if hindrances == _MUTED and diversion.divert(unit, number):
        view = reads.card_view(unit, number) or view
        hindrances, room_id = _room_for(unit, room_key(view.team))
    if hindrances:
        if view.team is TRIAGE and hindrances == _MUTED:
            diversion.tell_admins(unit, row)
        _hold(unit, row)
        return None
    card = posted.card(unit.session, number)
    here = card if card and card.room_id == room_id else restoring.found_card(unit, number, room_id)
    if here and here.version == view.version:
        _drop(unit, row)
        return None
    fresh = _note_attempt(unit, row, here, room_id, view.version)
    if row.target is not None:
        return _send(unit, row, room_id, view=view, team=view.team, edits=row.target, fresh=fresh)
    # One that follows its team into the room that replaces an upgraded one is no news.
    moved = card is not None and room_moves.followed(unit.session).get(card.room_id) == room_id
    silent = moved or bool((row.payload or {}).get("silent")) or quiet.silences(unit, row, room_id, view)
    return _send(unit, row, room_id, view=view, team=view.team, silent=silent, fresh=fresh)


def _note_attempt(unit: Unit, row: OutboxRow, here: Card | None, room_id: str, version: int) -> bool:
    """Note what will be sent. An attempt that may have arrived is repeated as the same edit or none.

    Gives whether none of this row's attempts may have arrived so far.
    """
    edited = posted.get(unit.session, row.target) if row.target is not None else None
    if edited is not None and edited.room_id != room_id:
        # The ticket changed its room meanwhile: that attempt would be refused here.
        outbox.give_up(unit.session, row, unit.now)
    fresh = row.rendered is None
    if fresh:
        row.target, row.rendered = None, version
    if here is not None and row.target is None:
        row.target = here.event_id
    unit.session.add(row)
    return fresh


def _room_for(unit: Unit, key: str) -> tuple[tuple[RoomProblem, ...], str]:
    """What keeps the bot from writing into a configured room, and its id, which is empty if it is unknown."""
    room = rooms.by_key(unit.session, key)
    return rooms.hindrances_of(room), room.room_id if room else ""


def _prepare_seeds(unit: Unit, row: OutboxRow) -> Seed | None:
    try:
        plan = seeds.plan(unit, row)
    except seeds.RoomClosed:
        _hold(unit, row)
        return None
    if plan is None:
        _drop(unit, row)
        return None
    if plan.empty:
        seeds.looked_after(unit, _id(row))
        return None
    return Seed(_id(row), row.kind, row.tx_id, plan)


def _prepare_message(unit: Unit, row: OutboxRow) -> Send | None:
    payload = row.payload or {}
    if "content" in payload:
        return _prepare_answer(unit, row, payload["content"])
    room_id, thread, latest = _destination(unit, row)
    if room_id is None:
        _hold(unit, row)
        return None
    if payload.get("what") == "restored" and restoring.put_off(unit, row):
        return None
    view = alerts.load(unit, row)
    if view is None:
        _drop(unit, row)
        return None
    if isinstance(view, QuietReminder) and quiet.put_off(unit, row):
        return None
    if isinstance(view, DigestView | QuietReminder | Greeting | NowhereReport):
        # It is written as the database stands now, and may name others than when it was asked for.
        outbox.also_shows(unit.session, _id(row), view.numbers)
    team = alerts.team_of(unit, row)
    edits = None
    if isinstance(view, ReplyPost) and payload.get("edit"):
        edited = posted.get(unit.session, letters.post_of(unit, view.letter.id) or "")
        if edited is None or edited.redacted_at is not None:
            # It was shown nowhere yet, and then shows the whole at once; or it went with the ticket.
            _drop(unit, row)
            return None
        room_id, edits = edited.room_id, edited.event_id
    silent = quiet.silences(unit, row, room_id, view)
    return _send(
        unit, row, room_id, view=view, team=team, thread=thread, latest=latest, silent=silent, edits=edits
    )


def _prepare_answer(unit: Unit, row: OutboxRow, content: dict[str, Any]) -> Send | None:
    """An answer goes to the room of its command, if that may still be told what it says."""
    room_id = row.room or ""
    if not people.may_hear(unit, room_id):
        _drop(unit, row)
        return None
    if rooms.hindrances_of(rooms.get(unit.session, room_id)):
        # A ✅ is true later, too; a list or a refusal would be out of date, and the admins know of the room.
        (_hold if row.kind == Kind.REACTION else _drop)(unit, row)
        return None
    return answer(unit, row, content, _shown_by(unit, row))


def answer(unit: Unit, row: OutboxRow, content: dict[str, Any], shows: tuple[int, ...]) -> Send:
    kind = "m.reaction" if row.kind == Kind.REACTION else "m.room.message"
    relation = content.get("m.relates_to", {})
    thread = relation.get("event_id") if relation.get("rel_type") == "m.thread" else None
    room_id = row.room or ""
    return _send(unit, row, room_id, event_type=kind, content=content, thread=thread, shows=shows)


def _destination(unit: Unit, row: OutboxRow) -> tuple[str | None, str | None, str | None]:
    """Room id; for what belongs under a card the thread's root and the last event in it."""
    if row.room is None:
        ticket = tickets.get(unit.session, row.number or 0)
        room_id = _usable(unit, room_key(ticket.team if ticket else None))
        card = posted.card(unit.session, row.number or 0)
        if card is None or room_id is None:
            return room_id, None, None
        # A card that is still to follow its ticket into another room is waited for.
        here = card.room_id == room_id
        return room_id if here else None, card.event_id, card.latest or card.event_id
    if row.room.startswith("!"):
        return row.room, None, None  # a direct chat: whether it still is one, its alert decides
    return _usable(unit, row.room), None, None


def _prepare_retirement(unit: Unit, row: OutboxRow) -> Clear | None:
    payload = row.payload or {}
    number = row.number or 0
    ticket = tickets.get(unit.session, number)
    room = rooms.by_key(unit.session, room_key(payload["from"]))
    if ticket is None or room is None or room.membership != "join":
        # Purged, which redacts more, or the bot can do nothing in that room.
        _drop(unit, row)
        return None
    if RoomProblem.MUTED in rooms.hindrances_of(room):
        _hold(unit, row)
        return None
    room_id = room.room_id
    back = ticket.team == payload["from"]
    card = posted.card(unit.session, number) if back else None
    current = card.event_id if card and card.room_id == room_id else None
    events = _events_of_cards(unit, number, room_moves.led_to(unit.session, room_id), current)
    if back or rooms.problems_of(room):
        # Taken back meanwhile: it went nowhere, but may have left a card behind that is not the current one.
        # Or a room that strangers see: it is cleared and told nothing.
        return Clear(_id(row), row.kind, number, events)
    if row.event_id is not None or payload.get("told"):
        # It was said before the process, or the database, was lost.
        return Clear(_id(row), row.kind, number, events)
    view = alerts.load(unit, row)
    then = _send(unit, row, room_id, view=view, team=payload["from"]) if isinstance(view, MovedAway) else None
    return Clear(_id(row), row.kind, number, events, then)


def _events_of_cards(
    unit: Unit, number: int, room_ids: Collection[str], current: str | None
) -> tuple[tuple[str, str], ...]:
    """A ticket's cards in rooms but for the current one, with edits and the bot's posts in their threads."""
    found = [event for event in posted.about(unit.session, number) if event.room_id in room_ids]
    cards = {event.event_id for event in found if event.kind == Kind.CARD} - {current}
    return tuple(
        (event.room_id, event.event_id) for event in found if event.event_id in cards or event.thread in cards
    )


def _events_about(unit: Unit, number: int) -> tuple[tuple[str, str], ...]:
    return tuple((event.room_id, event.event_id) for event in posted.about(unit.session, number))


def _usable(unit: Unit, key: str) -> str | None:
    hindrances, room_id = _room_for(unit, key)
    return None if hindrances else room_id


def _send(
    unit: Unit,
    row: OutboxRow,
    room_id: str,
    *,
    event_type: str = "m.room.message",
    content: dict[str, Any] | None = None,
    view: CardView | Alert | None = None,
    team: Team = None,
    edits: str | None = None,
    thread: str | None = None,
    latest: str | None = None,
    silent: bool = False,
    shows: tuple[int, ...] | None = None,
    fresh: bool = False,
) -> Send:
    shows = _shown_by(unit, row) if shows is None else shows
    return Send(
        row_id=_id(row),
        kind=row.kind,
        tx_id=row.tx_id,
        shows=shows,
        room_id=room_id,
        event_type=event_type,
        created_at=row.created_at,
        content=content,
        view=view,
        team=team,
        edits=edits,
        thread=thread,
        latest=latest,
        search_first=row.suspect or unit.now - row.created_at > _FORGOTTEN_AFTER,
        media=media_of(row.payload or {}),
        attempts=row.attempts,
        fresh=fresh,
        silent=silent,
        about=echoes.about(row, shows, edit=edits is not None) if event_type == "m.room.message" else {},
    )


def _shown_by(unit: Unit, row: OutboxRow) -> tuple[int, ...]:
    if row.number is not None:
        return (row.number,)
    return () if row.kind == Kind.REACTION else tuple(outbox.shown_by(unit.session, _id(row)))


def _id(row: OutboxRow) -> int:
    assert row.id is not None  # noqa: S101 - it came from the database
    return row.id


def _drop(unit: Unit, row: OutboxRow) -> None:
    """There is nothing to send any more."""
    row.state, row.payload, row.done_at = RowState.CANCELLED.value, None, unit.now
    unit.session.add(row)


def _hold(unit: Unit, row: OutboxRow) -> None:
    """The bot may not use the room at the moment; what is for it waits."""
    if not row.held:
        unit.log("held", row=_id(row), kind=row.kind, **about(_shown_by(unit, row)))
    row.held, row.next_attempt_at = True, unit.now + _HELD_FOR
    unit.session.add(row)
