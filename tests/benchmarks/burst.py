"""A thousand tickets at once, and a thousand that change while the homeserver is away."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final

from sqlalchemy import text

from bot import wiring
from bot.domain.words import Action
from bot.matrix import courier
from bot.matrix.client import TX_KEY
from bot.services import moves, people
from bot.services.unit import Unit, Units
from storage.database import Database
from tests.benchmarks.client import Client, client, related_to
from tests.benchmarks.intake import intake_of
from tests.benchmarks.report import Report, Row, milliseconds, progress
from tests.benchmarks.stage import Stage
from tests.desk import Desk

_CLIENTS: Final = 16
_SHARE: Final = 0.9
_PATIENCE: Final = 600.0
_TEAMS: Final = {"freiburg": "anna", "berlin": "carla"}
"""Teams that get tickets, with somebody of each."""
_CHANGES: Final = (Action.TAKE, Action.RELEASE, Action.TAKE, Action.RELEASE, Action.TAKE)
_POSTED: Final = "SELECT count(*) FROM cards"
_STALE: Final = """
    SELECT count(*) FROM tickets JOIN cards ON cards.number = tickets.number
    WHERE cards.version < tickets.version
"""


async def measure(stage: Stage, name: str, report: Report) -> None:
    """On one database."""
    tickets = stage.options.tickets
    with stage.database(name) as url:
        async with stage.desk(url) as desk, AsyncExitStack() as stack:
            database = Database(url)
            stack.push_async_callback(database.close)
            filed, took = await _filed(desk, database, tickets)
            bare = await _bare_seconds(desk, tickets)
            report(_posted(name, tickets, filed, took, bare))
            await desk.bot.start()
            back = await _changed_while_away(desk, database)
            report(_edits(name, await _edits_by_card(desk), tickets, back))


def _posted(name: str, tickets: int, filed: float, took: float, bare: float) -> Row:
    own = f"{tickets / took:.1f} cards/s ({milliseconds(took)}; all filed after {milliseconds(filed)})"
    return Row(
        name, f"{tickets} tickets at once, all in their rooms", own,
        f"bare sender {tickets / bare:.1f}/s", bare / took, f"≥ {_SHARE}", bare / took >= _SHARE,
    )  # fmt: skip


def _edits(name: str, edits: Counter[str], tickets: int, back: float) -> Row:
    most = max(edits.values(), default=0)
    own = f"at most {most} edits per card, {edits.total()} in all; {milliseconds(back)} after the start"
    asked = f"{len(_CHANGES) * tickets} changes"
    return Row(name, "… each changed 5 times, homeserver away", own, asked,
               edits.total() / (len(_CHANGES) * tickets), "≤ 1 edit", most <= 1)  # fmt: skip


async def _filed(desk: Desk, database: Database, tickets: int) -> tuple[float, float]:
    """Seconds until all tickets were filed, and until all cards stood in their rooms."""
    progress("burst: filing")
    begin = time.perf_counter()
    left = iter(range(tickets))
    intake = intake_of(desk)
    async with intake.session() as session:

        async def one() -> None:
            for _index in left:
                await intake.file(session)

        await asyncio.gather(*(one() for _ in range(_CLIENTS)))
    filed = time.perf_counter() - begin
    await _until(database, _POSTED, tickets)
    return filed, time.perf_counter() - begin


async def _until(database: Database, query: str, wanted: int) -> None:
    async with asyncio.timeout(_PATIENCE):
        while await _count(database, query) != wanted:  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.1)


async def _count(database: Database, query: str) -> int:
    return await database.reading(lambda session: int(session.connection().execute(text(query)).scalar_one()))


async def _bare_seconds(desk: Desk, messages: int) -> float:
    """The baseline: the bot is stopped, and its account's token sends what the bot sent into the rooms."""
    progress("burst: bare sender")
    await desk.bot.stop()
    async with client(desk.homeserver.url, desk.account.access_token) as sender:
        contents: list[tuple[str, dict[str, Any]]] = []
        for team in _TEAMS:
            room = desk.rooms[team]
            contents += [(room, each) for each in await _cards_in(sender, room, desk.account.user_id)]
        # In turn, as the tickets came.
        left = iter([contents[index * 7 % len(contents)] for index in range(messages)])
        begin = time.perf_counter()

        async def one() -> None:
            for room, content in left:
                await sender.send(room, "m.room.message", content)

        await asyncio.gather(*(one() for _ in range(courier._AT_ONCE)))
        return time.perf_counter() - begin


async def _cards_in(sender: Client, room: str, bot: str) -> Sequence[dict[str, Any]]:
    """What the bot's cards say; without its mark by which it knows its own messages again."""
    return [
        {key: value for key, value in event["content"].items() if key != TX_KEY}
        for event in await sender.messages(room)
        if event["sender"] == bot and TX_KEY in event["content"] and "#" in event["content"]["body"]
    ]


async def _changed_while_away(desk: Desk, database: Database) -> float:
    """Change every ticket several times; seconds from the homeserver's start to the last card's edit."""
    await desk.homeserver.stop()
    progress("burst: changing while the homeserver is away")
    units = Units(database, wiring.policy(desk.config))
    teams = dict(await database.reading(_teams_of))
    for action in _CHANGES:
        for number, team in teams.items():
            user, room = desk.person(_TEAMS[team]).user_id, desk.rooms[team]
            await units.run(partial(_change, action=action, number=number, user=user, room=room))
    progress("burst: homeserver starts")
    await desk.homeserver.start()
    begin = time.perf_counter()
    await _until(database, _STALE, 0)
    return time.perf_counter() - begin


def _teams_of(session: Any) -> list[tuple[int, str]]:
    rows = session.connection().execute(text("SELECT number, team FROM tickets ORDER BY number"))
    return [(number, team) for number, team in rows]


def _change(unit: Unit, *, action: Action, number: int, user: str, room: str) -> None:
    moves.move(unit, action, number, people.caller_of(unit, user, room))


async def _edits_by_card(desk: Desk) -> Counter[str]:
    """Card → edits, as a client sees them that was not there before."""
    edits: Counter[str] = Counter()
    for team, person in _TEAMS.items():
        async with client(desk.homeserver.url, desk.person(person).access_token) as fresh:
            for event in await fresh.messages(desk.rooms[team]):
                relation = event["content"].get("m.relates_to", {})
                if relation.get("rel_type") == "m.replace":
                    edits[str(related_to(event))] += 1
    return edits
