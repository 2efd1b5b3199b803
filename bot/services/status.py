"""Is everything alive, and is anything stuck."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.domain.rooms import RoomProblem
from bot.services.unit import Unit, room_key
from bot.services.views import RoomStatus, SetAside, StatusView
from storage import digests, inbox, queues, quiet, rooms, schema, tickets
from storage.models import SyncState

_LATEST: Final = 3
"""Of what is set aside: a phone shows no more at a glance."""


@dataclass(frozen=True, slots=True)
class Program:
    """The running program, as the composition root knows it."""

    version: str
    started_at: datetime
    database: str


@dataclass(frozen=True, slots=True)
class Soundness:
    """What of the bot's state the database tells: its schema, and what stands against using each room."""

    schema: str | None
    rooms: Mapping[str, tuple[RoomProblem, ...]]


def soundness(unit: Unit) -> Soundness:
    """Cheap enough to be asked every second."""
    return Soundness(schema.revision_in(unit.session), rooms.states(unit.session))


def status_view(unit: Unit, program: Program) -> StatusView:
    """Counts, queue depths and the state of every configured room; no requester's data."""
    session = unit.session
    sync = session.get(SyncState, 1)
    due = queues.due(session, unit.now).values()
    found = rooms.states(session)
    return StatusView(
        version=program.version,
        started_at=program.started_at,
        last_sync_at=sync.synced_at if sync else None,
        database=program.database,
        schema=schema.revision_in(session) or "",
        tickets=dict(tickets.counts(session)),
        # The command that asks is being handled itself.
        inbox_waiting=max(0, inbox.depth(session) - 1),
        outbox_waiting=sum(count for count, _since in due),
        outbox_oldest=max((unit.now - since for _count, since in due), default=None),
        outbox_held=sum(queues.held(session).values()),
        outbox_failed=sum(queues.set_aside(session).values()),
        set_aside=_set_aside(unit, queues.latest_set_aside(session, _LATEST)),
        digest_at=max(digests.last_sent(session, found).values(), default=None),
        reminders=quiet.count_untold(session),
        rooms=tuple(
            RoomStatus(key, tuple(problem.value for problem in problems)) for key, problems in found.items()
        ),
    )


def _set_aside(unit: Unit, rows: Sequence[queues.Aside]) -> tuple[SetAside, ...]:
    numbers = [row.number for row in rows if row.number is not None]
    about = tickets.by_numbers(unit.session, numbers)
    found: list[SetAside] = []
    for row in rows:
        ticket = about.get(row.number or 0)
        room = row.room
        if room is None and ticket is not None:
            room = room_key(ticket.team)
        elif room is not None and room.startswith("!"):
            room = rooms.key_of(unit.session, room)
        found.append(SetAside(row.kind, row.number, room, row.error, row.at))
    return tuple(found)
