"""The morning's digest as the team's room gets it: once a day, also across restarts, and never too long."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.demo.homeserver import Homeserver
from storage.database import Database
from storage.models import HistoryEntry, Requester, Ticket
from tests.desk import Desk, make_desk
from tests.people import Crowd
from tests.timeline import Shown

WAITING = 300
SHOWN = 7
_MIDNIGHT = "0 0 * * *"


def _where_it_is_noon() -> str:
    """A time zone in which today's digest is due by now, and the day does not end during the test."""
    ahead = 12 - datetime.now(UTC).hour
    # The names have the sign of POSIX: Etc/GMT-5 is five hours ahead of Greenwich.
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


@pytest.fixture
async def morning(
    homeserver: Homeserver, people: Crowd, tmp_path: Path, database_url: str
) -> AsyncIterator[Desk]:
    """A desk whose digests of today were missed, as the bot is not running yet."""
    digest = {"schedule": _MIDNIGHT, "stale_days": 7, "thanks": True}
    desk = await make_desk(
        homeserver, people, tmp_path, database_url, digest=digest, timezone=_where_it_is_noon()
    )
    yield desk
    await desk.bot.stop()


async def test_a_missed_digest_comes_on_start_and_only_once(morning: Desk) -> None:
    now = datetime.now(UTC)
    await _fill(morning, "waiting", 3, now - timedelta(days=2))
    await _fill(morning, "open", 2, now - timedelta(days=10))
    await morning.bot.start()
    digest = await morning.hears("freiburg", "Waiting list (3)")
    assert "Nobody has taken these for 7 days (2)" in digest.body
    assert digest.body.index("Nobody has taken") < digest.body.index("Waiting list")
    assert "2 tickets would be glad of one of you." in digest.body
    assert "Take one: !take 4" in digest.body
    assert (digest.msgtype, digest.mentions) == ("m.notice", frozenset())
    await morning.bot.stop()
    await morning.bot.start()
    # A command's answer comes after what the start had to say.
    await morning.told("anna", "!help")
    assert len(await _digests(morning, "freiburg")) == 1
    assert await _digests(morning, "berlin") == []
    assert await _digests(morning, "triage") == []


async def test_a_long_waiting_list_is_cut_for_a_phone_and_says_how_to_see_the_rest(morning: Desk) -> None:
    await _fill(morning, "waiting", WAITING, datetime.now(UTC) - timedelta(days=2), subject="ä" * 190)
    await morning.bot.start()
    digest = await morning.hears("freiburg", f"Waiting list ({WAITING})")
    assert digest.body.count("⏳") == SHOWN
    assert f"… and {WAITING - SHOWN} more: !waitlist" in digest.body
    listed = await morning.told("anna", "!waitlist")
    title, first, *_others = listed.body.splitlines()
    assert title == f"Waiting list (1–10 of {WAITING})"
    assert first.startswith("1. #1 · ")
    assert " · for 2 days (" in first


async def test_it_thanks_who_closed_something_and_calls_nobody(morning: Desk) -> None:
    await _fill(morning, "closed", 3, datetime.now(UTC) - timedelta(days=2))
    await _close_yesterday(morning, {1: "anna", 2: "anna", 3: "ben"})
    await morning.bot.start()
    digest = await morning.hears("freiburg", "Yesterday: 3 closed")
    assert "Nothing was left lying" in digest.body
    assert "Thank you for closing: Anna 2, Ben 1 🎉" in digest.body
    assert (digest.msgtype, digest.mentions) == ("m.notice", frozenset())


async def _close_yesterday(desk: Desk, closers: dict[int, str]) -> None:
    zone = desk.config.timezone_of("freiburg")
    noon = datetime.now(zone).replace(hour=12, minute=0) - timedelta(days=1)
    database = Database(desk.database_url)
    try:
        with database.write() as session:
            for number, name in closers.items():
                session.add(
                    HistoryEntry(
                        number=number, at=noon, action="close", who=desk.person(name).user_id,
                        from_status="open", to_status="closed",
                    )
                )  # fmt: skip
    finally:
        await database.close()


async def _digests(desk: Desk, room: str) -> list[Shown]:
    seen = await desk.viewer(room).sees(desk.rooms[room])
    return [each for each in seen if desk.is_from_bot(each) and each.body.startswith("☀️")]


async def _fill(desk: Desk, status: str, count: int, since: datetime, subject: str = "Laptop") -> None:
    """Put tickets into the database as if they had come long ago and their cards had been forgotten."""
    database = Database(desk.database_url)
    try:
        with database.write() as session:
            requester = Requester(name="Kim Doe")
            session.add(requester)
            session.flush()
            assert requester.id is not None
            for index in range(count):
                at = since + timedelta(seconds=index)
                session.add(
                    Ticket(
                        status=status, topic="donation_request", team="freiburg", region="freiburg",
                        subject=f"{subject} {index}", requester_id=requester.id, intake="http",
                        opened_at=at, changed_at=at, moved_at=at,
                        waiting_since=at if status == "waiting" else None,
                    )
                )  # fmt: skip
                session.flush()
    finally:
        await database.close()
