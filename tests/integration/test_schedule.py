"""When a digest is due, and that each day has one at most, whatever the clock and the process do."""

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from bot.domain.quiet import QuietHours, parse_span
from bot.domain.words import Action
from bot.schedule import DigestPlan, Schedule
from bot.services import digest
from bot.services.unit import Units
from storage.models import DigestMark, OutboxRow
from tests.integration.desk_data import POLICY, Desk, desk_on

BERLIN: Final = ZoneInfo("Europe/Berlin")
EARLY: Final = DigestPlan("freiburg", "30 2 * * *", BERLIN)
MORNING: Final = DigestPlan("freiburg", "0 8 * * *", BERLIN)
NIGHT: Final = QuietHours(*parse_span("22:00-06:30"), BERLIN)


def utc(text: str) -> datetime:
    """A time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        # An ordinary day: 02:30 in Berlin is 01:30 in winter and 00:30 in summer.
        ("2026-11-23T01:29:59", None),
        ("2026-11-23T01:30:00", date(2026, 11, 23)),
        ("2026-11-23T22:59:59", date(2026, 11, 23)),
        ("2026-11-23T23:00:00", None),
        ("2026-07-01T00:30:00", date(2026, 7, 1)),
        # The clocks skip from 02:00 to 03:00: 02:30 does not exist and comes at 03:30.
        ("2027-03-28T00:59:59", None),
        ("2027-03-28T01:29:59", None),
        ("2027-03-28T01:30:00", date(2027, 3, 28)),
        ("2027-03-28T21:59:59", date(2027, 3, 28)),
        ("2027-03-28T22:00:00", None),
        # The clocks go back from 03:00 to 02:00: 02:30 comes twice, and counts the first time.
        ("2026-10-25T00:29:59", None),
        ("2026-10-25T00:30:00", date(2026, 10, 25)),
        ("2026-10-25T01:15:00", date(2026, 10, 25)),
        ("2026-10-25T01:30:00", date(2026, 10, 25)),
        ("2026-10-25T22:59:59", date(2026, 10, 25)),
        ("2026-10-25T23:00:00", None),
    ],
)
def test_due_day_across_the_clock_changes(now: str, day: date | None) -> None:
    assert EARLY.due_day(utc(now)) == day


@pytest.mark.parametrize(
    ("zone", "now", "day"),
    [
        ("America/Santiago", "2026-09-06T12:00:00", date(2026, 9, 6)),  # its midnight does not exist
        ("Asia/Kolkata", "2026-11-23T02:29:00", None),
        ("Asia/Kolkata", "2026-11-23T02:30:00", date(2026, 11, 23)),
        ("Pacific/Kiritimati", "2026-11-22T18:00:00", date(2026, 11, 23)),
        ("Pacific/Pago_Pago", "2026-11-23T10:59:00", date(2026, 11, 22)),
        ("Pacific/Pago_Pago", "2026-11-23T19:00:00", date(2026, 11, 23)),
    ],
)
def test_due_day_in_other_zones(zone: str, now: str, day: date | None) -> None:
    plan = DigestPlan("freiburg", "0 8 * * *", ZoneInfo(zone))
    assert plan.due_day(utc(now)) == day


@pytest.mark.parametrize(("now", "due"), [("2026-11-20", True), ("2026-11-21", False), ("2026-11-23", True)])
def test_days_without_a_digest_have_none(now: str, due: bool) -> None:
    plan = DigestPlan("freiburg", "0 8 * * mon-fri", BERLIN)
    assert (plan.due_day(utc(f"{now}T12:00:00")) is not None) == due


@given(st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)), st.integers(0, 23))  # noqa: DTZ001
def test_every_day_is_due_from_its_hour_to_its_end(now: datetime, hour: int) -> None:
    plan = DigestPlan("freiburg", f"30 {hour} * * *", BERLIN)
    local = now.astimezone(BERLIN)
    fires = datetime(local.year, local.month, local.day, hour, 30, tzinfo=BERLIN)
    assert plan.due_day(now) == (local.date() if now >= fires.astimezone(UTC) else None)


async def waiting_ticket(desk: Desk) -> None:
    """Something to tell, for ever."""
    await desk.do(Action.WAIT, await desk.open())


def restarted(desk: Desk, *plans: DigestPlan) -> Schedule:
    """The schedule of a new process on the same database."""
    return Schedule(Units(desk.database, POLICY, desk.clock), plans)


async def sent_days(desk: Desk) -> list[date]:
    """Days of the digests in the outbox."""
    rows = await desk.outbox(kind="digest")
    return [date.fromisoformat((row.payload or {})["day"]) for row in rows]


async def wait_for_digest(desk: Desk) -> None:
    """Wait until there is one."""
    for _try in range(500):
        if await sent_days(desk):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("no digest came")


async def test_one_missed_while_down_is_sent_on_start_the_same_day(database_url: str) -> None:
    async with desk_on(database_url) as desk:
        await waiting_ticket(desk)
        for now, days in (
            ("2026-11-24T06:59:00", []),
            ("2026-11-24T20:00:00", [date(2026, 11, 24)]),
            ("2026-11-24T22:59:00", [date(2026, 11, 24)]),
            # Down all of the 25th: what is over is not sent any more.
            ("2026-11-26T06:00:00", [date(2026, 11, 24)]),
            ("2026-11-26T07:00:00", [date(2026, 11, 24), date(2026, 11, 26)]),
        ):
            desk.clock.now = utc(now)
            await restarted(desk, MORNING).send_due([MORNING])
            assert await sent_days(desk) == days


JUMPS: Final = st.lists(st.integers(-30 * 60, 40 * 60), min_size=1, max_size=12)
STARTS: Final = st.sampled_from(["2026-10-24T20:00:00", "2027-03-27T20:00:00", "2026-11-23T06:00:00"])


async def test_a_day_never_has_two_whatever_the_clock_does(sqlite_database: str) -> None:
    async with desk_on(sqlite_database) as desk:
        await waiting_ticket(desk)
        plans = (EARLY, DigestPlan(None, "0 8 * * *", BERLIN), DigestPlan("berlin", "0 8 * * *", BERLIN))
        loop = asyncio.get_running_loop()

        async def play(start: str, jumps: list[int]) -> None:
            with desk.database.write() as session:
                session.exec(delete(DigestMark))
                session.exec(delete(OutboxRow).where(OutboxRow.kind == "digest"))  # type: ignore[arg-type]
            desk.clock.now = utc(start)
            due: set[date] = set()
            for minutes in jumps:
                desk.clock.now += timedelta(minutes=minutes)
                due |= {day for day in [EARLY.due_day(desk.clock.now)] if day}
                await restarted(desk, *plans).send_due(plans)
            days = await sent_days(desk)
            assert len(days) == len(set(days))
            assert set(days) == due

        @settings(max_examples=25, deadline=None)
        @given(STARTS, JUMPS)
        def property_holds(start: str, jumps: list[int]) -> None:
            asyncio.run_coroutine_threadsafe(play(start, jumps), loop).result(60)

        await asyncio.to_thread(property_holds)


async def test_two_schedules_at_once_send_one(database_url: str) -> None:
    async with desk_on(database_url) as desk:
        await waiting_ticket(desk)
        desk.clock.now = utc("2026-11-24T12:00:00")
        await asyncio.gather(*(restarted(desk, MORNING).send_due([MORNING]) for _ in range(4)))
        assert await sent_days(desk) == [date(2026, 11, 24)]


async def test_running_sends_what_was_missed_and_drops_no_late_tick(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[AsyncIOScheduler] = []
    start = AsyncIOScheduler.start

    def spy(self: AsyncIOScheduler, *args: Any, **options: Any) -> None:
        made.append(self)
        start(self, *args, **options)

    monkeypatch.setattr(AsyncIOScheduler, "start", spy)
    async with desk_on(sqlite_database) as desk:
        await waiting_ticket(desk)
        desk.clock.now = utc("2026-11-24T12:00:00")
        schedule = Schedule(Units(desk.database, POLICY, desk.clock), [MORNING], [NIGHT, NIGHT])
        running = asyncio.create_task(schedule.run())
        await wait_for_digest(desk)
        assert await sent_days(desk) == [date(2026, 11, 24)]
        (scheduler,) = made
        jobs = scheduler.get_jobs()
        assert len(jobs) == 3
        # One of them ticks when the quiet hours end.
        ticks = [job.trigger.get_next_fire_time(None, utc("2026-11-24T00:00:00")) for job in jobs]
        assert utc("2026-11-24T05:30:00") in ticks
        assert {job.misfire_grace_time for job in jobs} == {None}
        assert {job.coalesce for job in jobs} == {True}
        assert {job.max_instances for job in jobs} == {1}
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert not scheduler.running


async def test_it_looks_again_and_again(sqlite_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not yet due at the start; a look a moment later finds it due, whatever the scheduler's clock shows."""
    monkeypatch.setattr("bot.schedule._LOOK_EVERY", timedelta(milliseconds=50))
    async with desk_on(sqlite_database) as desk:
        await waiting_ticket(desk)
        desk.clock.now = utc("2026-11-24T06:59:59")
        running = asyncio.create_task(restarted(desk, MORNING).run())
        await asyncio.sleep(0.15)
        assert await sent_days(desk) == []
        desk.clock.advance(seconds=1)
        await wait_for_digest(desk)
        await asyncio.sleep(0.15)
        assert await sent_days(desk) == [date(2026, 11, 24)]
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_look_that_fails_ends_nothing(sqlite_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.schedule._LOOK_EVERY", timedelta(milliseconds=50))
    async with desk_on(sqlite_database) as desk:
        await waiting_ticket(desk)
        desk.clock.now = utc("2026-11-24T12:00:00")
        failed = asyncio.Event()

        def broken(*_args: object) -> bool:
            failed.set()
            raise ZeroDivisionError

        monkeypatch.setattr("bot.schedule.send_digest", broken)
        running = asyncio.create_task(restarted(desk, MORNING).run())
        await failed.wait()
        monkeypatch.setattr("bot.schedule.send_digest", digest.send_digest)
        await wait_for_digest(desk)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_failing_tick_leaves_the_next_one_its_chance(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk_on(sqlite_database) as desk:
        await waiting_ticket(desk)
        desk.clock.now = utc("2026-11-24T12:00:00")

        def broken(*_args: object) -> bool:
            raise ZeroDivisionError

        monkeypatch.setattr("bot.schedule.send_digest", broken)
        with pytest.raises(ZeroDivisionError):
            await restarted(desk, MORNING).send_due([MORNING])
        assert (await desk.rows())["digest_marks"] == []
        monkeypatch.setattr("bot.schedule.send_digest", digest.send_digest)
        await restarted(desk, MORNING).send_due([MORNING])
        assert await sent_days(desk) == [date(2026, 11, 24)]
