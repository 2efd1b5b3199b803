"""Transfers: one card, in the room where the ticket is, however far the courier got meanwhile."""

from collections.abc import AsyncIterator

import pytest

from bot.domain.words import Action, Intake
from bot.services import arrivals
from bot.services.arrivals import NewMessage
from bot.services.jobs import Send
from bot.services.views import MovedAway, TransferSummary
from tests.integration.desk_data import (
    ANNA,
    BEN,
    BERLIN,
    CARLA,
    FREIBURG,
    Desk,
    desk_on,
)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


async def send_alert(desk: Desk, number: int) -> None:
    """A requester's message arrives."""
    message = NewMessage("Any news?", Intake.HTTP)
    await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))


async def test_a_transferred_ticket_has_one_card_in_the_new_room(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    await desk.do(Action.CLOSE, number)
    await send_alert(desk, number)
    await desk.deliver()
    assert len(desk.homeserver.events) == 3
    await desk.do(Action.TRANSFER, number, team="berlin")
    jobs = await desk.deliver()
    assert list(desk.homeserver.cards(number).values()) == [BERLIN]
    left = [job.view for job in desk.homeserver.events.values() if job.room_id == FREIBURG]
    assert [type(view) for view in left] == [MovedAway]
    (summary,) = [job for job in jobs if isinstance(job, Send) and isinstance(job.view, TransferSummary)]
    assert (summary.room_id, summary.thread) == (BERLIN, next(iter(desk.homeserver.cards(number))))


async def test_a_transfer_before_the_card_is_sent_sends_it_to_the_new_room_only(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TRANSFER, number, team="berlin")
    await desk.deliver()
    assert list(desk.homeserver.cards(number).values()) == [BERLIN]


async def test_a_transfer_while_the_card_is_being_sent_leaves_one_card_in_the_new_room(desk: Desk) -> None:
    number = await desk.open()
    (job,) = await desk.claim()
    await desk.do(Action.TRANSFER, number, team="berlin")
    await desk.finish(job)
    await desk.deliver()
    assert list(desk.homeserver.cards(number).values()) == [BERLIN]


@pytest.mark.parametrize("sent_before", range(4))
async def test_a_transfer_taken_back_leaves_one_card_in_the_old_room(
    sqlite_database: str, sent_before: int
) -> None:
    """However far the courier got meanwhile."""
    async with desk_on(sqlite_database) as desk:
        number = await desk.open()
        await desk.deliver()
        await desk.do(Action.TRANSFER, number, team="berlin")
        for _job in range(sent_before):
            (job,) = await desk.claim()
            await desk.finish(job)
        await desk.do(Action.UNDO, number)
        await desk.deliver()
        assert list(desk.homeserver.cards(number).values()) == [FREIBURG]
        await desk.do(Action.CLOSE, number)
        (edit,) = [job for job in await desk.deliver() if isinstance(job, Send)]
        assert edit.edits in desk.homeserver.cards(number)


async def test_a_transfer_taken_back_while_the_card_is_being_sent_leaves_one_card(
    sqlite_database: str,
) -> None:
    async with desk_on(sqlite_database) as desk:
        number = await desk.open()
        await desk.deliver()
        await desk.do(Action.TRANSFER, number, team="berlin")
        (job,) = await desk.claim()
        await desk.do(Action.UNDO, number)
        await desk.finish(job)
        await desk.deliver()
        assert list(desk.homeserver.cards(number).values()) == [FREIBURG]


async def test_back_and_forth_leaves_one_card(sqlite_database: str) -> None:
    async with desk_on(sqlite_database) as desk:
        number = await desk.open()
        await desk.deliver()
        for _time in range(2):
            await desk.do(Action.TRANSFER, number, ANNA, team="berlin")
            await desk.deliver()
            await desk.do(Action.TRANSFER, number, CARLA, team="freiburg")
            await desk.deliver()
        assert list(desk.homeserver.cards(number).values()) == [FREIBURG]


async def test_who_loses_the_ticket_by_a_transfer_is_told_where_they_are(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number, BEN)
    await desk.do(Action.TRANSFER, number, ANNA, team="berlin")
    jobs = await desk.deliver()
    told = {job.room_id for job in jobs if isinstance(job, Send) and "Assignment" in type(job.view).__name__}
    assert told == {FREIBURG}
