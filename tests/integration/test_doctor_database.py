"""`doctor` at a database: each thing that can be wrong is seen, and gone once its advice was followed."""

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import make_url, text

from bot.doctor.database import examine_database, examine_schema
from bot.doctor.findings import Level
from storage import inspection, schema
from storage.database import Database
from storage.models import ApiKey, InboxEvent, OutboxRow, RoomMove, SyncState
from tests.integration.desk_data import START, bare_database, put

BAD, POOR, GOOD = Level.BAD, Level.POOR, Level.GOOD


_ROOT = "SELECT rootpage FROM sqlite_master WHERE name = 'ix_history_at'"


class Found(NamedTuple):
    """What was said of one thing."""

    level: Level
    detail: str
    hint: str


def found(url: str, **later: float) -> dict[str, Found]:
    """What is told of each thing, some time after the start."""
    report = examine_database(make_url(url), START + timedelta(**later))
    return {each.what: Found(each.level, each.detail, each.hint) for each in report.findings}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with bare_database(database_url) as database:
        yield database


@pytest.fixture
async def file(sqlite_database: str) -> Path:
    """A database on SQLite that nobody has open."""
    async with bare_database(sqlite_database) as database:
        return Path(str(database.url.database))


async def test_a_database_that_a_bot_runs_on_is_well(database: Database, database_url: str) -> None:
    await put(database, SyncState(id=1, synced_at=START), ApiKey(name="a", digest="d", created_at=START))
    await database.hold(START)
    told = found(database_url, seconds=20)
    told.pop("clock (database)", None)  # it has the real time
    assert {each.level for each in told.values()} == {GOOD}, told
    assert "runs as pid " in told["bot"].detail
    assert "since 2026-11-23 13:05:00 UTC" in told["bot"].detail
    assert told["sync"].detail == "20 s ago"
    assert await database.still_held()


def test_looking_makes_no_database(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    told = found(f"sqlite:///{path}")
    assert told["database (sqlite)"].detail == "not there yet, will be made by `run`"
    assert list(tmp_path.iterdir()) == []


def test_looking_writes_nothing(file: Path) -> None:
    before = file.read_bytes()
    assert {each.level for each in found(f"sqlite:///{file}").values()} == {GOOD, POOR}
    assert file.read_bytes() == before
    assert sorted(path.name for path in file.parent.iterdir()) == sorted([file.name])


async def test_a_server_that_is_down_does_not_answer() -> None:
    told = found("postgresql+psycopg://bot@127.0.0.1:1/desk")
    assert told["database (postgresql)"][:2] == (BAD, "does not answer")


async def test_an_old_schema_is_mended_by_migrate(database_url: str) -> None:
    database = Database(database_url)
    try:
        await schema.upgrade(database, "0006")
        what = f"database ({database.dialect})"
        assert found(database_url)[what] == (BAD, "schema 0006 is old", "Back up, then run `migrate`.")
        assert await schema.upgrade(database)
        assert found(database_url)[what].level is GOOD
    finally:
        await database.close()


async def test_a_newer_schema_is_told(database: Database, database_url: str) -> None:
    with database.connection() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    told = found(database_url)
    assert told[f"database ({database.dialect})"][:2] == (BAD, "made by a newer version (9999)")
    assert len(told) == 1


async def test_a_bot_that_does_not_run_is_told(database: Database, database_url: str) -> None:
    assert found(database_url)["bot"][:2] == (POOR, "does not run")
    await database.hold(START)
    assert found(database_url)["bot"].level is GOOD


async def test_another_programs_lock_is_no_bot(postgres_database: str) -> None:
    async with bare_database(postgres_database) as database:
        with database.connection() as connection:
            connection.execute(text("SELECT pg_advisory_lock(1)"))
            assert found(postgres_database)["bot"][:2] == (POOR, "does not run")
        await database.hold(START)
        assert found(postgres_database)["bot"].level is GOOD


async def test_a_lock_that_this_user_may_not_look_at_is_told(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: str, *_how: int) -> int:
        raise PermissionError(path)

    async with bare_database(sqlite_database) as database:
        await put(database, SyncState(id=1, synced_at=START))
        await database.hold(START)
        with monkeypatch.context() as patch:
            patch.setattr("os.open", closed)
            told = found(sqlite_database, minutes=1)
            running = examine_database(make_url(sqlite_database), START).running
    assert told["bot"] == (
        POOR, "this user may not see whether it runs", "Run `doctor` as the bot's user.",
    )  # fmt: skip
    assert (told["sync"].level, running) == (GOOD, True), "it synced a moment ago, so it runs"


async def test_rooms_that_moved_are_told_to_those_who_look_at_rooms(
    database: Database, database_url: str
) -> None:
    await put(
        database, RoomMove(old_room_id="!old", new_room_id="!new", key="triage", state="done", at=START)
    )
    url = make_url(database_url)
    assert examine_database(url, START).moved == examine_schema(url).moved == {"!old": "!new"}


async def test_a_bot_that_hears_nothing_is_told(database: Database, database_url: str) -> None:
    await put(database, SyncState(id=1, synced_at=START))
    await database.hold(START)
    told = found(database_url, minutes=3)["sync"]
    assert told[:2] == (BAD, "last at 2026-11-23 13:05:00 UTC")
    assert found(database_url, minutes=1)["sync"].level is GOOD


async def test_what_waits_too_long_is_told(database: Database, database_url: str) -> None:
    row: dict[str, Any] = {"kind": "card", "priority": 2, "created_at": START, "next_attempt_at": START}
    event: dict[str, Any] = {"room_id": "!r", "sender": "@a", "sent_at": START, "received_at": START}
    await put(database, OutboxRow(tx_id="1", **row), InboxEvent(event_id="$1", **event))
    told = found(database_url, minutes=1)
    assert (told["sending"].level, told["commands"].level) == (GOOD, GOOD)
    told = found(database_url, minutes=6)
    assert told["sending"][:2] == (POOR, "1 waiting, the oldest since 2026-11-23 13:05:00 UTC")
    assert told["commands"][:2] == (POOR, "1 waiting, the oldest since 2026-11-23 13:05:00 UTC")
    await put(database, OutboxRow(tx_id="2", state="failed", **row))
    assert found(database_url)["set aside"][:2] == (POOR, "1 could not be sent for good")


async def test_a_locked_file_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "_LOCK_WAIT", 0.05)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        told = found(f"sqlite:///{file}")["writing"]
        assert (told.level, "database is locked" in told.detail) == (BAD, True)
        assert f"fuser {file}" in told.hint
        other.execute("ROLLBACK")
        assert found(f"sqlite:///{file}")["writing"].level is GOOD


async def test_a_file_of_another_user_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("os.access", lambda path, _mode: path != file)
        told = found(f"sqlite:///{file}")["writing"]
    assert told[:2] == (BAD, f"{file} is not writable for this user")
    assert "chown" in told.hint
    assert found(f"sqlite:///{file}")["writing"].level is GOOD


async def test_a_read_only_server_is_told(database: Database, database_url: str) -> None:
    if database.dialect == "sqlite":
        return
    name = f'"{database.url.database}"'
    with database.connection() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    assert found(database_url)["writing"][:2] == (BAD, "it is set to read-only")
    with database.connection() as connection:
        connection.execute(text("SET TRANSACTION READ WRITE"))
        connection.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
    assert found(database_url)["writing"].level is GOOD


async def test_a_full_disk_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, level in ((50 << 20, BAD), (500 << 20, POOR), (50 << 30, GOOD)):
        with monkeypatch.context() as patch:
            usage = type(shutil.disk_usage(file.parent))(100 << 30, 0, free)
            patch.setattr("shutil.disk_usage", lambda _path, usage=usage: usage)
            told = found(f"sqlite:///{file}")["disk"]
        assert told.level is level
        assert bool(told.hint) is (level is not GOOD)


def test_a_damaged_file_is_told_and_mended_by_a_backup(file: Path) -> None:
    whole = file.read_bytes()
    with closing(sqlite3.connect(file)) as connection:
        (page,) = connection.execute(_ROOT).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    damaged = bytearray(whole)
    damaged[(page - 1) * size : page * size] = bytes(size)
    file.write_bytes(damaged)
    told = found(f"sqlite:///{file}")["integrity"]
    assert (told.level, "restore the last backup" in told.hint) == (BAD, True)
    file.write_bytes(whole)
    assert found(f"sqlite:///{file}")["integrity"].level is GOOD


async def test_a_file_too_large_to_look_through_is_no_reason_to_wait(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "_QUICK_CHECK", -1.0)
    monkeypatch.setattr(inspection, "_STEPS", 1)
    told = found(f"sqlite:///{file}")["integrity"]
    assert told[:2] == (POOR, "too large to be looked through within 20 seconds")


async def test_a_servers_clock_that_is_wrong_is_told(postgres_database: str) -> None:
    async with bare_database(postgres_database) as database:
        told = found(postgres_database)["clock (database)"]
        assert (told.level, "apart" in told.detail) == (POOR, True)
        with database.connection() as connection:
            now = connection.scalar(text("SELECT clock_timestamp()"))
        url = make_url(postgres_database)
        assert now is not None
        (clock,) = [each for each in examine_database(url, now).findings if each.what == "clock (database)"]
        assert clock.level is GOOD
