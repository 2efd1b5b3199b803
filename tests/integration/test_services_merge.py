"""Two tickets become one conversation, whichever is named first; and what that means for all that follows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import col, select

from bot.domain.errors import (
    MergedInto,
    NotAllowedFrom,
    NothingToUndo,
    NotSamePerson,
    Refusal,
    UndoProblem,
    UnknownTicket,
)
from bot.domain.words import Action, Intake
from bot.services import arrivals, merging, purge, reads
from bot.services.arrivals import Arrived, NewMessage
from bot.services.changes import Done
from bot.services.jobs import Send
from bot.services.unit import Units
from bot.services.views import CardView, NamedTicket, PurgeReport
from storage.database import Database
from storage.models import Task, TicketMessage
from tests.integration.conversation_data import add, note, tick
from tests.integration.desk_data import (
    ADMINS,
    ANNA,
    BEN,
    CARLA,
    DORA,
    FREIBURG,
    POLICY,
    TIM,
    Desk,
    desk_on,
)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


async def merge(desk: Desk, one: int, other: int, by: str = ANNA, **how: Any) -> Done:
    caller = replace(await desk.caller(by, how.get("room")), cause=how.get("cause"))
    force = bool(how.get("force"))
    return await desk.units.run(lambda unit: merging.merge(unit, one, other, caller, force=force))


async def write(desk: Desk, number: int, text: str, author: str | None = None) -> Arrived:
    message = NewMessage(text, Intake.HTTP, author)
    return await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))


async def do_purge(desk: Desk, number: int) -> Done:
    caller = await desk.caller(DORA)
    return await desk.units.run(lambda unit: purge.purge(unit, number, caller))


async def texts_of(desk: Desk, number: int) -> list[str]:
    with desk.database.read() as session:
        query = (
            select(TicketMessage.text).where(TicketMessage.number == number).order_by(col(TicketMessage.id))
        )
        return list(session.exec(query).all())


async def tasks_of(desk: Desk, number: int) -> list[tuple[int, str, bool]]:
    with desk.database.read() as session:
        rows = session.exec(select(Task).where(Task.number == number).order_by(col(Task.position)))
        return [(task.position, task.text, task.done_at is not None) for task in rows]


async def card(desk: Desk, number: int) -> CardView:
    view = await desk.units.look(lambda unit: reads.card_view(unit, number))
    assert view is not None
    return view


async def two(desk: Desk) -> tuple[int, int]:
    """Two tickets of one person, with messages, notes and tasks, in turn."""
    older = await desk.open(text="one")
    desk.clock.advance(minutes=1)
    newer = await desk.open(text="two", email="KIM@example.org", phone=None)
    await write(desk, older, "three")
    await note(desk, newer, "four")
    await write(desk, newer, "five")
    for number, text in ((older, "a"), (older, "b"), (newer, "c"), (newer, "d"), (newer, "e")):
        await add(desk, number, text)
    await tick(desk, newer, 2)
    return older, newer


@pytest.mark.parametrize("swapped", [False, True])
async def test_the_older_stays_with_everything_in_the_order_of_time(desk: Desk, swapped: bool) -> None:
    older, newer = await two(desk)
    await desk.deliver()
    await desk.do(Action.WAIT, newer, note="a laptop")
    since = (await desk.ticket(newer)).waiting_since
    pair = (newer, older) if swapped else (older, newer)
    assert await merge(desk, *pair) == Done(older, changed=True)
    assert await texts_of(desk, older) == ["one", "two", "three", "four", "five"]
    assert await tasks_of(desk, older) == [(1, "a", False), (2, "b", False), (3, "c", False), (4, "e", False)]
    assert (await texts_of(desk, newer), await tasks_of(desk, newer)) == ([], [(2, "d", True)])
    target, source = await desk.ticket(older), await desk.ticket(newer)
    assert (target.status, target.waiting_since, target.merged_into) == ("open", since, None)
    assert (source.status, source.merged_into) == ("closed", older)
    await desk.deliver()
    stays, goes = await card(desk, older), await card(desk, newer)
    assert (stays.excerpt, [each.number for each in stays.merged_here], stays.others) == ("one", [newer], ())
    (where,) = desk.homeserver.cards(older)
    assert goes.merged_into == NamedTicket(older, stays.status, FREIBURG, where)
    for number, other in ((older, newer), (newer, older)):
        last = (await desk.history(number))[-1]
        assert (last.action, last.who, (last.detail or {})["other"]) == ("merge", ANNA, other)


async def test_the_one_under_way_stays_though_newer_and_keeps_its_own_excerpt(desk: Desk) -> None:
    older, newer = await two(desk)
    await desk.do(Action.SPAM, older)
    assert (await merge(desk, older, newer)).number == newer
    assert (await desk.ticket(older)).status == "closed"
    assert (await card(desk, newer)).excerpt == "two"
    assert await texts_of(desk, newer) == ["one", "two", "three", "four", "five"]


async def test_a_message_follows_however_often_its_ticket_was_merged(desk: Desk) -> None:
    first, second, third = await desk.open(), await desk.open(), await desk.open()
    await merge(desk, third, second)
    await merge(desk, second, first)
    assert await write(desk, third, "still me") == Arrived(first, team="freiburg")
    assert "still me" in await texts_of(desk, first)
    await desk.do(Action.CLOSE, first)
    assert (await write(desk, third, "again")).reopened
    await desk.do(Action.CLOSE, first)
    await desk.do(Action.ARCHIVE, first, DORA)
    follower = await write(desk, third, "and again")
    assert (follower.follows, follower.number > third) == (first, True)


async def test_a_merged_ticket_sends_people_to_where_it_goes_on(desk: Desk) -> None:
    target, source = await two(desk)
    await merge(desk, target, source)
    for act in (
        desk.do(Action.TAKE, source), desk.do(Action.REOPEN, source), note(desk, source, "x"),
        merge(desk, source, target), merge(desk, await desk.open(), source),
    ):  # fmt: skip
        with pytest.raises(MergedInto) as caught:
            await act
        assert (caught.value.number, caught.value.target) == (source, target)


async def test_different_people_need_force_and_both_names_are_told(desk: Desk) -> None:
    one, other = await desk.open(), await desk.open(name="Toni Moe", email="toni@example.org")
    before = await desk.rows()
    with pytest.raises(NotSamePerson) as caught:
        await merge(desk, other, one)
    refusal = caught.value
    assert (refusal.number, refusal.name, refusal.other, refusal.other_name) == (
        other, "Toni Moe", one, "Kim Doe",
    )  # fmt: skip
    assert "Toni" not in f"{refusal} {refusal!r}"
    assert await desk.rows() == before
    assert (await merge(desk, other, one, force=True)).changed


async def test_people_who_left_nothing_but_a_name_are_not_the_same(desk: Desk) -> None:
    one, other = [await desk.open(name="–", email=None, phone=None) for _ in range(2)]
    with pytest.raises(NotSamePerson):
        await merge(desk, one, other)
    assert (await card(desk, other)).others == ()


async def test_both_must_be_known_here_and_nothing_is_told_of_a_foreign_one(desk: Desk) -> None:
    own = await desk.open()
    foreign = await desk.open(region="berlin", name="Toni Moe", email="toni@example.org")
    before = await desk.rows()
    for pair, force in (((own, foreign), False), ((foreign, own), True), ((own, 4711), False)):
        with pytest.raises(UnknownTicket) as caught:
            await merge(desk, *pair, force=force)
        assert caught.value.number == next(each for each in pair if each != own)
    with pytest.raises(Refusal):
        await merge(desk, own, foreign, TIM, room=ADMINS)
    assert await desk.rows() == before
    assert (await merge(desk, own, foreign, DORA, force=True)).changed
    # The other team's card cannot be followed from here: its number alone is named.
    assert (await card(desk, foreign)).merged_into == NamedTicket(own, (await card(desk, own)).status)


async def test_archived_and_deleted_tickets_stay_as_they_are(desk: Desk) -> None:
    one, other = await desk.open(), await desk.open()
    await desk.do(Action.CLOSE, other)
    await desk.do(Action.ARCHIVE, other, DORA)
    with pytest.raises(NotAllowedFrom) as caught:
        await merge(desk, one, other)
    assert caught.value.number == other
    await desk.do(Action.DELETE, other, DORA)
    with pytest.raises(UnknownTicket):
        await merge(desk, one, other)


def _by_id(row: dict[str, Any]) -> int:
    return int(row["id"])


@pytest.mark.parametrize("named", ["target", "source"])
async def test_undo_takes_both_apart_again(desk: Desk, named: str) -> None:
    target, source = await two(desk)
    await desk.do(Action.WAIT, target)
    desk.clock.advance(days=1)
    await desk.do(Action.TAKE, source)
    before = await desk.rows()
    await merge(desk, source, target)
    desk.clock.advance(minutes=9)
    await desk.do(Action.UNDO, target if named == "target" else source)
    after = await desk.rows()
    for table in ("messages", "tasks"):
        assert sorted(after[table], key=_by_id) == sorted(before[table], key=_by_id)
    told = ("status", "assignee", "waiting_since", "need", "merged_into", "close_reason")
    kept = [
        {row["number"]: [row[name] for name in told] for row in rows["tickets"]} for rows in (before, after)
    ]
    assert kept[0] == kept[1]
    for number in (target, source):
        assert [entry.action for entry in await desk.history(number)][-2:] == ["merge", "undo"]
        with pytest.raises(NothingToUndo):
            await desk.do(Action.UNDO, number)


async def test_undo_is_refused_once_something_happened_to_either(desk: Desk) -> None:
    target, source = await two(desk)
    await merge(desk, source, target)
    await write(desk, source, "one more thing")
    with pytest.raises(NothingToUndo) as caught:
        await desk.do(Action.UNDO, source)
    assert (caught.value.number, caught.value.problem) == (source, UndoProblem.SINCE)
    with pytest.raises(NothingToUndo):
        await desk.do(Action.UNDO, target)


async def test_the_same_event_merges_once(desk: Desk) -> None:
    target, source = await two(desk)
    assert (await merge(desk, source, target, cause="$merge")).changed
    before = await desk.rows()
    for pair in ((source, target), (target, source)):
        assert not (await merge(desk, *pair, cause="$merge")).changed
    assert await desk.rows() == before


async def _told(act: Any) -> type[Refusal] | None:
    try:
        await act
    except Refusal as refusal:
        return type(refusal)
    return None


async def test_a_merge_and_a_take_at_once_come_one_after_the_other(database_url: str) -> None:
    async with desk_on(database_url) as one:
        database = Database(database_url)
        other = Desk(database, Units(database, POLICY, one.clock), one.clock)
        try:
            for round_ in range(10):
                target, source = [await one.open(email=f"kim{round_}@example.org") for _ in range(2)]
                told = await asyncio.gather(
                    _told(merge(one, source, target)),
                    _told(other.do(Action.TAKE, source, BEN)),
                    _told(merge(other, target, source, BEN)),
                )
                left = await one.ticket(source)
                assert (left.status, left.merged_into) == ("closed", target)
                assert sorted(map(str, (told[0], told[2]))) == sorted(map(str, (None, MergedInto)))
                assert told[1] == (None if left.assignee == BEN else MergedInto)
                assert [e.action for e in await one.history(source)].count("merge") == 1
        finally:
            await database.close()


async def test_a_merge_and_messages_at_once_lose_nothing(database_url: str) -> None:
    async with desk_on(database_url) as desk:
        for spam in (False, True):
            target, source = await desk.open(text="1"), await desk.open(text="2")
            if spam:
                await desk.do(Action.SPAM, source)
            await asyncio.gather(
                write(desk, source, "3"), merge(desk, target, source), write(desk, source, "4")
            )
            assert sorted(await texts_of(desk, target)) == ["1", "2", "3", "4"]


async def test_the_purge_of_what_stays_takes_along_what_was_merged_into_it(desk: Desk) -> None:
    target, source = await two(desk)
    third = await desk.open(text="six", subject="Third secret")
    await desk.deliver()
    await merge(desk, source, target)
    await merge(desk, third, target)
    await write(desk, source, "seven")
    await desk.do(Action.DELETE, target, DORA)
    await desk.deliver()
    await do_purge(desk, target)
    jobs = await desk.deliver()
    rows = await desk.rows()
    assert all(not rows[table] for table in ("tickets", "messages", "tasks", "history", "requesters"))
    assert {row["number"] for row in rows["purged"]} == {target, source, third}
    reports = [getattr(job, "view", None) for job in jobs]
    assert {each.number for each in reports if isinstance(each, PurgeReport)} == {target, source, third}
    assert [desk.homeserver.cards(number) for number in (target, source, third)] == [{}, {}, {}]
    found = repr(rows)
    assert [word for word in ("Kim Doe", "kim@", "Third secret", "seven") if word in found] == []
    for number in (target, source):
        with pytest.raises(UnknownTicket):
            await write(desk, number, "gone")


async def test_the_purge_of_what_was_merged_leaves_the_conversation_alone(
    desk: Desk,
) -> None:
    target, source = await two(desk)
    await merge(desk, source, target)
    await desk.do(Action.DELETE, source, DORA)
    await desk.deliver()
    await do_purge(desk, source)
    views = [job.view for job in await desk.claim() if isinstance(job, Send)]
    assert [each.merged_here for each in views if isinstance(each, CardView)] == [()]
    assert len(await texts_of(desk, target)) == 5
    assert all(row["number"] == target for row in (await desk.rows())["tickets"])
    with pytest.raises(NothingToUndo):
        await desk.do(Action.UNDO, target)
    with pytest.raises(NothingToUndo) as caught:
        await desk.do(Action.UNDO, source, DORA)
    assert caught.value.problem is UndoProblem.PURGED
    with pytest.raises(UnknownTicket):
        await desk.do(Action.UNDO, source, ANNA)


async def test_a_card_names_the_persons_other_tickets_of_its_team(desk: Desk) -> None:
    numbers = [await desk.open() for _ in range(7)]
    await desk.open(region="berlin")
    await desk.do(Action.DELETE, numbers[5], DORA)
    await desk.do(Action.CLOSE, numbers[4])
    await desk.deliver()
    late = await desk.open(email="kim@EXAMPLE.org", name="K. Doe", phone=None)
    others = (await card(desk, late)).others
    assert [(each.number, each.status.value) for each in others] == [
        (numbers[6], "open"), (numbers[4], "closed"), (numbers[3], "open"), (numbers[2], "open"),
        (numbers[1], "open"),
    ]  # fmt: skip
    assert all(each.card_room == FREIBURG and each.card_event for each in others)
    assert (await card(desk, numbers[4])).others == ()


async def test_a_card_that_names_another_follows_what_becomes_of_it(desk: Desk) -> None:
    one, other = await desk.open(), await desk.open()
    await desk.deliver()
    steps: list[tuple[Action, str, dict[str, str], list[str]]] = [
        (Action.CLOSE, ANNA, {}, ["closed"]),
        (Action.TRANSFER, ANNA, {"team": "berlin"}, []),
        (Action.TRANSFER, CARLA, {"team": "freiburg"}, ["closed"]),
        (Action.DELETE, DORA, {}, []),
    ]
    for action, by, wish, told in steps:
        await desk.do(action, one, by, **wish)
        views = [job.view for job in await desk.deliver() if isinstance(job, Send)]
        (view,) = [each for each in views if isinstance(each, CardView) and each.number == other]
        assert [each.status for each in view.others] == told


async def test_by_phone_alone_somebody_is_known_by_name_and_number(desk: Desk) -> None:
    first = await desk.open(email=None)
    assert [each.number for each in (await card(desk, await desk.open(email=None))).others] == [first]
    assert (await card(desk, await desk.open(email=None, name="Other"))).others == ()
