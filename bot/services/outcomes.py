"""The outbox from the courier's side: what became of what was sent."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bot.services import changes, diversion, letters, prompts, seeds
from bot.services.unit import ADMIN_ROOM, Unit
from storage import outbox, posted, quiet, rooms, rows, tickets
from storage.models import Card, OutboxRow, PostedEvent, Purged
from storage.outbox import Kind, Priority, RowState

_TRACE_KEPT: Final = timedelta(days=2)
_CONVENIENT: Final = frozenset({Kind.SEED, Kind.UNTAP, Kind.REACTION})
"""What shows on the card, too: `check` tells which right is wanting; the admins are not told each time."""
_SEEDED: Final = frozenset({Kind.CARD.value, Kind.ANSWER.value, Kind.REPORT.value})
"""Kinds of events that may offer reactions."""
_FORBIDDEN: Final = "M_FORBIDDEN"
_NEWS_KEPT: Final = timedelta(days=7)
"""What could not be told for so long, as its room could not be used, is no news any more."""
_ASIDE_KEPT: Final = timedelta(days=14)


def sent(
    unit: Unit, tx_id: str, event_id: str, room_id: str, thread: str | None = None, *, older: bool = False
) -> None:
    """An event arrived in its room, as the homeserver's answer or the own echo says; may be told twice.

    ``older``: it was found there, from an attempt of which perhaps nothing is known: what a card shows was
    true then.
    """
    row = outbox.by_tx(unit.session, tx_id)
    if row is None or row.state == RowState.SENT:
        return
    if older:
        row.rendered = 0
    shows = outbox.shown_by(unit.session, row.id or 0)
    of_card = row.kind == Kind.CARD and row.target is not None
    edit = of_card or (row.kind == Kind.POST and bool((row.payload or {}).get("edit")))
    kind = "edit" if edit else row.kind
    if of_card:
        thread = row.target
    news = posted.record(unit.session, event_id, room_id, kind, shows, unit.now, thread)
    if news and thread is not None and not edit:
        posted.thread_goes_on(unit.session, thread, event_id)
    if row.state == RowState.CANCELLED:
        _erase_again(unit, shows)
    elif row.kind == Kind.CARD:
        if news:
            _card_sent(unit, row, event_id, room_id)
        elif posted.was_redacted(unit.session, event_id):
            # Somebody took it away before this could be noted.
            _anew(unit, row)
    elif row.kind not in (Kind.RETIRE, Kind.ERASE):
        _known_by(unit, row, event_id, room_id, edit=edit)
        _finish(unit, row)
    # Last, with all else of the row: what the session holds is written before each question.
    row.event_id = event_id
    unit.session.add(row)
    unit.wake_courier()


def _known_by(unit: Unit, row: OutboxRow, event_id: str, room_id: str, *, edit: bool) -> None:
    """Note the event where it is looked for later: by a tap on it, or by the mail that it shows."""
    if row.kind == Kind.POST and not edit:
        letters.posted_as(unit, (row.payload or {})["letter"], event_id)
    elif row.kind in (Kind.ANSWER, Kind.REPORT):
        prompts.posted(unit, row.id or 0, event_id, room_id)


def _card_sent(unit: Unit, row: OutboxRow, event_id: str, room_id: str) -> None:
    number, shown = row.number or 0, row.rendered or 0
    card = posted.card(unit.session, number)
    if row.target is not None and (card is None or card.event_id != row.target):
        # The card went while its edit was on its way.
        _anew(unit, row)
        return
    if row.target is not None and card is not None:
        card.version = shown
    elif card is not None:
        card.room_id, card.event_id, card.version = room_id, event_id, shown
        card.latest = None
    else:
        rows.insert(unit.session, Card, number=number, room_id=room_id, event_id=event_id, version=shown)
    outbox.supersede(unit.session, number, unit.now)
    if row.target is None:
        changes.refresh_seeds(unit, number)
        # What belongs under the card has waited for it.
        outbox.release_held(unit.session, unit.now, number)
    if tickets.version_of(unit.session, number) in (None, shown):
        _finish(unit, row)
        return
    # It changed while it was being sent: the same row goes again, as an edit.
    outbox.again(row, unit.now)
    row.priority = Priority.EDIT.value
    unit.session.add(row)


def _anew(unit: Unit, row: OutboxRow) -> None:
    """What was sent stands nowhere: the same row goes again as a new card."""
    outbox.again(row, unit.now)
    row.priority = Priority.CARD.value
    unit.session.add(row)


def seed_placed(unit: Unit, plan: seeds.Plan, key: str, event_id: str) -> None:
    """A seeded reaction stands on its event."""
    if not posted.record(
        unit.session, event_id, plan.room_id, Kind.SEED, plan.shows, unit.now, plan.event_id, key
    ):
        posted.stands_again(unit.session, event_id)
    _check_place(unit, event_id, plan.room_id, plan.event_id, plan.shows)


def seed_seen(unit: Unit, room_id: str, target_id: str, key: str, event_id: str) -> None:
    """An own reaction stands in a room. If no answer told of it, the state may have changed since.

    It is on a card or prompt, or else the ✅ on a command, which has a row of its own.
    """
    target = posted.get(unit.session, target_id)
    if target is None or target.kind not in _SEEDED:
        return
    shows = posted.tickets_shown(unit.session, target_id)
    if posted.record(unit.session, event_id, room_id, Kind.SEED, shows, unit.now, target_id, key):
        _check_place(unit, event_id, room_id, target_id, shows)
        seeds.ask(unit, target_id)


def _check_place(unit: Unit, event_id: str, room_id: str, target_id: str, shows: Sequence[int]) -> None:
    """What a seeded reaction is on may have gone while it was on its way, or its ticket been purged."""
    _erase_again(unit, shows)
    target = posted.get(unit.session, target_id)
    if target is not None and target.redacted_at is not None:
        _take_away(unit, event_id, room_id)


def _take_away(unit: Unit, event_id: str, room_id: str) -> None:
    outbox.take_away(unit.session, room_id, event_id, unit.now)
    unit.wake_courier()


def _erase_again(unit: Unit, shows: Sequence[int]) -> None:
    """An event about a purged ticket came through after all."""
    for number in posted.any_purged(unit.session, shows):
        outbox.put(
            unit.session, Kind.ERASE, Priority.REDACTION, unit.now, number=number, payload={"what": "erase"}
        )


def _finish(unit: Unit, row: OutboxRow) -> None:
    outbox.finish(row, unit.now)
    unit.session.add(row)


def redacted(unit: Unit, event_id: str, number: int, error: str | None = None) -> None:
    """An event about a ticket was redacted, or cannot be (``error``, the homeserver's code)."""
    event = unit.session.get(PostedEvent, event_id)
    if event is None:
        return
    event.redacted_at = unit.now if error is None else None
    event.redaction_error = error
    unit.session.add(event)
    purged = unit.session.get(Purged, number)
    if purged is not None:
        purged.redacted += error is None
        purged.failed += error is not None
        unit.session.add(purged)
    card = posted.card(unit.session, number)
    if card is not None and card.event_id == event_id and error is None:
        unit.session.delete(card)


def cleared(unit: Unit, row_id: int) -> None:
    """All of a row's redactions are done."""
    row = outbox.waiting_row(unit.session, row_id)
    if row is not None:
        _finish(unit, row)
        for seed in posted.orphans(unit.session, row.number or 0):
            _take_away(unit, seed.event_id, seed.room_id)
        unit.wake_courier()


def later(unit: Unit, row_id: int, delay: timedelta, error: str, *, nothing_arrived: bool) -> None:
    """A passing failure: the row is tried again after ``delay``.

    Where nothing of a card can have arrived, the next attempt shows the ticket as it is by then.
    """
    row = outbox.waiting_row(unit.session, row_id)
    if row is not None:
        row.attempts += 1
        if nothing_arrived and row.kind == Kind.CARD:
            row.rendered, row.target = None, None
        row.next_attempt_at, row.error = unit.now + delay, error
        unit.session.add(row)


def failed(unit: Unit, row_id: int, room_id: str, error: str) -> None:
    """A final refusal: set aside, so that it blocks nothing, and told to the admins.

    A new ticket that its team's room forbids goes to triage instead: it must not be nowhere.
    """
    row = outbox.waiting_row(unit.session, row_id)
    if row is None:
        return
    if row.kind == Kind.CARD and error == _FORBIDDEN and diversion.divert(unit, row.number or 0):
        _anew(unit, row)
        _report(unit, row, room_id, error, diverted=True)
        return
    missed = row.kind not in _CONVENIENT
    row.state = RowState.FAILED.value if missed else RowState.CANCELLED.value
    row.error, row.done_at, row.payload = error, unit.now, None
    unit.session.add(row)
    if missed:
        _report(unit, row, room_id, error, diverted=False)


def _report(unit: Unit, row: OutboxRow, room_id: str, error: str, *, diverted: bool) -> None:
    key = rooms.key_of(unit.session, room_id)
    if key == ADMIN_ROOM:
        return  # telling the admin room that it cannot be told would go round in circles
    room = rooms.get(unit.session, room_id)
    shows = outbox.shown_by(unit.session, row.id or 0)
    payload = {
        "what": "delivery",
        "kind": row.kind,
        "room": key or (room.name if room else None) or room_id,
        "numbers": list(shows),
        "reason": error,
        "diverted": diverted,
    }
    outbox.put(
        unit.session, Kind.REPORT, Priority.ALERT, unit.now, room=ADMIN_ROOM, payload=payload,
        shows=shows,
    )  # fmt: skip
    unit.wake_courier()


def tidy(unit: Unit) -> None:
    """Forget the traces of what was sent days ago, and what reminders have told."""
    outbox.prune(unit.session, unit.now, _TRACE_KEPT)
    outbox.forget_set_aside(unit.session, unit.now - _ASIDE_KEPT)
    prompts.tidy(unit)
    quiet.forget(unit.session, unit.now - _NEWS_KEPT)
