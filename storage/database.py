"""Engine, units and lease, on SQLite and PostgreSQL alike."""

import asyncio
import contextlib
import fcntl
import os
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from sqlalchemy import event, text
from sqlalchemy.engine import URL, Connection, ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.errors import Conflict
from storage.errors import AlreadyRunning, DatabaseUnavailable
from storage.models import Holder
from storage.search import OPTIMIZE

_BUSY_MS: Final = 10_000
_ADVISORY_KEY: Final = 0x7469636B  # "tick"
_RETRYABLE: Final = frozenset({"40001", "40P01", "23505", "23503"})
"""PostgreSQL's serialization failure and deadlock, and violations of a unique or foreign key (another unit
made the same key, or removed the row referred to): run again, the unit finds what the other one wrote."""


class Database:
    """One database. Writing units of one process queue here, those of others wait in the database."""

    def __init__(self, url: str) -> None:
        """:param url: SQLAlchemy URL with an async driver: sqlite+aiosqlite or postgresql+psycopg."""
        self.url: URL = make_url(url)
        self.dialect: str = self.url.get_backend_name()
        self._engine = _engine(self.url)
        self._writing_engine = self._engine.execution_options(tickettruhe_writes=True)
        # SQLite has one writer; queueing in the loop beats its busy handler, which polls.
        self._turn = asyncio.Lock() if self.dialect == "sqlite" else None
        # At first it is not known whether the last run came to do it.
        self._to_optimize = True
        self._lease = _Lease(self)

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for migrations and tests."""
        return self._engine

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A unit of work: commits at the end of the block, rolls back on any exception.

        :raises Conflict: the database could not order this unit after another one; run it again.
        :raises DatabaseUnavailable: it does not answer, is locked or full.
        """
        # Around the session as well: a connection that was cut fails only when it is rolled back, too.
        try:
            async with (
                self._turn or contextlib.nullcontext(),
                AsyncSession(self._writing_engine, expire_on_commit=False) as session,
            ):
                yield session
                await session.commit()
        except (DBAPIError, PoolTimeout) as error:
            self._raise_wrapped(error)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session whose queries see one state of the database; never commits."""
        try:
            async with AsyncSession(self._engine, expire_on_commit=False) as session:
                yield session
        except (DBAPIError, PoolTimeout) as error:
            self._raise_wrapped(error)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A transaction for schema work, without a session; commits at the end of the block.

        :raises DatabaseUnavailable: it does not answer.
        """
        try:
            async with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            self._raise_wrapped(error)

    def _raise_wrapped(self, error: DBAPIError | PoolTimeout) -> NoReturn:
        if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _RETRYABLE:
            raise Conflict from error
        if isinstance(error, OperationalError | InterfaceError | PoolTimeout):
            raise DatabaseUnavailable(self.dialect) from error
        raise error

    async def scrub(self, *, erased: bool = False) -> None:
        """Let nothing of what was erased stay in SQLite's search index and write-ahead log.

        :param erased: something was, since the last time.
        :raises DatabaseUnavailable: somebody else has locked it.
        """
        if self.dialect != "sqlite":
            return
        self._to_optimize |= erased
        async with self._turn or contextlib.nullcontext(), self._engine.connect() as connection:
            try:
                raw = await connection.get_raw_connection()
                driver: Any = raw.driver_connection
                if self._to_optimize:
                    await driver.execute(OPTIMIZE)
                    self._to_optimize = False
                await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.OperationalError as error:
                raise DatabaseUnavailable(self.dialect) from error

    async def ping(self) -> None:
        """Answer if the database lives.

        :raises DatabaseUnavailable: it does not.
        """
        try:
            async with self._engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseUnavailable(self.dialect) from error

    async def hold(self, now: datetime) -> None:
        """Become the one process that runs on this database, until :meth:`close` or death.

        :raises AlreadyRunning: another process does; says who.
        :raises DatabaseUnavailable: it does not answer.
        """
        try:
            await self._lease.take(now)
        except DBAPIError as error:
            self._raise_wrapped(error)

    async def still_held(self) -> bool:
        """Whether the lease is still ours; PostgreSQL drops it with the connection, as after its restart."""
        return await self._lease.alive()

    async def close(self) -> None:
        """Give the lease back and close all connections."""
        await self._lease.drop()
        await self._engine.dispose()


def _engine(url: URL) -> AsyncEngine:
    # Parameters hold requesters' data: they stay out of errors, and so out of logs.
    if url.get_backend_name() != "sqlite":
        # Each unit sees one state; two that would have changed what the other saw do not both commit.
        engine = create_async_engine(
            url, hide_parameters=True, pool_pre_ping=True, isolation_level="REPEATABLE READ"
        )
        event.listen(engine.sync_engine, "handle_error", _drop_values)
        return engine
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, hide_parameters=True)

    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:  # noqa: ANN401
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={_BUSY_MS}",
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Connection) -> None:
        # A deferred transaction that reads first and then writes fails at once with "locked".
        writes = connection.get_execution_options().get("tickettruhe_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _drop_values(context: ExceptionContext) -> None:
    """Keep only an error's kind: PostgreSQL quotes the offending values, even whole rows, in its messages."""
    original = context.original_exception
    state = getattr(original, "sqlstate", None)
    # Class 08 and 57 tell of the connection and the server, not of rows.
    if state is None or state[:2] in ("08", "57"):
        return
    diagnosis: Any = getattr(original, "diag", None)
    place = (getattr(diagnosis, name, None) for name in ("table_name", "column_name", "constraint_name"))
    safe = " ".join([type(original).__name__, state, *filter(None, place)])
    original.args = (safe,)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (safe,)


class _Lease:
    """A lock that dies with its process: of a file beside SQLite, an advisory one in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file: int | None = None
        self._connection: AsyncConnection | None = None

    async def take(self, now: datetime) -> None:
        taken = await (self._lock_row() if self._database.dialect != "sqlite" else self._lock_file())
        async with self._database.write() as session:
            holder = (await session.exec(select(Holder))).first()
            if not taken:
                raise AlreadyRunning(holder.host if holder else "?", holder.pid if holder else 0)
            await session.merge(Holder(host=socket.gethostname(), pid=os.getpid(), since=now))

    async def _lock_file(self) -> bool:
        handle = os.open(f"{self._database.url.database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._file = handle
        return True

    async def _lock_row(self) -> bool:
        await self.drop()
        connection = await self._database.engine.connect()
        connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        taken = await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY_KEY})
        if taken:
            self._connection = connection
        else:
            await connection.close()
        return bool(taken)

    async def alive(self) -> bool:
        if self._connection is None:
            return self._file is not None
        try:
            await self._connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            return False
        return True

    async def drop(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._connection is not None:
            # Invalidate, so that the lock does not stay with a pooled connection.
            await self._connection.invalidate()
            await self._connection.close()
            self._connection = None
