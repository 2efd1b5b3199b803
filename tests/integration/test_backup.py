"""A backup is whole and private, also of a database that is being written; restored it is the same."""

import asyncio
import os
import re
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url, text

from storage import schema
from storage.backup import back_up
from storage.database import Database
from storage.errors import BackupFailed
from tests.integration.desk_data import desk_on
from tests.servers import fresh_database, postgres_programs, restore_dump

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own programs, of the server that the tests run."""
    monkeypatch.setenv("PATH", f"{postgres_programs()}{os.pathsep}{os.environ['PATH']}")


@contextmanager
def restored(backup: Path, postgres_url: URL, folder: Path) -> Iterator[str]:
    """A new database made of the backup, as docs/operations.md says."""
    if backup.suffix == ".db":
        shutil.copy(backup, folder / "restored.db")
        yield f"sqlite:///{folder / 'restored.db'}"
        return
    with fresh_database(postgres_url) as url:
        restore_dump(url, backup)
        yield url.render_as_string(hide_password=False)


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def refused(reason: str) -> Iterator[None]:
    """No backup is made, and the error says why."""
    with pytest.raises(BackupFailed) as caught:
        yield
    assert re.search(reason, caught.value.reason), caught.value.reason


async def numbers(url: str) -> list[int]:
    """The tickets in a database."""
    database = Database(url)
    try:
        with database.connection() as connection:
            return list(connection.scalars(text("SELECT number FROM tickets ORDER BY number")))
    finally:
        await database.close()


async def test_a_backup_made_while_the_bot_writes_is_restored(
    database_url: str, postgres_url: URL, tmp_path: Path
) -> None:
    async with desk_on(database_url) as desk:
        before = [await desk.open() for _ in range(3)]
        making = asyncio.create_task(asyncio.to_thread(back_up, make_url(database_url), tmp_path, NOW))
        meanwhile = []
        while not making.done():
            meanwhile.append(await desk.open())
        backup = await making
    assert backup.path.name in ("tickettruhe-20261123T030000Z.db", "tickettruhe-20261123T030000Z.dump")
    assert stat.S_IMODE(backup.path.stat().st_mode) == 0o600
    assert [name for name in names(tmp_path) if "unfinished" in name] == []
    with restored(backup.path, postgres_url, tmp_path) as url:
        found = await numbers(url)
        assert found[: len(before)] == before
        assert found == [*before, *meanwhile][: len(found)], "a state that never was"


async def test_a_file_is_never_overwritten_and_nothing_half_done_is_left(tmp_path: Path) -> None:
    url = make_url(f"sqlite:///{tmp_path / 'there.db'}")
    with closing(sqlite3.connect(tmp_path / "there.db")) as connection:
        connection.execute("CREATE TABLE t (x)")
    target = tmp_path / "backup.db"
    target.write_text("another one")
    with refused("exists already"):
        back_up(url, target, NOW)
    assert target.read_text() == "another one"
    with refused("there is no database"):
        back_up(make_url(f"sqlite:///{tmp_path / 'none.db'}"), tmp_path / "new.db", NOW)
    with refused("No such file or directory"):
        back_up(url, tmp_path / "nowhere" / "new.db", NOW)
    assert names(tmp_path) == ["backup.db", "there.db"]


async def test_a_damaged_database_makes_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (x TEXT)")
        connection.execute("CREATE INDEX i ON t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [(f"{n:0200}",) for n in range(200)])
    content = bytearray(path.read_bytes())
    content[-4096:] = bytes(4096)
    path.write_bytes(content)
    with refused(r"is damaged|malformed"):
        back_up(make_url(f"sqlite:///{path}"), tmp_path / "new.db", NOW)
    assert names(tmp_path) == ["damaged.db"]


async def test_without_pg_dump_the_command_is_told_and_the_password_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    url = make_url("postgresql+psycopg://bot:hidden@db.example.org:5433/desk")
    with pytest.raises(BackupFailed) as caught:
        back_up(url, tmp_path / "new.dump", NOW)
    wanted = "pg_dump --format=custom --file="
    assert wanted in caught.value.reason
    assert "--dbname=postgresql://bot@db.example.org:5433/desk" in caught.value.reason
    assert "hidden" not in caught.value.reason
    assert names(tmp_path) == []


async def test_a_backup_of_an_older_version_is_restored_over_a_newer_database(
    postgres_database: str, tmp_path: Path
) -> None:
    url = make_url(postgres_database)
    database = Database(postgres_database)
    try:
        await schema.upgrade(database, "0007")
        backup = back_up(url, tmp_path, NOW)
        await schema.upgrade(database)
        await database.close()
        restore_dump(url, backup.path)
        database = Database(postgres_database)
        assert await schema.revision(database) == "0007"
        assert await schema.upgrade(database)
    finally:
        await database.close()
