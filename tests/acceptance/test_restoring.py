"""A bot on a backup that is two days old: it says nothing twice, and knows what it can know.

The homeserver has forgotten the transaction ids by then (Synapse keeps them for about a day).
"""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from sqlalchemy import URL, Connection, make_url, text
from sqlmodel import Session

from bot.demo.homeserver import Homeserver
from bot.domain.words import Status
from storage import inbox, queues, tickets
from storage.database import Database
from storage.models import ALL
from storage.types import UtcDateTime
from tests.desk import Desk, make_desk
from tests.people import Crowd
from tests.process import command_line
from tests.servers import postgres_programs, restore_dump
from tests.timeline import Event

ROOMS: Final = ("freiburg", "berlin", "triage", "admin")


@pytest.fixture
async def forgetful(tmp_path: Path) -> AsyncIterator[Homeserver]:
    """A homeserver that may be stopped."""
    async with Homeserver(tmp_path / "homeserver") as server:
        yield server


async def forget_transactions(server: Homeserver, folder: Path) -> None:
    """As after a day; Synapse also keeps them in memory for a while."""
    await server.stop()
    with closing(sqlite3.connect(folder / "homeserver" / "homeserver.db")) as connection, connection:
        for table in ("event_txn_id", "event_txn_id_device_id"):
            known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
            if known:
                connection.execute(f"DELETE FROM {table}")


def make_older(connection: Connection) -> None:
    """Let everything in the database have happened two days earlier."""
    sqlite = connection.dialect.name == "sqlite"
    for table in ALL.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, UtcDateTime):
                name = column.name
                then = (
                    f"strftime('%Y-%m-%d %H:%M:%f000', {name}, '-2 days')"
                    if sqlite
                    else f"{name} - interval '2 days'"
                )
                connection.execute(text(f'UPDATE {table.name} SET "{name}" = {then}'))


def restore(url: URL, backup: Path) -> None:
    """As docs/operations.md says."""
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
        shutil.copy(backup, path)
    else:
        restore_dump(url, backup)


def _waiting(session: Session) -> int:
    due = queues.due(session, datetime.now(UTC)).values()
    return sum(count for count, _oldest in due) + inbox.depth(session)


async def settled(desk: Desk) -> None:
    """Nothing waits to be handled or sent."""
    database = Database(desk.database_url)
    try:
        async with asyncio.timeout(60):
            while await database.reading(_waiting):  # noqa: ASYNC110 - another process works on it
                await asyncio.sleep(0.2)
    finally:
        await database.close()


async def statuses(desk: Desk) -> dict[int, tuple[Status, str | None, str | None]]:
    """Number → status, team and assignee."""
    database = Database(desk.database_url)
    try:
        found = await database.reading(lambda session: tickets.by_numbers(session, range(1, 200)))
    finally:
        await database.close()
    return {number: (Status(each.status), each.team, each.assignee) for number, each in found.items()}


async def said(desk: Desk, *others: tuple[str, str]) -> dict[str, Event]:
    """Everything of the bot that stands in the rooms, edits and redactions apart."""
    found = {}
    for viewer, room in [(desk.viewer(room).user_id, desk.rooms[room]) for room in ROOMS] + [*others]:
        person = next(each for each in desk.people.values() if each.user_id == viewer)
        for event in await person.timeline(room):
            edit = event.relation.get("rel_type") == "m.replace"
            mine = event.sender == desk.account.user_id and event.type in ("m.room.message", "m.reaction")
            if mine and not edit and not event.redacted:
                found[event.event_id] = event
    return found


def digest_now(desk: Desk) -> None:
    """From the next start on the digest is due at midnight, so at once."""
    path = desk.folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["digest"]["schedule"] = "0 0 * * *"
    path.write_text(yaml.safe_dump(config))


async def business(desk: Desk) -> tuple[int, int, str]:
    """A day's work after the backup; the lost ticket, one of the chat, and Ben's chat with the bot."""
    a, b, c, d, e = sorted(await statuses(desk))
    lost = await desk.file("Lost request")
    await desk.card(lost)
    created = await desk.told("anna", "!new Chat request")
    new = lost + 1
    assert f"#{new}" in created.body
    await desk.card(new)
    await desk.done("anna", f"!close {c} done")
    await desk.done("anna", f"!take {d}")
    await desk.done("anna", f"!release {d}")
    await desk.done("anna", f"!take {new}")
    await desk.done("anna", f"!transfer {e} berlin")
    await desk.card(e, room="berlin")
    await desk.told("ben", f"!take {a}")
    await desk.told("ben", "!take 999")
    await desk.told("anna", "!list")
    await desk.confirmed("dora", f"!delete {c} {d}", room="admin")
    await desk.tap("anna", a, "✅")
    await desk.card(a, "✅")
    chat = await desk.person("ben").direct_chat_with(desk.account.user_id)
    await desk.person("ben").wait_to_see(chat, desk.is_from_bot, description="the greeting")
    await settled(desk)
    await desk.bot.stop()
    digest_now(desk)
    await desk.bot.start()
    await desk.hears("freiburg", "☀️", f"#{b}")
    await settled(desk)
    await desk.bot.kill()
    return lost, new, chat


@pytest.mark.timeout(300)
async def test_a_bot_on_an_old_backup_says_nothing_twice(
    forgetful: Homeserver, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{postgres_programs()}{os.pathsep}{os.environ['PATH']}")
    async with Crowd(forgetful) as crowd:
        desk = await make_desk(forgetful, crowd, tmp_path, database_url)
        url = make_url(desk.config.database_url())
        await desk.bot.start()
        try:
            a, b, c, d, e = [await desk.file(f"Request {each}") for each in "abcde"]
            await desk.done("anna", f"!take {a}")
            await desk.done("anna", f"!wait {b} a laptop")
            await settled(desk)
            code, out = await command_line(tmp_path / "config.yaml", "backup", str(tmp_path / "backup"))
            assert code == 0, out
            lost, new, chat = await business(desk)
            before = await said(desk, (desk.person("ben").user_id, chat))

            await forget_transactions(forgetful, tmp_path)
            await asyncio.to_thread(restore, url, tmp_path / "backup")
            database = Database(desk.database_url)
            await database.restructuring(make_older)
            await database.close()
            mark = len(desk.bot.log)
            await desk.bot.start(until_ready=False)
            await desk.bot.wait_for_log('"homeserver_unavailable"', mark)
            status, _text = await desk.post("/api/tickets.json", request("too early"))
            assert status == 503, "a number could be given twice"
            await forgetful.start()
            await desk.bot.wait_for_log('"event": "ready"', mark)
            await settled(desk)
            report = await desk.hears("admin", "restored from a backup")

            after = await said(desk, (desk.person("ben").user_id, chat))
            fresh = [event for event_id, event in after.items() if event_id not in before]
            assert [event.event_id for event in fresh if event.type == "m.room.message"] == [report.event_id]
            # Its close by a tap is lost, so that its card offers again what it did.
            offered = {
                (event.related, event.relation["key"]) for event in fresh if event.type == "m.reaction"
            }
            assert offered <= {((await desk.card(a)).event_id, key) for key in "⏳✅🚫"}, offered
            assert f"#{lost}" in report.body
            assert f"#{new}" not in report.body.partition("These cards")[0]
            anna = desk.person("anna").user_id
            assert await statuses(desk) == {
                a: (Status.IN_PROGRESS, "freiburg", anna),
                b: (Status.WAITING, "freiburg", None),
                c: (Status.DELETED, "freiburg", None),
                d: (Status.DELETED, "freiburg", None),
                e: (Status.OPEN, "berlin", None),
                new: (Status.IN_PROGRESS, "freiburg", anna),
            }
            for number, emoji, room in ((a, "🔵", "freiburg"), (b, "⏳", "freiburg"), (e, "🟢", "berlin"),
                                       (new, "🔵", "freiburg")):  # fmt: skip
                await desk.card(number, emoji, room=room)
                assert len(await desk.cards(number, room)) == 1
            assert await desk.cards(e, "freiburg") == []
            await desk.offers(a, "⏳ ✅ 🚫")
            await desk.offers(new, "⏳ ✅ 🚫")
            await desk.tap("anna", new, "✅")
            await desk.card(new, "✅")
            number = await desk.file("After the restore")
            assert number > new
            await desk.card(number)
            await settled(desk)

            known = await said(desk, (desk.person("ben").user_id, chat))
            await desk.bot.kill()
            await desk.bot.start()
            await settled(desk)
            again = await said(desk, (desk.person("ben").user_id, chat))
            assert set(again) == set(known), "a second start says something once more"
        finally:
            if desk.bot.running:
                await desk.bot.stop()


def request(subject: str) -> Mapping[str, Any]:
    """The API's body."""
    return {"name": "Kim", "email": "kim@example.org", "subject": subject, "message": "Hello!"}
