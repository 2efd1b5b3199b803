"""Ways back: restore and undo."""

from collections.abc import AsyncIterator

import pytest

from bot.domain.errors import (
    NotAllowedFrom,
    NothingToUndo,
    UndoProblem,
)
from bot.domain.words import Action, Intake
from bot.services import arrivals, intake
from bot.services.arrivals import NewMessage
from bot.services.views import MessageAlert
from storage.models import OutboxRow, Ticket
from tests.integration.conversation_data import add, note, tick
from tests.integration.desk_data import (
    ANNA,
    BEN,
    DORA,
    Desk,
    desk_on,
    request,
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
    (Action.REOPEN, ANNA, {}),
    (Action.ARCHIVE, DORA, {}),
    (Action.RESTORE, DORA, {}),
    (Action.DELETE, DORA, {}),
]


BEFORE: dict[Action, list[tuple[Action, str]]] = {
    Action.REOPEN: [(Action.CLOSE, BEN)],
    Action.ARCHIVE: [(Action.CLOSE, BEN)],
    Action.RESTORE: [(Action.DELETE, DORA)],
}
"""What leads to the status that an action begins in."""


async def test_undo_gives_back_what_was(desk: Desk) -> None:
    for action, person, wish in UNDOABLE:
        number = await desk.open()
        await desk.do(Action.WAIT, number, note="a laptop")
        await desk.do(Action.TAKE, number, BEN)
        for prepared, by in BEFORE.get(action, ()):
            await desk.do(prepared, number, by)
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
    await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))
    with pytest.raises(NothingToUndo) as nothing:
        await desk.do(Action.UNDO, number, ANNA)
    assert nothing.value.problem is UndoProblem.NOTHING


async def test_a_note_is_taken_back_and_nothing_else(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number, BEN)
    before = standing(await desk.ticket(number)), (await desk.rows())["messages"]
    await note(desk, number, "a secret")
    await desk.do(Action.UNDO, number, ANNA)
    assert (standing(await desk.ticket(number)), (await desk.rows())["messages"]) == before
    assert "a secret" not in repr(await desk.rows())
    assert [entry.action for entry in await desk.history(number)][-2:] == ["note", "undo"]
    # The undo is the last thing now: the take before it is out of reach.
    with pytest.raises(NothingToUndo):
        await desk.do(Action.UNDO, number, BEN)


async def test_a_task_is_removed_and_one_that_was_done_is_open_again(desk: Desk) -> None:
    number = await desk.open()
    for text in ("first", "second", "third"):
        await add(desk, number, text)
    await desk.do(Action.UNDO, number)
    await tick(desk, number, 1)
    await tick(desk, number, 1, 2)
    version = (await desk.ticket(number)).version
    await desk.do(Action.UNDO, number)
    rows = sorted((await desk.rows())["tasks"], key=lambda row: int(row["position"]))
    assert [(row["text"], row["done_by"], row["done_at"]) for row in rows] == [
        ("first", ANNA, desk.clock.now), ("second", None, None),
    ]  # fmt: skip
    assert ((await desk.ticket(number)).status, (await desk.ticket(number)).version) == ("open", version + 1)


async def test_a_message_written_down_is_removed_and_the_ticket_closed_again(desk: Desk) -> None:
    number = await desk.open(text="first")
    await desk.do(Action.CLOSE, number, note="all done")
    message = NewMessage("wrong ticket", Intake.CHAT, ANNA, "$message")
    await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))
    assert (await desk.ticket(number)).status == "open"
    with pytest.raises(NothingToUndo):
        await desk.do(Action.UNDO, number, BEN)
    await desk.do(Action.UNDO, number, ANNA, cause="$undo")
    ticket = await desk.ticket(number)
    assert (ticket.status, ticket.close_reason) == ("closed", "all done")
    assert [row["text"] for row in (await desk.rows())["messages"]] == ["first"]
    before = await desk.rows()
    # Run again after a crash; and the message's own event is not taken for a new one either.
    assert not (await desk.do(Action.UNDO, number, ANNA, cause="$undo")).changed
    await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))
    assert await desk.rows() == before
    # Its alert was not sent yet, and has nothing left to say.
    assert not [job for job in await desk.deliver() if isinstance(getattr(job, "view", None), MessageAlert)]


async def test_what_cannot_be_undone_says_what_to_do_instead(desk: Desk) -> None:
    request_ = request(intake=Intake.CHAT)
    opened = await desk.units.run(lambda unit: intake.open_ticket(unit, request_, author=ANNA, cause="$new"))
    with pytest.raises(NothingToUndo) as caught:
        await desk.do(Action.UNDO, opened.number, ANNA)
    assert caught.value.problem is UndoProblem.OPENED


async def test_who_loses_a_ticket_by_an_undo_is_told(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number, BEN)
    await desk.do(Action.ASSIGN, number, ANNA, person="Anna")
    before = len(await desk.alerts("assignment"))
    await desk.do(Action.UNDO, number, ANNA)
    assert told((await desk.alerts("assignment"))[before:]) == [(BEN, True)]
    assert ((await desk.ticket(number)).status, (await desk.ticket(number)).assignee) == ("in_progress", BEN)
