"""SQLite's writer: units that wait together share a commit, and nothing else."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from bot.services.unit import Units
from storage import schema
from storage.database import Database, hangs
from storage.errors import DatabaseUnavailable
from storage.models import Requester
from tests.integration.desk_data import POLICY


@pytest.fixture
async def database(sqlite_database: str) -> AsyncIterator[Database]:
    """An empty database of the newest schema."""
    database = Database(sqlite_database)
    await schema.upgrade(database)
    try:
        yield database
    finally:
        await database.close()


def add(session: Session, name: str) -> str:
    """A unit that writes one row."""
    session.add(Requester(name=name))
    return name


def names(database: Database) -> list[str]:
    """What is committed."""
    with database.read() as session:
        return list(session.exec(select(Requester.name).order_by(Requester.name)).all())


class Busy:
    """A unit that is under way until it is let go."""

    def __init__(self) -> None:
        self._began, self._go = threading.Event(), threading.Event()

    def work(self, _held: object) -> None:
        """What it does."""
        self._began.set()
        assert self._go.wait(10)

    async def began(self) -> None:
        """Wait until its thread is at it."""
        assert await asyncio.to_thread(self._began.wait, 10)

    def go(self) -> None:
        """Let it end."""
        self._go.set()


async def together(database: Database, *works: Callable[[Session], object]) -> list[object]:
    """Let units queue up behind one that is under way; their results, or what they raised."""
    busy = Busy()
    first = asyncio.create_task(database.writing(busy.work))
    await busy.began()
    units = [asyncio.create_task(database.writing(work)) for work in works]
    await asyncio.sleep(0)
    busy.go()
    await first
    return await asyncio.gather(*units, return_exceptions=True)


async def test_units_that_wait_together_share_a_commit(database: Database) -> None:
    commits: list[int] = []
    event.listen(database.engine, "commit", lambda _connection: commits.append(1))
    wanted = [f"{each:02}" for each in range(20)]
    assert await together(database, *(partial(add, name=name) for name in wanted)) == wanted
    assert len(commits) == 1
    assert names(database) == wanted


async def test_what_one_unit_leaves_undone_does_not_touch_the_others(database: Database) -> None:
    def fail(session: Session) -> None:
        add(session, "undone")
        session.flush()
        raise ZeroDivisionError

    results = await together(database, partial(add, name="first"), fail, partial(add, name="last"))
    assert [type(result) for result in results] == [str, ZeroDivisionError, str]
    assert names(database) == ["first", "last"]


async def test_none_is_told_done_if_the_disk_fails_before_the_commit(database: Database) -> None:
    def full(session: Session) -> None:
        session.execute(text("SELECT 1"))
        raise OperationalError("", {}, Exception("database or disk is full"))

    results = await together(database, partial(add, name="first"), full, partial(add, name="last"))
    assert [type(result) for result in results] == [DatabaseUnavailable] * 3
    assert names(database) == []
    assert await database.writing(partial(add, name="later")) == "later"


async def test_a_unit_that_nobody_waits_for_any_more_is_left_out(database: Database) -> None:
    busy = Busy()
    first = asyncio.create_task(database.writing(busy.work))
    await busy.began()
    given_up = asyncio.create_task(database.writing(partial(add, name="given up")))
    kept = asyncio.create_task(database.writing(partial(add, name="kept")))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.sleep(0)
    busy.go()
    await first
    assert await kept == "kept"
    assert names(database) == ["kept"]


async def test_a_unit_that_comes_after_the_end_is_refused_and_not_done(sqlite_database: str) -> None:
    database = Database(sqlite_database)
    await schema.upgrade(database)
    busy = Busy()
    first = asyncio.create_task(database.writing(busy.work))
    await busy.began()
    queued = asyncio.create_task(database.writing(partial(add, name="queued")))
    await asyncio.sleep(0)
    database._writers.shutdown(wait=False)
    with pytest.raises(DatabaseUnavailable):
        await database.writing(partial(add, name="refused"))
    busy.go()
    await asyncio.gather(first, queued)
    await database.close()
    again = Database(sqlite_database)
    try:
        assert names(again) == ["queued"]
    finally:
        await again.close()


async def test_a_query_that_hangs_does_not_hold_the_end(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database._PATIENCE", 0.05)
    monkeypatch.setattr("bot.services.unit._PATIENCE", 0.05)
    database = Database(sqlite_database)
    await schema.upgrade(database)
    busy = Busy()
    task = asyncio.create_task(Units(database, POLICY).run(busy.work))
    await busy.began()
    async with asyncio.timeout(5):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await database.close()
    assert hangs()
    busy.go()
    async with asyncio.timeout(5):
        for thread in database._writers._threads:
            await asyncio.to_thread(thread.join)
