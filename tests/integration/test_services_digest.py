"""What a day's digest says, and that it is said once."""

import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.words import Action, Intake
from bot.services import arrivals, digest, mutes
from bot.services.arrivals import NewMessage
from bot.services.digest import LINES
from bot.services.jobs import Send
from bot.services.views import DigestView
from tests.integration.desk_data import (
    ANNA,
    BEN,
    BERLIN,
    CARLA,
    DORA,
    FREIBURG,
    POLICY,
    START,
    TRIAGE,
    Desk,
    desk_on,
)

ZONE = ZoneInfo("Europe/Berlin")


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


def today(desk: Desk) -> date:
    """The clock's day in the team's zone."""
    return desk.clock.now.astimezone(ZONE).date()


async def view(desk: Desk, team: str | None = "freiburg") -> DigestView:
    """The digest of the clock's day."""
    payload = {"zone": ZONE.key}
    return await desk.units.look(lambda unit: digest.view(unit, team, today(desk), payload))


async def send(desk: Desk, team: str | None = "freiburg", day: date | None = None) -> bool:
    """Send the digest of a day."""
    which = day or today(desk)
    return await desk.units.run(lambda unit: digest.send_digest(unit, team, which, ZONE))


def numbers(lines: tuple[object, ...]) -> list[int]:
    """Of the lines' tickets."""
    return [line.number for line in lines]  # type: ignore[attr-defined]


async def test_each_ticket_stands_in_its_group(desk: Desk) -> None:
    untouched, second, idle, left, assigned, waiting, earlier = [await desk.open() for _ in range(7)]
    await desk.open(region="berlin")
    await desk.do(Action.WAIT, earlier)
    desk.clock.advance(minutes=1)
    await desk.do(Action.WAIT, waiting)
    await desk.do(Action.TAKE, idle, ANNA)
    desk.clock.advance(days=3)
    await desk.do(Action.TAKE, left, BEN)
    desk.clock.advance(days=4, seconds=1)
    await desk.do(Action.ASSIGN, assigned, ANNA, person="Anna")
    fresh = await desk.open()
    await desk.update(FREIBURG, members={BEN: None})
    found = await view(desk)
    assert numbers(found.untouched) == [untouched, second]
    assert numbers(found.waiting) == [earlier, waiting]
    assert numbers(found.idle) == [idle, left]
    assert found.left == {left}
    assert (found.untouched_total, found.waiting_total, found.idle_total) == (2, 2, 2)
    assert not {fresh, assigned} & found.numbers
    assert found.stale_days == 7


async def test_an_admin_with_a_ticket_has_not_left(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number, DORA)
    found = await view(desk)
    assert (found.idle, found.left) == ((), frozenset())


async def test_yesterday_is_the_local_day(desk: Desk) -> None:
    """In Berlin the 23rd of November begins at 23:00 UTC on the 22nd and ends 24 hours later."""
    for hour, minute in ((22, 59), (23, 0)):
        desk.clock.now = datetime(2026, 11, 22, hour, minute, tzinfo=UTC)
        await desk.open()
    desk.clock.now = datetime(2026, 11, 23, 22, 59, 59, tzinfo=UTC)
    last = await desk.open()
    await desk.do(Action.CLOSE, last)
    await desk.do(Action.REOPEN, last)
    await desk.do(Action.CLOSE, last)
    desk.clock.now = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    await desk.open()
    found = await view(desk)
    assert found.day == date(2026, 11, 24)
    assert (found.opened, found.closed) == (2, 1)


@pytest.mark.parametrize(("day", "hours"), [(date(2027, 3, 29), 23), (date(2026, 10, 26), 25)])
def test_a_day_on_which_the_clocks_change_is_counted_whole(day: date, hours: int) -> None:
    start, end = digest._span(day - timedelta(days=1), day, ZONE)
    assert end - start == timedelta(hours=hours)


async def test_messages_to_spam_are_counted(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.SPAM, number)
    for text in ("Buy!", "Really, I need help"):
        message = NewMessage(text, Intake.HTTP)
        await desk.units.run(lambda unit, m=message: arrivals.receive_message(unit, number, m))  # type: ignore[misc]
    desk.clock.advance(days=1)
    found = await view(desk)
    assert found.spam_messages == 2
    assert not found.empty


async def write(desk: Desk, number: int, author: str | None = None) -> None:
    """A requester's message arrives."""
    message = NewMessage("Any news?", Intake.CHAT if author else Intake.HTTP, author)
    await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))


async def mute(desk: Desk, number: int, person: str) -> None:
    caller = await desk.caller(person)
    await desk.units.run(lambda unit: mutes.mute(unit, number, caller))


async def test_messages_that_rang_for_nobody_are_counted(desk: Desk) -> None:
    owned, free, loud, spam = [await desk.open() for _ in range(4)]
    await desk.do(Action.TAKE, owned, BEN)
    await desk.do(Action.SPAM, spam)
    await write(desk, owned)  # before it was muted: it rang
    desk.clock.advance(minutes=1)
    for number, people in ((owned, [BEN]), (free, [ANNA, BEN]), (loud, [ANNA]), (spam, [ANNA, BEN])):
        for person in people:
            await mute(desk, number, person)
        await write(desk, number)
    await write(desk, owned, BEN)  # written down by whom it is for: not because of the mute
    desk.clock.advance(days=1)
    found = await view(desk)
    assert (found.muted_messages, found.spam_messages) == (2, 1)


THANKFUL = dataclasses.replace(POLICY, thankful=frozenset({"freiburg"}))


async def test_thanks_go_to_who_closed_what_stayed_closed(database_url: str) -> None:
    async with desk_on(database_url, THANKFUL) as desk:
        closed = [await desk.open() for _ in range(3)]
        undone, reopened, written, again = [await desk.open() for _ in range(4)]
        for number in (*closed, undone, again):
            await desk.do(Action.CLOSE, number, BEN)
        for number in (reopened, written):
            await desk.do(Action.CLOSE, number, ANNA)
        await desk.do(Action.UNDO, undone, BEN)
        await desk.do(Action.REOPEN, reopened, BEN)
        await write(desk, written)
        await desk.do(Action.REOPEN, again, ANNA)
        await desk.do(Action.CLOSE, again, ANNA)
        away = await desk.open()
        await desk.do(Action.CLOSE, away, ANNA)
        desk.clock.advance(days=1)
        await desk.do(Action.REOPEN, away, BEN)  # another day's matter
        found = await view(desk)
        assert [(person.name, count) for person, count in found.thanks] == [("Ben", 3), ("Anna", 2)]
        assert found.closed == 5
        await desk.deliver()
        assert (await view(desk, "berlin")).thanks == ()


async def test_thanks_are_given_only_where_they_are_wanted(desk: Desk) -> None:
    await desk.do(Action.CLOSE, await desk.open(), ANNA)
    desk.clock.advance(days=1)
    found = await view(desk)
    assert (found.closed, found.thanks) == (1, ())


async def test_yesterday_is_all_since_the_last_digest(desk: Desk) -> None:
    """START is a Monday; the digest of Friday the 27th is followed by that of Monday the 30th."""
    desk.clock.now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    await desk.open()
    desk.clock.now = datetime(2026, 11, 27, 7, tzinfo=UTC)
    assert await send(desk)
    for day in (27, 28, 29):
        desk.clock.now = datetime(2026, 11, day, 12, tzinfo=UTC)
        await desk.open()
    desk.clock.now = datetime(2026, 11, 30, 7, tzinfo=UTC)
    found = await view(desk)
    assert (found.opened, found.since) == (3, date(2026, 11, 27))
    assert await send(desk)
    desk.clock.advance(days=1)
    assert ((await view(desk)).opened, (await view(desk)).since) == (0, None)


async def test_an_empty_digest_is_not_sent_but_its_day_is_done(desk: Desk) -> None:
    assert not await send(desk)
    await desk.open()
    desk.clock.advance(days=1)
    assert await desk.outbox(kind="digest") == []
    assert [row["sent"] for row in (await desk.rows())["digest_marks"]] == [False]


async def test_a_day_is_sent_once_per_team(desk: Desk) -> None:
    for region in ("freiburg", "berlin", None):
        await desk.open(region=region)
    desk.clock.advance(days=1)
    for team in ("freiburg", "berlin", None):
        assert [await send(desk, team), await send(desk, team)] == [True, False]
    rows = await desk.outbox(kind="digest")
    assert [row.room for row in rows] == ["team:freiburg", "team:berlin", "triage"]
    jobs = [job for job in await desk.deliver() if isinstance(job, Send)]
    assert [job.room_id for job in jobs if isinstance(job.view, DigestView)] == [FREIBURG, BERLIN, TRIAGE]


async def test_it_names_what_it_shows_when_it_is_sent(desk: Desk) -> None:
    """So that a purge finds it, also if tickets came to the waiting list after it was asked for."""
    first = await desk.open()
    await desk.do(Action.WAIT, first)
    await desk.deliver()
    await desk.update(FREIBURG, guest_access="can_join")
    await send(desk)
    await desk.deliver()
    await desk.update(FREIBURG, guest_access="forbidden")
    second = await desk.open()
    await desk.do(Action.WAIT, second)
    jobs = await desk.deliver()
    (sent,) = [job for job in jobs if isinstance(job, Send) and isinstance(job.view, DigestView)]
    assert isinstance(sent.view, DigestView)
    assert sent.view.numbers == {first, second}
    event_id = desk.homeserver.by_tx[sent.tx_id]
    shown = {
        row["number"] for row in (await desk.rows())["posted_tickets"] if row["event_id"] == event_id
    }  # fmt: skip
    assert shown == {first, second}


async def test_a_long_list_is_cut_and_counted(sqlite_database: str) -> None:
    async with desk_on(sqlite_database) as desk:
        opened = [await desk.open() for _ in range(LINES + 5)]
        for number in opened:
            await desk.do(Action.WAIT, number)
        found = await view(desk)
        assert numbers(found.waiting) == opened[:LINES]
        assert found.waiting_total == LINES + 5


async def test_a_line_links_to_the_card(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.WAIT, number, note="a screen")
    await desk.deliver()
    (line,) = (await view(desk)).waiting
    assert (line.card_room, line.card_event, line.waiting_since, line.need) == (
        FREIBURG, "$event1", START, "a screen",
    )  # fmt: skip


async def test_a_transferred_ticket_counts_where_it_is(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TRANSFER, number, team="berlin")
    await desk.do(Action.TAKE, number, CARLA)
    desk.clock.advance(days=1)
    counts = [(await view(desk, team)).opened for team in ("freiburg", "berlin")]
    assert counts == [0, 1]


async def test_the_digest_of_a_day_that_is_over_is_not_sent_any_more(desk: Desk) -> None:
    """A room that could not be used for days is not flooded with all of them."""
    number = await desk.open()
    await desk.do(Action.WAIT, number)
    await desk.update(FREIBURG, join_rule="public")
    for _ in range(3):
        await send(desk)
        await desk.deliver()
        desk.clock.advance(days=1)
    await send(desk)
    await desk.update(FREIBURG, join_rule="invite")
    sent = [job.view for job in await desk.deliver() if isinstance(job, Send)]
    assert [each.day for each in sent if isinstance(each, DigestView)] == [today(desk)]
