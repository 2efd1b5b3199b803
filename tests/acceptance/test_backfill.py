"""Commands given while the bot was down: far more than a sync brings at once, and all are done, in order."""

import asyncio
import os
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Final

import pytest

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, running_desk
from tests.people import Crowd
from tests.timeline import Event

COMMANDS: Final = int(os.environ.get("TICKETTRUHE_TEST_BACKFILL", "120"))
"""How many; more for a long run."""
_SPEAKERS: Final = (("anna", "freiburg"), ("ben", "freiburg"), ("carla", "berlin"))


@pytest.mark.timeout(900)
async def test_all_that_was_said_while_the_bot_was_down_is_done_in_order(
    homeserver: Homeserver, people: Crowd, tmp_path_factory: pytest.TempPathFactory, sqlite_database: str
) -> None:
    folder = tmp_path_factory.mktemp("backfill")
    async with running_desk(homeserver, people, folder, sqlite_database) as desk:
        tickets = {room: [await desk.file(region=room) for _ in range(4)] for room in ("freiburg", "berlin")}
        await desk.bot.stop()
        async with asyncio.TaskGroup() as group:
            for name, room in _SPEAKERS:
                group.create_task(_speak(desk, name, room, tickets[room]))

        await desk.bot.start()

        for room in tickets:
            last = await desk.say("anna" if room == "freiburg" else "carla", "!help", room)
            await desk.viewer(room).wait_for_notice_reply(desk.rooms[room], last, timeout=600)
        for room, numbers in tickets.items():
            events = await _answered(desk, room)
            commands = [event for event in events if event.body.startswith("!") and event.body != "!help"]
            answers = _answers(desk, events)
            told = {each.body: answers[each.event_id] for each in commands}
            assert {line: told[line] for line in told if told[line] != ["✅"]} == {}
            assert _done(sqlite_database, numbers) == [each.event_id for each in commands]
        await desk.card(tickets["freiburg"][0], "🟢")


async def _answered(desk: Desk, room: str) -> list[Event]:
    """The room's events once each command has an answer; answers need not come in order."""
    viewer = desk.viewer(room)
    async with asyncio.timeout(60):
        while True:
            events = await viewer.timeline(desk.rooms[room])
            answers = _answers(desk, events)
            open_ = [each for each in events if each.body.startswith("!") and each.event_id not in answers]
            if not open_:
                return events
            for each in open_:
                await viewer.wait_for_reaction(
                    desk.rooms[room], each.event_id, "✅", desk.account.user_id, timeout=60
                )


async def _speak(desk: Desk, name: str, room: str, tickets: Sequence[int]) -> None:
    """A person's commands, one after the other; those of several people mix as the homeserver takes them.

    Anna's succeed in this order only. Talk makes the gap longer.
    """
    for index in range(COMMANDS // len(_SPEAKERS) // 2 * 2):
        if name == "anna":
            line = f"!{('take', 'release')[index % 2]} {tickets[0]}"
        else:
            line = f"!note {tickets[index % 4]} {name} says {index}"
        await desk.say(name, line, room)
        if index % 10 == 0:
            await desk.say(name, "It rains again", room)


def _answers(desk: Desk, events: Sequence[Event]) -> Mapping[str, list[str]]:
    """What the bot answered to each event: emoji, or the words of a notice."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for event in events:
        if event.sender == desk.account.user_id:
            if event.type == "m.reaction":
                found[event.related].append(str(event.relation.get("key")))
            elif event.in_reply_to is not None:
                found[event.in_reply_to].append(event.body)
    return found


def _done(database_url: str, numbers: Sequence[int]) -> list[str]:
    """The events that changed these tickets, in the order in which they did."""
    query = "SELECT cause, number FROM history WHERE cause IS NOT NULL ORDER BY id"
    with closing(sqlite3.connect(database_url.partition(":///")[2])) as database:
        return [cause for cause, number in database.execute(query) if number in numbers]
