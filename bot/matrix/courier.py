"""The courier: takes what is due from the outbox and brings it to the rooms."""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import structlog
from structlog.contextvars import bind_contextvars

from bot.logs import about, place_of
from bot.matrix.backoff import pause_after
from bot.matrix.carrier import Carrier, Render
from bot.matrix.client import MatrixClient
from bot.matrix.encryption.machine import Machine
from bot.matrix.errors import (
    AlreadyThere,
    MatrixError,
    RateLimited,
    Refused,
    TokenRejected,
    Unprepared,
    Unreachable,
)
from bot.matrix.media import Uploader
from bot.matrix.pace import Pace
from bot.matrix.room_state import whole_state
from bot.meters import Fate
from bot.services import delivery, limits, outcomes, room_updates
from bot.services.jobs import ANSWERS, Clear, Job, Seed, Send
from bot.services.unit import A_MOMENT, DatabaseUnavailable, Unit, Units
from bot.waiting import called

_LOG = structlog.get_logger(__name__)
_AT_ONCE: Final = 8
_BESIDE_INTAKE: Final = 1
"""While requests come in: who sent one waits for its answer, and its card comes a moment later."""
_LONG: Final = 1.0
"""Seconds after which a row under way is not waited for beside the intake."""
_SHORTEST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 30.0
_LONGEST_ABSENCE: Final = 3.0
_HEAD_START: Final = 0.3
_MOST_TRIES: Final = 5
"""Of what is refused in a room that does not say why, or over a limit."""
_OVER: Final = frozenset({Fate.SENT, Fate.REFUSED, Fate.FAILED})
"""What ends a job, one way or the other; else it was put off."""
_JITTER: Final = timedelta(seconds=1)
"""By so much a clock is corrected all the time."""


class Courier:
    """Sends what waits, several rows at once, of each ticket one after the other."""

    def __init__(
        self, client: MatrixClient, machine: Machine, units: Units, render: Render, uploader: Uploader
    ) -> None:
        self._client = client
        self._machine = machine
        self._units = units
        self._busy: dict[int, float] = {}
        """Rows being sent, with the loop's time at which each was begun."""
        self._failures: dict[int, int] = {}
        """Rows, with how often each failed in a row."""
        self._stopping = asyncio.Event()
        self._pace = Pace()
        self._carrier = Carrier(client, machine, units, render, uploader, self._pace)
        self._latest = units.clock()
        """What the clock showed last."""
        self.turned_at: float | None = None
        """The loop's time at which it came round last; ``None`` before the first time."""

    def stop(self) -> None:
        """Take nothing new; :meth:`run` returns when what is under way is done."""
        self._stopping.set()
        self._units.signals.outbox.set()

    async def run(self) -> None:
        """Deliver until stopped.

        :raises TokenRejected: the account's login is over.
        """
        ready = self._units.signals.outbox
        async with asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                self.turned_at = asyncio.get_running_loop().time()
                ready.clear()
                wait = await self._start_due(group)
                await called(ready, wait)

    async def _start_due(self, group: asyncio.TaskGroup) -> float:
        """Start what may be sent now; gives for how many seconds to sleep unless called."""
        now = asyncio.get_running_loop().time()
        paused, allowance = self._pace.paused(now), self._pace.allowance(now)
        ready = self._handed_over()
        if paused > 0:
            await asyncio.sleep(min(paused, _SHORTEST_WAIT))
            return 0.0
        # More than the homeserver takes would be refused, and an answer behind it would wait for that.
        at_once = _AT_ONCE if allowance is None else max(1, min(_AT_ONCE, int(allowance)))
        ready = ready[: max(0, at_once - len(self._busy))]
        await self._give_head_start([self._start(group, job) for job in ready])
        allowance = self._pace.allowance(asyncio.get_running_loop().time())
        room_for = at_once - len(self._busy)
        if room_for <= 0:
            return _LONGEST_WAIT
        if self._units.signals.much_comes_in():
            room_for = min(room_for, _BESIDE_INTAKE - self._begun_since(now - _LONG))
            if room_for <= 0:
                return A_MOMENT
        try:
            await self._follow_clock()
            claimed = await self._units.run(
                lambda unit: delivery.claim(unit, list(self._busy), room_for, allowance)
            )
        except DatabaseUnavailable:
            _LOG.warning("database_unavailable", doing="outbox")
            return _SHORTEST_WAIT
        # Some may have been handed over while they were claimed.
        tasks = [self._start(group, job) for job in claimed.jobs if job.row_id not in self._busy]
        if claimed.answers:
            await self._give_head_start(tasks)
        return 0.0 if claimed.more else self._wait(claimed.look_again_at)

    def _handed_over(self) -> list[Send]:
        """Answers that were handed over; those that must wait are left to the claim."""
        ready = self._units.signals.at_once
        jobs = [ready.popleft() for _ in range(len(ready))]
        return [job for job in jobs if job.row_id not in self._busy]

    def _start(self, group: asyncio.TaskGroup, job: Job) -> asyncio.Task[None]:
        self._busy[job.row_id] = asyncio.get_running_loop().time()
        return group.create_task(self._deliver(job))

    def _begun_since(self, moment: float) -> int:
        """How many are under way that were begun since; what takes long is not to hold up the others."""
        return sum(begun > moment for begun in self._busy.values())

    @staticmethod
    async def _give_head_start(answers: Collection[asyncio.Task[None]]) -> None:
        """A homeserver that works at an edit meanwhile answers later: somebody waits for these."""
        if answers:
            await asyncio.wait(answers, timeout=_HEAD_START)

    async def _follow_clock(self) -> None:
        now = self._units.clock()
        if now < self._latest - _JITTER:
            await self._units.run(delivery.clock_set_back)
            _LOG.warning("clock_set_back", seconds=round((self._latest - now).total_seconds()))
        self._latest = now

    def _wait(self, look_again_at: datetime | None) -> float:
        if look_again_at is None:
            return _LONGEST_WAIT
        ahead = (look_again_at - self._units.clock()).total_seconds()
        return min(max(ahead, _SHORTEST_WAIT), _LONGEST_WAIT)

    async def _deliver(self, job: Job) -> None:
        # The task is of this job alone, and so is its context.
        bind_contextvars(row=job.row_id, kind=job.kind, **about(job.shows))
        try:
            fate = await self._attempt(job)
            self._units.meters.delivery(job.kind, fate)
            if fate in _OVER:
                self._failures.pop(job.row_id, None)
        except DatabaseUnavailable:
            # The row stays as it is: it is sent again with the same transaction id.
            _LOG.warning("database_unavailable", doing="delivery")
            await asyncio.sleep(_SHORTEST_WAIT)
        finally:
            self._busy.pop(job.row_id, None)
            self._units.signals.outbox.set()
            if job.kind in ANSWERS:
                self._units.signals.answered.set()

    async def _attempt(self, job: Job) -> Fate:
        try:
            await self._carrier.bring(job)
        except TokenRejected:
            raise
        except AlreadyThere:
            await self._units.run(lambda unit: outcomes.cleared(unit, job.row_id))
        except Refused as error:
            if error.code == "M_FORBIDDEN" and await self._waits_for_room(job, error):
                return Fate.HELD
            await self._set_aside(job, error.code)
            return Fate.REFUSED
        except (RateLimited, Unreachable) as error:
            await self._put_off(job, error)
            return Fate.RATE_LIMITED if isinstance(error, RateLimited) else Fate.UNREACHABLE
        except (DatabaseUnavailable, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - one row that cannot be rendered must not stop the rest
            # The error's text could hold a requester's words.
            _LOG.error("delivery_fault", error=type(error).__name__, place=place_of(error))
            await self._set_aside(job, f"internal: {type(error).__name__}")
            return Fate.FAILED
        return Fate.SENT

    async def _put_off(self, job: Job, error: MatrixError) -> None:
        failures = self._failures[job.row_id] = self._failures.get(job.row_id, 0) + 1
        pause, now = pause_after(failures, error), asyncio.get_running_loop().time()
        _LOG.warning("delivery_put_off", error=repr(error), pause=round(pause, 1))
        delay = timedelta(seconds=pause)
        if isinstance(error, RateLimited):
            self._pace.refused(error.retry_after, now)
            # The limit is on all rows: after the pause the most urgent one goes first, which may be another.
            # One that is refused again and again seems to have a limit of its own.
            delay = timedelta(0) if failures < _MOST_TRIES else delay
        elif not isinstance(error, Unprepared):
            # A homeserver that is away is away for all: the others wait, too, and keep their first attempt.
            self._pace.pause(min(pause, _LONGEST_ABSENCE), now)
        interval = self._pace.interval if isinstance(error, RateLimited) else None
        nothing_arrived = _cannot_have_arrived(job, error)

        def put_off(unit: Unit) -> None:
            outcomes.later(unit, job.row_id, delay, type(error).__name__, nothing_arrived=nothing_arrived)
            if interval is not None:
                limits.met(unit, interval)

        await self._units.run(put_off)

    async def _waits_for_room(self, job: Job, error: Refused) -> bool:
        """Whether the room's state tells why it refuses, before a sync did: then what is for it waits."""
        room_id, me = _room_of(job), self._client.user_id
        if not room_id.startswith("!"):
            return False
        told = await self._units.run(room_updates.told_until)
        try:
            update = whole_state(room_id, await self._client.state(room_id), me)
        except (Refused, RateLimited, Unreachable) as unknown:
            return await self._waits_a_while(job, unknown)
        if update.encrypted:
            self._machine.note_encrypted(room_id)
        if update.members.get(me) is None:
            # The bot was removed, and is told the state as it was then. The next sync tells that, too.
            return await self._waits_a_while(job, error)
        open_now = await self._units.run(lambda unit: room_updates.look_again(unit, update, told))
        if open_now:
            return False
        # Where a sync came in between, what it told is seen once the row is looked at again.
        pause = timedelta(seconds=_SHORTEST_WAIT if open_now is None else 0)
        nothing_arrived = _cannot_have_arrived(job, error)
        await self._units.run(
            lambda unit: outcomes.later(unit, job.row_id, pause, error.code, nothing_arrived=nothing_arrived)
        )
        return True

    async def _waits_a_while(self, job: Job, error: MatrixError) -> bool:
        if self._failures.get(job.row_id, 0) >= _MOST_TRIES:
            return False
        await self._put_off(job, error)
        return True

    async def _set_aside(self, job: Job, code: str) -> None:
        room_id = _room_of(job)
        _LOG.error("delivery_failed", code=code, room_id=room_id)
        await self._units.run(lambda unit: outcomes.failed(unit, job.row_id, room_id, code))


def _cannot_have_arrived(job: Job, error: MatrixError) -> bool:
    """Whether this attempt and all before it are known not to be in the room."""
    fresh = isinstance(job, Send) and job.fresh
    return fresh and not (isinstance(error, Unreachable) and error.may_have_arrived)


def _room_of(job: Job) -> str:
    match job:
        case Send():
            return job.room_id
        case Seed():
            return job.plan.room_id
        case Clear():
            return job.then.room_id if job.then else ""
