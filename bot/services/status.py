"""Is everything alive, and is anything stuck."""

from dataclasses import dataclass
from datetime import datetime

from bot.services.unit import Unit
from bot.services.views import RoomStatus, StatusView
from storage import inbox, outbox, rooms, tickets
from storage.models import SyncState


@dataclass(frozen=True, slots=True)
class Program:
    """The running program, as the composition root knows it."""

    version: str
    started_at: datetime
    database: str


def status_view(unit: Unit, program: Program) -> StatusView:
    """Counts, queue depths and the state of every configured room; no requester's data."""
    sync = unit.session.get(SyncState, 1)
    waiting, oldest, held, failed = outbox.depth(unit.session, unit.now)
    found = []
    for key in rooms.keys(unit.session):
        room = rooms.get(unit.session, key.room_id) if key.room_id else None
        problems = tuple(problem.value for problem in rooms.hindrances_of(room))
        found.append(RoomStatus(key.key, key.room_id, problems))
    return StatusView(
        version=program.version,
        started_at=program.started_at,
        last_sync_at=sync.synced_at if sync else None,
        database=program.database,
        tickets=dict(tickets.counts(unit.session)),
        # The command that asks is being handled itself.
        inbox_waiting=max(0, inbox.depth(unit.session) - 1),
        outbox_waiting=waiting,
        outbox_oldest=unit.now - oldest if oldest else None,
        outbox_held=held,
        outbox_failed=failed,
        rooms=tuple(found),
    )
