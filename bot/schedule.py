"""APScheduler's ticks. The scheduler holds no truth: each tick asks the database what is due."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.domain.quiet import QuietHours
from bot.domain.words import Team
from bot.logs import place_of
from bot.services import keys, mail_in, outcomes, quiet
from bot.services.digest import send_digest
from bot.services.unit import DatabaseUnavailable, Units

_LOG = structlog.get_logger(__name__)
_LOOK_EVERY: Final = timedelta(minutes=15)
"""Between looks for what its own tick missed: sleep, clock changes, a busy database."""


@dataclass(frozen=True, slots=True)
class DigestPlan:
    """When a team gets its digest: a crontab line in its time zone."""

    team: Team
    cron: str
    zone: ZoneInfo

    def trigger(self) -> CronTrigger:
        """APScheduler's trigger for it."""
        return CronTrigger.from_crontab(self.cron, timezone=self.zone)

    def due_day(self, now: datetime) -> date | None:
        """The local day whose digest should have been sent by now, if that day is not over.

        A time that the clocks skip is as far into the day as without the change (02:30 comes at 03:30);
        one that they repeat counts once, the first time.
        """
        local = now.astimezone(self.zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        fires: datetime | None = self.trigger().get_next_fire_time(None, midnight)
        if fires is None or fires > now or fires.astimezone(self.zone).date() != local.date():
            return None
        return local.date()


class Schedule:
    """Runs the ticks while the bot runs."""

    def __init__(
        self, units: Units, plans: Sequence[DigestPlan], quiet_hours: Sequence[QuietHours] = ()
    ) -> None:
        self._units = units
        self._plans = plans
        self._quiet_hours = quiet_hours
        self._ticking: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Tick until cancelled; at the start, send what was missed today."""
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.add_listener(_on_error, EVENT_JOB_ERROR)
        # By default a tick that comes one second late would be dropped.
        options: dict[str, Any] = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        for plan in self._plans:
            scheduler.add_job(self._tick, plan.trigger(), args=[self.send_due, (plan,)], **options)
        for hours in set(self._quiet_hours):
            end = CronTrigger(hour=hours.end.hour, minute=hours.end.minute, timezone=hours.zone)
            scheduler.add_job(self._tick, end, args=[self.remind_due], **options)
        scheduler.add_job(self._tick, IntervalTrigger(hours=1, timezone="UTC"), args=[self._tidy], **options)
        scheduler.start()
        try:
            while True:
                await self._look_or_report()
                # No job of the scheduler's: once the clock was set back, those wait until it has caught up.
                await asyncio.sleep(_LOOK_EVERY.total_seconds())
        finally:
            scheduler.shutdown(wait=False)
            # That cancels the ticks under way and waits for none; the database must not close under them.
            if self._ticking:
                await asyncio.wait(self._ticking)

    async def _tick(self, work: Callable[..., Awaitable[None]], *args: Any) -> None:  # noqa: ANN401
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - the scheduler runs each tick as one
        self._ticking.add(task)
        try:
            await work(*args)
        finally:
            self._ticking.discard(task)

    async def _look_or_report(self) -> None:
        try:
            await self._look()
        except Exception as error:  # noqa: BLE001 - the next look has its chance
            _LOG.error("tick_failed", job="look", error=type(error).__name__, place=place_of(error))

    async def _look(self) -> None:
        await self.send_due(self._plans)
        await self.remind_due()

    async def remind_due(self) -> None:
        """Ask for the reminders of what did not ring in quiet hours that are over."""
        try:
            asked = await self._units.run(quiet.remind)
        except DatabaseUnavailable:
            _LOG.warning("database_unavailable", doing="reminder")
            return
        if asked:
            _LOG.info("reminded", rooms=asked)

    async def send_due(self, plans: Sequence[DigestPlan]) -> None:
        """Send the digests that are due and not yet sent."""
        for plan in plans:
            day = plan.due_day(self._units.clock())
            if day is None:
                continue
            try:
                await self._send(plan, day)
            except DatabaseUnavailable:
                _LOG.warning("database_unavailable", doing="digest", team=plan.team)

    async def _send(self, plan: DigestPlan, day: date) -> None:
        sent = await self._units.run(lambda unit: send_digest(unit, plan.team, day, plan.zone))
        if sent:
            _LOG.info("digest", team=plan.team, day=day.isoformat())

    async def _tidy(self) -> None:
        await self._units.run(outcomes.tidy)
        await self._units.run(mail_in.tidy)
        await self._units.run(keys.tidy)
        await self._units.scrub()


def _on_error(event: JobExecutionEvent) -> None:
    _LOG.error("tick_failed", job=event.job_id, error=type(event.exception).__name__)
