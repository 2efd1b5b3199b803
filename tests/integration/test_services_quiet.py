"""Quiet hours: nothing rings then, and one reminder per room rings for what is still to be done."""

import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from bot.domain.quiet import QuietHours, What, parse_span
from bot.domain.words import Action, Intake
from bot.schedule import Schedule
from bot.services import arrivals, mutes, outcomes, purge, quiet
from bot.services.arrivals import NewMessage
from bot.services.jobs import Send
from bot.services.unit import Units
from bot.services.views import AssignmentAlert, CardView, MessageAlert, QuietReminder
from tests.integration.desk_data import (
    ADMINS,
    ANNA,
    BEN,
    BERLIN,
    CARLA,
    DORA,
    FREIBURG,
    POLICY,
    Desk,
    desk_on,
)

NIGHT: Final = QuietHours(*parse_span("22:00-07:00"), ZoneInfo("Europe/Berlin"))
QUIET: Final = dataclasses.replace(
    POLICY, quiet={"team:freiburg": NIGHT, "team:berlin": NIGHT, "admin": NIGHT}
)
BEDTIME: Final = datetime(2026, 11, 23, 20, 59, tzinfo=UTC)
MIDNIGHT: Final = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
MORNING: Final = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url, QUIET) as desk:
        desk.clock.now = BEDTIME
        yield desk


async def write(desk: Desk, number: int, author: str | None = None) -> None:
    """A requester's message arrives."""
    message = NewMessage("Any news?", Intake.CHAT if author else Intake.HTTP, author)
    await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))


async def remind(desk: Desk) -> int:
    """What the tick does."""
    return await desk.units.run(quiet.remind)


async def sent(desk: Desk) -> list[Send]:
    """What goes out now."""
    return [job for job in await desk.deliver() if isinstance(job, Send)]


async def reminders(desk: Desk) -> list[tuple[str, list[tuple[int, What, int, list[str]]], set[str]]]:
    """What the rooms are reminded of now: room, lines and who is mentioned."""
    await remind(desk)
    return [
        (
            job.room_id,
            [
                (line.ticket.number, line.what, line.count, [person.name for person in line.people])
                for line in job.view.lines
            ],
            {person.name for person in job.view.mentions},
        )
        for job in await sent(desk)
        if isinstance(job.view, QuietReminder)
    ]


async def silent_night(desk: Desk) -> tuple[int, int, int]:
    """Two tickets from the day and one of the night, with a message and an assignment in the night."""
    mine, free = await desk.open(), await desk.open()
    await desk.do(Action.TAKE, mine, ANNA)
    await desk.deliver()
    desk.clock.now = MIDNIGHT
    new = await desk.open()
    await write(desk, mine)
    await write(desk, free)
    await desk.do(Action.ASSIGN, free, ANNA, person="Ben")
    return mine, free, new


async def test_in_the_night_everything_is_posted_at_once_and_silently(desk: Desk) -> None:
    mine, free, new = await silent_night(desk)
    jobs = await sent(desk)
    rang = {(type(job.view), job.silent) for job in jobs if not job.edits}
    assert rang == {(CardView, True), (MessageAlert, True), (AssignmentAlert, True)}
    assert not any(job.silent for job in jobs if job.edits)
    assert await remind(desk) == 0
    desk.clock.advance(hours=6, minutes=59)
    assert await reminders(desk) == []
    notes = (await desk.rows())["quiet_notes"]
    assert {(note["number"], note["what"]) for note in notes} == {
        (mine, "message"), (free, "message"), (free, "given"), (new, "card"),
    }  # fmt: skip


async def test_in_the_morning_one_reminder_rings_for_what_is_still_to_be_done(desk: Desk) -> None:
    mine, free, new = await silent_night(desk)
    await write(desk, mine)
    await desk.deliver()
    desk.clock.now = MORNING
    ((room, lines, mentioned),) = await reminders(desk)
    assert room == FREIBURG
    assert sorted(lines) == [
        (mine, What.MESSAGE, 2, ["Anna"]),
        # Assigned before its message was posted.
        (free, What.GIVEN, 1, ["Ben"]),
        (free, What.MESSAGE, 1, ["Ben"]),
        (new, What.CARD, 1, []),
    ]
    assert mentioned == {"Anna", "Ben"}
    assert await reminders(desk) == []


async def test_by_day_everything_rings(desk: Desk) -> None:
    number = await desk.open()
    await write(desk, number)
    jobs = await sent(desk)
    assert [type(job.view) for job in jobs] == [CardView, MessageAlert]
    assert not any(job.silent for job in jobs)
    assert (await desk.rows())["quiet_notes"] == []


async def test_what_was_handled_in_the_night_is_left_out(desk: Desk) -> None:
    numbers = [await desk.open() for _ in range(7)]
    closed, taken, acted, muted, moved, lost, left = numbers
    for number in (closed, acted, muted, left):
        await desk.do(Action.TAKE, number, BEN)
    await desk.do(Action.TAKE, lost, ANNA)
    await desk.deliver()
    desk.clock.now = MIDNIGHT
    for number in (closed, taken, acted, muted, moved, left):
        await write(desk, number)
    await desk.do(Action.STEAL, lost, BEN)
    new = await desk.open()
    await desk.deliver()
    desk.clock.advance(minutes=5)
    await desk.do(Action.CLOSE, closed, ANNA)
    await desk.do(Action.TAKE, taken, ANNA)
    await desk.do(Action.TOPIC, acted, BEN, topic="other")
    caller = await desk.caller(BEN)
    await desk.units.run(lambda unit: mutes.mute(unit, muted, caller))
    await desk.do(Action.TRANSFER, moved, ANNA, team="berlin")
    await desk.do(Action.STEAL, lost, ANNA)
    await desk.do(Action.SPAM, new, ANNA)
    await desk.deliver()
    await desk.update(FREIBURG, members={BEN: None})
    desk.clock.now = MORNING
    # What came to Berlin by the transfer is new there; Ben, who lost his to Anna, has left.
    assert await reminders(desk) == [(BERLIN, [(moved, What.CARD, 1, [])], set())]
    assert {
        note["reminder"] for note in (await desk.rows())["quiet_notes"] if note["room"] != "team:berlin"
    } == {""}


async def test_who_lost_a_ticket_in_the_night_is_reminded(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number, ANNA)
    admins = await desk.open()
    await desk.do(Action.TAKE, admins, DORA)
    await desk.deliver()
    desk.clock.now = MIDNIGHT
    await desk.do(Action.STEAL, number, BEN)
    await desk.do(Action.STEAL, admins, BEN)
    await desk.deliver()
    desk.clock.now = MORNING
    assert await reminders(desk) == [
        (ADMINS, [(admins, What.LOST, 1, ["Dora"])], {"Dora"}),
        (FREIBURG, [(number, What.LOST, 1, ["Anna"])], {"Anna"}),
    ]


async def test_a_silent_attempt_is_not_repeated_aloud(desk: Desk) -> None:
    """The first one may have arrived: the reminder rings for it, and nothing else."""
    desk.clock.now = MIDNIGHT
    number = await desk.open()
    (job,) = await desk.claim()
    assert isinstance(job, Send)
    assert job.silent
    desk.clock.now = MORNING
    (again,) = await desk.claim()
    assert again == dataclasses.replace(job, fresh=False)
    assert [lines for _room, lines, _who in await reminders(desk)] == [[(number, What.CARD, 1, [])]]


async def test_what_was_written_by_night_but_goes_out_by_day_rings(desk: Desk) -> None:
    desk.clock.now = MIDNIGHT
    number = await desk.open()
    await write(desk, number)
    desk.clock.now = MORNING
    assert not any(job.silent for job in await sent(desk))
    assert await remind(desk) == 0


async def test_a_restart_in_between_loses_and_doubles_nothing(desk: Desk) -> None:
    await silent_night(desk)
    await desk.deliver()
    desk.clock.now = MORNING
    for _start in range(3):
        await Schedule(Units(desk.database, QUIET, desk.clock), ()).remind_due()
    assert len(await desk.outbox(kind="reminder")) == 1


async def test_quiet_hours_that_were_taken_out_of_the_config_are_over(desk: Desk) -> None:
    await silent_night(desk)
    await desk.deliver()
    await Schedule(Units(desk.database, POLICY, desk.clock), ()).remind_due()
    assert len(await desk.outbox(kind="reminder")) == 1


async def test_one_that_could_not_be_sent_all_day_waits_for_the_next_morning(desk: Desk) -> None:
    await silent_night(desk)
    await desk.deliver()
    desk.clock.now = MORNING
    assert await remind(desk) == 1
    desk.clock.advance(hours=15)
    assert [job for job in await sent(desk) if isinstance(job.view, QuietReminder)] == []
    desk.clock.advance(hours=9)
    (job,) = [job for job in await sent(desk) if isinstance(job.view, QuietReminder)]
    assert job.search_first


async def test_a_room_that_cannot_be_used_is_reminded_when_it_can(desk: Desk) -> None:
    await silent_night(desk)
    await desk.deliver()
    await desk.update(FREIBURG, join_rule="public")
    desk.clock.now = MORNING
    assert await reminders(desk) == []
    await desk.update(FREIBURG, join_rule="invite")
    assert [room for room, _lines, _who in await reminders(desk)] == [FREIBURG]


async def test_what_is_handled_before_it_is_sent_is_left_out_too(desk: Desk) -> None:
    desk.clock.now = MIDNIGHT
    number = await desk.open()
    await desk.deliver()
    desk.clock.now = MORNING
    assert await remind(desk) == 1
    await desk.do(Action.TAKE, number, ANNA)
    assert [job for job in await sent(desk) if isinstance(job.view, QuietReminder)] == []


async def test_a_purge_takes_its_ticket_out_of_the_reminder_and_leaves_the_others(desk: Desk) -> None:
    mine, free, new = await silent_night(desk)
    await desk.deliver()
    desk.clock.now = MORNING
    assert await remind(desk) == 1
    await desk.do(Action.DELETE, mine, DORA)
    caller = await desk.caller(DORA)
    await desk.units.run(lambda unit: purge.purge(unit, mine, caller))
    ((_room, lines, _who),) = await reminders(desk)
    assert {number for number, *_ in lines} == {free, new}
    assert mine not in {note["number"] for note in (await desk.rows())["quiet_notes"]}


async def test_the_reminder_is_found_by_a_purge(desk: Desk) -> None:
    mine, _free, _new = await silent_night(desk)
    await desk.deliver()
    desk.clock.now = MORNING
    await reminders(desk)
    rows = await desk.rows()
    (event,) = [row["event_id"] for row in rows["posted_events"] if row["kind"] == "reminder"]
    assert (event, mine) in {(row["event_id"], row["number"]) for row in rows["posted_tickets"]}


async def test_traces_are_forgotten_once_told(desk: Desk) -> None:
    await silent_night(desk)
    await desk.deliver()
    await desk.units.run(outcomes.tidy)
    assert len((await desk.rows())["quiet_notes"]) == 4
    desk.clock.now = MORNING
    await remind(desk)
    await desk.units.run(outcomes.tidy)
    assert len((await desk.rows())["quiet_notes"]) == 4
    await desk.deliver()
    await desk.units.run(outcomes.tidy)
    assert (await desk.rows())["quiet_notes"] == []


async def test_a_team_without_quiet_hours_rings_by_night(database_url: str) -> None:
    policy = dataclasses.replace(POLICY, quiet={"team:freiburg": NIGHT})
    async with desk_on(database_url, policy) as desk:
        desk.clock.now = MIDNIGHT
        await desk.open(region="berlin")
        number = await desk.open(region="berlin")
        await desk.do(Action.TAKE, number, CARLA)
        await write(desk, number)
        assert not any(job.silent for job in await sent(desk))


@pytest.mark.parametrize(
    ("begins", "ends"),
    [("2026-10-24T20:00:00", "2026-10-25T06:00:00"), ("2027-03-27T21:00:00", "2027-03-28T05:00:00")],
    ids=["back", "forward"],
)
async def test_nights_on_which_the_clocks_change(sqlite_database: str, begins: str, ends: str) -> None:
    async with desk_on(sqlite_database, QUIET) as desk:
        desk.clock.now = datetime.fromisoformat(begins).replace(tzinfo=UTC)
        over = datetime.fromisoformat(ends).replace(tzinfo=UTC)
        while desk.clock.now < over:
            await desk.open()
            assert all(job.silent for job in await sent(desk) if not job.edits)
            assert await remind(desk) == 0
            desk.clock.advance(minutes=30)
        ((_room, lines, who),) = await reminders(desk)
        assert (len(lines), who) == (quiet.LINES, set())
