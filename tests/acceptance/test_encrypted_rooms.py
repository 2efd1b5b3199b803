"""Encrypted rooms, with people at a client of another family: what is said, by whom, and who reads it."""

from collections.abc import AsyncIterator

import pytest

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, running_desk
from tests.other_client import Clients, SecretHuman

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
async def desk(
    homeserver: Homeserver, secret_people: Clients, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """All rooms are encrypted."""
    folder = tmp_path_factory.mktemp("encrypted")
    database = f"sqlite:///{folder / 'tickettruhe.db'}"
    async with running_desk(homeserver, secret_people, folder, database) as desk:
        yield desk


def secret(desk: Desk, name: str) -> SecretHuman:
    person = desk.person(name)
    assert isinstance(person, SecretHuman)
    return person


async def in_clear(desk: Desk, name: str, room: str) -> list[str]:
    """What the homeserver can read of what the bot said in a room, but for reactions."""
    raw = await secret(desk, name).raw_timeline(desk.room(room))
    mine = [each for each in raw if each["sender"] == desk.account.user_id and "state_key" not in each]
    return [each["type"] for each in mine if not each["encrypted"] and each["type"] == "m.room.message"]


async def test_a_ticket_is_worked_on(desk: Desk) -> None:
    number = await desk.file("Laptop for school")
    card = await desk.card(number, "🟢")
    await desk.done("anna", f"!take {number}")
    assert (await desk.card(number, "🔵")).event_id == card.event_id
    told = await desk.told("ben", f"!show {number}")
    assert "Kim Doe" in told.body
    refused = await desk.say("ben", "!close", thread=card.event_id, reply_to=card.event_id)
    await desk.person("ben").wait_for_reaction(desk.room("freiburg"), refused, "✅", desk.account.user_id)
    assert await in_clear(desk, "anna", "freiburg") == []
    assert "Laptop for school" not in desk.bot.log
