"""Changing tickets: row, history, card and alerts in one commit."""

from collections.abc import AsyncIterator

import pytest

from bot.domain.errors import (
    NotAllowedFrom,
    NotAMember,
    OpenTasks,
    Refusal,
    TakenBy,
    UnknownName,
    UnknownTicket,
)
from bot.domain.lifecycle import RULES
from bot.domain.words import Action, OpenTask
from bot.services.moves import Done
from storage.models import OutboxRow, Task
from tests.integration.desk_data import (
    ADMINS,
    ANNA,
    BEN,
    BERLIN,
    CARLA,
    DORA,
    FREIBURG,
    START,
    TIM,
    TRIAGE,
    Desk,
    desk_on,
    put,
)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


def told(rows: list[OutboxRow]) -> list[tuple[str, bool]]:
    """Who is told of an assignment, and whether they were given it."""
    return [((row.payload or {})["person"], (row.payload or {})["given"]) for row in rows]


async def test_a_move_writes_row_history_and_card_together(desk: Desk) -> None:
    number = await desk.open()
    desk.clock.advance(minutes=3)
    assert await desk.do(Action.CLOSE, number, note="gave them one") == Done(number, changed=True)
    ticket = await desk.ticket(number)
    assert (ticket.status, ticket.close_reason, ticket.version, ticket.changed_at) == (
        "closed", "gave them one", 2, desk.clock.now,
    )  # fmt: skip
    entry = (await desk.history(number))[-1]
    assert (entry.action, entry.who, entry.from_status, entry.to_status, entry.note, entry.at) == (
        "close", ANNA, "open", "closed", "gave them one", desk.clock.now,
    )  # fmt: skip
    assert len(await desk.outbox(kind="card", number=number)) == 1


async def test_a_refusal_writes_nothing(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number, BEN)
    before = await desk.rows()
    for action, person in (
        (Action.TAKE, ANNA), (Action.REOPEN, ANNA), (Action.ARCHIVE, ANNA), (Action.UNDO, ANNA),
        (Action.TAKE, CARLA), (Action.RELEASE, ANNA), (Action.DELETE, ANNA),
    ):  # fmt: skip
        with pytest.raises(Refusal):
            await desk.do(action, number, person)
    assert await desk.rows() == before


async def test_a_move_of_the_same_event_is_made_once(desk: Desk) -> None:
    number = await desk.open()
    assert await desk.do(Action.CLOSE, number, cause="$c") == Done(number, changed=True)
    await desk.do(Action.REOPEN, number)
    assert await desk.do(Action.CLOSE, number, cause="$c") == Done(number, changed=False)
    assert (await desk.ticket(number)).status == "open"


async def test_one_event_moves_several_tickets(desk: Desk) -> None:
    numbers = [await desk.open(), await desk.open()]
    for number in numbers:
        await desk.do(Action.CLOSE, number, cause="$c")
    assert [(await desk.ticket(number)).status for number in numbers] == ["closed", "closed"]


async def test_taking_ones_own_ticket_changes_nothing(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number)
    before = await desk.rows()
    assert await desk.do(Action.TAKE, number) == Done(number, changed=False)
    assert await desk.rows() == before


async def test_who_loses_a_ticket_to_another_is_told(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number, BEN)
    with pytest.raises(TakenBy) as caught:
        await desk.do(Action.TAKE, number, ANNA)
    assert caught.value.assignee == BEN
    assert await desk.alerts("assignment") == []
    await desk.do(Action.STEAL, number, ANNA)
    assert told(await desk.alerts("assignment")) == [(BEN, False)]


async def test_who_gives_up_a_ticket_is_told_nothing(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number)
    await desk.do(Action.WAIT, number)
    await desk.do(Action.TAKE, number)
    await desk.do(Action.RELEASE, number)
    assert await desk.alerts("assignment") == []


async def test_who_is_assigned_is_told_and_starts_by_taking_it(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number, ANNA)
    await desk.do(Action.ASSIGN, number, ANNA, person="Ben")
    assert ((await desk.ticket(number)).status, (await desk.ticket(number)).assignee) == ("open", BEN)
    assert told(await desk.alerts("assignment")) == [(BEN, True)]
    await desk.do(Action.TAKE, number, BEN)
    assert (await desk.ticket(number)).status == "in_progress"


async def test_people_are_named_as_people_name_them(desk: Desk) -> None:
    for typed in ("Ben", "ben", "@ben", "@BEN", BEN):
        number = await desk.open()
        await desk.do(Action.ASSIGN, number, person=typed)
        assert (await desk.ticket(number)).assignee == BEN


async def test_assigning_to_nobody_known_or_to_a_stranger_is_refused(desk: Desk) -> None:
    number = await desk.open()
    with pytest.raises(UnknownName) as unknown:
        await desk.do(Action.ASSIGN, number, person="Zoe")
    assert set(unknown.value.known) == {"Anna", "Ben"}
    with pytest.raises(NotAMember) as stranger:
        await desk.do(Action.ASSIGN, number, person=CARLA)
    assert (stranger.value.user_id, stranger.value.team) == (CARLA, "freiburg")


async def test_open_tasks_keep_a_ticket_open(desk: Desk) -> None:
    number = await desk.open()
    await put(
        desk.database,
        Task(number=number, position=1, text="Call back", added_by=ANNA, added_at=START),
        Task(
            number=number, position=2, text="Done", added_by=ANNA, added_at=START, done_by=ANNA, done_at=START
        ),
    )
    with pytest.raises(OpenTasks) as caught:
        await desk.do(Action.CLOSE, number)
    assert caught.value.tasks == (OpenTask(1, "Call back"),)


async def test_a_refusal_offers_only_what_would_work(desk: Desk) -> None:
    number = await desk.open(topic="other")
    task = Task(number=number, position=1, text="Call back", added_by=ANNA, added_at=START)
    await put(desk.database, task)
    with pytest.raises(NotAllowedFrom) as caught:
        await desk.do(Action.REOPEN, number)
    assert {Action.TAKE, Action.SPAM} <= set(caught.value.possible)
    assert not {Action.WAIT, Action.CLOSE, Action.ARCHIVE} & set(caught.value.possible)


async def test_missing_foreign_and_deleted_numbers_get_the_same_answer(desk: Desk) -> None:
    """Also where a name is wrong: whether a name is looked up must not tell that the number exists."""
    foreign, deleted = await desk.open(region="berlin"), await desk.open()
    await desk.do(Action.DELETE, deleted, DORA)
    wrong = {"person": "nonsense", "team": "nonsense", "topic": "nonsense"}
    for number in (foreign, deleted, 4711):
        for action in set(RULES) - {Action.WITHDRAW, Action.MERGE, Action.PURGE}:
            with pytest.raises(UnknownTicket) as caught:
                await desk.do(action, number, ANNA, **wrong)
            assert caught.value.number == number


async def test_a_team_room_shows_admins_no_other_teams_ticket_either(desk: Desk) -> None:
    number = await desk.open(region="berlin")
    await desk.update(FREIBURG, members={DORA: "Dora"})
    with pytest.raises(UnknownTicket):
        await desk.do(Action.TAKE, number, DORA, room=FREIBURG)
    await desk.do(Action.TAKE, number, DORA, room=ADMINS)


async def test_a_transfer_drops_who_is_no_member_there(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number, BEN)
    await desk.do(Action.TRANSFER, number, ANNA, team="berlin")
    ticket = await desk.ticket(number)
    assert (ticket.team, ticket.assignee, ticket.status) == ("berlin", None, "open")
    (lost,) = await desk.alerts("assignment")
    assert (told([lost]), lost.room) == ([(BEN, False)], "team:freiburg")


async def test_a_transfer_keeps_who_is_a_member_there(desk: Desk) -> None:
    await desk.update(BERLIN, members={BEN: "Ben"})
    number = await desk.open()
    await desk.do(Action.TAKE, number, BEN, room=FREIBURG)
    await desk.do(Action.TRANSFER, number, ANNA, team="BERLIN")
    ticket = await desk.ticket(number)
    assert (ticket.team, ticket.assignee, ticket.status) == ("berlin", BEN, "in_progress")
    assert await desk.alerts("assignment") == []


async def test_a_transfer_to_nobody_leads_to_triage_and_back(desk: Desk) -> None:
    number = await desk.open()
    for word in ("none", "triage", "Keins"):
        await desk.do(Action.TRANSFER, number, team=word)
        assert (await desk.ticket(number)).team is None
        with pytest.raises(UnknownTicket):
            await desk.do(Action.TAKE, number, ANNA)
        await desk.do(Action.TRANSFER, number, TIM, team="freiburg")
        assert (await desk.ticket(number)).team == "freiburg"


async def test_a_transfer_to_its_own_team_changes_nothing(desk: Desk) -> None:
    number = await desk.open()
    before = await desk.rows()
    assert await desk.do(Action.TRANSFER, number, team="freiburg") == Done(number, changed=False)
    assert await desk.rows() == before


async def test_unknown_teams_and_topics_are_refused_with_the_known(desk: Desk) -> None:
    number = await desk.open()
    with pytest.raises(UnknownName) as team:
        await desk.do(Action.TRANSFER, number, team="berlim")
    assert (team.value.known, team.value.near) == (("berlin", "freiburg"), ("berlin",))
    with pytest.raises(UnknownName):
        await desk.do(Action.TOPIC, number, topic="nonsense")
    await desk.do(Action.TOPIC, number, topic="OTHER")
    assert (await desk.ticket(number)).topic == "other"


async def test_a_waiting_place_outlives_taking_closing_and_reopening(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.WAIT, number, note="a laptop")
    since = desk.clock.now
    for action in (Action.TAKE, Action.CLOSE, Action.REOPEN, Action.WAIT):
        desk.clock.advance(days=1)
        await desk.do(action, number)
    ticket = await desk.ticket(number)
    assert (ticket.waiting_since, ticket.need, ticket.assignee) == (since, "a laptop", None)


async def test_the_triage_rooms_members_act_on_its_tickets(desk: Desk) -> None:
    number = await desk.open(region=None)
    await desk.do(Action.TAKE, number, TIM, room=TRIAGE)
    assert (await desk.ticket(number)).assignee == TIM
