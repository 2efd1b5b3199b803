"""The outbox from the courier's side: what is to be sent now."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from bot.services import people, preparation
from bot.services.jobs import Job, Seed
from bot.services.unit import Unit
from storage import inbox, outbox, rooms
from storage.models import OutboxRow
from storage.outbox import Kind, Priority

_LEFT_OVER: Final[Mapping[int, int]] = MappingProxyType({Priority.REDACTION: 2, Priority.SEED: 5})
"""How many events more must be allowed for what is only convenient, where the homeserver limits them."""
_LOOKED_AT: Final = 3
"""Rows looked at for each that is wanted: some are held or dropped."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What to do now; whether to look again at once, or when (``None``: when called)."""

    jobs: tuple[Job, ...]
    look_again_at: datetime | None = None
    more: bool = False
    answers: bool = False
    """Whether somebody waits for these: then nothing less urgent is to be started beside them."""


def claim(unit: Unit, busy: Collection[int], room_for: int, allowance: float | None = None) -> Claimed:
    """The next jobs of one urgency, at most ``room_for``; rows in ``busy`` are being sent.

    Only of one, so that an answer does not wait until the cards after it are looked up.

    ``allowance`` is how many events the homeserver takes at the moment, if it limits that: what is only
    convenient then leaves some to answers that may come, and reactions are offered one by one.

    What a card will show is noted in the row before it is sent: if the process dies then, the resend is
    answered with the first event, and whether that one is out of date can be told.
    """
    jobs: list[Job] = []
    urgency = 0
    # While much waits each one that was sent is followed by a claim of one: it need not look at fifty.
    most = min(_LOOKED_AT * room_for, outbox.MOST_DUE)
    while found := outbox.due(unit.session, unit.now, busy, most=most):
        rows = [row for row in found if _may_go(row, allowance)]
        for row in rows:
            if len(jobs) == room_for or (jobs and row.priority != urgency):
                return Claimed(tuple(jobs), more=True, answers=urgency == Priority.ANSWER)
            job = preparation.prepare_or_fail(unit, row)
            if job is not None:
                jobs.append(_shortened(job) if allowance is not None else job)
                urgency = row.priority
        if jobs and len(rows) == most:
            return Claimed(tuple(jobs), more=True, answers=urgency == Priority.ANSWER)
        if jobs or not rows:
            break
        # All were held or dropped, and others that waited behind them are due now.
        most = outbox.MOST_DUE
    taken = [*busy, *(job.row_id for job in jobs)]
    return Claimed(tuple(jobs), outbox.next_due_at(unit.session, taken))


def _may_go(row: OutboxRow, allowance: float | None) -> bool:
    left_over = _LEFT_OVER.get(row.priority)
    return allowance is None or left_over is None or allowance >= left_over + 1


def _shortened(job: Job) -> Job:
    """Offered reactions are many events, between which an answer may come: the others in their turn."""
    if not isinstance(job, Seed):
        return job
    remove = job.plan.remove[:1]
    add = () if remove else job.plan.add[:1]
    return replace(job, plan=replace(job.plan, remove=remove, add=add))


def hand_over(
    unit: Unit,
    added: outbox.Added,
    kind: Kind,
    room_id: str,
    payload: dict[str, Any],
    shows: Collection[int],
) -> None:
    """Make an answer ready in the unit that writes it: somebody waits, and a claim would take as long again.

    Where the room may not be told, or not now, the claim decides.
    """
    if not people.may_hear(unit, room_id) or rooms.hindrances_of(rooms.get(unit.session, room_id)):
        return
    row = OutboxRow(
        id=added.id,
        kind=kind.value,
        priority=Priority.ANSWER.value,
        tx_id=added.tx_id,
        room=room_id,
        payload=payload,
        created_at=unit.now,
        next_attempt_at=unit.now,
    )
    shown = () if kind is Kind.REACTION else tuple(sorted(set(shows)))
    unit.at_once.append(preparation.answer(unit, row, payload["content"], shown))


def hurry(unit: Unit) -> None:
    """The homeserver answers again: try at once what it had not taken."""
    outbox.hurry(unit.session, unit.now)
    unit.wake_courier()


def clock_set_back(unit: Unit) -> None:
    """The clock ran ahead and is right again: what was written meanwhile must not wait so long."""
    outbox.all_due(unit.session, unit.now)
    inbox.clock_is_right(unit.session, unit.now)
    unit.wake_courier()
