"""Kill -9 at random moments while tickets and commands pour in: nothing lost, nothing done twice."""

import asyncio
import os
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from sqlmodel import select

from bot.demo.homeserver import Homeserver
from bot.domain.taps import UNDO, offered
from bot.domain.words import Status
from storage import inbox, outbox
from storage.database import Database
from storage.models import HistoryEntry, Ticket
from tests.desk import Desk, make_desk
from tests.people import Crowd, Human, MatrixRefusal
from tests.timeline import Event, Shown

KILLS: Final = int(os.environ.get("TICKETTRUHE_TEST_KILLS", "3"))
"""How often the bot is killed; more for a long run."""
_EMOJI: Final = {
    Status.OPEN: "🟢", Status.IN_PROGRESS: "🔵", Status.WAITING: "⏳", Status.CLOSED: "✅", Status.SPAM: "🚫",
}  # fmt: skip


@dataclass
class Log:
    """What the clients know for sure: requests that were accepted, commands that were sent."""

    accepted: dict[str, int] = field(default_factory=dict)
    """Idempotency key → number."""
    commands: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Event id → room, text."""
    taps: set[str] = field(default_factory=set)
    """Event ids of reactions on cards."""


class Pouring:
    """Tickets and commands, from a seed, until told to stop."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk = desk
        self.log = Log()
        self.stop = asyncio.Event()
        self._random = random.Random(seed)

    async def run(self) -> None:
        """All clients at once."""
        async with asyncio.TaskGroup() as group:
            for client in range(2):
                group.create_task(self._file(client))
            for name in ("anna", "ben"):
                group.create_task(self._command(self.desk.person(name), self.desk.rooms["freiburg"]))
            group.create_task(self._tap(self.desk.person("ben"), self.desk.rooms["freiburg"]))

    async def _file(self, client: int) -> None:
        count = 0
        while not self.stop.is_set():
            key = f"{client}-{count}"
            count += 1
            while key not in self.log.accepted:
                await self._try(key)
            await asyncio.sleep(self._random.uniform(0.1, 0.4))

    async def _try(self, key: str) -> None:
        """A client that retries until it has an answer, as after a time-out."""
        body = {
            "name": "Kim", "email": "kim@example.org", "subject": f"Request {key}", "message": "Hello",
            "region": "freiburg",
        }  # fmt: skip
        try:
            status, text = await self.desk.post("/api/tickets.json", body, **{"Idempotency-Key": key})
        except (aiohttp.ClientError, ConnectionError):
            await asyncio.sleep(0.1)
            return
        assert status == 201, text
        self.log.accepted[key] = int(text)

    async def _command(self, person: Human, room: str) -> None:
        while not self.stop.is_set():
            known = list(self.log.accepted.values())
            if known:
                text = self._line(known)
                event_id = await person.say(room, text)
                self.log.commands[event_id] = (room, text)
            await asyncio.sleep(self._random.uniform(0.1, 0.4))

    async def _tap(self, person: Human, room: str) -> None:
        while not self.stop.is_set():
            cards = [each.event_id for each in await person.sees(room) if self.desk.is_card(each)]
            if cards:
                # The newest ones, so that a card is tapped several times.
                card, key = self._random.choice(cards[-8:]), self._random.choice("🙋⏳✅🚫")
                with suppress(MatrixRefusal):  # the same tap of the same person still stands there
                    self.log.taps.add(await person.react(room, card, key))
            await asyncio.sleep(self._random.uniform(0.2, 0.6))

    def _line(self, known: Sequence[int]) -> str:
        pick = self._random
        one = pick.choice(known)
        several = " ".join(str(pick.choice(known)) for _ in range(3))
        return pick.choice(
            [
                f"!take {one}", f"!take --force {one}", f"!wait {one} a laptop", f"!close {one} done",
                f"!reopen {one}", f"!release {one}", f"!close {several}", f"!take {several}", "!list",
                f"!show {one}", f"!message {one} called again", f"!undo {one}",
            ]
        )  # fmt: skip


@pytest.mark.timeout(600)
async def test_nothing_is_lost_or_done_twice_across_kills(
    homeserver: Homeserver, people: Crowd, tmp_path: Path, database_url: str
) -> None:
    desk = await make_desk(homeserver, people, tmp_path, database_url)
    seed = random.randrange(2**32)
    print(f"seed {seed}, {KILLS} kills")
    pouring = Pouring(desk, seed)
    await desk.bot.start()
    work = asyncio.create_task(pouring.run())
    moments = random.Random(seed + 1)
    for _ in range(KILLS):
        await asyncio.sleep(moments.uniform(0.3, 2.5))
        await desk.bot.kill()
        await desk.bot.start(until_ready=moments.random() < 0.5)
    pouring.stop.set()
    await work
    await _settled(desk, pouring.log)
    await _compare(desk, pouring.log)
    assert await desk.bot.stop() == 0


async def _settled(desk: Desk, log: Log) -> None:
    """Wait until every command has an answer and nothing is left to send."""
    anna = desk.person("anna")
    last = await anna.say(desk.rooms["freiburg"], "!help")
    await anna.wait_for_notice_reply(desk.rooms["freiburg"], last, timeout=90)
    database = Database(desk.database_url)
    try:
        for _ in range(450):
            if not await _waiting(database):
                break
            await asyncio.sleep(0.2)
        else:
            pytest.fail("the outbox did not drain within 90 seconds")
    finally:
        await database.close()
    assert log.accepted, "the workload filed nothing"
    assert log.commands, "the workload commanded nothing"


async def _waiting(database: Database) -> bool:
    with database.read() as session:
        count, *_ = outbox.depth(session, datetime.now(UTC))
        return bool(count or inbox.depth(session))


async def _compare(desk: Desk, log: Log) -> None:
    room = desk.rooms["freiburg"]
    events = await desk.person("anna").timeline(room)
    shown = await desk.person("anna").sees(room)
    tickets, causes = await _database(desk)
    assert len(set(log.accepted.values())) == len(log.accepted), "one number was given twice"
    assert set(tickets) == set(log.accepted.values()), "tickets lost or made twice"
    _compare_cards(desk, shown, tickets)
    _compare_answers(desk, events, log)
    _compare_taps(desk, events, log)
    await _compare_seeds(desk, shown, tickets)
    repeated = {cause: count for cause, count in causes.items() if count > 1}
    assert not repeated, f"commands done twice: {repeated}"
    acknowledged = _acknowledged(desk, events)
    for event_id, (_, text) in log.commands.items():
        if event_id in acknowledged and text.startswith(("!message", "!close", "!wait", "!undo")):
            assert causes[event_id, _number(text)] == 1, f"acknowledged but not done: {text}"


def _number(text: str) -> int:
    return int(text.split()[1])


async def _database(desk: Desk) -> tuple[dict[int, Status], Counter[tuple[str, int]]]:
    database = Database(desk.database_url)
    try:
        with database.read() as session:
            rows = session.exec(select(Ticket.number, Ticket.status)).all()
            history = session.exec(select(HistoryEntry.cause, HistoryEntry.number)).all()
    finally:
        await database.close()
    causes = Counter((cause, number) for cause, number in history if cause)
    return {number: Status(status) for number, status in rows if number}, causes


def _compare_cards(desk: Desk, shown: Sequence[Shown], tickets: Mapping[int, Status]) -> None:
    cards: defaultdict[int, list[Shown]] = defaultdict(list)
    for number in tickets:
        cards[number] = [each for each in shown if desk.is_card(each, number) and each.thread is None
                         and each.reply_to is None]  # fmt: skip
    wrong = {number: len(found) for number, found in cards.items() if len(found) != 1}
    assert not wrong, f"cards per ticket other than one: {wrong}"
    untrue = {
        number: (found[0].body.partition("\n")[0], tickets[number])
        for number, found in cards.items()
        if not found[0].body.startswith(_EMOJI[tickets[number]])
    }
    assert not untrue, f"cards that show a state that is not true: {untrue}"


def _acknowledged(desk: Desk, events: Sequence[Event]) -> set[str]:
    return {
        event.related
        for event in events
        if event.type == "m.reaction" and event.sender == desk.account.user_id
    }


def _compare_answers(desk: Desk, events: Sequence[Event], log: Log) -> None:
    """Every command got exactly one answer: ✅ or a notice."""
    answers: Counter[str] = Counter()
    for event in events:
        if event.sender != desk.account.user_id:
            continue
        if event.type == "m.reaction":
            answers[event.related] += 1
        elif event.type == "m.room.message" and event.in_reply_to:
            answers[event.in_reply_to] += 1
    wrong = {
        text: answers[event_id] for event_id, (_, text) in log.commands.items() if answers[event_id] != 1
    }
    assert not wrong, f"commands with another number of answers than one: {wrong}"


def _compare_taps(desk: Desk, events: Sequence[Event], log: Log) -> None:
    """Every tap was handled, and taken away for it."""
    taken = {event.redacts for event in events if event.sender == desk.account.user_id}
    assert log.taps, "the workload tapped nothing"
    assert not log.taps - taken, f"taps that were not handled: {log.taps - taken}"


async def _compare_seeds(desk: Desk, shown: Sequence[Shown], tickets: Mapping[int, Status]) -> None:
    """Every card offers what its ticket's status allows."""
    wrong = {}
    for number, status in tickets.items():
        (card,) = [each for each in shown if desk.is_card(each, number) and each.thread is None
                   and each.reply_to is None]  # fmt: skip
        offers = {key for key, who in card.reactions.items() if desk.account.user_id in who}
        if offers - {UNDO} != set(offered(status, waitlist=True, undoable=False)):
            wrong[number] = (status, offers)
    assert not wrong, f"cards that offer what does not fit their status: {wrong}"
