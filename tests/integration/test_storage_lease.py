"""One process runs on a database; a second one is told who does."""

import asyncio
import fcntl
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import make_url, text

from storage.database import Database
from storage.errors import AlreadyRunning, DatabaseUnavailable
from tests.integration.desk_data import START, bare_database

HOLDER = """
import asyncio, sys
from datetime import UTC, datetime
from storage.database import Database

async def hold():
    database = Database(sys.argv[1])
    await database.hold(datetime.now(UTC))
    print("held", flush=True)
    await asyncio.sleep(60)

asyncio.run(hold())
"""


@asynccontextmanager
async def other_process(url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another process that holds the lease."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, url, stdout=asyncio.subprocess.PIPE
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"held\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_second_holder_is_told_who_the_first_is(database_url: str) -> None:
    async with bare_database(database_url) as first:
        await first.hold(START)
        assert await first.still_held()
        second = Database(database_url)
        try:
            with pytest.raises(AlreadyRunning) as caught:
                await second.hold(START)
            told = caught.value
            assert (told.host, told.pid, told.since) == (socket.gethostname(), os.getpid(), START)
            assert not await second.still_held()
            await first.close()
            await second.hold(START)
            assert await second.still_held()
        finally:
            await second.close()


async def test_a_killed_holder_holds_no_longer(database_url: str) -> None:
    async with bare_database(database_url) as database, other_process(database_url) as process:
        with pytest.raises(AlreadyRunning) as caught:
            await database.hold(START)
        assert (caught.value.host, caught.value.pid) == (socket.gethostname(), process.pid)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await hold_soon(database)
        assert await database.still_held()


async def hold_soon(database: Database) -> None:
    """PostgreSQL notices within moments that its client died."""
    async with asyncio.timeout(5):
        while True:
            try:
                await database.hold(START)
            except AlreadyRunning:
                await asyncio.sleep(0.02)
            else:
                return


async def test_a_held_database_can_be_used_by_others(database_url: str) -> None:
    """The command line makes keys while the bot runs."""
    async with bare_database(database_url) as first:
        await first.hold(START)
        second = Database(database_url)
        try:
            await second.ping()
        finally:
            await second.close()
        assert await first.still_held()


async def test_a_lease_lost_with_its_connection_is_taken_again(postgres_database: str) -> None:
    """As after a restart of PostgreSQL."""
    async with bare_database(postgres_database) as database:
        await database.hold(START)
        other = Database(postgres_database)
        try:
            with other.connection() as connection:
                connection.execute(
                    text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
                )
            assert not await database.still_held()
            await database.hold(START)
            assert await database.still_held()
            with pytest.raises(AlreadyRunning):
                await other.hold(START)
        finally:
            await other.close()


async def test_an_older_connection_of_the_same_process_is_waited_for(postgres_database: str) -> None:
    """It broke on this side only, and PostgreSQL believes in it for some seconds more."""
    async with bare_database(postgres_database) as ghost:
        await ghost.hold(START)
        again = Database(postgres_database)
        try:
            begun = asyncio.create_task(again.hold(START, patience=20))
            await asyncio.sleep(0.5)
            assert not begun.done()
            await ghost.close()
            await begun
            assert await again.still_held()
            with again.write() as session:
                session.connection().execute(text("UPDATE holder SET pid = pid + 1"))
            third = Database(postgres_database)
            with pytest.raises(AlreadyRunning):
                await third.hold(START, patience=20)
            await third.close()
        finally:
            await again.close()


def _write_where_nobody_may(database: Database) -> None:
    with database.write() as session:
        session.connection().execute(text("SET TRANSACTION READ ONLY"))
        session.connection().execute(text("DELETE FROM holder"))


async def test_a_server_that_only_reads_is_away(postgres_database: str) -> None:
    """A standby, after a failover."""
    async with bare_database(postgres_database) as database:
        with pytest.raises(DatabaseUnavailable):
            _write_where_nobody_may(database)


async def test_the_lease_of_a_machine_that_vanished_is_free_within_15_seconds(postgres_database: str) -> None:
    """What the server was asked for. A real machine's cable was pulled once: 8 to 9 seconds."""
    async with bare_database(postgres_database) as database:
        await database.hold(START)
        lease = database._lease._connection
        assert lease is not None
        rows = lease.execute(text("SELECT name, reset_val FROM pg_settings WHERE name LIKE 'tcp%'"))
        asked = {name: int(value) for name, value in rows}
        silence = asked["tcp_keepalives_interval"] * asked["tcp_keepalives_count"]
        assert 0 < asked["tcp_keepalives_idle"] + silence < 15
        assert 0 < asked["tcp_user_timeout"] < 15_000


async def test_options_of_the_address_are_kept(postgres_database: str) -> None:
    own = make_url(postgres_database).update_query_dict({"options": "-c application_name=desk"})
    async with bare_database(own.render_as_string(hide_password=False)) as database:
        await database.hold(START)
        lease = database._lease._connection
        assert lease is not None
        assert lease.scalar(text("SHOW application_name")) == "desk"
        assert await database.still_held()


async def test_a_look_at_the_lock_keeps_nobody_from_starting(sqlite_database: str) -> None:
    """`doctor` looks whether a bot holds the lock while one starts."""
    async with bare_database(sqlite_database) as database:
        path = f"{database.url.database}.lock"
        handle = os.open(path, os.O_RDWR | os.O_CREAT)
        fcntl.flock(handle, fcntl.LOCK_SH)
        asyncio.get_running_loop().call_later(0.1, os.close, handle)
        await database.hold(START)
        assert await database.still_held()
