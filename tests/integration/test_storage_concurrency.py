"""Many at once on one database: in one process, and as two processes would, each with its own connections."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from sqlmodel import Session, col, select

from bot.domain.errors import Conflict, TakenBy
from bot.domain.words import Action, Intake
from bot.services import arrivals, intake, secrets
from bot.services.arrivals import NewMessage
from bot.services.unit import Unit, Units
from storage.database import Database
from storage.models import InboxEvent, Requester, TicketMessage
from tests.integration.desk_data import ANNA, BEN, FREIBURG, POLICY, Desk, desk_on, request
from tests.integration.takers import member


@asynccontextmanager
async def two_bots(url: str) -> AsyncIterator[tuple[Desk, Desk]]:
    """Two programs' worth of connections to one database."""
    async with desk_on(url) as desk:
        database = Database(url)
        try:
            yield desk, Desk(database, Units(database, POLICY, desk.clock), desk.clock)
        finally:
            await database.close()


async def try_to_take(desk: Desk, number: int, person: str) -> str:
    """Take a ticket; says who has it afterwards, as far as this person was told."""
    try:
        await desk.do(Action.TAKE, number, person)
    except TakenBy as refusal:
        return refusal.assignee
    return person


async def test_of_two_simultaneous_takers_exactly_one_wins(database_url: str) -> None:
    async with two_bots(database_url) as (one, other):
        for _round in range(20):
            number = await one.open()
            told = await asyncio.gather(try_to_take(one, number, ANNA), try_to_take(other, number, BEN))
            winner = (await one.ticket(number)).assignee
            assert winner in (ANNA, BEN)
            assert set(told) == {winner}
            assert Counter(entry.action for entry in await one.history(number)) == {"open": 1, "take": 1}
            assert (await one.ticket(number)).version == 2


_TICKETS = 20
_MEMBERS = 50


async def test_of_fifty_members_in_two_processes_one_gets_each_of_twenty_tickets(database_url: str) -> None:
    """All take all tickets at once; everybody else is told who has it."""
    async with desk_on(database_url) as desk:
        await desk.update(FREIBURG, members={member(index): "" for index in range(_MEMBERS)})
        numbers = [await desk.open(email=f"kim{index}@example.org") for index in range(_TICKETS)]
        half = _MEMBERS // 2
        parts = await asyncio.gather(
            *(takers(database_url, first, first + half) for first in range(0, _MEMBERS, half))
        )
        for process in parts:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
        answers = await asyncio.gather(*(process.communicate() for process in parts))
        told: dict[int, list[str]] = {number: [] for number in numbers}
        for out, _ in answers:
            for number, winner in json.loads(out.splitlines()[-1]):
                told[number].append(winner)
        for number in numbers:
            winner = (await desk.ticket(number)).assignee
            assert told[number] == [winner] * _MEMBERS
            assert [entry.action for entry in await desk.history(number)] == ["open", "take"]
            assert (await desk.ticket(number)).version == 2


async def takers(url: str, first: int, last: int) -> asyncio.subprocess.Process:
    """A process of people who are about to take all tickets."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.takers", url, *map(str, (_TICKETS, first, last)),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"ready\n"
    return process


async def test_the_same_command_handled_by_two_at_once_is_done_once(database_url: str) -> None:
    async with two_bots(database_url) as (one, other):
        for round_ in range(10):
            number = await one.open()
            done = await asyncio.gather(
                one.do(Action.CLOSE, number, cause=f"$c{round_}"),
                other.do(Action.CLOSE, number, cause=f"$c{round_}"),
            )
            assert sorted(each.changed for each in done) == [False, True]
            assert [entry.action for entry in await one.history(number)] == ["open", "close"]


async def test_messages_that_arrive_at_once_are_all_kept(database_url: str) -> None:
    async with two_bots(database_url) as desks:
        number = await desks[0].open()
        texts = {f"message {index}" for index in range(12)}
        await asyncio.gather(
            *(add(desks[index % 2], number, text) for index, text in enumerate(sorted(texts)))
        )
        with desks[0].database.read() as session:
            kept = session.exec(select(TicketMessage.text).order_by(col(TicketMessage.id))).all()
        assert set(kept[1:]) == texts
        assert len(kept) == 13
        assert (await desks[0].ticket(number)).version == 13


async def add(desk: Desk, number: int, text: str) -> None:
    """A requester's message arrives."""
    message = NewMessage(text, Intake.HTTP)
    await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))


async def test_units_that_read_before_they_write_wait_for_each_other(database_url: str) -> None:
    """On SQLite a deferred transaction that reads first would fail at once with "locked"."""
    async with two_bots(database_url) as desks:

        def read_then_write(index: int, session: Session) -> None:
            session.exec(select(Requester))
            time.sleep(0.002)
            session.add(Requester(name=f"Kim {index}"))

        await asyncio.gather(
            *(desks[index % 2].database.writing(partial(read_then_write, index)) for index in range(20))
        )
        with desks[0].database.read() as session:
            assert len(session.exec(select(Requester)).all()) == 20


async def test_readers_do_not_wait_for_a_writer(database_url: str) -> None:
    async with two_bots(database_url) as (one, other):
        with one.database.write() as session:
            session.add(Requester(name="Kim"))
            session.flush()
            async with asyncio.timeout(2):
                read = await other.database.reading(lambda reader: reader.exec(select(Requester)).all())
            assert read == []


async def test_a_secret_made_by_two_at_once_is_one(database_url: str) -> None:
    async with two_bots(database_url) as (one, other):
        made = await asyncio.gather(
            *(desk.units.run(lambda unit: secrets.ensure(unit, "form")) for desk in (one, other) * 5)
        )
        assert len(set(made)) == 1
        assert len(made[0]) == 32


async def test_tickets_opened_at_once_get_numbers_of_their_own(database_url: str) -> None:
    async with two_bots(database_url) as desks:
        opened = await asyncio.gather(*(desks[index % 2].open() for index in range(20)))
        assert len(set(opened)) == 20


async def test_a_unit_that_always_loses_gives_up(sqlite_database: str) -> None:
    async with desk_on(sqlite_database) as desk:
        tries = 0

        def lose(unit: Unit) -> None:
            nonlocal tries
            tries += 1
            unit.session.add(Requester(name="Kim"))
            raise Conflict

        with pytest.raises(Conflict):
            await desk.units.run(lose)
        assert tries > 1
        assert (await desk.rows())["requesters"] == []


async def test_what_a_lost_race_called_is_not_woken(sqlite_database: str) -> None:
    async with desk_on(sqlite_database) as desk:
        desk.units.signals.outbox.clear()

        def fail(unit: Unit) -> None:
            unit.wake_courier()
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await desk.units.run(fail)
        assert not desk.units.signals.outbox.is_set()
        await desk.units.run(lambda unit: intake.open_ticket(unit, request()))
        assert desk.units.signals.outbox.is_set()


async def test_the_inbox_keeps_an_event_once(database_url: str) -> None:
    """Two programs that receive the same event: the second finds it, or runs again and finds it."""
    async with two_bots(database_url) as (one, other):

        def keep(unit: Unit) -> None:
            known = unit.session.exec(select(InboxEvent.id).where(InboxEvent.event_id == "$x"))
            time.sleep(0.01)
            if known.first() is None:
                event = InboxEvent(
                    event_id="$x", room_id=FREIBURG, sender=ANNA, sent_at=unit.now, received_at=unit.now
                )
                unit.session.add(event)

        await asyncio.gather(one.units.run(keep), other.units.run(keep))
        assert len((await one.rows())["inbox"]) == 1
