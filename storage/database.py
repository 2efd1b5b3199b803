"""Engine, threads, transactions and lease, on SQLite and PostgreSQL alike.

Queries are plain functions that run in threads of the database's own: the loop never waits for them, and a
transaction crosses from thread to thread once, not once per statement as an async driver does.
"""

import asyncio
import contextlib
import contextvars
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from bot.domain.errors import Conflict
from storage.errors import AlreadyRunning, DatabaseUnavailable
from storage.lease import Lease, is_own, note_holder
from storage.search import MERGE, MERGE_PAGES, WORDS_ON_SQLITE
from storage.writer import Writer, within

T = TypeVar("T")

_BUSY_MS: Final = 10_000
THREADS: Final = "database"
"""Begins the names of the threads in which queries run."""
_PATIENCE: Final = 3.0
_AGAIN: Final = 1.0
_CACHE_KIB: Final = 512
"""Of each connection; the operating system keeps the rest of the file at hand."""
_READERS: Final = 3
_WRITERS: Final = 3
"""How many units PostgreSQL works at side by side; SQLite has one writer. With more of them, threads wait for
Python's lock instead, and less is done."""
_RETRYABLE: Final = frozenset({"40001", "40P01", "23505", "23503"})
"""PostgreSQL's serialization failure and deadlock, and violations of a unique or foreign key (another unit
made the same key, or removed the row referred to): run again, the unit finds what the other one wrote."""


_READ_ONLY: Final = "25006"
"""PostgreSQL's answer from a server that is not the primary one, or not yet, as during a failover."""


class Database:
    """One database. Writing units of one process queue here, those of others wait in the database."""

    def __init__(self, url: str) -> None:
        """:param url: SQLAlchemy URL of a SQLite file or a PostgreSQL database; the driver is chosen here."""
        given = make_url(url)
        self.dialect: str = given.get_backend_name()
        self.url: URL = given.set(drivername=_DRIVERS.get(self.dialect, given.drivername))
        self._engine = _engine(self.url)
        self._writing_engine = self._engine.execution_options(tickettruhe_writes=True)
        # SQLite has one writer; queueing here beats its busy handler, which polls.
        self._turn = threading.Lock() if self.dialect == "sqlite" else contextlib.nullcontext()
        self._writer = Writer(self._writing_engine, self.write) if self.dialect == "sqlite" else None
        writers = 1 if self.dialect == "sqlite" else _WRITERS
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix=THREADS)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix=THREADS)
        # At first it is not known whether the last run came to do it.
        self._to_optimize = True
        self._lease = Lease(self.url)

    @property
    def engine(self) -> Engine:
        """The engine, for migrations and tests."""
        return self._engine

    async def writing(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in a thread and in one transaction; see :meth:`write`."""
        if self._writer is not None:
            result = self._writer.put(work)
            try:
                self._writers.submit(self._writer.drain, self._turn)
            except RuntimeError as error:
                # Closed meanwhile. What is refused here must not be done by a round that is under way.
                if result.cancel():
                    raise DatabaseUnavailable(self.dialect) from error
            try:
                return await asyncio.wrap_future(result)
            except (DBAPIError, PoolTimeout) as error:
                self._raise_wrapped(error)
        return await _in_thread(self._writers, partial(within, self.write, work))

    async def reading(self, work: Callable[[Session], T]) -> T:
        """Run ``work``, which only reads, in a thread; see :meth:`read`."""
        return await _in_thread(self._readers, partial(within, self.read, work))

    async def restructuring(self, work: Callable[[Connection], T]) -> T:
        """Run schema work in a thread and in one transaction; see :meth:`connection`."""
        return await _in_thread(self._writers, partial(within, self.connection, work))

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A unit of work: commits at the end of the block, rolls back on any exception.

        :raises Conflict: the database could not order this unit after another one; run it again.
        :raises DatabaseUnavailable: it does not answer, is locked or full.
        """
        # Around the session as well: a connection that was cut fails only when it is rolled back, too.
        try:
            with self._turn, Session(self._writing_engine, expire_on_commit=False) as session:
                yield session
                session.commit()
        except (DBAPIError, PoolTimeout) as error:
            self._raise_wrapped(error)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session whose queries see one state of the database; never commits.

        :raises DatabaseUnavailable: it does not answer.
        """
        try:
            with Session(self._engine, expire_on_commit=False) as session:
                yield session
        except (DBAPIError, PoolTimeout) as error:
            self._raise_wrapped(error)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A transaction for schema work, without a session; commits at the end of the block.

        :raises DatabaseUnavailable: it does not answer.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            self._raise_wrapped(error)

    def _raise_wrapped(self, error: DBAPIError | PoolTimeout) -> NoReturn:
        if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _RETRYABLE:
            raise Conflict from error
        away = getattr(getattr(error, "orig", None), "sqlstate", None) == _READ_ONLY
        if away or isinstance(error, OperationalError | InterfaceError | PoolTimeout):
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
        if self._to_optimize:
            # In steps, between which others may write: all at once would take half a minute of a million.
            step = -MERGE_PAGES
            while await _in_thread(self._writers, partial(self._tidy, MERGE, step)):
                step = MERGE_PAGES
            self._to_optimize = False
        await _in_thread(self._writers, partial(self._tidy, "PRAGMA wal_checkpoint(TRUNCATE)"))

    def _tidy(self, statement: str, *values: object) -> bool:
        """Says whether that changed anything; a step of a merge that had nothing to do changes one row."""
        with self._turn, self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            before = driver.total_changes
            try:
                driver.execute(statement, values)
            except sqlite3.OperationalError as error:
                raise DatabaseUnavailable(self.dialect) from error
            return bool(driver.total_changes - before > 1)

    async def ping(self) -> None:
        """Answer if the database lives.

        :raises DatabaseUnavailable: it does not.
        """
        await _in_thread(self._readers, self._ping)

    def _ping(self) -> None:
        try:
            with self._engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseUnavailable(self.dialect) from error

    async def hold(self, now: datetime, patience: float = 0.0) -> None:
        """Become the one process that runs on this database, until :meth:`close` or death.

        :param patience: seconds for PostgreSQL to notice that an older connection of this process is gone.
        :raises AlreadyRunning: another process does; says who.
        :raises DatabaseUnavailable: it does not answer.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        while True:
            try:
                return await _in_thread(self._writers, partial(self._hold, now))
            except AlreadyRunning as error:
                if not is_own(error) or loop.time() > until:
                    raise
            except DBAPIError as error:
                self._raise_wrapped(error)
            await asyncio.sleep(_AGAIN)

    def _hold(self, now: datetime) -> None:
        taken = self._lease.take()
        with self.write() as session:
            note_holder(session, now, taken=taken)

    async def still_held(self) -> bool:
        """Whether the lease is still ours; PostgreSQL drops it with the connection, as after its restart."""
        return await _in_thread(self._readers, self._lease.alive)

    async def close(self) -> None:
        """Let units under way end, give the lease back and close all connections.

        A database that hangs is not waited for longer than some seconds; :func:`hangs` then tells so.
        """
        ending = threading.Thread(target=self._close, name=THREADS, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, _PATIENCE)

    def _close(self) -> None:
        self._writers.shutdown()
        self._readers.shutdown()
        self._lease.drop()
        self._engine.dispose()


def hangs() -> bool:
    """Whether a query still runs in a thread, which Python would wait for at its end."""
    return any(thread.name.startswith(THREADS) for thread in threading.enumerate())


async def _in_thread(threads: Executor, work: Callable[[], T]) -> T:
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(threads, context.run, work)


_DRIVERS: Final = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}


def _engine(url: URL) -> Engine:
    # Parameters hold requesters' data: they stay out of errors, and so out of logs. The connection used last
    # is used next: each keeps what it prepared, and few that are used often have it all at hand.
    if url.get_backend_name() != "sqlite":
        # Each unit sees one state; two that would have changed what the other saw do not both commit.
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=_READERS + _WRITERS,
            pool_use_lifo=True,
            isolation_level="REPEATABLE READ",
        )
        event.listen(engine, "handle_error", _drop_values)
        return engine
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, hide_parameters=True, pool_use_lifo=True)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:  # noqa: ANN401
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={_BUSY_MS}",
            f"cache_size={-_CACHE_KIB}",
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.execute(WORDS_ON_SQLITE)
        cursor.close()

    @event.listens_for(engine, "begin")
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
