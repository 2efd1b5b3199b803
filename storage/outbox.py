"""The outbox: what is still to be sent. Queries never commit."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, Final

from sqlalchemy import Update, bindparam, case, delete, func, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage import rows
from storage.models import OutboxRow, OutboxTicket, Prompt


class Channel(StrEnum):
    """Which courier takes a row."""

    MATRIX = "matrix"
    EMAIL = "email"


class Kind(StrEnum):
    """What a row asks the courier to do."""

    REACTION = "reaction"
    ANSWER = "answer"
    ALERT = "alert"
    DIGEST = "digest"
    REMINDER = "reminder"
    """What was posted silently in quiet hours, told once they are over."""
    REPORT = "report"
    CARD = "card"
    RETIRE = "retire"
    """Redact the card of a transferred ticket in its old room."""
    ERASE = "erase"
    """Redact every event about a purged ticket."""
    UNTAP = "untap"
    """Take away a member's reaction that was handled, so that the next one needs one tap, too."""
    SEED = "seed"
    """Bring the reactions that a card or prompt offers up to date."""
    POST = "post"
    """Show in a ticket's thread what goes to its requester by mail, or what became of that."""
    MAIL = "mail"
    """Of the other channel: send a mail."""


class Priority(IntEnum):
    """Answers go before cards, cards before edits, and what is only convenient goes last."""

    ANSWER = 0
    ALERT = 1
    CARD = 2
    EDIT = 3
    CORRECTION = 4
    """An edit that nothing but the loss of another one asks for: pointless once its card is gone."""
    REDACTION = 5
    SEED = 6


class RowState(StrEnum):
    """Where a row is on its way."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Added:
    """A row that was added."""

    id: int
    tx_id: str


def put(
    session: Session,
    kind: Kind,
    priority: Priority,
    now: datetime,
    *,
    room: str | None = None,
    number: int | None = None,
    payload: dict[str, Any] | None = None,
    shows: Iterable[int] | None = (),
    target: str | None = None,
    at: datetime | None = None,
    channel: Channel = Channel.MATRIX,
) -> Added:
    """Add a row, to be sent now or ``at`` a time. ``number`` keeps its order with others of that ticket;
    ``shows`` are all it names, ``None``: not even that one.
    """
    tx_id = uuid.uuid4().hex
    row_id = rows.insert(
        session,
        OutboxRow,
        channel=channel.value,
        kind=kind.value,
        priority=priority.value,
        tx_id=tx_id,
        room=room,
        number=number,
        payload=payload,
        target=target,
        created_at=now,
        next_attempt_at=at or now,
    )
    linked = set() if shows is None else {*shows, *([number] if number is not None else [])}
    rows.insert_all(
        session, OutboxTicket, [{"outbox_id": row_id, "number": shown} for shown in sorted(linked)]
    )
    return Added(row_id, tx_id)


def also_shows(session: Session, row_id: int, numbers: Iterable[int]) -> None:
    """Note further tickets that a row names."""
    for number in sorted(set(numbers)):
        session.merge(OutboxTicket(outbox_id=row_id, number=number))


def _of_card(state: RowState) -> Update:
    """Changes the rows of a ticket's card that are in a state."""
    return (
        update(OutboxRow)
        .where(
            col(OutboxRow.number) == bindparam("card_of"),
            col(OutboxRow.state) == state.value,
            col(OutboxRow.kind) == Kind.CARD.value,
        )
        .execution_options(synchronize_session=False)
    )


_WAITING_CARD = _of_card(RowState.WAITING)
_CARD_AGAIN = _WAITING_CARD.values(
    next_attempt_at=bindparam("now"),
    held=False,
    # What changed is news, also if the row only was to correct something.
    priority=case(
        (col(OutboxRow.priority) == Priority.CORRECTION.value, Priority.EDIT.value),
        else_=col(OutboxRow.priority),
    ),
)


def refresh_card(session: Session, number: int, now: datetime, *, new: bool) -> None:
    """Ask for a ticket's card to be posted or brought up to date; many askings become one row."""
    asked = rows.run(session, _CARD_AGAIN, card_of=number, now=now)
    if asked.rowcount == 0:
        put(session, Kind.CARD, Priority.CARD if new else Priority.EDIT, now, number=number)


def correct_card(session: Session, number: int, now: datetime) -> None:
    """Ask for a card to be edited although its ticket did not change; one that is asked for does it, too."""
    again = _WAITING_CARD.values(next_attempt_at=now, held=False)
    if session.exec(again, params={"card_of": number}).rowcount == 0:
        put(session, Kind.CARD, Priority.CORRECTION, now, number=number)


def cancel_correction(session: Session, number: int, now: datetime) -> None:
    """There is no card any more that a correction could be made to."""
    session.exec(
        _WAITING_CARD.where(col(OutboxRow.priority) == Priority.CORRECTION.value).values(
            state=RowState.CANCELLED.value, done_at=now
        ),
        params={"card_of": number},
    )


def take_away(
    session: Session, room_id: str, event_id: str, now: datetime, priority: Priority = Priority.REDACTION
) -> None:
    """Ask for a reaction to be taken away: a handled one of a member's, or an own one without a sense."""
    put(session, Kind.UNTAP, priority, now, room=room_id, payload={"event_id": event_id})


_CARD_TARGET: Final = "ticket:"


def card_target(number: int) -> str:
    """How a row names the card whose seeded reactions it looks after."""
    return f"{_CARD_TARGET}{number}"


def number_of_target(target: str) -> int | None:
    """The ticket on whose card a row looks after the reactions; ``None`` if it is another message."""
    return int(target.removeprefix(_CARD_TARGET)) if target.startswith(_CARD_TARGET) else None


_SEEDS_AT = (
    update(OutboxRow)
    .where(col(OutboxRow.target) == bindparam("of"), col(OutboxRow.state) == RowState.WAITING.value)
    # Written even if it is due already: so a round that ends at this moment notices, and is run again.
    .values(
        next_attempt_at=case(
            (col(OutboxRow.next_attempt_at) > bindparam("at"), bindparam("at")),
            else_=col(OutboxRow.next_attempt_at),
        )
    )
    .execution_options(synchronize_session=False)
)


def ask_seeds(session: Session, target: str, now: datetime, at: datetime, shows: Iterable[int] = ()) -> None:
    """Ask for a card's or prompt's seeded reactions to be looked after at a time; one row does for all."""
    asked = rows.run(session, _SEEDS_AT, of=target, at=at)
    if asked.rowcount == 0:
        put(session, Kind.SEED, Priority.SEED, now, shows=shows, target=target, at=at)


_EARLIER = aliased(OutboxRow)
MOST_DUE: Final = 50
"""So many rows are looked at together."""


_NOT_BUSY = col(OutboxRow.id).not_in(bindparam("excluding", expanding=True))
_BEHIND_ANOTHER = (
    select(_EARLIER.id)
    .where(
        _EARLIER.channel == OutboxRow.channel,
        _EARLIER.number == OutboxRow.number,
        _EARLIER.state == RowState.WAITING.value,
        # What waits for a room must not keep another room from being cleared.
        col(_EARLIER.held).is_(False),
        col(_EARLIER.id) < col(OutboxRow.id),
    )
    .exists()
)
_DUE = (
    select(OutboxRow)
    .where(
        OutboxRow.channel == bindparam("channel"),
        OutboxRow.state == RowState.WAITING.value,
        # Not by the index on it: in the order wanted the first ones are found at once, however many wait.
        func.coalesce(col(OutboxRow.next_attempt_at), bindparam("now")) <= bindparam("now"),
        _NOT_BUSY,
        ~_BEHIND_ANOTHER,
    )
    .order_by(col(OutboxRow.priority), col(OutboxRow.id))
    .limit(bindparam("most"))
    .execution_options(populate_existing=True)
)
_NEXT_DUE = select(func.min(OutboxRow.next_attempt_at)).where(
    OutboxRow.channel == bindparam("channel"), OutboxRow.state == RowState.WAITING.value, _NOT_BUSY
)


def due(
    session: Session,
    now: datetime,
    excluding: Collection[int],
    channel: Channel = Channel.MATRIX,
    most: int = MOST_DUE,
) -> Sequence[OutboxRow]:
    """A channel's rows that may be sent now, most urgent first: of each ticket only the first one."""
    given = {"now": now, "excluding": list(excluding), "channel": channel.value, "most": most}
    return session.exec(_DUE, params=given).all()


def next_due_at(
    session: Session, excluding: Collection[int], channel: Channel = Channel.MATRIX
) -> datetime | None:
    """When a channel's next waiting row is due."""
    found: datetime | None = rows.run(
        session, _NEXT_DUE, excluding=list(excluding), channel=channel.value
    ).scalar_one()
    return found


def waiting_since(session: Session, channel: Channel, before: datetime, limit: int) -> Sequence[OutboxRow]:
    """A channel's rows that have waited since then, the oldest first."""
    query = (
        select(OutboxRow)
        .where(
            OutboxRow.state == RowState.WAITING.value,
            OutboxRow.channel == channel.value,
            col(OutboxRow.created_at) < before,
        )
        .order_by(col(OutboxRow.priority), col(OutboxRow.id))
        .limit(limit)
    )
    return session.exec(query.execution_options(populate_existing=True)).all()


def get(session: Session, row_id: int) -> OutboxRow | None:
    """The row as it is now."""
    return rows.get(session, OutboxRow, row_id, fresh=True)


def last_for(session: Session, target: str) -> OutboxRow | None:
    """The row that was added last for a target, whatever became of it."""
    query = select(OutboxRow).where(OutboxRow.target == target).order_by(col(OutboxRow.id).desc()).limit(1)
    return session.exec(query.execution_options(populate_existing=True)).first()


def is_untouched(row: OutboxRow, now: datetime) -> bool:
    """Whether a row waits for its time, and no attempt to send it was ever made."""
    return row.state == RowState.WAITING and row.attempts == 0 and row.next_attempt_at > now and not row.held


def waiting_row(session: Session, row_id: int) -> OutboxRow | None:
    """The row, if it still waits to be sent."""
    row = get(session, row_id)
    return row if row is not None and row.state == RowState.WAITING else None


def again(row: OutboxRow, at: datetime) -> None:
    """Let the same row go once more at a time, as something new to send."""
    row.tx_id, row.rendered, row.suspect, row.attempts = uuid.uuid4().hex, None, False, 0
    row.state, row.created_at, row.next_attempt_at = RowState.WAITING.value, at, at


def give_up(session: Session, row: OutboxRow, now: datetime) -> None:
    """Let a ticket's row go once more as something else. What it gives up may have arrived: a cancelled row
    knows its transaction.
    """
    given_up = {
        "kind": row.kind, "room": row.room, "number": row.number, "target": row.target, "tx_id": row.tx_id,
        "rendered": row.rendered, "priority": row.priority, "created_at": row.created_at,
        "next_attempt_at": row.next_attempt_at,
    }  # fmt: skip
    again(row, now)
    session.add(row)
    session.flush()
    state = RowState.CANCELLED.value
    row_id = rows.insert(session, OutboxRow, state=state, done_at=now, **given_up)
    rows.insert(session, OutboxTicket, outbox_id=row_id, number=row.number)


def finish(row: OutboxRow, now: datetime) -> None:
    """What a row asked for is done."""
    row.state, row.payload, row.done_at, row.held = RowState.SENT.value, None, now, False


_BY_TX = select(OutboxRow).where(OutboxRow.tx_id == bindparam("tx_id"))
_SHOWN_BY = select(OutboxTicket.number).where(OutboxTicket.outbox_id == bindparam("row_id"))


def by_tx(session: Session, tx_id: str) -> OutboxRow | None:
    """The row with this transaction id, if there is one."""
    return session.exec(_BY_TX, params={"tx_id": tx_id}).first()


def shown_by(session: Session, row_id: int) -> Sequence[int]:
    """Numbers of the tickets that a row names."""
    return rows.run(session, _SHOWN_BY, row_id=row_id).scalars().all()


def cancel_about(session: Session, number: int, now: datetime) -> None:
    """Drop what is still to be sent about a ticket.

    The rows stay, emptied: one that was sent just before a crash is recognised by its echo.
    """
    ids = select(OutboxTicket.outbox_id).where(OutboxTicket.number == number)
    session.exec(
        update(OutboxRow)
        .where(col(OutboxRow.id).in_(ids), col(OutboxRow.state) == RowState.WAITING.value)
        .values(state=RowState.CANCELLED.value, payload=None, done_at=now)
        .execution_options(synchronize_session=False)
    )
    session.exec(
        update(OutboxRow)
        .where(col(OutboxRow.id).in_(ids), col(OutboxRow.state) == RowState.FAILED.value)
        .values(payload=None)
        .execution_options(synchronize_session=False)
    )


def waiting_about(session: Session, number: int, kind: Kind) -> Sequence[OutboxRow]:
    """Rows of a kind still to be sent that name a ticket."""
    found = session.exec(
        select(OutboxRow)
        .join(OutboxTicket, col(OutboxTicket.outbox_id) == col(OutboxRow.id))
        .where(
            OutboxTicket.number == number,
            OutboxRow.kind == kind.value,
            OutboxRow.state == RowState.WAITING.value,
        )
    )
    return found.all()


def suspect_all(session: Session) -> None:
    """The device changed: what waits may have been sent under its old transaction ids."""
    session.exec(
        update(OutboxRow)
        .where(col(OutboxRow.state) == RowState.WAITING.value, col(OutboxRow.channel) == Channel.MATRIX.value)
        .values(suspect=True)
    )


_RELEASED = (
    update(OutboxRow)
    .where(col(OutboxRow.held).is_(True), col(OutboxRow.state) == RowState.WAITING.value)
    .values(held=False, next_attempt_at=bindparam("now"))
    .execution_options(synchronize_session=False)
)
_RELEASED_OF = _RELEASED.where(col(OutboxRow.number) == bindparam("of"))


def release_held(session: Session, now: datetime, number: int | None = None) -> None:
    """A room became usable, or a ticket's card stands in one: what waited for that is due again."""
    rows.run(session, _RELEASED if number is None else _RELEASED_OF, now=now, of=number)


def hurry(session: Session, now: datetime) -> None:
    """The homeserver answers again: what was put off because it did not is due now."""
    session.exec(
        update(OutboxRow)
        .where(
            col(OutboxRow.channel) == Channel.MATRIX.value,
            col(OutboxRow.attempts) > 0,
            col(OutboxRow.state) == RowState.WAITING.value,
            col(OutboxRow.next_attempt_at) > now,
        )
        .values(next_attempt_at=now)
        .execution_options(synchronize_session=False)
    )


def untried_due(session: Session, channel: Channel, now: datetime) -> None:
    """Let a channel's rows be due that wait although no attempt to send them has failed."""
    session.exec(
        update(OutboxRow)
        .where(
            col(OutboxRow.channel) == channel.value,
            col(OutboxRow.attempts) == 0,
            col(OutboxRow.state) == RowState.WAITING.value,
            col(OutboxRow.next_attempt_at) > now,
        )
        .values(next_attempt_at=now)
        .execution_options(synchronize_session=False)
    )


def all_due(session: Session, now: datetime) -> None:
    """Let no row wait for a time set by a clock that ran ahead; what is too early is put off again."""
    session.exec(
        update(OutboxRow)
        .where(col(OutboxRow.state) == RowState.WAITING.value, col(OutboxRow.next_attempt_at) > now)
        .values(next_attempt_at=now)
        .execution_options(synchronize_session=False)
    )


_SUPERSEDED = _of_card(RowState.FAILED).values(state=RowState.CANCELLED.value, done_at=bindparam("now"))


def supersede(session: Session, number: int, now: datetime) -> None:
    """A ticket's card is in its room: what was set aside of it before needs nobody's care any more."""
    rows.run(session, _SUPERSEDED, now=now, card_of=number)


def forget_set_aside(session: Session, before: datetime) -> None:
    """Forget what was set aside so long ago that nobody will do anything about it any more."""
    session.exec(
        delete(OutboxRow).where(
            col(OutboxRow.state) == RowState.FAILED.value, col(OutboxRow.done_at) < before
        )
    )


def prune(session: Session, now: datetime, keep: timedelta) -> None:
    """Forget traces of what was sent long ago."""
    session.exec(
        delete(OutboxRow).where(
            col(OutboxRow.state).in_([RowState.SENT.value, RowState.CANCELLED.value]),
            col(OutboxRow.done_at) < now - keep,
            # SQLite gives a free id to the next row: one that a prompt knows its message by must not be.
            col(OutboxRow.id).not_in(select(Prompt.outbox_id)),
        )
    )
