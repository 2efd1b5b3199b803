"""Prompts: answers that wait for a tap. What a tap means is kept in the database, with who may give it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from bot.domain import taps
from bot.services.unit import Unit
from storage import outbox
from storage import posted as events
from storage import prompts as stored
from storage.models import Prompt

_PROMPT: Final = "prompt:"
_KEPT: Final = timedelta(days=1)
"""For how long a tap on a prompt that is over is still answered with why."""


class PromptKind(StrEnum):
    """What a prompt waits for."""

    CONFIRM = "confirm"
    """A yes or no to a command that hurts, by the person who gave it."""
    PAGE = "page"
    """The next page of a list, by anybody who may see it; of one's own by oneself."""
    TICKET = "ticket"
    """A ticket that the answer names, to be taken."""
    ROOM = "room"
    """Whether to move into the room that replaces an upgraded one, by any admin."""
    COMPARE = "compare"
    """Whether both sides of a verification show the same, by the admin who began it."""


_KEYS: Final[Mapping[PromptKind, tuple[str, ...]]] = {
    PromptKind.CONFIRM: (taps.CONFIRM, taps.CANCEL),
    PromptKind.PAGE: (taps.MORE,),
    PromptKind.TICKET: (taps.TAKE,),
    PromptKind.ROOM: (taps.CONFIRM, taps.CANCEL),
    PromptKind.COMPARE: (taps.CONFIRM, taps.CANCEL),
}
_OPEN_FOR: Final[Mapping[PromptKind, timedelta]] = {
    PromptKind.CONFIRM: taps.CONFIRM_WITHIN,
    PromptKind.PAGE: timedelta(hours=1),
    PromptKind.TICKET: timedelta(hours=12),
    PromptKind.ROOM: timedelta(days=90),
    PromptKind.COMPARE: timedelta(minutes=10),
}


@dataclass(frozen=True, slots=True)
class PromptView:
    """A prompt as it is now."""

    id: int
    kind: PromptKind
    room_id: str
    event_id: str | None
    thread: str | None
    person: str
    command: str
    payload: Mapping[str, Any]
    expires_at: datetime
    done: bool
    shows: tuple[int, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The reactions that it offers."""
        return _KEYS[self.kind]

    def waits(self, at: datetime) -> bool:
        """Whether a tap given at that time counts."""
        return not self.done and at <= self.expires_at


@dataclass(frozen=True, slots=True)
class NewPrompt:
    """A prompt to be asked with an answer; ``payload`` is what its kind needs, as JSON."""

    kind: PromptKind
    payload: Mapping[str, Any]


def id_of(target: str) -> int:
    """The prompt that an outbox row looks after."""
    return int(target.removeprefix(_PROMPT))


def expires_at(kind: PromptKind, now: datetime) -> datetime:
    """Until when a prompt asked now can be answered."""
    return now + _OPEN_FOR[kind]


def ask(
    unit: Unit,
    new: NewPrompt,
    row_id: int,
    room_id: str,
    *,
    thread: str | None,
    person: str,
    command: str,
    shows: Collection[int],
) -> None:
    """Keep a prompt in the commit of the answer that asks it: an outbox row for a room."""
    prompt = Prompt(
        outbox_id=row_id,
        room_id=room_id,
        thread=thread,
        person=person,
        command=command,
        kind=new.kind.value,
        payload=dict(new.payload),
        created_at=unit.now,
        expires_at=expires_at(new.kind, unit.now),
    )
    stored.add(unit.session, prompt, shows)


def posted(unit: Unit, outbox_id: int, event_id: str, room_id: str) -> None:
    """An answer arrived in its room: if it is a prompt, its reactions are due."""
    prompt = stored.of_row(unit.session, outbox_id)
    if prompt is not None:
        prompt.event_id, prompt.room_id = event_id, room_id
        unit.session.add(prompt)
        _look_after(unit, prompt)


def look_after(unit: Unit, event_id: str) -> None:
    """Let the reactions on a prompt be looked after, if the event is one."""
    prompt = stored.of_event(unit.session, event_id)
    if prompt is not None:
        _look_after(unit, prompt)


def _look_after(unit: Unit, prompt: Prompt) -> None:
    assert prompt.id is not None  # noqa: S101 - it comes from the database
    shows = stored.tickets_of(unit.session, prompt.id)
    outbox.ask_seeds(unit.session, f"{_PROMPT}{prompt.id}", unit.now, unit.now, shows)
    unit.wake_courier()


def look(unit: Unit, prompt_id: int) -> PromptView | None:
    """A prompt by its id."""
    return _view(unit, stored.get(unit.session, prompt_id))


def at_event(unit: Unit, event_id: str) -> PromptView | None:
    """The prompt that an event of the bot is."""
    return _view(unit, stored.of_event(unit.session, event_id))


def last_page(unit: Unit, room_id: str, person: str) -> PromptView | None:
    """The list that a person asked for last in a room, if it has a further page."""
    return _view(unit, stored.last(unit.session, room_id, person, PromptKind.PAGE.value, unit.now))


def end_last_page(unit: Unit, room_id: str, person: str) -> None:
    """A newer list of this person has no further page: ``!more`` must not go on with an older one."""
    prompt = last_page(unit, room_id, person)
    if prompt is not None:
        done(unit, prompt.id)


def done(unit: Unit, prompt_id: int) -> bool:
    """Close a prompt, in the commit of what it asked for; says whether it was still open."""
    prompt = stored.get(unit.session, prompt_id)
    if prompt is None or prompt.done_at is not None:
        return False
    prompt.done_at = unit.now
    unit.session.add(prompt)
    _look_after(unit, prompt)
    return True


def end(unit: Unit, outbox_id: int) -> None:
    """What a prompt asked was answered in another way."""
    prompt = stored.of_row(unit.session, outbox_id)
    if prompt is not None:
        done(unit, prompt.id or 0)


def went(unit: Unit, event_id: str) -> None:
    """Somebody took a message away: if it was a prompt, there is nothing to tap any more."""
    prompt = stored.of_event(unit.session, event_id)
    if prompt is not None and prompt.done_at is None:
        done(unit, prompt.id or 0)


def drop_about(unit: Unit, number: int) -> None:
    """A ticket is purged: nothing that names it waits any more, but for the question that led to it."""
    stored.drop_about(unit.session, number, PromptKind.CONFIRM.value)


def is_erased(unit: Unit, prompt: PromptView) -> bool:
    """Whether the prompt's message goes, because a ticket that it names was purged."""
    return bool(events.any_purged(unit.session, prompt.shows))


def tidy(unit: Unit) -> None:
    """Forget the prompts that are long over."""
    stored.prune(unit.session, unit.now - _KEPT)


def _view(unit: Unit, prompt: Prompt | None) -> PromptView | None:
    if prompt is None:
        return None
    assert prompt.id is not None  # noqa: S101 - it comes from the database
    return PromptView(
        id=prompt.id,
        kind=PromptKind(prompt.kind),
        room_id=prompt.room_id,
        event_id=prompt.event_id,
        thread=prompt.thread,
        person=prompt.person,
        command=prompt.command,
        payload=prompt.payload,
        expires_at=prompt.expires_at,
        done=prompt.done_at is not None,
        shows=stored.tickets_of(unit.session, prompt.id),
    )
