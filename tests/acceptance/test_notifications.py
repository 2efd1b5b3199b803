"""Whose phone rings, as a client in the room sees it: mute, quiet hours, and the digest's thanks."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, make_desk
from tests.people import Crowd
from tests.timeline import Shown


async def _write(desk: Desk, number: int, text: str) -> None:
    desk.filed.add(text)
    status, _ = await desk.post(f"/api/tickets/{number}/messages", {"message": text})
    assert status == 201


async def test_a_muted_ticket_is_silent_for_who_muted_it(desk: Desk) -> None:
    number = await desk.file()
    card = await desk.card(number)
    await desk.done("ben", "!stumm", thread=card.event_id)
    await _write(desk, number, "First after the mute")
    assert (await desk.hears("freiburg", "First after the mute")).mentions == {desk.person("anna").user_id}
    chat = await desk.person("anna").direct_chat_with(desk.account.user_id)
    await desk.until_joined("anna", chat)
    await desk.done("anna", f"!mute {number}", chat)
    await _write(desk, number, "Nobody is called")
    told = await desk.hears("freiburg", "Nobody is called")
    assert (told.msgtype, told.mentions, told.thread) == ("m.notice", frozenset(), card.event_id)
    assert "You have muted it" in (await desk.told("anna", f"!show {number}", chat)).body
    assert "muted" not in (await desk.told("anna", f"!show {number}")).body
    await desk.done("ben", f"!unmute {number}")
    await _write(desk, number, "Ben hears again")
    assert (await desk.hears("freiburg", "Ben hears again")).mentions == {desk.person("ben").user_id}


def _hours(begin: int, end: int) -> str:
    """Quiet hours relative to now, in UTC."""
    now = datetime.now(UTC)
    return "-".join(f"{now + timedelta(hours=hours):%H:%M}" for hours in (begin, end))


@pytest.fixture
async def night(
    homeserver: Homeserver, people: Crowd, tmp_path: Path, sqlite_database: str
) -> AsyncIterator[Desk]:
    """A desk in the middle of its quiet hours."""
    desk = await make_desk(
        homeserver, people, tmp_path, sqlite_database, quiet=_hours(-2, 8), timezone="Etc/UTC"
    )
    await desk.bot.start()
    yield desk
    await desk.bot.stop()


async def test_quiet_hours_are_silent_and_one_reminder_rings_afterwards(night: Desk) -> None:
    ben = night.person("ben").user_id
    taken, assigned, new = [await night.file(subject) for subject in ("Taken", "Assigned", "New one")]
    for number in (taken, assigned, new):
        card = await night.hears("freiburg", f"#{number} · ")
        assert (card.msgtype, card.mentions) == ("m.notice", frozenset())
    await _write(night, taken, "Is anybody awake?")
    told = await night.hears("freiburg", "Is anybody awake?")
    assert (told.msgtype, told.mentions) == ("m.notice", frozenset())
    await night.done("anna", f"!assign {assigned} Ben")
    given = await night.hears("freiburg", f"#{assigned} is yours")
    assert (given.msgtype, given.mentions) == ("m.notice", frozenset())
    await night.done("anna", f"!take {taken}")
    assert await _reminders(night) == []

    await night.bot.stop()
    night.extra = {**night.extra, "quiet": _hours(-8, -1)}
    night.write_config()
    await night.bot.start()
    reminder = await night.hears("freiburg", "While it was quiet")
    assert (reminder.msgtype, reminder.thread) == ("m.text", None)
    assert reminder.mentions == {ben}
    assert f"#{assigned} · Assigned · yours now · Ben" in reminder.body
    assert f"#{new} · New one · new ticket" in reminder.body
    assert "Taken" not in reminder.body

    await night.bot.stop()
    await night.bot.start()
    # A command's answer comes after what the start had to say.
    await night.told("anna", "!help")
    assert len(await _reminders(night)) == 1
    await _write(night, assigned, "By day it rings")
    assert (await night.hears("freiburg", "By day it rings")).mentions == {ben}


async def _reminders(desk: Desk) -> list[Shown]:
    seen = await desk.person("anna").sees(desk.rooms["freiburg"])
    return [each for each in seen if desk.is_from_bot(each) and "While it was quiet" in each.body]
