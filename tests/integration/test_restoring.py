"""Own events that the database does not know prove that it was restored; each says what it stands for."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from bot.domain.mail import LetterState, MailPolicy
from bot.domain.words import Action
from bot.services import (
    answers,
    digest,
    letters,
    mail_jobs,
    moves,
    outcomes,
    people,
    quiet,
    reception,
    restoring,
)
from bot.services.echoes import Echo
from bot.services.jobs import Send
from bot.services.letter_views import ReplyPost
from bot.services.moves import Wish
from bot.services.reception import Batch, ReceivedEvent, RoomUpdate
from bot.services.restoring import MARGIN, GuardedUnits, RepeatedUnits
from bot.services.unit import DatabaseUnavailable, Unit
from bot.services.views import RestoredReport
from storage import posted
from storage.models import PostedEvent, QuietNote
from tests.integration.desk_data import (
    ADMINS,
    ANNA,
    BERLIN,
    FREIBURG,
    POLICY,
    START,
    Desk,
    desk_on,
    put,
)

LATER = START + timedelta(days=1)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


def stray(event_id: str, room: str = FREIBURG, at: datetime = LATER, **about: Any) -> Echo:
    """A message of the bot that the backup knows nothing of."""
    return Echo(f"tx{event_id}", event_id, room, sent_at=at, about={"numbers": [], **about})


async def first_sync(desk: Desk, *echoes: Echo, events: tuple[ReceivedEvent, ...] = (), **more: Any) -> None:
    """What the first sync of a run brings."""
    batch = Batch("t1", echoes=echoes, events=events, first=True, **more)
    await desk.units.run(lambda unit: reception.receive(unit, batch))


async def report(desk: Desk) -> RestoredReport | None:
    """What the admins are told, if anything."""
    for job in await desk.deliver():
        if isinstance(job, Send) and isinstance(job.view, RestoredReport):
            assert job.room_id == ADMINS
            return job.view
    return None


def command(event_id: str, at: datetime = LATER) -> ReceivedEvent:
    """A command of Anna's."""
    return ReceivedEvent(event_id, FREIBURG, ANNA, {"body": "!take 1"}, at)


async def again(desk: Desk) -> Mapping[str, Any]:
    """Waiting events → what is known of the answers that they had."""
    return {each.event_id: each.again for each in await desk.units.look(reception.waiting)}


async def test_a_new_number_is_higher_than_any_that_the_rooms_know(desk: Desk) -> None:
    assert await desk.open() == 1
    await first_sync(desk, stray("$1", kind="card", numbers=[7]), stray("$2", kind="answer", numbers=[9, 3]))
    assert await desk.open() == 9 + MARGIN + 1
    found = await report(desk)
    assert found is not None
    assert ([each.number for each in found.lost], found.highest) == ([7], 9 + MARGIN)
    assert (found.lost[0].room_id, found.lost[0].event_id) == (FREIBURG, "$1")


async def test_a_higher_number_of_its_own_is_never_lowered(desk: Desk) -> None:
    for _ in range(30):
        await desk.open()
    await first_sync(desk, stray("$1", kind="answer", numbers=[2]))
    assert await desk.open() == 31


async def test_an_empty_desk_takes_a_number_up_as_well(desk: Desk) -> None:
    await first_sync(desk, stray("$1", kind="card", numbers=[1]))
    assert await desk.open() == 1 + MARGIN + 1


async def test_own_events_that_it_knows_prove_nothing(desk: Desk) -> None:
    """Not even one whose row went on to something else before the echo came."""
    number = await desk.open()
    (row,) = await desk.outbox(kind="card")
    await desk.deliver()
    (card,) = desk.homeserver.cards(number)
    await first_sync(desk, Echo("another tx", card, FREIBURG), Echo(f"{row.tx_id}-f09f", "$seed", FREIBURG))
    assert await report(desk) is None
    assert await desk.open() == number + 1


async def test_only_the_first_sync_of_a_run_can_prove_it(desk: Desk) -> None:
    batch = Batch("t2", echoes=(stray("$1", kind="card", numbers=[7]),))
    await desk.units.run(lambda unit: reception.receive(unit, batch))
    assert await report(desk) is None


async def test_the_admins_are_told_once_the_commands_are_done_again(desk: Desk) -> None:
    echo = Echo(
        "tx", "$answer", FREIBURG, sent_at=LATER, answers="$new", about={"kind": "answer", "numbers": [5]}
    )
    card = stray("$card", kind="card", numbers=[5])
    await first_sync(desk, echo, card, events=(command("$new"),))
    assert await again(desk) == {"$new": {"done": False, "numbers": [5]}}
    assert await report(desk) is None
    (incoming,) = await desk.units.look(reception.waiting)
    units = RepeatedUnits(desk.units, incoming.sent_at)
    number = await units.run(lambda unit: restoring.number_for(unit, "$new"))
    assert number == 5
    await desk.units.run(lambda unit: reception.handled(unit, incoming))
    desk.clock.advance(seconds=3)
    found = await report(desk)
    assert found is not None
    assert [each.number for each in found.lost] == [5]


async def test_which_commands_were_answered_and_which_were_not(desk: Desk) -> None:
    done = Echo("1", "$1", FREIBURG, sent_at=LATER, on="$done", key="✅")
    told = Echo("2", "$2", FREIBURG, answers="$told", about={"kind": "answer", "numbers": []})
    # An alert in a thread falls back to a reply to the thread's last event, which it does not answer.
    alert = Echo("3", "$3", FREIBURG, answers="$open", about={"kind": "alert", "numbers": []})
    events = tuple(command(f"${name}") for name in ("done", "told", "open"))
    await first_sync(desk, done, told, alert, events=events)
    assert await again(desk) == {
        "$done": {"done": True, "numbers": []},
        "$told": {"done": False, "numbers": []},
        "$open": None,
    }


async def test_what_is_done_again_is_done_at_its_time_and_silently(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    desk.clock.advance(days=2)

    def work(unit: Unit) -> None:
        caller = people.caller_of(unit, ANNA, FREIBURG, "$1")
        moves.move(unit, Action.TRANSFER, number, caller, Wish(team="berlin"))
        answers.acknowledge(unit, FREIBURG, "$1")

    await RepeatedUnits(desk.units, START + timedelta(hours=1)).run(work)
    assert (await desk.history(number))[-1].at == START + timedelta(hours=1)
    kinds = sorted(row.kind for row in await desk.outbox(state="waiting"))
    assert kinds == ["card", "retire", "seed"]
    assert not desk.units.signals.at_once
    jobs = await desk.deliver()
    assert [job for job in jobs if isinstance(job, Send) and job.room_id == FREIBURG] == []
    assert list(desk.homeserver.cards(number).values()) == [BERLIN]


async def test_a_reply_that_went_out_since_the_backup_is_not_sent_again(database_url: str) -> None:
    async with desk_on(database_url, replace(POLICY, mail=MailPolicy("example.org"))) as desk:
        number = await desk.open()
        await desk.deliver()

        def reply(unit: Unit, cause: str) -> None:
            letters.reply(unit, number, "Friday.", people.caller_of(unit, ANNA, FREIBURG, cause))

        for cause in ("$sent", "$waits"):
            await desk.units.run(partial(reply, cause=cause))
        desk.clock.advance(days=2)
        await first_sync(desk, Echo("1", "$1", FREIBURG, sent_at=LATER, on="$sent", key="✅"))
        (waits,) = await desk.outbox(channel="email", state="waiting")
        views = [job.view for job in await desk.deliver() if isinstance(job, Send)]
        shown = {view.state: view for view in views if isinstance(view, ReplyPost)}
        assert waits.payload == {"letter": shown[LetterState.WAITING].letter.id}
        assert shown[LetterState.SENT].done_at == LATER
        # Once more in the same way is no harm: it is known which one was sent.
        claimed = await desk.units.run(mail_jobs.claim)
        assert claimed.job is not None
        assert claimed.job.letter.id == waits.payload["letter"]


async def test_a_card_that_stands_in_the_new_room_is_found(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    await first_sync(desk, stray("$moved", BERLIN, kind="card", numbers=[number]))
    await desk.do(Action.TRANSFER, number, team="berlin")
    jobs = await desk.deliver()
    cards = [job for job in jobs if isinstance(job, Send) and job.view is not None and job.edits == "$moved"]
    assert len(cards) == 1
    assert desk.homeserver.cards(number) == {}, "no second card, and the old one is gone"
    card = await desk.database.reading(lambda session: posted.card(session, number))
    assert card is not None
    assert (card.room_id, card.event_id) == (BERLIN, "$moved")


async def test_a_lost_tickets_card_never_becomes_that_of_another_with_its_number(desk: Desk) -> None:
    desk.clock.advance(minutes=1)
    number = await desk.open(subject="Somebody else's")
    await first_sync(desk, stray("$lost", at=START, kind="card", numbers=[number]))
    jobs = await desk.deliver()
    (told,) = [job.view for job in jobs if isinstance(job, Send) and isinstance(job.view, RestoredReport)]
    assert [job for job in jobs if isinstance(job, Send) and job.edits == "$lost"] == []
    assert list(desk.homeserver.cards(number).values()) == [FREIBURG]
    assert [each.event_id for each in told.lost] == ["$lost"]
    assert told.doubtful == (number,)


async def test_an_edit_that_was_given_up_is_no_sign_of_a_restore(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    await desk.do(Action.TAKE, number)
    (edit,) = [job for job in await desk.claim() if isinstance(job, Send) and job.edits]
    arrived = desk.homeserver.send(edit)  # and the answer is lost
    await desk.units.run(
        lambda unit: outcomes.later(unit, edit.row_id, timedelta(seconds=1), "timeout", nothing_arrived=False)
    )
    await desk.do(Action.TRANSFER, number, team="berlin")
    desk.clock.advance(seconds=5)
    await desk.deliver()
    about: dict[str, Any] = {"kind": "edit", "numbers": [number]}
    await first_sync(desk, Echo(edit.tx_id, arrived, FREIBURG, sent_at=LATER, on=edit.edits, about=about))
    assert await report(desk) is None
    found = await desk.database.reading(lambda session: posted.about(session, number))
    assert arrived in [event.event_id for event in found], "a purge finds it"


async def test_a_card_that_was_edited_shows_again_what_is_known(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    (card,) = desk.homeserver.cards(number)
    desk.homeserver.reactions.clear()  # as a later status had it
    edit = Echo("e", "$edit", FREIBURG, on=card, about={"kind": "edit", "numbers": [number]})
    await first_sync(desk, edit)
    jobs = await desk.deliver()
    assert [job.edits for job in jobs if isinstance(job, Send) and job.edits] == [card]
    assert await desk.seeded(number) == ["🙋", "⏳", "✅", "🚫"]
    found = await desk.database.reading(lambda session: posted.get(session, "$edit"))
    assert found is not None
    assert (found.kind, found.thread) == ("edit", card)


async def test_a_purge_finds_what_was_posted_since_the_backup(desk: Desk) -> None:
    number = await desk.open()
    await first_sync(desk, stray("$list", kind="answer", numbers=[number, 77]))
    about = await desk.database.reading(lambda session: posted.about(session, number))
    assert "$list" in [event.event_id for event in about]


async def test_a_digest_is_not_sent_twice_on_its_day(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.WAIT, number)
    day, zone = date(2026, 11, 24), POLICY.zone
    await first_sync(desk, stray("$1", kind="digest", team="freiburg", day="2026-11-24"))
    assert not await desk.units.run(lambda unit: digest.send_digest(unit, "freiburg", day, zone))
    assert await desk.units.run(lambda unit: digest.send_digest(unit, "freiburg", day + timedelta(1), zone))


async def test_a_room_is_not_greeted_twice(database_url: str) -> None:
    async with desk_on(database_url, greeted=False) as desk:
        await desk.deliver()
        direct = "!direct:example.org"
        members = {POLICY.bot_user: "Bot", ANNA: "Anna"}
        update = RoomUpdate(direct, membership="join", members=members)
        await first_sync(desk, stray("$hello", direct, kind="alert", what="greeting"), rooms=(update,))
        assert [row.room for row in await desk.alerts("greeting")] == []


async def test_a_reminder_is_not_told_twice(desk: Desk) -> None:
    number = await desk.open()
    note: dict[str, Any] = {"room": "team:freiburg", "number": number, "what": "card", "people": []}
    await put(
        desk.database,
        QuietNote(tx_id="1", at=START, **note),
        QuietNote(tx_id="2", at=LATER + timedelta(hours=1), **note),
    )
    await first_sync(desk, stray("$1", kind="reminder", numbers=[number]))
    told = await desk.database.reading(lambda session: session.get(QuietNote, "1"))
    left = await desk.database.reading(lambda session: session.get(QuietNote, "2"))
    assert told is not None
    assert left is not None
    assert (told.reminder, left.reminder) == ("tx$1", None)
    assert await desk.units.run(quiet.remind) == 1


async def test_the_admins_are_not_told_twice_of_a_room(desk: Desk) -> None:
    about: dict[str, Any] = {"kind": "report", "what": "room", "room_id": FREIBURG, "problems": ["public"]}
    update = RoomUpdate(FREIBURG, join_rule="public")
    await first_sync(desk, stray("$1", ADMINS, **about), rooms=(update,))
    assert await desk.alerts("room") == []
    await desk.update(BERLIN, join_rule="public")
    assert len(await desk.alerts("room")) == 1


async def test_a_question_that_nobody_knows_offers_nothing_any_more(desk: Desk) -> None:
    question = stray("$question", kind="answer")
    offered = Echo("row-e29c85", "$tick", FREIBURG, on="$question", key="✅")
    await first_sync(desk, question, offered)
    waiting = [row.payload for row in await desk.outbox(kind="untap", state="waiting")]
    assert waiting == [{"event_id": "$tick"}]


async def test_a_lost_tickets_card_offers_nothing_any_more(desk: Desk) -> None:
    offered = Echo("row-e29c85", "$tick", FREIBURG, on="$card", key="✅")
    await first_sync(desk, stray("$card", kind="card", numbers=[7]), offered)
    assert await report(desk) is not None
    assert [row.payload for row in await desk.outbox(kind="untap")] != []


async def test_words_of_strangers_with_the_bots_account_do_no_harm(desk: Desk) -> None:
    odd: list[Mapping[str, Any]] = [
        {"kind": 7, "numbers": "many"},
        {"kind": "digest", "day": "someday", "team": "freiburg"},
        {"kind": "digest", "day": 7},
        {"kind": "report", "what": "room", "room_id": 7, "problems": 3},
        {"kind": "card", "numbers": [True, "7", None, -3, 2**70]},
    ]
    echoes = [Echo(f"t{n}", f"$odd{n}", FREIBURG, about=about) for n, about in enumerate(odd)]
    await first_sync(desk, *echoes)
    assert await desk.open() == 1
    kept = await desk.database.reading(lambda session: session.get(PostedEvent, "$odd4"))
    assert kept is not None


async def test_while_it_is_in_doubt_no_number_is_given(desk: Desk) -> None:
    assert not await desk.units.look(restoring.is_behind)
    desk.clock.advance(minutes=2)
    assert await desk.units.look(restoring.is_behind)
    closed = True
    units = GuardedUnits(desk.units, lambda: closed)
    with pytest.raises(DatabaseUnavailable):
        await units.run(lambda unit: None)
    closed = False
    await units.run(lambda unit: None)
