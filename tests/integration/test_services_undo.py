"""Ways back: restore and undo."""

from collections.abc import AsyncIterator

import pytest

from bot.domain.errors import (
    NotAllowedFrom,
    NothingToUndo,
    UndoProblem,
)
from bot.domain.words import Action, Intake
from bot.services import intake
from bot.services.intake import NewMessage
from storage.models import OutboxRow, Ticket
from tests.integration.desk_data import (
    ANNA,
    BEN,
    DORA,
    Desk,
    desk_on,
)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


def standing(ticket: Ticket) -> tuple[object, ...]:
    """What the lifecycle decides on."""
    return (
        ticket.status, ticket.topic, ticket.team, ticket.assignee, ticket.waiting_since, ticket.need,
        ticket.purge_at,
    )  # fmt: skip


def told(rows: list[OutboxRow]) -> list[tuple[str, bool]]:
    """Who is told of an assignment, and whether they were given it."""
    return [((row.payload or {})["person"], (row.payload or {})["given"]) for row in rows]


async def test_restore_finds_the_way_back_step_by_step(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number, ANNA)
    await desk.do(Action.SPAM, number, ANNA)
    await desk.do(Action.ARCHIVE, number, DORA)
    await desk.do(Action.DELETE, number, DORA)
    purge_at = (await desk.ticket(number)).purge_at
    assert purge_at == desk.clock.now + desk.units.policy.purge_grace
    found = []
    for _step in range(2):
        await desk.do(Action.RESTORE, number, DORA)
        ticket = await desk.ticket(number)
        found.append((ticket.status, ticket.assignee, ticket.purge_at))
    assert found == [("archived", ANNA, None), ("spam", ANNA, None)]
    with pytest.raises(NotAllowedFrom):
        await desk.do(Action.RESTORE, number, DORA)


async def test_restore_of_a_ticket_archived_twice_takes_the_last_time(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.CLOSE, number)
    await desk.do(Action.ARCHIVE, number, DORA)
    await desk.do(Action.RESTORE, number, DORA)
    await desk.do(Action.SPAM, number)
    await desk.do(Action.ARCHIVE, number, DORA)
    await desk.do(Action.RESTORE, number, DORA)
    assert (await desk.ticket(number)).status == "spam"


UNDOABLE: list[tuple[Action, str, dict[str, str]]] = [
    (Action.STEAL, ANNA, {}),
    (Action.ASSIGN, ANNA, {"person": "Anna"}),
    (Action.WAIT, ANNA, {"note": "a screen"}),
    (Action.CLOSE, ANNA, {"note": "all done"}),
    (Action.SPAM, ANNA, {}),
    (Action.TRANSFER, ANNA, {"team": "berlin"}),
    (Action.TRANSFER, ANNA, {"team": "none"}),
    (Action.TOPIC, ANNA, {"topic": "other"}),
    (Action.RELEASE, BEN, {}),
    (Action.DELETE, DORA, {}),
]


async def test_undo_gives_back_what_was(desk: Desk) -> None:
    for action, person, wish in UNDOABLE:
        number = await desk.open()
        await desk.do(Action.WAIT, number, note="a laptop")
        await desk.do(Action.TAKE, number, BEN)
        before = standing(await desk.ticket(number))
        await desk.do(action, number, person, **wish)
        assert standing(await desk.ticket(number)) != before
        desk.clock.advance(minutes=10)
        await desk.do(Action.UNDO, number, person)
        assert standing(await desk.ticket(number)) == before
        with pytest.raises(NothingToUndo) as caught:
            await desk.do(Action.UNDO, number, person)
        assert caught.value.problem is UndoProblem.NOTHING


async def test_undo_of_another_or_after_ten_minutes_or_after_a_message_is_refused(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.CLOSE, number, ANNA)
    with pytest.raises(NothingToUndo) as others:
        await desk.do(Action.UNDO, number, BEN)
    assert (others.value.problem, others.value.last_by, others.value.last_at) == (
        UndoProblem.OTHERS, ANNA, desk.clock.now,
    )  # fmt: skip
    desk.clock.advance(minutes=10, seconds=1)
    with pytest.raises(NothingToUndo) as late:
        await desk.do(Action.UNDO, number, ANNA)
    assert late.value.problem is UndoProblem.TOO_OLD
    await desk.do(Action.SPAM, number, ANNA)
    message = NewMessage("No spam!", Intake.HTTP)
    await desk.units.run(lambda unit: intake.add_message(unit, number, message))
    with pytest.raises(NothingToUndo) as nothing:
        await desk.do(Action.UNDO, number, ANNA)
    assert nothing.value.problem is UndoProblem.NOTHING


async def test_who_loses_a_ticket_by_an_undo_is_told(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number, BEN)
    await desk.do(Action.ASSIGN, number, ANNA, person="Anna")
    before = len(await desk.alerts("assignment"))
    await desk.do(Action.UNDO, number, ANNA)
    assert told((await desk.alerts("assignment"))[before:]) == [(BEN, True)]
    assert ((await desk.ticket(number)).status, (await desk.ticket(number)).assignee) == ("in_progress", BEN)
