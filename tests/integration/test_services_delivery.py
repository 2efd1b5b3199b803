"""The outbox: what is sent, in which order, and what becomes of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from bot.domain.words import Action, Intake, Status
from bot.services import answers, arrivals, delivery, outcomes, reception, relocation
from bot.services.answers import Spot, spot_of
from bot.services.arrivals import NewMessage
from bot.services.jobs import Clear, Job, Send
from bot.services.prompts import NewPrompt, PromptKind
from bot.services.reception import Batch, Incoming
from bot.services.unit import Unit
from bot.services.views import CardView, MessageAlert, RoomReport
from storage import inbox, outbox
from storage.outbox import Kind, Priority
from tests.integration.desk_data import (
    ADMINS,
    ANNA,
    BERLIN,
    BOT,
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
    # Without the reactions on the cards, which have tests of their own.
    async with desk_on(database_url, replace(POLICY, one_tap=False)) as desk:
        yield desk


def card_of(job: Job) -> CardView:
    """The card that a job sends."""
    assert isinstance(job, Send)
    assert isinstance(job.view, CardView)
    return job.view


async def say(desk: Desk, text: str, *shows: int, room: str = FREIBURG) -> None:
    """An answer to a command."""
    spot = Spot(room, "$command")
    await desk.units.run(lambda unit: answers.answer(unit, spot, {"body": text}, shows, person=ANNA))


async def send_alert(desk: Desk, number: int) -> None:
    """A requester's message arrives."""
    message = NewMessage("Any news?", Intake.HTTP)
    await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))


async def test_a_new_card_is_sent_to_the_teams_room(desk: Desk) -> None:
    number = await desk.open()
    (job,) = await desk.claim()
    assert isinstance(job, Send)
    assert (job.room_id, job.team, job.edits, job.thread, job.search_first) == (
        FREIBURG, "freiburg", None, None, False,
    )  # fmt: skip
    assert (card_of(job).number, card_of(job).status, card_of(job).version) == (number, Status.OPEN, 1)
    assert await desk.claim([job.row_id]) == ()
    # What was claimed may have been sent before the process died.
    assert await desk.claim() == (replace(job, fresh=False),)
    await desk.finish(job)
    assert await desk.claim() == ()


async def test_answers_go_before_alerts_before_cards_before_edits(desk: Desk) -> None:
    old = await desk.open()
    await desk.deliver()
    await desk.do(Action.CLOSE, old)
    new = await desk.open()
    await desk.update(BERLIN, join_rule="public")
    await say(desk, "here you are")
    jobs = await desk.deliver()
    kinds = [type(job.view) for job in jobs if isinstance(job, Send)]
    assert kinds == [type(None), RoomReport, CardView, CardView]
    assert [card_of(job).number for job in jobs[2:]] == [new, old]


async def test_what_is_less_urgent_is_claimed_once_the_urgent_is_on_its_way(desk: Desk) -> None:
    """An answer does not wait until the cards after it are looked up."""
    await desk.open()
    await say(desk, "here you are")
    claimed = await desk.units.run(lambda unit: delivery.claim(unit, (), 10))
    (answer,) = claimed.jobs
    assert claimed.more
    claimed = await desk.units.run(lambda unit: delivery.claim(unit, [answer.row_id], 10))
    assert [type(job.view) for job in claimed.jobs if isinstance(job, Send)] == [CardView]
    assert not claimed.more


async def test_what_belongs_to_a_ticket_goes_in_order(desk: Desk) -> None:
    number = await desk.open()
    await send_alert(desk, number)
    (card,) = await desk.claim()
    assert await desk.claim([card.row_id]) == ()
    await desk.finish(card)
    (alert,) = await desk.claim()
    assert isinstance(alert, Send)
    assert isinstance(alert.view, MessageAlert)
    assert (alert.room_id, alert.thread) == (FREIBURG, "$event1")
    assert [person.name for person in alert.view.mentions] == ["Anna", "Ben"]


async def test_one_tickets_trouble_holds_up_no_other(desk: Desk) -> None:
    first, second = await desk.open(), await desk.open()
    job, _ = await desk.claim()
    later = timedelta(minutes=5)
    await desk.units.run(
        lambda unit: outcomes.later(unit, job.row_id, later, "Unreachable", nothing_arrived=False)
    )
    assert [card_of(each).number for each in await desk.claim()] == [second]
    desk.clock.advance(minutes=5)
    assert [card_of(each).number for each in await desk.claim()] == [first, second]
    (row, _) = await desk.outbox(kind="card")
    assert (row.attempts, row.error) == (1, "Unreachable")


@pytest.mark.parametrize("arrived", [False, True])
async def test_an_edit_that_cannot_have_arrived_is_not_repeated_but_brought_up_to_date(
    desk: Desk, arrived: bool
) -> None:
    number = await desk.open()
    await desk.deliver()
    await desk.do(Action.TAKE, number)
    job = next(each for each in await desk.claim() if each.kind == "card")
    assert isinstance(job, Send)
    assert job.fresh
    now = timedelta(0)
    await desk.units.run(
        lambda unit: outcomes.later(unit, job.row_id, now, "Unreachable", nothing_arrived=not arrived)
    )
    await desk.do(Action.RELEASE, number)
    edits = [each for each in await desk.deliver() if isinstance(each, Send) and each.edits is not None]
    # What may have arrived is sent once more as what it was: a homeserver that has it answers with it.
    assert len(edits) == (2 if arrived else 1)
    assert [each.fresh for each in edits] == ([False, True] if arrived else [True])


async def test_the_courier_is_told_when_to_look_again(desk: Desk) -> None:
    await desk.open()
    claimed = await desk.units.run(lambda unit: delivery.claim(unit, (), 10))
    (job,) = claimed.jobs
    assert claimed.look_again_at is None
    later = timedelta(minutes=5)
    await desk.units.run(
        lambda unit: outcomes.later(unit, job.row_id, later, "Unreachable", nothing_arrived=False)
    )
    claimed = await desk.units.run(lambda unit: delivery.claim(unit, (), 10))
    assert (claimed.jobs, claimed.look_again_at) == ((), desk.clock.now + later)
    await desk.units.run(delivery.hurry)
    assert len(await desk.claim()) == 1


async def test_what_a_clock_that_ran_ahead_put_off_is_due_once_it_is_right(desk: Desk) -> None:
    desk.clock.advance(hours=3)
    number = await desk.open()
    desk.clock.advance(hours=-3)
    assert await desk.claim() == ()
    await desk.units.run(delivery.clock_set_back)
    (job,) = await desk.claim()
    assert card_of(job).number == number


async def test_a_clock_that_was_set_back_while_the_bot_was_down_is_noticed_at_the_start(desk: Desk) -> None:
    desk.clock.advance(hours=3)
    await desk.units.run(lambda unit: reception.receive(unit, Batch("t1")))
    number = await desk.open()
    desk.clock.advance(hours=-3)
    await desk.units.run(lambda unit: reception.start(unit, BOT, "DEVICE"))
    (job,) = await desk.claim()
    assert card_of(job).number == number


async def test_a_bot_that_ends_as_its_clock_is_set_back_sees_to_it_at_the_start(desk: Desk) -> None:
    desk.clock.advance(hours=3)
    await desk.units.run(lambda unit: reception.receive(unit, Batch("t1")))
    number = await desk.open()
    desk.clock.advance(hours=-3)
    await desk.units.run(lambda unit: reception.receive(unit, Batch("t2")))
    await desk.units.run(lambda unit: reception.start(unit, BOT, "DEVICE"))
    (job,) = await desk.claim()
    assert card_of(job).number == number


async def test_a_clock_is_set_right_once(desk: Desk) -> None:
    desk.clock.advance(hours=3)
    await desk.units.run(lambda unit: reception.receive(unit, Batch("t1")))
    desk.clock.advance(hours=-3)
    await desk.units.run(delivery.clock_set_back)
    await desk.units.run(lambda unit: reception.receive(unit, Batch("t2")))
    state = await desk.units.look(lambda unit: inbox.sync_state(unit.session))
    assert (state.token, state.synced_at) == ("t2", desk.clock.now)


async def test_no_more_is_claimed_than_there_is_room_for(desk: Desk) -> None:
    for _ticket in range(3):
        await desk.open()
    claimed = await desk.units.run(lambda unit: delivery.claim(unit, (), 2))
    assert (len(claimed.jobs), claimed.more) == (2, True)


@pytest.mark.parametrize("held", [2, 3, 7, 60])
async def test_what_must_wait_hides_nothing_behind_it(desk: Desk, held: int) -> None:
    await desk.update(BERLIN, join_rule="public")
    await desk.deliver()
    for _ticket in range(held):
        await desk.open(region="berlin")
    first, second = await desk.open(), await desk.open()
    claimed = await desk.units.run(lambda unit: delivery.claim(unit, (), 1))
    (job,) = claimed.jobs
    assert (card_of(job).number, claimed.more) == (first, True)
    claimed = await desk.units.run(lambda unit: delivery.claim(unit, [job.row_id], 1))
    assert [card_of(each).number for each in claimed.jobs] == [second]


async def test_ten_changes_become_one_edit(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    for _time in range(5):
        await desk.do(Action.CLOSE, number)
        await desk.do(Action.REOPEN, number)
    assert len(await desk.outbox(state="waiting")) == 1
    (edit,) = await desk.deliver()
    assert isinstance(edit, Send)
    assert (edit.edits, card_of(edit).version) == ("$event1", 11)
    assert len(desk.homeserver.cards(number)) == 1


async def test_a_card_that_is_up_to_date_is_not_edited(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    await desk.units.run(lambda unit: outbox.refresh_card(unit.session, number, unit.now, new=False))
    assert await desk.deliver() == []


async def test_a_card_that_changed_while_it_was_sent_goes_again_as_an_edit(desk: Desk) -> None:
    number = await desk.open()
    (job,) = await desk.claim()
    assert isinstance(job, Send)
    await desk.do(Action.CLOSE, number)
    await desk.sent(job, "$card")
    (edit,) = await desk.claim()
    assert isinstance(edit, Send)
    assert edit.row_id == job.row_id
    assert edit.tx_id != job.tx_id
    assert (edit.edits, card_of(edit).status) == ("$card", Status.CLOSED)
    await desk.sent(edit, "$edit")
    assert await desk.claim() == ()
    assert len(await desk.outbox(kind="card")) == 1


async def test_being_told_twice_that_something_was_sent_is_harmless(desk: Desk) -> None:
    number = await desk.open()
    (job,) = await desk.claim()
    assert isinstance(job, Send)
    await desk.sent(job, "$card")
    await desk.do(Action.CLOSE, number)
    before = await desk.rows()
    await desk.sent(job, "$card")
    assert await desk.rows() == before


async def test_the_echo_of_an_old_card_after_it_went_again_changes_nothing(desk: Desk) -> None:
    number = await desk.open()
    (job,) = await desk.claim()
    assert isinstance(job, Send)
    await desk.do(Action.CLOSE, number)
    await desk.sent(job, "$card")
    before = await desk.rows()
    await desk.sent(job, "$card")
    assert await desk.rows() == before


async def test_a_resend_after_a_crash_tells_what_the_first_attempt_showed(desk: Desk) -> None:
    """Killed between sending and noting it: the homeserver answers the resend with the first event."""
    number = await desk.open()
    (lost,) = await desk.claim()
    assert isinstance(lost, Send)
    event_id = desk.homeserver.send(lost)
    await desk.do(Action.CLOSE, number)
    await desk.deliver()
    assert list(desk.homeserver.cards(number)) == [event_id]
    newest = list(desk.homeserver.events.values())[-1]
    assert (newest.edits, card_of(newest).status) == (event_id, Status.CLOSED)


async def test_what_is_for_an_unusable_room_waits_for_it(desk: Desk) -> None:
    await desk.update(FREIBURG, join_rule="public")
    number = await desk.open()
    assert {getattr(job, "room_id", "") for job in await desk.deliver()} == {ADMINS}
    (row,) = await desk.outbox(kind="card")
    assert (row.held, row.state) == (True, "waiting")
    await desk.update(FREIBURG, join_rule="invite")
    (row,) = await desk.outbox(kind="card")
    assert (row.held, row.next_attempt_at) == (False, desk.clock.now)
    await desk.deliver()
    assert list(desk.homeserver.cards(number).values()) == [FREIBURG]


async def test_an_answer_is_not_told_to_strangers_who_came_in_meanwhile(desk: Desk) -> None:
    spot = Spot(FREIBURG, "$show")
    secret = {"msgtype": "m.notice", "body": "Kim Doe, 0761 123"}
    await desk.units.run(lambda unit: answers.answer(unit, spot, secret, [1], person=ANNA))
    await desk.update(FREIBURG, history_visibility="world_readable")
    assert [job for job in await desk.deliver() if getattr(job, "content", None) == secret] == []
    (row,) = await desk.outbox(kind="answer")
    assert (row.state, row.payload) == ("cancelled", None)


async def test_an_old_room_is_cleared_although_the_new_one_cannot_be_used(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    await desk.update(BERLIN, join_rule="public")
    await desk.do(Action.TRANSFER, number, team="berlin")
    await desk.deliver()
    assert desk.homeserver.cards(number) == {}


async def test_an_old_room_that_strangers_entered_is_cleared_and_told_nothing(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    await desk.do(Action.TRANSFER, number, team="berlin")
    await desk.update(FREIBURG, join_rule="public")
    sent = await desk.deliver()
    assert list(desk.homeserver.cards(number).values()) == [BERLIN]
    assert not any(isinstance(job, Clear) and job.then for job in sent)


async def test_a_row_that_nobody_understands_is_set_aside(desk: Desk) -> None:
    def write(unit: Unit) -> None:
        payload = {"what": "something of a later version"}
        outbox.put(unit.session, Kind.ALERT, Priority.ALERT, unit.now, room="admin", payload=payload)

    await desk.units.run(write)
    number = await desk.open()
    await desk.deliver()
    assert list(desk.homeserver.cards(number).values()) == [FREIBURG]
    (row,) = await desk.outbox(state="failed")
    assert row.error == "internal: ValueError"


async def test_what_a_room_without_a_known_id_is_to_get_waits_for_the_id(desk: Desk) -> None:
    rooms: dict[str, tuple[str, str | None]] = {"team:freiburg": ("#freiburg:example.org", None)}
    await desk.units.run(lambda unit: reception.configure_rooms(unit, rooms))
    number = await desk.open()
    assert await desk.deliver() == []
    found = {"team:freiburg": ("#freiburg:example.org", FREIBURG)}
    await desk.units.run(lambda unit: reception.configure_rooms(unit, found))
    await desk.deliver()
    assert list(desk.homeserver.cards(number).values()) == [FREIBURG]


async def test_what_is_old_or_of_another_device_is_looked_for_first(desk: Desk) -> None:
    await desk.open()
    found = []
    for _hours in range(2):
        (job,) = await desk.claim()
        assert isinstance(job, Send)
        found.append(job.search_first)
        desk.clock.advance(hours=12, seconds=1)
    assert found == [False, True]
    await desk.open(subject="fresh")
    await desk.units.run(lambda unit: reception.start(unit, BOT, "OTHER"))
    assert [job.search_first for job in await desk.claim() if isinstance(job, Send)] == [True, True]


async def test_a_card_that_goes_again_is_no_old_one(desk: Desk) -> None:
    number = await desk.open()
    desk.clock.advance(hours=13)
    (job,) = await desk.claim()
    assert isinstance(job, Send)
    await desk.do(Action.CLOSE, number)
    await desk.sent(job, "$card")
    (edit,) = await desk.claim()
    assert isinstance(edit, Send)
    assert (job.search_first, edit.search_first) == (True, False)


async def test_a_card_that_stood_there_before_it_was_known_is_brought_up_to_date(desk: Desk) -> None:
    """After a restore it is found in the room, and may show what was true before."""
    number = await desk.open()
    await desk.do(Action.TAKE, number)
    desk.clock.advance(hours=13)
    (job,) = await desk.claim()
    assert isinstance(job, Send)
    assert (job.search_first, job.fresh) == (True, True)
    await desk.units.run(
        lambda unit: outcomes.sent(unit, job.tx_id, "$old", job.room_id, job.thread, older=True)
    )
    (edit,) = [each for each in await desk.claim() if isinstance(each, Send)]
    assert (edit.edits, isinstance(edit.view, CardView)) == ("$old", True)


async def test_a_final_refusal_is_told_to_the_admins_and_blocks_nothing(desk: Desk) -> None:
    number = await desk.open()
    await send_alert(desk, number)
    (job,) = await desk.claim()
    assert isinstance(job, Send)
    for _time in range(2):
        await desk.units.run(lambda unit: outcomes.failed(unit, job.row_id, FREIBURG, "M_TOO_LARGE"))
    (row,) = await desk.outbox(state="failed")
    assert row.error == "M_TOO_LARGE"
    (report,) = await desk.alerts("delivery")
    assert report.payload == {
        "what": "delivery", "kind": "card", "room": "team:freiburg", "numbers": [number],
        "reason": "M_TOO_LARGE", "diverted": False,
    }  # fmt: skip
    sent = await desk.deliver()
    assert MessageAlert in {type(each.view) for each in sent if isinstance(each, Send)}
    await desk.do(Action.CLOSE, number)
    await desk.deliver()
    assert len(desk.homeserver.cards(number)) == 1


async def test_a_report_that_the_admin_room_refuses_is_not_reported(desk: Desk) -> None:
    await desk.update(BERLIN, join_rule="public")
    (job,) = await desk.claim()
    await desk.units.run(lambda unit: outcomes.failed(unit, job.row_id, ADMINS, "M_FORBIDDEN"))
    assert await desk.outbox(state="waiting") == []


async def test_an_answer_stands_in_the_thread_or_replies(desk: Desk) -> None:
    plain = Incoming(1, "$command", FREIBURG, ANNA, {"body": "!list"}, START)
    content: dict[str, Any] = {"m.relates_to": {"rel_type": "m.thread", "event_id": "$root"}}
    threaded = Incoming(2, "$other", FREIBURG, ANNA, content, START)
    for spot in map(spot_of, (plain, threaded)):
        answer = partial(answers.answer, spot=spot, content={"body": "x"}, shows=(), person=ANNA)
        await desk.units.run(answer)
    relations = [(row.payload or {})["content"]["m.relates_to"] for row in await desk.outbox()]
    assert relations[0] == {"m.in_reply_to": {"event_id": "$command"}}
    assert (relations[1]["rel_type"], relations[1]["event_id"]) == ("m.thread", "$root")


async def test_the_acknowledgement_is_a_reaction(desk: Desk) -> None:
    await desk.units.run(lambda unit: answers.acknowledge(unit, FREIBURG, "$command"))
    (job,) = await desk.claim()
    assert isinstance(job, Send)
    assert (job.event_type, job.room_id) == ("m.reaction", FREIBURG)
    assert (job.content or {})["m.relates_to"] == {
        "rel_type": "m.annotation", "event_id": "$command", "key": "✅",
    }  # fmt: skip


async def test_an_answer_is_handed_over_as_it_would_be_claimed(desk: Desk) -> None:
    """The courier then sends it without a look into the outbox."""
    await desk.units.run(lambda unit: answers.acknowledge(unit, FREIBURG, "$command"))
    await say(desk, "x", 1)
    handed = list(desk.units.signals.at_once)
    assert [job.event_type for job in handed] == ["m.reaction", "m.room.message"]
    assert handed == list(await desk.claim())


async def test_an_answer_for_strangers_ears_is_not_handed_over(desk: Desk) -> None:
    await desk.update(FREIBURG, history_visibility="world_readable")
    await say(desk, "x", 1)
    assert not desk.units.signals.at_once


async def test_payloads_are_dropped_once_sent_and_traces_after_days(desk: Desk) -> None:
    number = await desk.open()
    await say(desk, "secret words", number)
    await desk.deliver()
    assert {row.payload is None for row in await desk.outbox()} == {True}
    desk.clock.advance(days=1)
    await desk.units.run(outcomes.tidy)
    assert len(await desk.outbox()) == 2
    desk.clock.advance(days=2)
    late = await desk.open(email="late@example.org")
    await desk.units.run(outcomes.tidy)
    assert [row.number for row in await desk.outbox()] == [late]
    assert {row["number"] for row in (await desk.rows())["outbox_tickets"]} == {late}


async def test_a_row_that_nothing_is_left_of_is_dropped(desk: Desk) -> None:
    def ask(unit: Unit) -> None:
        outbox.refresh_card(unit.session, 4711, unit.now, new=True)
        outbox.put(
            unit.session, Kind.ALERT, Priority.ALERT, unit.now, number=4712,
            payload={"what": "message", "message_id": 1, "author": None, "reopened": False},
        )  # fmt: skip

    await desk.update(BERLIN, name="Berlin")
    await desk.units.run(ask)
    assert await desk.deliver() == []
    assert {row.state for row in await desk.outbox()} == {"cancelled"}


async def test_the_row_of_a_prompt_that_waits_for_weeks_is_kept_so_that_no_other_takes_its_id(
    desk: Desk,
) -> None:
    """SQLite counts on from the highest id that is there."""
    await desk.update("!new:example.org", membership="invite", invited_by=ANNA, predecessor=FREIBURG)
    await desk.update(FREIBURG, replaced_by="!new:example.org")
    await desk.deliver()
    await desk.units.run(lambda unit: relocation.decide(unit, FREIBURG, DORA, yes=False))
    await desk.deliver()
    desk.clock.advance(days=3)
    await desk.units.run(outcomes.tidy)
    asked = NewPrompt(PromptKind.PAGE, {})
    for index in range(5):
        spot = Spot(BERLIN, f"$command{index}")
        await desk.units.run(
            partial(answers.answer, spot=spot, content={"body": "x"}, shows=(), person=CARLA, prompt=asked)
        )
    assert len(await desk.outbox(kind="answer")) == 5
