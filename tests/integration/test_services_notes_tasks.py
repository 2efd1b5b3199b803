"""Notes and tasks: what is kept, who may, and that a close and a new task see each other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable

import pytest

from bot.domain.errors import NotAllowedFrom, OpenTasks, Refusal, UnknownTask, UnknownTicket
from bot.domain.request import InvalidFields
from bot.domain.words import Action, Intake, MessageKind, OpenTask
from bot.services import arrivals, purge, reads, reception, tasks
from bot.services.arrivals import NewMessage
from bot.services.changes import Done
from bot.services.jobs import Send
from bot.services.reception import Batch, ReceivedEvent
from bot.services.unit import Units
from bot.services.views import MessageAlert, TaskView
from storage import tickets
from storage.database import Database
from tests.integration.conversation_data import add, note, tick
from tests.integration.desk_data import (
    ANNA,
    BEN,
    CARLA,
    DORA,
    FREIBURG,
    POLICY,
    START,
    Desk,
    desk_on,
)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


async def listed(desk: Desk, number: int) -> tuple[TaskView, ...]:
    caller = await desk.caller(DORA)
    return (await desk.units.look(lambda unit: tasks.tasks_view(unit, number, caller))).tasks


async def test_a_note_stands_among_the_messages_and_is_none(desk: Desk) -> None:
    number = await desk.open(text="First")
    await note(desk, number, "rings the bell\ntwice", BEN)
    await desk.units.run(
        lambda unit: arrivals.receive_message(unit, number, NewMessage("Second", Intake.HTTP))
    )
    caller = await desk.caller(ANNA)
    view = await desk.units.look(lambda unit: reads.ticket_view(unit, number, caller))
    assert [(each.text, each.kind, each.author and each.author.name) for each in view.messages] == [
        ("First", MessageKind.MESSAGE, None),
        ("rings the bell\ntwice", MessageKind.NOTE, "Ben"),
        ("Second", MessageKind.MESSAGE, None),
    ]
    assert view.hidden == 0
    card = await desk.units.look(lambda unit: reads.card_view(unit, number))
    assert card is not None
    assert (card.excerpt, card.status) == ("First", "open")
    past = await desk.units.look(lambda unit: reads.history_view(unit, number, caller))
    assert [(line.action, line.note) for line in past.lines if line.action is Action.NOTE] == [
        (Action.NOTE, "rings the bell\ntwice")
    ]


async def test_a_note_counts_for_no_message_in_a_transfer_nor_is_it_ever_the_excerpt(desk: Desk) -> None:
    number = await desk.open(text="Only message")
    await note(desk, number, "a note")
    with desk.database.write() as session:
        assert tickets.message_count(session, number, (MessageKind.MESSAGE,)) == 1
        ticket = tickets.get(session, number)
        assert ticket is not None
        first = tickets.first_message(session, ticket)
    assert first is not None
    assert first.text == "Only message"


@pytest.mark.parametrize("action", [Action.CLOSE, Action.SPAM, Action.WAIT, Action.ARCHIVE])
async def test_notes_are_possible_in_every_status_but_deleted(desk: Desk, action: Action) -> None:
    number = await desk.open()
    if action is Action.ARCHIVE:
        await desk.do(Action.CLOSE, number)
    await desk.do(action, number, DORA)
    status = (await desk.ticket(number)).status
    assert (await note(desk, number, "by the way")).changed
    assert (await desk.ticket(number)).status == status
    await desk.do(Action.DELETE, number, DORA)
    with pytest.raises(NotAllowedFrom):
        await note(desk, number, "too late", DORA)


async def test_a_room_knows_its_own_teams_tickets_only(desk: Desk) -> None:
    number = await desk.open()
    before = await desk.rows()
    for act in (
        note(desk, number, "x", CARLA),
        add(desk, number, "x", CARLA),
        tick(desk, number, 1, by=CARLA),
    ):
        with pytest.raises(UnknownTicket):
            await act
    caller = await desk.caller(CARLA)
    with pytest.raises(UnknownTicket):
        await desk.units.look(lambda unit: tasks.tasks_view(unit, number, caller))
    assert await desk.rows() == before


async def test_what_is_empty_or_too_long_is_refused(desk: Desk) -> None:
    number = await desk.open()
    before = await desk.rows()
    for act in (note(desk, number, " \u200b "), add(desk, number, "\n"), add(desk, number, "x" * 201)):
        with pytest.raises(InvalidFields):
            await act
    assert await desk.rows() == before


async def test_tasks_keep_their_numbers_and_hinder_the_close(desk: Desk) -> None:
    number = await desk.open()
    for text in ("Call back", "Wipe the\ndisk", "Deliver"):
        await add(desk, number, text)
    assert (await tick(desk, number, 3, 1, 3, by=BEN)).changed
    assert await listed(desk, number) == (
        TaskView(1, "Call back", done=True),
        TaskView(2, "Wipe the disk", done=False),
        TaskView(3, "Deliver", done=True),
    )
    assert not (await tick(desk, number, 1)).changed
    card = await desk.units.look(lambda unit: reads.card_view(unit, number))
    assert card is not None
    assert (card.tasks_done, card.tasks_all) == (2, 3)
    with pytest.raises(OpenTasks) as caught:
        await desk.do(Action.CLOSE, number)
    assert caught.value.tasks == (OpenTask(2, "Wipe the disk"),)
    await tick(desk, number, 2)
    await desk.do(Action.CLOSE, number)
    with pytest.raises(NotAllowedFrom) as late:
        await add(desk, number, "One more")
    assert Action.REOPEN in late.value.possible


async def test_an_unknown_task_refuses_all_of_them(desk: Desk) -> None:
    number = await desk.open()
    await add(desk, number, "Call back")
    before = await desk.rows()
    with pytest.raises(UnknownTask) as caught:
        await tick(desk, number, 1, 4)
    assert (caught.value.position, caught.value.known) == (4, (1,))
    assert await desk.rows() == before


async def test_the_same_event_is_done_once(desk: Desk) -> None:
    number = await desk.open()
    assert (await note(desk, number, "a note", cause="$note")).changed
    assert (await add(desk, number, "a task", cause="$add")).changed
    assert (await tick(desk, number, 1, cause="$done")).changed
    before = await desk.rows()
    for again in (
        note(desk, number, "a note", cause="$note"),
        add(desk, number, "a task", cause="$add"),
        tick(desk, number, 1, cause="$done"),
    ):
        assert await again == Done(number, changed=False)
    assert await desk.rows() == before


async def test_a_purge_finds_the_commands_that_carried_the_words_also_of_what_was_undone(desk: Desk) -> None:
    number = await desk.open()
    events = [
        ReceivedEvent(event_id, FREIBURG, ANNA, {"body": "!note"}, START) for event_id in ("$a", "$b", "$c")
    ]
    await desk.units.run(lambda unit: reception.receive(unit, Batch("t", events=tuple(events))))
    await note(desk, number, "a private note", cause="$a")
    await add(desk, number, "a private task", cause="$b")
    await desk.do(Action.UNDO, number)
    await add(desk, number, "another private task", cause="$c")
    await desk.do(Action.DELETE, number, DORA)
    caller = await desk.caller(DORA)
    await desk.units.run(lambda unit: purge.purge(unit, number, caller))
    rows = await desk.rows()
    assert {"$a", "$b", "$c"} <= {row["event_id"] for row in rows["posted_events"]}
    assert "private" not in repr({name: each for name, each in rows.items() if name != "inbox"})
    assert (rows["messages"], rows["tasks"]) == ([], [])


async def test_a_close_and_a_new_task_at_once_see_each_other(database_url: str) -> None:
    async with desk_on(database_url) as one:
        database = Database(database_url)
        other = Desk(database, Units(database, POLICY, one.clock), one.clock)
        try:
            for _round in range(15):
                number = await one.open(email=f"kim{_round}@example.org")
                told = await asyncio.gather(
                    _told(add(one, number, "Call back")), _told(other.do(Action.CLOSE, number, BEN))
                )
                closed = (await one.ticket(number)).status == "closed"
                left = len(await listed(one, number))
                expected = (NotAllowedFrom, None) if closed else (None, OpenTasks)
                assert (tuple(told), left) == (expected, 0 if closed else 1)
        finally:
            await database.close()


async def _told(act: Awaitable[Done]) -> type[Refusal] | None:
    try:
        await act
    except Refusal as refusal:
        return type(refusal)
    return None


async def test_of_two_tasks_at_once_each_has_its_own_number(database_url: str) -> None:
    async with desk_on(database_url) as desk:
        number = await desk.open()
        await asyncio.gather(*(add(desk, number, f"task {each}") for each in range(6)))
        assert [task.position for task in await listed(desk, number)] == [1, 2, 3, 4, 5, 6]


async def test_words_that_come_after_an_undone_note_are_not_taken_for_it(desk: Desk) -> None:
    """SQLite gives a removed row's id to the next one, of whatever ticket and team."""
    number, other = await desk.open(), await desk.open(region="berlin", email="else@example.org")
    await note(desk, number, "a note")
    await desk.do(Action.UNDO, number)
    await add(desk, number, "a task")
    await desk.do(Action.UNDO, number)
    desk.clock.advance(seconds=1)
    await note(desk, other, "of Berlin", CARLA)
    await add(desk, other, "of Berlin", by=CARLA)
    caller = await desk.caller(ANNA)
    past = await desk.units.look(lambda unit: reads.history_view(unit, number, caller))
    assert [line.note for line in past.lines] == [None] * 5


async def test_words_that_come_after_an_undone_message_are_not_told_for_it(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    message = NewMessage("By phone", Intake.CHAT, ANNA, "$said")
    await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))
    await desk.do(Action.UNDO, number)
    desk.clock.advance(seconds=1)
    await desk.open(region="berlin", email="else@example.org", text="of Berlin")
    sent = [job.view for job in await desk.deliver() if isinstance(job, Send)]
    assert [view for view in sent if isinstance(view, MessageAlert)] == []
