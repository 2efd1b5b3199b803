"""Fifty people at fifty phones want the same twenty tickets in the same moment."""

import asyncio
import re
from collections.abc import AsyncIterator
from functools import partial

import pytest

from tests.desk import Desk
from tests.people import Crowd, Human
from tests.timeline import Shown

_MEMBERS = 50
_TICKETS = 20
_HAS = re.compile(r"(?P<who>\w+) has #(?P<number>\d+)")


@pytest.fixture
async def team(desk: Desk, crowd: Crowd) -> AsyncIterator[dict[str, Human]]:
    """Fifty more members of Freiburg's room, by the names shown there, for the length of a test."""
    room, host = desk.rooms["freiburg"], desk.person("anna")

    async def joined(name: str) -> Human:
        person = await crowd(name.lower(), display_name=name)
        await host.invite(room, person)
        await person.join(room)
        return person

    names = [f"Taker{index}" for index in range(_MEMBERS)]
    # A few at once: more would only wait for each other in the homeserver.
    people: list[Human] = []
    for start in range(0, _MEMBERS, 5):
        people += await asyncio.gather(*map(joined, names[start : start + 5]))
    yield dict(zip(names, people, strict=True))
    for start in range(0, _MEMBERS, 5):
        await asyncio.gather(*(person.leave(room) for person in people[start : start + 5]))


async def test_of_fifty_members_one_gets_each_of_twenty_tickets_and_all_others_are_told_who(
    desk: Desk, team: dict[str, Human]
) -> None:
    room = desk.rooms["freiburg"]
    numbers = await asyncio.gather(*(desk.file() for _ticket in range(_TICKETS)))
    halves = [numbers[: _TICKETS // 2], numbers[_TICKETS // 2 :]]
    commands = [
        (name, half, f"!take {' '.join(map(str, half))}")
        # Every other one begins with the second half.
        for index, name in enumerate(team)
        for half in halves[:: -1 if index % 2 else 1]
    ]
    sent = await asyncio.gather(*(team[name].say(room, line) for name, _half, line in commands))
    for event_id in sent:
        await desk.viewer("freiburg").wait_to_see(
            room, partial(_answers, desk, event_id), timeout=60, description=f"an answer to {event_id}"
        )
    seen = {shown.event_id: shown for shown in await desk.viewer("freiburg").sees(room)}
    answers = {shown.reply_to: shown for shown in seen.values() if shown.reply_to in sent}
    winners: dict[int, str] = {}
    for event_id, (name, half, _line) in zip(sent, commands, strict=True):
        if _is_done(desk, seen[event_id]):
            assert not winners.keys() & set(half), "a second winner"
            winners |= dict.fromkeys(half, name)
    assert winners.keys() == set(numbers)
    for event_id, (_name, half, _line) in zip(sent, commands, strict=True):
        if not _is_done(desk, seen[event_id]):
            told = {int(found["number"]): found["who"] for found in _HAS.finditer(answers[event_id].body)}
            assert told == {number: winners[number] for number in half}, answers[event_id].body
    for number in numbers:
        await desk.card(number, "🔵", winners[number])


def _answers(desk: Desk, event_id: str, shown: Shown) -> bool:
    return shown.reply_to == event_id or (shown.event_id == event_id and _is_done(desk, shown))


def _is_done(desk: Desk, command: Shown) -> bool:
    return desk.account.user_id in command.reactions.get("✅", ())
