"""From a member's ``!take`` to the ✅ on their client, beside a bot that does nothing but react."""

import asyncio
import time
from typing import Final

from tests.benchmarks.client import Client, client, related_to, said_in
from tests.benchmarks.report import Report, Row, milliseconds, p50, p95, progress
from tests.benchmarks.stage import Stage
from tests.desk import Desk
from tests.people import Human

_WARM_UP: Final = 5
_TARGETS: Final = (("p50", p50, 1.15), ("p95", p95, 1.3))


async def measure(stage: Stage, name: str, report: Report) -> None:
    """On one database."""
    with stage.database(name) as url:
        async with stage.desk(url) as desk:
            ours, theirs = await _both(desk, stage.options.takes)
    for label, of, target in _TARGETS:
        own, base = of(ours), of(theirs)
        report(
            Row(name, f"!take to ✅, {label}", milliseconds(own), f"echo bot {milliseconds(base)}",
                own / base, f"≤ {target}", own / base <= target)
        )  # fmt: skip


async def _both(desk: Desk, takes: int) -> tuple[list[float], list[float]]:
    """Seconds of our bot's and the echo bot's answers, taken in turn."""
    anna, olga = desk.person("anna"), desk.person("olga")
    echo_room = await _like_our_rooms(desk, anna, olga)
    ours: list[float] = []
    theirs: list[float] = []
    async with client(desk.homeserver.url, anna.access_token) as member:
        numbers = [await desk.file(f"Request {index}") for index in range(takes + _WARM_UP)]
        await desk.card(numbers[-1])
        echo = asyncio.create_task(_echo_bot(desk, olga, echo_room))
        await member.quiet(3_000)
        for index, number in enumerate(numbers):
            if index % 20 == 0:
                progress(f"latency: {index} of {len(numbers)}")
            ours.append(await _timed(member, desk.rooms["freiburg"], f"!take {number}"))
            theirs.append(await _timed(member, echo_room, f"!take {number}"))
        echo.cancel()
    return ours[_WARM_UP:], theirs[_WARM_UP:]


async def _like_our_rooms(desk: Desk, member: Human, bot: Human) -> str:
    """A room for the baseline that costs the homeserver what the team's does: as many people in it, and a bot
    that is in as many rooms.
    """
    people = [bot, desk.person("ben")]
    room = await member.create_room(
        "echo",
        invite=[each.user_id for each in people],
        power_level_content_override={"users": {bot.user_id: 50}},
    )
    for each in people:
        await each.join(room)
    for _other in range(len(desk.rooms) - 1):
        await bot.create_room("other")
    return room


async def _echo_bot(desk: Desk, person: Human, room: str) -> None:
    """The baseline: reacts with ✅ to every message, keeps nothing, checks nothing."""
    async with client(desk.homeserver.url, person.access_token) as me:
        await me.sync(0)
        while True:
            for event in said_in(await me.sync(30_000), room):
                if event["type"] == "m.room.message" and event["sender"] != person.user_id:
                    await me.react(room, event["event_id"])


async def _timed(member: Client, room: str, text: str) -> float:
    start = time.perf_counter()
    await _until_reaction(member, room, await member.say(room, text))
    taken = time.perf_counter() - start
    # The card's edit and its new reactions are not to be in the next one's way.
    await member.quiet(400)
    return taken


async def _until_reaction(member: Client, room: str, event_id: str) -> None:
    async with asyncio.timeout(60):
        while True:
            events = said_in(await member.sync(10_000), room)
            if any(related_to(event) == event_id for event in events if event["type"] == "m.reaction"):
                return
