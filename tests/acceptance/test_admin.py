"""Archive, delete, restore, purge and status: by admins, from the admin room or their direct chat."""

import asyncio
import re

from tests.desk import Desk


async def test_archive_and_restore(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!close {number}")
    await desk.done("dora", f"!archive {number}", "admin")
    await desk.card(number, "📦", "Archived")
    assert "cannot be taken now" in (await desk.told("anna", f"!take {number}")).body
    await desk.done("dora", f"!restore {number}", "admin")
    await desk.card(number, "✅", "Closed")


async def test_only_what_is_closed_is_archived(desk: Desk) -> None:
    number = await desk.file()
    told = await desk.told("dora", f"!archive {number}", "admin")
    assert "its status is “Open”" in told.body


async def test_members_may_not(desk: Desk) -> None:
    number = await desk.file()
    for line in (
        f"!archive {number}",
        f"!delete {number}",
        f"!restore {number}",
        f"!purge {number}",
        "!status",
    ):
        told = await desk.told("anna", line)
        assert "Only admins may do that" in told.body
    await desk.card(number, "🟢")


async def test_delete_hides_at_once_and_restore_brings_back(desk: Desk) -> None:
    number = await desk.file("Deleted subject", message="Deleted words")
    card = await desk.card(number)
    await desk.done("anna", f"!take {number}")
    await desk.done("dora", f"!löschen {number}", "admin")
    hidden = await desk.hears("freiburg", "🗑️", f"#{number}", event_id=card.event_id)
    assert "Deleted subject" not in hidden.body + (hidden.formatted_body or "")
    assert "Deleted words" not in hidden.body + (hidden.formatted_body or "")
    assert f"I do not know #{number} here" in (await desk.told("anna", f"!show {number}")).body
    assert f"#{number} " not in (await desk.told("anna", "!list")).body
    assert "Will be purged for good" in (await desk.told("dora", f"!show {number}", "admin")).body
    await desk.done("dora", f"!restore {number}", "admin")
    back = await desk.card(number, "🔵", "In progress", "Anna", "Deleted subject", "> Deleted words")
    assert back.event_id == card.event_id


async def test_purge_needs_delete_first(desk: Desk) -> None:
    number = await desk.file()
    told = await desk.told("dora", f"!purge {number}", "admin")
    assert f"#{number} cannot be purged now" in told.body
    await desk.card(number)


async def test_purge_redacts_everything_about_it_and_nothing_else(desk: Desk) -> None:
    """Card, edits, answers, alerts, lists, errors that quote it, and the commands that carried its words."""
    await _bot_may_redact(desk)
    words = ("Purged subject", "purged message", "purged reason", "purged call", "purged@example.org")
    other = await desk.file("The other stays")
    told = await desk.told("anna", f"!new --email {words[4]} {words[0]}\n{words[1]}")
    number = int(re.findall(r"#(\d+)", told.body)[0])
    await desk.card(number)
    await desk.done("ben", f"!message {number} {words[3]}")
    await desk.hears("freiburg", words[3])
    for line in (
        "!list", f"!show {number}", f"!history {number}", f"!tkae {number} {words[0]}", f"!search {words[4]}",
    ):  # fmt: skip
        await desk.told("anna", line)
    kept = await desk.told("anna", f"!show {other}")
    await desk.done("anna", f"!close {number} {words[2]}")
    await desk.card(number, words[2])
    await desk.told("dora", f"!show {number}", "admin")
    await desk.done("dora", f"!delete {number}", "admin")

    await desk.confirmed("dora", f"!purge {number}", "admin")

    report = await desk.hears("admin", f"#{number} is purged")
    assert "could not be removed" not in report.body
    for room in ("freiburg", "admin"):
        events = await desk.viewer(room).timeline(desk.rooms[room])
        by_bot = str([dict(event.content) for event in events if event.sender == desk.account.user_id])
        for word in words:
            assert word not in by_bot
    left = str([dict(event.content) for event in await desk.person("anna").timeline(desk.rooms["freiburg"])])
    for word in (words[1], words[2], words[3], words[4]):
        assert word not in left
    seen = {each.event_id: each for each in await desk.person("anna").sees(desk.rooms["freiburg"])}
    assert not seen[kept.event_id].redacted
    await desk.card(other, "The other stays")
    assert f"I do not know #{number}" in (await desk.told("dora", f"!show {number}", "admin")).body
    assert await desk.file() > number


async def test_a_purge_that_may_not_redact_members_says_so(desk: Desk) -> None:
    await _bot_may_redact(desk, level=0)
    number = int(re.findall(r"#(\d+)", (await desk.told("anna", "!new Stays in the command")).body)[0])
    await desk.card(number)
    await desk.done("dora", f"!delete {number}", "admin")
    await desk.confirmed("dora", f"!purge {number}", "admin")
    report = await desk.hears("admin", f"#{number} is purged", "1 message could not be removed")
    assert report.msgtype == "m.text"
    await _bot_may_redact(desk)


async def test_purge_of_several_and_again(desk: Desk) -> None:
    one, two = await asyncio.gather(desk.file(), desk.file())
    await desk.confirmed("dora", f"!delete {one} {two}", "admin")
    await desk.confirmed("dora", f"!purge {one} {two}", "admin")
    for number in (one, two):
        await desk.hears("admin", f"#{number} is purged")
    assert f"I do not know #{one} here" in (await desk.told("dora", f"!purge {one}", "admin")).body


async def test_status_tells_of_queues_and_rooms_but_not_in_a_team_room(desk: Desk) -> None:
    told = await desk.told("dora", "!status", "admin")
    # Other tests of this desk may have left something set aside.
    for word in (
        "Tickettruhe",
        "Last word from the homeserver: today",
        "Database: SQLite",
        "Rooms: all 4 in order",
    ):
        assert word in told.body
    direct = await desk.person("dora").direct_chat_with(desk.account.user_id)
    await desk.until_joined("dora", direct)
    assert "Rooms: all 4 in order" in (await desk.told("dora", "!status", direct)).body


async def _bot_may_redact(desk: Desk, level: int = 50) -> None:
    """Give the bot a moderator's power in Freiburg's room, or take it away."""
    anna, room = desk.person("anna"), desk.rooms["freiburg"]
    levels = await anna.call("GET", "rooms", room, "state", "m.room.power_levels", "")
    users = {**levels["users"], desk.account.user_id: level}
    await anna.send_state(room, "m.room.power_levels", {**levels, "users": users})
