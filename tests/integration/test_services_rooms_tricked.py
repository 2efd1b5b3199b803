"""What others can do to rooms and messages to lead the bot astray, or to keep it busy without end."""

from collections.abc import AsyncIterator
from functools import partial

import pytest

from bot.domain import taps
from bot.domain.words import Action
from bot.services import answers, outcomes, reception, relocation, room_updates
from bot.services.jobs import Job, Send
from bot.services.reception import Batch, Redaction, RoomUpdate
from bot.services.views import NowhereReport, RoomMoveQuestion, RoomMoveRejected
from storage import outbox, rooms
from tests.integration.desk_data import ANNA, BEN, BERLIN, BOT, DORA, FREIBURG, TRIAGE, Desk, desk_on
from tests.integration.test_services_rooms_change import NEW, asked, card, key, told, upgraded
from tests.integration.test_worker_taps import Chat

EVIL = "!evil:example.org"


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


async def taken_away(desk: Desk, *event_ids: str, room: str = FREIBURG) -> None:
    """Somebody redacts events, in this order."""
    for event_id in event_ids:
        desk.homeserver.redact(event_id)
    batch = Batch("r", redactions=tuple(Redaction(event_id, room) for event_id in event_ids))
    await desk.units.run(lambda unit: reception.receive(unit, batch))


# Upgraded rooms


async def test_an_answer_counts_for_the_room_that_the_question_named(desk: Desk) -> None:
    """The old room may name another one since."""
    chat = Chat(desk)
    await upgraded(desk)
    await desk.deliver()
    questions = {
        job.view.new_room_id: event_id
        for event_id, job in desk.homeserver.events.items()
        if isinstance(job.view, RoomMoveQuestion)
    }
    await desk.update(EVIL, membership="invite", invited_by=ANNA, predecessor=FREIBURG)
    await desk.update(FREIBURG, replaced_by=EVIL)
    await desk.deliver()
    assert desk.homeserver.on(questions[NEW]) == []
    await chat.tap(DORA, questions[NEW], taps.CONFIRM)
    assert await desk.units.look(relocation.wanted) == ()
    assert [each.payload["new"] for each in await asked(desk)] == [EVIL]


async def test_an_open_question_about_another_room_is_over(desk: Desk) -> None:
    await upgraded(desk)
    for new, expected in ((NEW, True), (EVIL, False)):
        is_asked = partial(relocation.is_asked, old_room_id=FREIBURG, new_room_id=new)
        assert await desk.units.look(is_asked) is expected


async def test_a_room_in_use_takes_no_others_place(desk: Desk) -> None:
    """Any room can be made to say that it continues another."""
    await desk.update(BERLIN, predecessor=FREIBURG)
    await desk.update(FREIBURG, replaced_by=BERLIN)
    assert await asked(desk) == []
    await desk.units.run(lambda unit: relocation.follow(unit, "team:freiburg", DORA))
    await desk.units.run(lambda unit: room_updates.settle_move(unit, FREIBURG))
    assert await key(desk) == FREIBURG
    views = [job.view for job in await desk.deliver() if isinstance(job, Send)]
    report = RoomMoveRejected("team:freiburg", BERLIN, seen=True, serves="team:berlin")
    assert [view for view in views if isinstance(view, RoomMoveRejected)] == [report, report]
    assert await desk.units.look(reception.strangers_rooms) == ()


async def test_who_invites_and_withdraws_is_told_of_once_a_day(desk: Desk) -> None:
    await desk.update(FREIBURG, replaced_by=NEW)
    for day in (1, 2):
        for predecessor in (None, FREIBURG, None, FREIBURG):
            await desk.update(NEW, membership="invite", invited_by=ANNA, predecessor=predecessor)
            await desk.update(NEW, membership="leave")
        assert (await told(desk)).count("move_rejected") == day
        desk.clock.advance(days=1)


# A room's state that was asked for


@pytest.mark.parametrize(
    "newer",
    [
        RoomUpdate(FREIBURG, members={BEN: None}, join_rule="public"),
        RoomUpdate(FREIBURG, membership="leave"),
    ],
    ids=["who is in it", "the bot is out"],
)
async def test_what_a_sync_told_meanwhile_stays(desk: Desk, newer: RoomUpdate) -> None:
    since = await desk.units.run(room_updates.told_until)
    members = {BOT: "", ANNA: "Anna", BEN: "Ben"}
    older = RoomUpdate(FREIBURG, "join", members=members, whole=True, muted=True, join_rule="invite")
    await desk.units.run(lambda unit: reception.receive(unit, Batch("newer", rooms=(newer,))))
    assert await desk.units.run(lambda unit: room_updates.look_again(unit, older, since)) is None
    assert (await desk.caller(BEN)).actor.teams == frozenset()
    room = await desk.units.look(lambda unit: rooms.get(unit.session, FREIBURG))
    assert room is not None
    assert not room.muted


# Rooms that forbid


async def test_tickets_that_no_room_takes_are_told_together(desk: Desk) -> None:
    for room_id in (FREIBURG, TRIAGE):
        await desk.update(room_id, muted=True)
    numbers = [await desk.open() for _each in range(4)]

    async def reports() -> list[NowhereReport]:
        views = [job.view for job in await desk.deliver() if isinstance(job, Send)]
        return [view for view in views if isinstance(view, NowhereReport)]

    assert await reports() == [NowhereReport(numbers[0], "freiburg")]
    desk.clock.advance(minutes=5)
    numbers.append(await desk.open())
    assert await reports() == []
    desk.clock.advance(minutes=10)
    (told,) = await reports()
    assert (told.number, told.others) == (numbers[1], tuple(numbers[2:]))
    last = await desk.open()
    assert await reports() == []
    await desk.update(TRIAGE, muted=False)
    assert await reports() == []
    desk.clock.advance(minutes=15)
    assert await reports() == []
    assert list(desk.homeserver.cards(last).values()) == [TRIAGE]


async def test_a_mark_that_a_room_refuses_is_told_to_nobody(desk: Desk) -> None:
    """Else each command there would ring in the admin room; `check` tells which right is wanting."""
    await desk.units.run(lambda unit: answers.acknowledge(unit, FREIBURG, "$command"))
    (job,) = await desk.claim()
    await desk.units.run(lambda unit: outcomes.failed(unit, job.row_id, FREIBURG, "M_FORBIDDEN"))
    assert await told(desk) == []
    assert [row.state for row in await desk.outbox(kind="reaction")] == ["cancelled"]


# Messages that somebody takes away


def edits(jobs: list[Job]) -> list[str]:
    """Transactions of the edits that were sent."""
    return [job.tx_id for job in jobs if isinstance(job, Send) and job.edits is not None]


async def test_nobody_is_fought_who_takes_each_edit_away(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    await desk.do(Action.TAKE, number)
    sent, count = edits(await desk.deliver()), 0
    while sent:
        count += 1
        await taken_away(desk, desk.homeserver.by_tx[sent[-1]])
        sent = edits(await desk.deliver())
    assert count == 4
    await desk.do(Action.RELEASE, number)
    assert len(edits(await desk.deliver())) == 1
    desk.clock.advance(hours=2)
    await desk.do(Action.TAKE, number)
    (late,) = edits(await desk.deliver())
    await taken_away(desk, desk.homeserver.by_tx[late])
    assert len(edits(await desk.deliver())) == 1


async def test_an_edit_that_was_not_the_last_is_not_missed(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    await desk.do(Action.TAKE, number)
    (first,) = edits(await desk.deliver())
    desk.clock.advance(minutes=1)
    await desk.do(Action.RELEASE, number)
    await desk.deliver()
    await taken_away(desk, desk.homeserver.by_tx[first])
    assert edits(await desk.deliver()) == []


@pytest.mark.parametrize("changed", [False, True])
async def test_a_card_that_went_with_its_edits_waits_for_the_next_change(desk: Desk, changed: bool) -> None:
    """Clients that remove all of somebody's messages begin with the newest."""
    number = await desk.open()
    await desk.deliver()
    first = await card(desk, number)
    await desk.do(Action.TAKE, number)
    (edit,) = edits(await desk.deliver())
    await taken_away(desk, desk.homeserver.by_tx[edit])
    if changed:
        await desk.do(Action.RELEASE, number)
    await taken_away(desk, first)
    await desk.deliver()
    assert len(desk.homeserver.cards(number)) == changed


async def test_what_is_taken_away_in_another_room_is_none_of_ours(desk: Desk) -> None:
    """Anybody may name an event of another room; the homeserver takes nothing away then."""
    number = await desk.open()
    await desk.deliver()
    first = await card(desk, number)
    redaction = Redaction(first, BERLIN)
    await desk.units.run(lambda unit: reception.receive(unit, Batch("r", redactions=(redaction,))))
    await desk.do(Action.TAKE, number)
    await desk.deliver()
    assert await card(desk, number) == first


async def test_a_ticket_that_its_team_has_seen_stays_theirs(desk: Desk) -> None:
    """Its card was removed, and nothing can be written to the room."""
    number = await desk.open()
    await desk.deliver()
    await taken_away(desk, await card(desk, number))
    await desk.update(FREIBURG, muted=True)
    await desk.units.run(lambda unit: outbox.refresh_card(unit.session, number, unit.now, new=False))
    await desk.deliver()
    assert (await desk.ticket(number)).team == "freiburg"
