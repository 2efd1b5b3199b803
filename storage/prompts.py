"""Prompts: messages of the bot that wait for a tap. Queries never commit."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from storage import rows
from storage.models import Prompt, PromptTicket


def add(session: Session, prompt: Prompt, shows: Iterable[int]) -> None:
    """Keep a prompt, and the tickets that it names."""
    session.add(prompt)
    session.flush()
    assert prompt.id is not None  # noqa: S101 - flushed
    for number in sorted(set(shows)):
        session.add(PromptTicket(prompt_id=prompt.id, number=number))


def get(session: Session, prompt_id: int) -> Prompt | None:
    """The prompt as it is now."""
    return rows.get(session, Prompt, prompt_id, fresh=True)


def of_event(session: Session, event_id: str) -> Prompt | None:
    """The prompt that an event is."""
    return session.exec(select(Prompt).where(Prompt.event_id == event_id)).first()


def of_row(session: Session, outbox_id: int) -> Prompt | None:
    """The prompt that an outbox row brings."""
    return session.exec(select(Prompt).where(Prompt.outbox_id == outbox_id)).first()


def last(session: Session, room_id: str, person: str, kind: str, now: datetime) -> Prompt | None:
    """The newest prompt of a kind that answers a person in a room, if it still waits."""
    found = session.exec(
        select(Prompt)
        .where(Prompt.room_id == room_id, Prompt.person == person, Prompt.kind == kind)
        .order_by(col(Prompt.id).desc())
        .limit(1)
    )
    prompt = found.first()
    waits = prompt is not None and prompt.done_at is None and prompt.expires_at > now
    return prompt if waits else None


def tickets_of(session: Session, prompt_id: int) -> tuple[int, ...]:
    """The tickets that a prompt names."""
    found = session.exec(select(PromptTicket.number).where(PromptTicket.prompt_id == prompt_id))
    return tuple(found.all())


def drop_about(session: Session, number: int, kept: str) -> None:
    """Forget the prompts that name a ticket.

    An open one of the kind ``kept`` may be what is being done, for several tickets: it loses its words only.
    """
    found = session.exec(
        select(Prompt)
        .join(PromptTicket, col(PromptTicket.prompt_id) == col(Prompt.id))
        .where(PromptTicket.number == number)
    )
    gone: list[int] = []
    for prompt in found.all():
        assert prompt.id is not None  # noqa: S101 - it comes from the database
        if prompt.kind == kept and prompt.done_at is None:
            prompt.payload = {**prompt.payload, "words": {}}
            session.add(prompt)
        else:
            gone.append(prompt.id)
    _drop(session, gone)


def prune(session: Session, before: datetime) -> None:
    """Forget the prompts that nobody can answer any more."""
    ids = select(Prompt.id).where(col(Prompt.expires_at) < before)
    _drop(session, [each for each in session.exec(ids).all() if each is not None])


def _drop(session: Session, ids: Iterable[int]) -> None:
    found = list(ids)
    session.exec(delete(PromptTicket).where(col(PromptTicket.prompt_id).in_(found)))
    session.exec(delete(Prompt).where(col(Prompt.id).in_(found)))
