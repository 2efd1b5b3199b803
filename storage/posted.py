"""What the bot posted, and which tickets each event shows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage import rows
from storage.models import Card, PostedEvent, PostedTicket, Purged

_IS_KNOWN = select(PostedEvent.event_id).where(PostedEvent.event_id == bindparam("event_id"))


def record(
    session: Session,
    event_id: str,
    room_id: str,
    kind: str,
    shows: Iterable[int],
    now: datetime,
    thread: str | None = None,
    key: str | None = None,
) -> bool:
    """Remember a posted event; says whether it is news. ``key`` is a seeded reaction's emoji."""
    if rows.run(session, _IS_KNOWN, event_id=event_id).first() is not None:
        return False
    rows.insert(
        session,
        PostedEvent,
        event_id=event_id,
        room_id=room_id,
        kind=kind,
        thread=thread,
        key=key,
        posted_at=now,
    )
    linked = [{"event_id": event_id, "number": number} for number in sorted(set(shows))]
    rows.insert_all(session, PostedTicket, linked)
    return True


def also_shows(session: Session, event_id: str, shows: Iterable[int]) -> None:
    """Note further tickets that an event shows."""
    for number in sorted(set(shows)):
        session.merge(PostedTicket(event_id=event_id, number=number))


def get(session: Session, event_id: str) -> PostedEvent | None:
    """An event by its id."""
    return rows.get(session, PostedEvent, event_id)


def is_gone(session: Session, event_id: str, now: datetime) -> None:
    """Note that an event was redacted, whoever did it."""
    event = rows.get(session, PostedEvent, event_id)
    if event is not None:
        event.redacted_at, event.redaction_error = now, None
        session.add(event)
        session.flush()


def edits_of(session: Session, number: int, card: str) -> Sequence[PostedEvent]:
    """The edits of a ticket's card, also those that were redacted."""
    query = (
        select(PostedEvent)
        .join(PostedTicket, col(PostedTicket.event_id) == col(PostedEvent.event_id))
        .where(PostedTicket.number == number, PostedEvent.thread == card, PostedEvent.kind == "edit")
    )
    return session.exec(query).all()


def was_card_in(session: Session, number: int, rooms: Iterable[str]) -> bool:
    """Whether a card of the ticket was ever posted in one of these rooms, whatever became of it."""
    query = (
        select(PostedEvent.event_id)
        .join(PostedTicket, col(PostedTicket.event_id) == col(PostedEvent.event_id))
        .where(
            PostedTicket.number == number,
            PostedEvent.kind == "card",
            col(PostedEvent.room_id).in_(list(rooms)),
        )
    )
    return session.exec(query.limit(1)).first() is not None


def was_redacted(session: Session, event_id: str) -> bool:
    """Whether an event that was posted is gone."""
    event = rows.get(session, PostedEvent, event_id)
    return event is not None and event.redacted_at is not None


def tickets_of(session: Session, event_id: str) -> tuple[int, ...]:
    """Numbers of the tickets that an event of the bot shows; none once it is redacted."""
    found = session.exec(
        select(PostedTicket.number)
        .join(PostedEvent, col(PostedEvent.event_id) == col(PostedTicket.event_id))
        .where(PostedTicket.event_id == event_id, col(PostedEvent.redacted_at).is_(None))
    )
    return tuple(found.all())


def tickets_shown(session: Session, event_id: str) -> tuple[int, ...]:
    """Numbers of the tickets that an event shows, or did until it was redacted."""
    return tuple(session.exec(select(PostedTicket.number).where(PostedTicket.event_id == event_id)).all())


def about(session: Session, number: int, room_id: str | None = None) -> Sequence[PostedEvent]:
    """Events about a ticket that are neither redacted nor known to be out of the bot's power."""
    query = (
        select(PostedEvent)
        .join(PostedTicket, col(PostedTicket.event_id) == col(PostedEvent.event_id))
        .where(
            PostedTicket.number == number,
            col(PostedEvent.redacted_at).is_(None),
            col(PostedEvent.redaction_error).is_(None),
        )
        .order_by(col(PostedEvent.posted_at), col(PostedEvent.event_id))
    )
    if room_id is not None:
        query = query.where(PostedEvent.room_id == room_id)
    return session.exec(query).all()


def card(session: Session, number: int) -> Card | None:
    """Where the ticket's card stands."""
    return rows.get(session, Card, number, fresh=True)


def card_of_event(session: Session, event_id: str) -> Card | None:
    """The card that an event is, unless it was replaced by another."""
    return session.exec(select(Card).where(Card.event_id == event_id)).first()


_GOES_ON = (
    update(Card)
    .where(col(Card.event_id) == bindparam("root"))
    .values(latest=bindparam("last"))
    .execution_options(synchronize_session=False)
)


def thread_goes_on(session: Session, root: str, event_id: str) -> None:
    """Note the last event of a card's thread; other threads do not matter."""
    rows.run(session, _GOES_ON, root=root, last=event_id)


_SEEDS = select(PostedEvent.key, PostedEvent.event_id).where(
    PostedEvent.thread == bindparam("target"),
    col(PostedEvent.key).is_not(None),
    col(PostedEvent.redacted_at).is_(None),
    col(PostedEvent.redaction_error).is_(None),
)


def seeds_on(session: Session, target: str) -> Mapping[str, str]:
    """The seeded reactions that stand on an event: emoji → event id."""
    return dict(rows.run(session, _SEEDS, target=target).all())


def stands_again(session: Session, event_id: str) -> None:
    """A seeded reaction that could not be taken away is wanted again."""
    event = rows.get(session, PostedEvent, event_id)
    if event is not None and event.redacted_at is None:
        event.redaction_error = None
        session.add(event)


def orphans(session: Session, number: int) -> Sequence[PostedEvent]:
    """A ticket's seeded reactions that still stand on something that is gone."""
    target = aliased(PostedEvent)
    found = session.exec(
        select(PostedEvent)
        .join(PostedTicket, col(PostedTicket.event_id) == col(PostedEvent.event_id))
        .join(target, col(target.event_id) == col(PostedEvent.thread))
        .where(
            PostedTicket.number == number,
            col(PostedEvent.key).is_not(None),
            col(PostedEvent.redacted_at).is_(None),
            col(PostedEvent.redaction_error).is_(None),
            col(target.redacted_at).is_not(None),
        )
    )
    return found.all()


def any_purged(session: Session, numbers: Iterable[int]) -> tuple[int, ...]:
    """Those of the numbers that were purged."""
    wanted = list(numbers)
    if not wanted:
        return ()
    return tuple(session.exec(select(Purged.number).where(col(Purged.number).in_(wanted))).all())
