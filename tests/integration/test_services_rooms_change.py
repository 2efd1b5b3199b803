"""Rooms that forbid writing, are cleared by others or upgraded: nothing is lost, told twice or untrue."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

import pytest

from bot.domain.errors import NoSuccessor
from bot.domain.words import Action, Intake
from bot.services import answers, arrivals, outcomes, reception, relocation, room_updates
from bot.services.arrivals import NewMessage
from bot.services.jobs import Send
from bot.services.reception import Batch, Redaction, RoomUpdate
from bot.services.relocation import Welcome
from bot.services.views import CardView, DeliveryReport, MessageAlert, NowhereReport
from storage import posted, rooms
from storage.models import Prompt
from tests.integration.desk_data import (
    ADMINS,
    ANNA,
    BEN,
    BERLIN,
    BOT,
    CARLA,
    DORA,
    FREIBURG,
    TIM,
    TRIAGE,
    Desk,
    desk_on,
)

NEW = "!new:example.org"


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


async def message(desk: Desk, number: int, text: str = "Any news?") -> None:
    """The requester writes."""
    new = NewMessage(text, Intake.HTTP)
    await desk.units.run(lambda unit: arrivals.receive_message(unit, number, new))


async def taken_away(desk: Desk, event_id: str, at: datetime | None = None, *, own: bool = False) -> None:
    """The bot sees that somebody redacts an event."""
    desk.homeserver.redact(event_id)
    batch = Batch("r", redactions=(Redaction(event_id, FREIBURG, own, at=at or desk.clock.now),))
    await desk.units.run(lambda unit: reception.receive(unit, batch))


async def card(desk: Desk, number: int) -> str:
    """The ticket's only card; its event."""
    (event_id,) = desk.homeserver.cards(number)
    return event_id


async def told(desk: Desk) -> list[str]:
    """What waits to be told to the admin room."""
    return [(row.payload or {})["what"] for row in await desk.outbox(room="admin", state="waiting")]


# A room that forbids writing


async def test_a_new_ticket_for_a_room_that_forbids_writing_goes_to_triage(desk: Desk) -> None:
    await desk.update(FREIBURG, muted=True)
    number = await desk.open()
    await desk.deliver()
    assert desk.homeserver.cards(number) == {await card(desk, number): TRIAGE}
    job = desk.homeserver.events[await card(desk, number)]
    assert isinstance(job.view, CardView)
    assert job.view.diverted_from == "freiburg"
    (moved,) = [entry for entry in await desk.history(number) if entry.action == Action.TRANSFER.value]
    assert (moved.who, (moved.before or {})["team"], (moved.after or {})["team"]) == (None, "freiburg", None)
    await desk.update(FREIBURG, muted=False)
    await desk.deliver()
    assert list(desk.homeserver.cards(number).values()) == [TRIAGE]
    await desk.do(Action.TRANSFER, number, TIM, team="freiburg")
    await desk.deliver()
    assert list(desk.homeserver.cards(number).values()) == [FREIBURG]
    assert (await desk.ticket(number)).diverted_from is None


async def test_what_a_team_knows_of_waits_until_it_may_be_written(desk: Desk) -> None:
    number, theirs = await desk.open(), await desk.open()
    await desk.deliver()
    await desk.update(FREIBURG, muted=True)
    taken = await desk.open()
    await desk.do(Action.TAKE, taken)
    await message(desk, number)
    await desk.do(Action.TAKE, number)
    await desk.units.run(lambda unit: answers.acknowledge(unit, FREIBURG, "$command"))
    spot = answers.Spot(FREIBURG, "$list")
    await desk.units.run(partial(answers.answer, spot=spot, content={"body": "x"}, shows=(), person=ANNA))
    await desk.do(Action.TRANSFER, theirs, team="berlin")
    sent = await desk.deliver()
    assert {job.room_id for job in sent if isinstance(job, Send)} == {ADMINS, BERLIN}
    assert [row.state for row in await desk.outbox(kind="answer")] == ["cancelled"]
    assert len(desk.homeserver.cards(theirs)) == 2

    await desk.update(FREIBURG, muted=False)

    sent = await desk.deliver()
    assert [type(job.view) for job in sent if isinstance(job, Send)].count(MessageAlert) == 1
    assert [job.event_type for job in sent if isinstance(job, Send)].count("m.reaction") == 1
    for each, room in ((number, FREIBURG), (taken, FREIBURG), (theirs, BERLIN)):
        assert list(desk.homeserver.cards(each).values()) == [room]
    assert await desk.outbox(state="waiting", held=True) == []


async def test_where_triage_forbids_writing_too_the_admins_are_told_once(desk: Desk) -> None:
    for room_id in (FREIBURG, TRIAGE):
        await desk.update(room_id, muted=True)
    number = await desk.open()
    for _time in range(3):
        sent = [job.view for job in await desk.deliver() if isinstance(job, Send)]
        assert sent.count(NowhereReport(number, "freiburg")) == (_time == 0)
        desk.clock.advance(minutes=2)
    assert desk.homeserver.cards(number) == {}
    await desk.update(TRIAGE, muted=False)
    await desk.deliver()
    assert list(desk.homeserver.cards(number).values()) == [TRIAGE]


async def refused(desk: Desk, job: Send) -> None:
    """The homeserver says no and the room's state does not say why."""
    await desk.units.run(lambda unit: outcomes.failed(unit, job.row_id, job.room_id, "M_FORBIDDEN"))


async def next_card(desk: Desk) -> Send:
    """The card that is to be sent next, once what goes before it is."""
    while True:
        for job in await desk.claim():
            if isinstance(job, Send) and isinstance(job.view, CardView):
                return job
            await desk.finish(job)


async def test_a_card_that_is_forbidden_without_a_reason_goes_to_triage_and_is_reported(desk: Desk) -> None:
    number = await desk.open()
    for room_id in (FREIBURG, TRIAGE):
        job = await next_card(desk)
        assert job.room_id == room_id
        await refused(desk, job)
    await desk.deliver()
    views = [job.view for job in desk.homeserver.events.values()]
    reports = [view for view in views if isinstance(view, DeliveryReport)]
    assert {(each.room_name, each.diverted) for each in reports} == {
        ("team:freiburg", True),
        ("triage", False),
    }
    assert (await desk.ticket(number)).team is None


async def test_the_state_that_a_refusal_was_asked_about_is_kept(desk: Desk) -> None:
    update = RoomUpdate(FREIBURG, "join", members={BOT: "", ANNA: ""}, whole=True, muted=True)
    told = await desk.units.run(room_updates.told_until)
    assert await desk.units.run(lambda unit: room_updates.look_again(unit, update, told)) is False
    assert [(row.payload or {})["problems"] for row in await desk.alerts("room")] == [["muted"]]
    free = RoomUpdate(FREIBURG, "join", members={BOT: "", ANNA: ""}, whole=True, muted=False)
    assert await desk.units.run(lambda unit: room_updates.look_again(unit, free, told)) is True


async def test_an_alert_goes_to_no_room_that_was_opened(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    await desk.update(FREIBURG, history_visibility="world_readable")
    await message(desk, number, "Between us")
    assert {job.room_id for job in await desk.deliver() if isinstance(job, Send)} == {ADMINS}
    await desk.update(FREIBURG, history_visibility="shared")
    sent = [job for job in await desk.deliver() if isinstance(job, Send)]
    (alert,) = [job for job in sent if isinstance(job.view, MessageAlert)]
    assert (alert.room_id, alert.thread) == (FREIBURG, await card(desk, number))


# Messages of the bot that somebody takes away


async def test_a_card_that_was_taken_away_comes_back_with_the_next_change_only(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    first = await card(desk, number)
    await taken_away(desk, first)
    await desk.deliver()
    assert (desk.homeserver.cards(number), desk.homeserver.on(first)) == ({}, [])
    await message(desk, number)
    sent = [job for job in await desk.deliver() if isinstance(job, Send)]
    assert [job.thread for job in sent if isinstance(job.view, MessageAlert)] == [await card(desk, number)]
    assert await desk.seeded(number)


@pytest.mark.parametrize(("seconds", "back"), [(-1, False), (1, True)])
async def test_a_change_told_before_the_bot_saw_that_the_card_was_gone_is_the_next_one(
    desk: Desk, seconds: int, *, back: bool
) -> None:
    """The change comes a second after the card was taken away, or before."""
    number = await desk.open()
    await desk.deliver()
    first, gone = await card(desk, number), desk.clock.now
    desk.clock.advance(seconds=5 + seconds)
    await message(desk, number)
    await desk.deliver()
    desk.clock.advance(seconds=5)
    await taken_away(desk, first, gone + timedelta(seconds=5))
    await desk.deliver()
    assert len(desk.homeserver.cards(number)) == back
    assert first not in desk.homeserver.cards(number)


async def test_an_edit_on_its_way_when_its_card_goes_is_followed_by_a_new_card(desk: Desk) -> None:
    """Also if the answer is lost: the attempt is repeated as the same edit, whatever came since."""
    number = await desk.open()
    await desk.deliver()
    first = await card(desk, number)
    await desk.do(Action.TAKE, number)
    (edit,) = [job for job in await desk.claim() if isinstance(job, Send)]
    assert edit.edits == first
    await taken_away(desk, first)
    (again,) = [job for job in await desk.claim() if isinstance(job, Send)]
    assert (again.edits, again.tx_id) == (first, edit.tx_id)
    await desk.finish(again)
    await desk.deliver()
    second = await card(desk, number)
    about = await desk.units.look(lambda unit: [each.event_id for each in posted.about(unit.session, number)])
    assert {second, desk.homeserver.by_tx[edit.tx_id]} <= set(about)
    assert (await desk.rows())["cards"][0]["event_id"] == second


async def test_a_card_that_was_gone_before_it_was_noted_is_posted_anew(desk: Desk) -> None:
    """Killed between sending and noting; meanwhile somebody takes the card away."""
    number = await desk.open()
    (job,) = [each for each in await desk.claim() if isinstance(each, Send)]
    lost = desk.homeserver.send(job)
    await taken_away(desk, lost, own=True)
    await desk.sent(job, lost)
    await desk.deliver()
    assert await card(desk, number) != lost


async def test_an_edit_that_was_taken_away_is_made_again_at_once(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    await desk.do(Action.TAKE, number)
    (edit,) = [job for job in await desk.deliver() if isinstance(job, Send)]
    await taken_away(desk, desk.homeserver.by_tx[edit.tx_id])
    (again,) = [job for job in await desk.deliver() if isinstance(job, Send)]
    assert (again.edits, again.tx_id == edit.tx_id) == (await card(desk, number), False)
    await taken_away(desk, "$somebody's")
    assert [job for job in await desk.deliver() if isinstance(job, Send)] == []


# Upgraded rooms


async def upgraded(desk: Desk, *, room: str = FREIBURG, predecessor: str | None = FREIBURG) -> None:
    """A room is upgraded, and the bot invited into the new one."""
    await desk.update(room, replaced_by=NEW)
    await desk.update(NEW, membership="invite", invited_by=ANNA, predecessor=predecessor)


async def arrive(desk: Desk, *, predecessor: str | None = FREIBURG) -> None:
    """The bot comes into the new room."""
    await desk.update(
        NEW, membership="join", predecessor=predecessor, members={BOT: "", ANNA: "Anna"}, name="New"
    )


async def key(desk: Desk) -> str | None:
    """Which room is Freiburg's."""
    room = await desk.units.look(lambda unit: rooms.by_key(unit.session, "team:freiburg"))
    return room.room_id if room is not None else None


async def asked(desk: Desk) -> list[Prompt]:
    """Open questions."""
    rows = (await desk.rows())["prompts"]
    return [Prompt(**row) for row in rows if row["kind"] == "room" and row["done_at"] is None]


async def test_an_admin_is_asked_once_and_the_tickets_move(desk: Desk) -> None:
    number, closed = await desk.open(), await desk.open()
    await desk.do(Action.CLOSE, closed)
    await desk.deliver()
    old = await card(desk, number)
    await upgraded(desk)
    await desk.update(FREIBURG, replaced_by=NEW)
    held = await desk.open()
    await message(desk, number)
    await desk.deliver()
    (question,) = await asked(desk)
    assert (question.room_id, question.event_id is not None) == (ADMINS, True)
    assert await desk.units.look(lambda unit: relocation.welcome(unit, NEW, ANNA)) is Welcome.LATER

    await desk.units.run(lambda unit: relocation.decide(unit, FREIBURG, DORA, yes=True))
    assert await desk.units.look(lambda unit: relocation.welcome(unit, NEW, ANNA)) is Welcome.YES
    assert await asked(desk) == []
    await arrive(desk)

    sent = [job for job in await desk.deliver() if isinstance(job, Send)]
    assert await key(desk) == NEW
    cards = {number: desk.homeserver.cards(number), held: desk.homeserver.cards(held)}
    assert sorted(cards[number].values()) == sorted([FREIBURG, NEW])
    assert list(cards[held].values()) == [NEW]
    assert list(desk.homeserver.cards(closed).values()) == [FREIBURG]
    silent = {job.view.number: job.silent for job in sent if isinstance(job.view, CardView)}
    assert silent == {number: True, held: False}
    (alert,) = [job for job in sent if isinstance(job.view, MessageAlert)]
    (new,) = cards[number].keys() - {old}
    assert (alert.room_id, alert.thread) == (NEW, new)
    assert await desk.units.look(reception.strangers_rooms) == ()
    assert (await desk.units.look(reception.rooms_in_use)).followed == {FREIBURG: NEW}
    # Who is in the old room only has no rights any more, and nothing happens there.
    assert (await desk.caller(BEN, FREIBURG)).actor.teams == frozenset()
    await desk.do(Action.TAKE, number, room=NEW)
    edits = {job.edits: job.room_id for job in await desk.deliver() if isinstance(job, Send)}
    assert (edits[new], set(edits.values())) == (NEW, {NEW})


async def test_an_alert_that_was_held_before_the_move_stands_under_the_new_card(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    old = await card(desk, number)
    await message(desk, number)
    await desk.finish(await next_card(desk))
    await upgraded(desk)
    await desk.deliver()
    await desk.units.run(lambda unit: relocation.decide(unit, FREIBURG, DORA, yes=True))
    await arrive(desk)
    sent = [job for job in await desk.deliver() if isinstance(job, Send)]
    (alert,) = [job for job in sent if isinstance(job.view, MessageAlert)]
    (new,) = desk.homeserver.cards(number).keys() - {old}
    assert (alert.room_id, alert.thread) == (NEW, new)


async def test_a_ticket_that_leaves_the_team_after_the_move_is_cleared_from_both_rooms(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    await upgraded(desk)
    await desk.units.run(lambda unit: relocation.decide(unit, FREIBURG, DORA, yes=True))
    await arrive(desk)
    await desk.deliver()
    assert len(desk.homeserver.cards(number)) == 2
    await desk.do(Action.TRANSFER, number, room=NEW, team="berlin")
    await desk.deliver()
    assert list(desk.homeserver.cards(number).values()) == [BERLIN]


async def test_a_room_that_does_not_say_so_itself_is_not_offered(desk: Desk) -> None:
    for predecessor in (None, "!another:example.org"):
        await upgraded(desk, predecessor=predecessor)
        assert await asked(desk) == []
        assert await desk.units.look(lambda unit: relocation.welcome(unit, NEW, ANNA)) is Welcome.NO
        await desk.update(NEW, membership="leave")
        desk.clock.advance(days=1)
    assert (await told(desk)).count("move_rejected") == 2


async def test_what_the_invitation_promised_is_looked_at_again_inside(desk: Desk) -> None:
    await upgraded(desk)
    await desk.units.run(lambda unit: relocation.decide(unit, FREIBURG, DORA, yes=True))
    await arrive(desk, predecessor="!another:example.org")
    assert await key(desk) == FREIBURG
    assert await desk.units.look(reception.strangers_rooms) == (NEW,)
    assert "move_rejected" in await told(desk)


async def test_no_is_kept_until_the_bot_is_invited_again(desk: Desk) -> None:
    await upgraded(desk)
    await desk.units.run(lambda unit: relocation.decide(unit, FREIBURG, DORA, yes=False))
    assert await desk.units.look(lambda unit: relocation.welcome(unit, NEW, ANNA)) is Welcome.NO
    await desk.update(NEW, membership="invite", invited_by=ANNA, predecessor=FREIBURG)
    assert await asked(desk) == []
    await desk.units.run(lambda unit: reception.left(unit, NEW))
    desk.clock.advance(days=1)
    await desk.update(NEW, membership="invite", invited_by=ANNA, predecessor=FREIBURG)
    assert len(await asked(desk)) == 1


async def test_an_admin_can_ask_for_the_move_before_the_bot_is_invited(desk: Desk) -> None:
    with pytest.raises(NoSuccessor):
        await desk.units.run(lambda unit: relocation.follow(unit, "team:freiburg", DORA))
    await desk.update(FREIBURG, replaced_by=NEW)
    for _time in range(2):
        await desk.units.run(lambda unit: relocation.follow(unit, "team:freiburg", DORA))
    assert [each.new_room_id for each in await desk.units.look(relocation.wanted)] == [NEW]
    await desk.units.run(lambda unit: relocation.shut_out(unit, FREIBURG))
    assert await desk.units.look(relocation.wanted) == ()
    await desk.update(NEW, membership="invite", invited_by=ANNA, predecessor=None)
    assert await desk.units.look(lambda unit: relocation.welcome(unit, NEW, ANNA)) is Welcome.YES
    await arrive(desk)
    assert await key(desk) == NEW
    assert [what for what in await told(desk) if what.startswith(("move", "room_"))] == [
        "move_shut_out", "room_moved",
    ]  # fmt: skip


async def test_a_bot_that_was_in_the_new_room_already_is_asked_about_and_moves(desk: Desk) -> None:
    await arrive(desk)
    await desk.update(FREIBURG, replaced_by=NEW)
    assert await desk.units.look(reception.strangers_rooms) == ()
    assert len(await asked(desk)) == 1
    await desk.units.run(lambda unit: relocation.decide(unit, FREIBURG, DORA, yes=True))
    await desk.units.run(lambda unit: room_updates.settle_move(unit, FREIBURG))
    assert await key(desk) == NEW


async def test_an_invitation_that_comes_before_the_tombstone_waits_if_it_is_a_members(desk: Desk) -> None:
    for inviter, expected in ((ANNA, Welcome.LATER), (DORA, Welcome.LATER), (CARLA, Welcome.NO)):
        await desk.update(NEW, membership="invite", invited_by=inviter, predecessor=FREIBURG)
        assert await desk.units.look(partial(relocation.welcome, room_id=NEW, inviter=inviter)) is expected
    await desk.update(FREIBURG, replaced_by=NEW)
    assert len(await asked(desk)) == 1


# Strangers


async def test_of_rooms_that_are_none_of_the_bots_nothing_is_kept(desk: Desk) -> None:
    for room_id in ("!a:example.org", "!b:example.org"):
        await desk.update(room_id, membership="join", members={BOT: "", ANNA: "", BEN: ""})
    await desk.units.run(lambda unit: reception.left(unit, "!a:example.org"))
    await desk.update("!b:example.org", membership="leave")
    await desk.update("!never:example.org", membership="leave")
    known = {row["room_id"] for row in (await desk.rows())["rooms"]}
    assert known == {FREIBURG, BERLIN, TRIAGE, ADMINS}
    assert {row["room_id"] for row in (await desk.rows())["room_members"]} == known
