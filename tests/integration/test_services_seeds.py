"""The reactions that cards offer, and what a tap on one does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from bot.domain.errors import NothingToUndo, TakenBy, UnknownTicket
from bot.domain.words import Action, Intake, Status
from bot.services import arrivals, outcomes, people, purge, seeds, taps
from bot.services.arrivals import NewMessage
from bot.services.echoes import Echo
from bot.services.jobs import Clear, Seed, Send
from bot.services.reception import Batch, ReceivedEvent, Redaction, receive
from bot.services.taps import TappedCard
from bot.services.unit import Unit
from storage import inbox, posted
from tests.integration.desk_data import (
    ANNA,
    BEN,
    BERLIN,
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


async def tap(desk: Desk, action: Action, number: int, by: str = ANNA, cause: str | None = None) -> None:
    """One tap on a card in its room."""

    def work(unit: Unit) -> None:
        caller = people.caller_of(unit, by, FREIBURG, cause)
        taps.tap(unit, action, number, caller)

    await desk.units.run(work)


async def test_a_new_card_offers_what_can_be_done(desk: Desk) -> None:
    number = await desk.open()
    jobs = await desk.deliver()
    assert isinstance(jobs[-1], Seed)
    assert await desk.seeded(number) == ["🙋", "⏳", "✅", "🚫"]


async def test_a_topic_without_waiting_list_offers_none(desk: Desk) -> None:
    number = await desk.open(topic="other")
    await desk.deliver()
    assert await desk.seeded(number) == ["🙋", "✅", "🚫"]
    await desk.do(Action.TOPIC, number, topic="Spendenanfrage")
    await desk.deliver()
    assert sorted(await desk.seeded(number)) == sorted(["🙋", "⏳", "✅", "🚫"])


@pytest.mark.parametrize(
    ("actions", "offered"),
    [
        ((Action.TAKE,), "⏳✅🚫"),
        ((Action.WAIT,), "✅🙋🚫"),
        ((Action.TAKE, Action.RELEASE), "⏳✅🙋🚫"),
        ((Action.TAKE, Action.WAIT, Action.TAKE), "⏳✅🚫"),
    ],
)
async def test_what_is_offered_follows_the_status(
    desk: Desk, actions: tuple[Action, ...], offered: str
) -> None:
    number = await desk.open()
    for action in actions:
        await desk.deliver()
        await desk.do(action, number)
    await desk.deliver()
    assert "".join(sorted(await desk.seeded(number))) == offered


@pytest.mark.parametrize("action", [Action.CLOSE, Action.SPAM])
async def test_a_close_or_spam_can_be_taken_back_for_ten_minutes(desk: Desk, action: Action) -> None:
    number = await desk.open()
    await desk.deliver()
    await desk.do(action, number)
    await desk.deliver()
    assert await desk.seeded(number) == ["↩️"]
    desk.clock.advance(minutes=9, seconds=59)
    await desk.deliver()
    assert await desk.seeded(number) == ["↩️"]
    desk.clock.advance(seconds=1)
    await desk.deliver()
    assert await desk.seeded(number) == []
    assert await desk.outbox(state="waiting") == []


async def test_after_an_undo_the_card_offers_what_it_did(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    await desk.do(Action.CLOSE, number)
    await desk.deliver()
    await tap(desk, Action.UNDO, number)
    await desk.deliver()
    assert sorted(await desk.seeded(number)) == sorted(["🙋", "⏳", "✅", "🚫"])
    desk.clock.advance(minutes=11)
    await desk.deliver()
    assert len(await desk.seeded(number)) == 4


async def test_many_changes_become_one_round(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    for action in (Action.TAKE, Action.WAIT, Action.TAKE, Action.CLOSE, Action.REOPEN):
        await desk.do(action, number)
    jobs = await desk.deliver()
    assert len([job for job in jobs if isinstance(job, Seed)]) == 0
    await desk.do(Action.CLOSE, number)
    await desk.do(Action.REOPEN, number)
    await desk.do(Action.WAIT, number)
    jobs = await desk.deliver()
    assert len([job for job in jobs if isinstance(job, Seed)]) == 1


async def test_a_change_in_the_middle_of_a_round_is_followed_by_another(desk: Desk) -> None:
    number = await desk.open()
    (card,) = await desk.claim()
    await desk.finish(card)
    (job,) = await desk.claim()
    assert isinstance(job, Seed)
    await desk.do(Action.TAKE, number)
    await desk.finish(job)
    assert "🙋" in await desk.seeded(number)
    await desk.deliver()
    assert await desk.seeded(number) == ["⏳", "✅", "🚫"]


async def test_a_crash_between_two_reactions_leaves_nothing_to_clear_up(desk: Desk) -> None:
    number = await desk.open()
    (card,) = await desk.claim()
    await desk.finish(card)
    (job,) = await desk.claim()
    assert isinstance(job, Seed)
    first = desk.homeserver.react(job.plan.event_id, "🙋")
    await desk.units.run(lambda unit: outcomes.seed_placed(unit, job.plan, "🙋", first))
    (again,) = await desk.claim()
    assert isinstance(again, Seed)
    assert (again.tx_id, again.plan.add) == (job.tx_id, ("⏳", "✅", "🚫"))
    await desk.deliver()
    assert await desk.seeded(number) == ["🙋", "⏳", "✅", "🚫"]


async def test_one_that_no_answer_told_of_goes_when_it_is_not_wanted_any_more(desk: Desk) -> None:
    """The bot died after the homeserver had it; until the next start the ticket was closed."""
    number = await desk.open()
    (job,) = await desk.claim()
    await desk.finish(job)
    (seed,) = await desk.claim()
    assert isinstance(seed, Seed)
    lost = desk.homeserver.react(seed.plan.event_id, "🙋")
    await desk.do(Action.CLOSE, number)
    echo = Echo(f"{seed.tx_id}-…", lost, FREIBURG, on=seed.plan.event_id, key="🙋")
    await desk.units.run(lambda unit: receive(unit, Batch("t1", echoes=(echo,))))
    await desk.deliver()
    assert await desk.seeded(number) == ["↩️"]


async def test_one_that_is_gone_without_an_answer_is_placed_again_when_it_is_wanted(desk: Desk) -> None:
    """Closing took it away, the answer was lost, and by the next attempt somebody had taken the ticket."""
    number = await desk.open()
    await desk.deliver()
    card = next(iter(desk.homeserver.cards(number)))
    await desk.do(Action.CLOSE, number)
    spam = next(event_id for event_id, (_, key) in desk.homeserver.reactions.items() if key == "🚫")
    desk.homeserver.redact(spam)
    await desk.do(Action.TAKE, number)
    await desk.deliver()
    assert "🚫" not in desk.homeserver.on(card)
    told = Redaction(spam, FREIBURG, by_bot=True)
    await desk.units.run(lambda unit: receive(unit, Batch("t1", redactions=(told,))))
    await desk.deliver()
    assert sorted(await desk.seeded(number)) == sorted(["⏳", "✅", "🚫"])


async def test_the_echo_of_a_reaction_that_is_known_changes_nothing(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    card = next(iter(desk.homeserver.cards(number)))
    known = next(event_id for event_id, (_, key) in desk.homeserver.reactions.items() if key == "🙋")
    echoes = (
        Echo("tx", known, FREIBURG, on=card, key="🙋"),
        Echo("tx", "$ack", FREIBURG, on="$a-command", key="✅"),
    )
    await desk.units.run(lambda unit: receive(unit, Batch("t1", echoes=echoes)))
    assert await desk.outbox(state="waiting") == []
    with desk.database.read() as session:
        assert set(posted.seeds_on(session, card)) == {"🙋", "⏳", "✅", "🚫"}


async def test_reactions_that_are_refused_block_and_report_nothing(desk: Desk) -> None:
    number = await desk.open()
    (card,) = await desk.claim()
    await desk.finish(card)
    (job,) = await desk.claim()
    await desk.units.run(lambda unit: outcomes.failed(unit, job.row_id, FREIBURG, "M_FORBIDDEN"))
    assert await desk.outbox(state="waiting") == []
    await desk.do(Action.TAKE, number)
    assert len(await desk.outbox(state="waiting")) == 2


async def test_one_that_could_not_be_taken_away_is_found_when_it_is_wanted_again(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    await desk.do(Action.TAKE, number)
    for job in await desk.claim():
        if not isinstance(job, Seed):
            await desk.finish(job)
            continue
        ((key, event_id),) = job.plan.remove
        assert key == "🙋"
        await desk.units.run(
            partial(outcomes.redacted, event_id=event_id, number=number, error="M_FORBIDDEN")
        )
        await desk.units.run(partial(seeds.looked_after, row_id=job.row_id, tried=job.plan))
    await desk.do(Action.RELEASE, number)
    await desk.deliver()
    assert await desk.outbox(state="waiting") == []
    with desk.database.read() as session:
        card = posted.card(session, number)
        assert card is not None
        assert set(posted.seeds_on(session, card.event_id)) == {"🙋", "⏳", "✅", "🚫"}


async def test_what_a_round_did_not_achieve_is_tried_again_after_a_pause(desk: Desk) -> None:
    number = await desk.open()
    (card,) = await desk.claim()
    await desk.finish(card)
    (job,) = await desk.claim()
    assert isinstance(job, Seed)
    await desk.units.run(partial(seeds.looked_after, row_id=job.row_id, tried=job.plan))
    assert await desk.claim() == ()
    desk.clock.now += timedelta(minutes=1)
    await desk.deliver()
    assert await desk.seeded(number) == ["🙋", "⏳", "✅", "🚫"]


async def test_a_change_while_a_round_ends_is_not_missed(postgres_database: str) -> None:
    """Both read what the other has not written yet; on SQLite one waits for the other."""
    async with desk_on(postgres_database) as desk:
        number = await desk.open()
        (card,) = await desk.claim()
        await desk.finish(card)
        (job,) = await desk.claim()
        assert isinstance(job, Seed)
        for key in job.plan.add:
            event_id = desk.homeserver.react(job.plan.event_id, key)
            await desk.units.run(partial(outcomes.seed_placed, plan=job.plan, key=key, event_id=event_id))
        rounds: list[int] = []
        loop = asyncio.get_running_loop()

        def end(unit: Unit) -> None:
            seeds.looked_after(unit, job.row_id, job.plan)
            if not rounds:
                asyncio.run_coroutine_threadsafe(desk.do(Action.CLOSE, number), loop).result(10)
            rounds.append(1)

        await desk.units.run(end)
        await desk.deliver()
        assert await desk.seeded(number) == ["↩️"]
        assert len(rounds) == 2


async def test_a_message_to_spam_ends_what_a_tap_could_take_back(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.SPAM, number)
    await desk.deliver()
    assert await desk.seeded(number) == ["↩️"]
    await desk.units.run(
        lambda unit: arrivals.receive_message(unit, number, NewMessage("Buy now", Intake.HTTP))
    )
    await desk.deliver()
    assert await desk.seeded(number) == []


async def test_a_closed_room_is_waited_for(desk: Desk) -> None:
    number = await desk.open()
    (card,) = await desk.claim()
    await desk.finish(card)
    await desk.update(FREIBURG, join_rule="public")
    await desk.deliver()
    assert await desk.seeded(number) == []
    await desk.update(FREIBURG, join_rule="invite")
    await desk.deliver()
    assert await desk.seeded(number) == ["🙋", "⏳", "✅", "🚫"]


async def test_a_transfer_takes_the_reactions_along(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    await desk.do(Action.TRANSFER, number, team="berlin")
    await desk.deliver()
    assert await desk.seeded(number) == ["🙋", "⏳", "✅", "🚫"]
    assert len(desk.homeserver.reactions) == 4


@pytest.mark.parametrize("late", [False, True])
async def test_a_reaction_that_was_on_its_way_when_its_card_went_goes_too(desk: Desk, late: bool) -> None:
    number = await desk.open()
    (card,) = await desk.claim()
    await desk.finish(card)
    (job,) = await desk.claim()
    assert isinstance(job, Seed)
    await desk.do(Action.TRANSFER, number, team="berlin")
    retire = None
    while retire is None:
        (other,) = await desk.claim([job.row_id])
        if isinstance(other, Clear):
            retire = other
        else:
            await desk.finish(other)
    seed = desk.homeserver.react(job.plan.event_id, "🙋")
    if not late:
        await desk.units.run(lambda unit: outcomes.seed_placed(unit, job.plan, "🙋", seed))
    await desk.finish(retire)
    if late:
        await desk.units.run(lambda unit: outcomes.seed_placed(unit, job.plan, "🙋", seed))
    await desk.deliver()
    assert desk.homeserver.on(job.plan.event_id) == []
    assert await desk.seeded(number) == ["🙋", "⏳", "✅", "🚫"]


async def test_a_purge_takes_them_too(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    await desk.do(Action.DELETE, number, DORA)
    caller = await desk.caller(DORA)
    await desk.units.run(lambda unit: purge.purge(unit, number, caller))
    await desk.deliver()
    assert desk.homeserver.reactions == {}


async def test_turned_off_there_are_none(database_url: str) -> None:
    async with desk_on(database_url, replace(POLICY, one_tap=False)) as desk:
        number = await desk.open()
        await desk.deliver()
        assert await desk.seeded(number) == []
        event_id = next(iter(desk.homeserver.cards(number)))
        assert await desk.units.look(lambda unit: taps.find(unit, event_id)) is None


# Taps


async def test_a_card_is_found_by_its_event(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    event_id = next(iter(desk.homeserver.cards(number)))
    found = await desk.units.look(lambda unit: taps.find(unit, event_id))
    assert found == TappedCard(number, event_id, event_id)
    assert await desk.units.look(lambda unit: taps.find(unit, "$other")) is None


async def test_two_taps_at_once_are_both_a_success(desk: Desk) -> None:
    number = await desk.open()
    for action in (Action.WAIT, Action.CLOSE, Action.SPAM):
        await tap(desk, action, number, ANNA)
        await tap(desk, action, number, BEN)
        assert [entry.action for entry in await desk.history(number)].count(action.value) == 1


async def test_taking_twice_is_a_success_for_the_same_person_only(desk: Desk) -> None:
    number = await desk.open()
    await tap(desk, Action.TAKE, number, ANNA)
    await tap(desk, Action.TAKE, number, ANNA)
    with pytest.raises(TakenBy):
        await tap(desk, Action.TAKE, number, BEN)


async def test_undo_twice_is_a_success_for_the_same_person_only(desk: Desk) -> None:
    number = await desk.open()
    await tap(desk, Action.CLOSE, number, ANNA)
    with pytest.raises(NothingToUndo):
        await tap(desk, Action.UNDO, number, BEN)
    await tap(desk, Action.UNDO, number, ANNA)
    await tap(desk, Action.UNDO, number, ANNA)
    assert (await desk.ticket(number)).status == Status.OPEN
    with pytest.raises(NothingToUndo):
        await tap(desk, Action.UNDO, number, BEN)


async def test_a_stranger_cannot_tap(desk: Desk) -> None:
    number = await desk.open()

    def work(unit: Unit) -> None:
        taps.tap(unit, Action.TAKE, number, people.caller_of(unit, CARLA, BERLIN))

    with pytest.raises(UnknownTicket):
        await desk.units.run(work)


async def test_the_same_tap_after_a_crash_does_nothing_more(desk: Desk) -> None:
    number = await desk.open()
    await tap(desk, Action.CLOSE, number, ANNA, "$tap")
    await tap(desk, Action.UNDO, number, ANNA, "$undo")
    await tap(desk, Action.CLOSE, number, ANNA, "$tap")
    assert (await desk.ticket(number)).status == Status.OPEN


# What comes in


async def test_only_reactions_on_what_can_be_tapped_are_kept(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    card = next(iter(desk.homeserver.cards(number)))
    content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": card, "key": "🙋"}}
    events = tuple(
        ReceivedEvent(event_id, FREIBURG, ANNA, content, START, tapped=target)
        for event_id, target in (("$one", card), ("$two", "$a-members-message"))
    )
    await desk.units.run(lambda unit: receive(unit, Batch("t1", events=events)))
    waiting = await desk.units.look(lambda unit: inbox.waiting(unit.session, 10, unit.now))
    assert [(row.event_id, row.kind) for row in waiting] == [("$one", "reaction")]


async def test_what_is_said_in_a_thread_is_what_a_further_message_replies_to(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    card = next(iter(desk.homeserver.cards(number)))
    said = ReceivedEvent("$said", FREIBURG, ANNA, None, START, thread=card)
    await desk.units.run(lambda unit: receive(unit, Batch("t1", events=(said,))))
    await desk.do(Action.ASSIGN, number, ANNA, person="Ben")
    (alert,) = [job for job in await desk.deliver() if isinstance(job, Send) and job.thread]
    assert (alert.thread, alert.latest) == (card, "$said")
    found = await desk.units.look(lambda unit: taps.find(unit, card))
    assert isinstance(found, TappedCard)
    assert found.latest not in (card, "$said")
