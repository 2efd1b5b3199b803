"""What `stats` counts: weeks, teams, the waiting list, and what is not work done."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from bot.domain.words import Action
from bot.services import purge, stats
from bot.services.views import Numbers, StatsView
from storage.database import Database
from storage.models import HistoryEntry, Requester, Ticket
from tests.integration.desk_data import (
    ADMINS,
    ANNA,
    BOT,
    CARLA,
    DORA,
    FREIBURG,
    POLICY,
    START,
    TIM,
    Desk,
    desk_on,
    put,
)

ZONE = ZoneInfo("Europe/Berlin")
ZONED = replace(POLICY, zone=ZONE)
THIS_WEEK, LAST_WEEK = -1, -2


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url, ZONED) as desk:
        yield desk


async def view(desk: Desk, person: str = ANNA, room: str | None = None) -> StatsView:
    """What a person is told, in their team's room unless said otherwise."""
    place = (await desk.caller(person, room)).place
    return await desk.units.look(lambda unit: stats.stats_view(unit, place, picture=False))


async def numbers(desk: Desk, person: str = ANNA) -> Numbers:
    """Of the one team of a person's room."""
    found = await view(desk, person)
    ((_team, only),) = found.teams
    assert only == found.together
    return only


async def test_openings_and_closings_fall_into_the_local_weeks(desk: Desk) -> None:
    """In Berlin Monday the 23rd of November begins at 23:00 UTC on Sunday."""
    for hour, minute in ((22, 59), (23, 0), (23, 1)):
        desk.clock.now = datetime(2026, 11, 22, hour, minute, tzinfo=UTC)
        number = await desk.open()
        await desk.do(Action.CLOSE, number)
    desk.clock.now = START
    found = await view(desk)
    assert (found.mondays[0], found.mondays[-1], found.today) == (
        date(2026, 9, 7), date(2026, 11, 23), date(2026, 11, 23),
    )  # fmt: skip
    assert found.together.opened == found.together.closed == (0,) * 10 + (1, 2)
    assert found.together.done == 3


async def test_what_is_older_than_the_weeks_is_not_counted(desk: Desk) -> None:
    desk.clock.now = datetime(2026, 9, 6, 21, 59, tzinfo=UTC)
    early = await desk.open()
    desk.clock.advance(minutes=1)
    await desk.open()
    desk.clock.now = START
    await desk.do(Action.CLOSE, early)
    found = await numbers(desk)
    assert found.opened == (1,) + (0,) * 11
    assert (found.arrived, found.done) == (1, 1)


async def test_closed_twice_counts_once_per_week_and_once_in_all(desk: Desk) -> None:
    number = await desk.open()
    for _ in range(2):
        await desk.do(Action.CLOSE, number)
        await desk.do(Action.REOPEN, number)
    desk.clock.advance(days=7)
    await desk.do(Action.CLOSE, number)
    await desk.do(Action.ASSIGN, number, person="Anna")
    found = await numbers(desk)
    assert found.closed[LAST_WEEK:] == (1, 1)
    assert (found.done, found.took) == (1, timedelta(days=7))


async def test_a_closing_that_was_undone_is_none(desk: Desk) -> None:
    number, other = await desk.open(), await desk.open()
    for each in (number, other):
        await desk.do(Action.CLOSE, each)
    await desk.do(Action.UNDO, number)
    await desk.do(Action.REOPEN, other)
    await desk.do(Action.UNDO, other)
    found = await numbers(desk)
    assert (found.closed[THIS_WEEK], found.done, found.open) == (1, 1, 1)


async def test_half_of_the_closed_took_less_than_this(desk: Desk) -> None:
    opened = [await desk.open() for _ in range(4)]
    for number in opened[:3]:
        desk.clock.advance(days=2)
        await desk.do(Action.CLOSE, number)
    found = await numbers(desk)
    assert found.took == timedelta(days=4)
    desk.clock.advance(days=2)
    await desk.do(Action.CLOSE, opened[3])
    assert (await numbers(desk)).took == timedelta(days=5)


async def test_spam_is_counted_by_itself_wherever_it_went(desk: Desk) -> None:
    spam, archived, deleted, wrongly, good = [await desk.open() for _ in range(5)]
    await desk.do(Action.CLOSE, spam)
    for number in (spam, archived, deleted, wrongly):
        await desk.do(Action.SPAM, number)
    await desk.do(Action.ARCHIVE, archived, DORA)
    await desk.do(Action.ARCHIVE, deleted, DORA)
    await desk.do(Action.DELETE, deleted, DORA)
    await desk.do(Action.REOPEN, wrongly)
    await desk.do(Action.CLOSE, good)
    await desk.do(Action.ARCHIVE, good, DORA)
    found = await numbers(desk)
    assert (found.arrived, found.done, found.spam) == (2, 1, 3)


async def test_the_waiting_list_by_age(desk: Desk) -> None:
    for days in (0, 13, 14, 27, 28, 90, 91, 400):
        desk.clock.now = START - timedelta(days=days)
        number = await desk.open()
        await desk.do(Action.WAIT, number)
        if not days:
            # Taken and put back, it has kept its place; this one is not on the list now.
            await desk.do(Action.TAKE, number)
    desk.clock.now = START
    found = await numbers(desk)
    assert found.waiting == (1, 2, 2, 2)
    assert (found.on_waiting, found.in_progress, found.open) == (7, 1, 0)
    assert found.longest == timedelta(days=400)


async def test_a_transferred_ticket_counts_where_it_is(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.CLOSE, number)
    await desk.do(Action.TRANSFER, number, team="berlin")
    here, there = await numbers(desk), await numbers(desk, CARLA)
    assert here.empty
    assert (there.arrived, there.done) == (1, 1)


async def test_admins_get_all_teams_and_members_their_own(desk: Desk) -> None:
    for region in ("freiburg", "berlin", "berlin", None):
        await desk.open(region=region)
    everything = await view(desk, DORA)
    assert [(team, each.arrived) for team, each in everything.teams] == [
        ("freiburg", 1), ("berlin", 2), (None, 1),
    ]  # fmt: skip
    assert (everything.together.arrived, everything.together.open) == (4, 4)
    assert (await numbers(desk, TIM)).arrived == 1
    # In a team's room an admin is told of that team.
    assert [team for team, _ in (await view(desk, DORA, FREIBURG)).teams] == ["freiburg"]
    direct = "!direct:example.org"
    await desk.update(direct, membership="join", members={CARLA: "Carla", BOT: "Tickettruhe"})
    assert [team for team, _ in (await view(desk, CARLA, direct)).teams] == ["berlin"]


async def test_a_team_that_left_the_config_is_among_all(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.WAIT, number)
    desk.units.policy = replace(ZONED, teams={"berlin": "Berlin"})
    found = await view(desk, DORA)
    assert [(team, each.on_waiting) for team, each in found.teams] == [
        ("berlin", 0), (None, 0), ("freiburg", 1),
    ]  # fmt: skip


async def test_each_team_has_its_own_midnight(database_url: str) -> None:
    """What came to Tokyo on its Monday is not in the week before, for the admins either."""
    policy = replace(ZONED, zones={"berlin": ZoneInfo("Asia/Tokyo")})
    async with desk_on(database_url, policy) as desk:
        desk.clock.now = datetime(2026, 11, 15, 16, tzinfo=UTC)
        for region in ("freiburg", "berlin"):
            await desk.open(region=region)
        desk.clock.now = START
        found = dict((await view(desk, DORA)).teams)
        assert (found["freiburg"].opened[-3:], found["berlin"].opened[-3:]) == ((1, 0, 0), (0, 1, 0))


async def test_a_purged_ticket_is_in_no_number(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.DELETE, number, DORA)
    assert (await numbers(desk)).arrived == 1
    caller = await desk.caller(DORA, ADMINS)
    await desk.units.run(lambda unit: purge.purge(unit, number, caller))
    assert (await numbers(desk)).empty


async def test_nothing_at_all(desk: Desk) -> None:
    found = await view(desk, DORA)
    assert found.together.empty
    assert found.together.took is None


async def test_no_table_is_read_whole(sqlite_database: str) -> None:
    """However long the history has grown."""
    async with desk_on(sqlite_database, ZONED) as desk:
        await fill(desk.database, 300)
        for person in (ANNA, DORA):
            with queries(desk.database) as said:
                await view(desk, person)
            plans = [line for each in said for line in await explained(desk.database, *each)]
            assert any("ix_history_at" in line for line in plans)
            assert [line for line in plans if line.startswith("SCAN") and line != "SCAN recent"] == []


async def fill(database: Database, count: int) -> None:
    """Tickets of long ago with their openings."""
    requester = Requester(name="Kim Doe")
    await put(database, requester)
    for index in range(count):
        at = START - timedelta(days=index)
        ticket = Ticket(
            status="closed", topic="other", team="freiburg" if index % 2 else "berlin", subject="x",
            requester_id=requester.id or 0, intake="http", opened_at=at, changed_at=at, moved_at=at,
        )  # fmt: skip
        await put(database, ticket)
        await put(database, HistoryEntry(number=ticket.number or 0, at=at, action="open", to_status="open"))


@contextmanager
def queries(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of tickets and history meanwhile."""
    said: list[tuple[str, Any]] = []

    def listen(*execution: Any) -> None:
        if "history" in execution[2] or "FROM tickets" in execution[2]:
            said.append((execution[2], execution[3]))

    event.listen(database.engine, "before_cursor_execute", listen)
    try:
        yield said
    finally:
        event.remove(database.engine, "before_cursor_execute", listen)


async def explained(database: Database, statement: str, parameters: Any) -> list[str]:
    """The plan's lines."""
    with database.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [str(row._mapping["detail"]) for row in rows]
