"""Looks at a database from beside the bot: makes nothing, writes nothing, takes no lease."""

import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import NullPool, create_engine, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, func, select

from storage import limits, queues, room_moves, schema
from storage.errors import DatabaseUnavailable
from storage.key_models import KeyAccount
from storage.lease import ADVISORY_KEY
from storage.models import ApiKey, Greeting, Holder, SyncState
from storage.trust_models import OwnIdentity

_LOCK_WAIT: Final = 3.0
_QUICK_CHECK: Final = 20.0
"""Seconds."""
_STEPS: Final = 10_000
_CONNECT_TIMEOUT: Final = 5


@contextmanager
def opened(url: URL) -> Iterator[Session]:
    """A session that only reads.

    :raises DatabaseUnavailable: it does not answer, or is not there.
    """
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True, **_options(url))
    try:
        with Session(engine) as session:
            if url.get_backend_name() != "sqlite":
                session.connection().execute(text("SET TRANSACTION READ ONLY"))
            yield session
    except DBAPIError as error:
        raise DatabaseUnavailable(url.get_backend_name()) from error
    finally:
        engine.dispose()


def _options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() != "sqlite":
        return {"connect_args": {"connect_timeout": _CONNECT_TIMEOUT}}
    # By itself SQLite makes a file that is not there; opened to be read only, it leaves its log behind.
    address = f"{Path(url.database or '').absolute().as_uri()}?mode=rw"
    return {"creator": lambda: sqlite3.connect(address, uri=True, timeout=_LOCK_WAIT)}


def is_missing(url: URL) -> bool:
    """Whether it is a SQLite file that is not there yet."""
    return url.get_backend_name() == "sqlite" and not Path(url.database or "").exists()


def found_schema(session: Session) -> str | None:
    """The revision of the schema; ``None`` for an empty database."""
    if not inspect(session.connection()).has_table("alembic_version"):
        return None
    version: str | None = session.connection().scalar(text("SELECT version_num FROM alembic_version"))
    return version


def is_from_newer(revision: str) -> bool:
    """Whether a newer version of the program made the schema."""
    return revision not in schema.known()


def greeted(session: Session) -> Sequence[str]:
    """Ids of the rooms in which the bot has introduced itself."""
    return session.exec(select(Greeting.room_id)).all()


@dataclass(frozen=True, slots=True)
class Room:
    """Free bytes where a SQLite file lies, and the file's size with its log."""

    free: int
    used: int


def room_for(url: URL) -> Room:
    """How much the file may still grow."""
    path = Path(url.database or "")
    files = (path, path.with_name(path.name + "-wal"))
    return Room(
        shutil.disk_usage(path.parent).free, sum(each.stat().st_size for each in files if each.exists())
    )


def why_not_writable(url: URL, session: Session) -> str | None:
    """Why the database cannot be written; ``None`` if it can. Nothing is written to find out."""
    if url.get_backend_name() == "sqlite":
        return _why_file_not_writable(Path(url.database or ""))
    connection = session.connection()
    if connection.scalar(text("SELECT pg_is_in_recovery()")):
        return "it is a read-only copy"
    if connection.scalar(text("SELECT current_setting('default_transaction_read_only')")) == "on":
        return "it is set to read-only"
    allowed = connection.scalar(text("SELECT has_table_privilege('tickets', 'INSERT, UPDATE, DELETE')"))
    return None if allowed else "this user may not write its tables"


def _why_file_not_writable(path: Path) -> str | None:
    for each in (path.parent, path):
        if not os.access(each, os.W_OK):
            return f"{each} is not writable for this user"
    with closing(sqlite3.connect(path, timeout=_LOCK_WAIT, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            return f"{error} for more than {_LOCK_WAIT:.0f} seconds"
    return None


def damage(url: URL, session: Session) -> str | None:
    """What is broken in the file, or how many pages the server found broken; ``None``: nothing.

    :raises TimeoutError: the file is too large to be looked through within 20 seconds.
    """
    if url.get_backend_name() == "sqlite":
        return _damage_of_file(session)
    found = session.connection().scalar(
        text("SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()")
    )
    return f"{found} pages with wrong checksums" if found else None


def _damage_of_file(session: Session) -> str | None:
    driver: Any = session.connection().connection.driver_connection
    end = time.monotonic() + _QUICK_CHECK
    driver.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        found = [row[0] for row in driver.execute("PRAGMA quick_check(3)")]
    except sqlite3.OperationalError as error:
        if time.monotonic() > end:
            raise TimeoutError from error
        raise
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        driver.set_progress_handler(None, 0)
    return None if found == ["ok"] else "; ".join(found)


@dataclass(frozen=True, slots=True)
class Lease:
    """Whether a process runs on the database, and which one was the last to do so."""

    held: bool | None
    """``None``: this user may not look."""
    holder: Holder | None


def lease(url: URL, session: Session) -> Lease:
    """Who runs on the database."""
    return Lease(_is_held(url, session), session.exec(select(Holder)).first())


def _is_held(url: URL, session: Session) -> bool | None:
    if url.get_backend_name() != "sqlite":
        query = text(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()"
            # A key of 64 bits is told in two halves.
            " AND l.classid = 0 AND CAST(l.objid AS bigint) = :key AND l.objsubid = 1"
        )
        return bool(session.connection().scalar(query, {"key": ADVISORY_KEY}))
    try:
        handle = os.open(f"{url.database}.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except PermissionError:
        return None
    try:
        # Shared and only for this moment: a `run` that starts just now tries again.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


@dataclass(frozen=True, slots=True)
class Work:
    """What is waiting, and since when."""

    synced_at: datetime | None
    inbox: int
    inbox_oldest: datetime | None
    outbox: int
    outbox_oldest: datetime | None
    set_aside: int
    keys: int
    """API keys that are valid."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How often the homeserver slowed the bot down, and to how many seconds per message."""

    seconds: float
    times: int
    first_at: datetime
    last_at: datetime


def limit(session: Session) -> Limit | None:
    """The homeserver's limit on messages; ``None``: none was met."""
    met = limits.met(session)
    return Limit(met.seconds, met.times, met.first_at, met.last_at) if met else None


@dataclass(frozen=True, slots=True)
class Trust:
    """What the bot keeps of its account's cross-signing."""

    device_id: str | None = None
    """The device that it logged in as last."""
    recovery_key_waits: bool = False
    """Whether nobody has taken it yet."""


def trust(session: Session) -> Trust:
    """What the bot keeps of its account's cross-signing."""
    state, own = session.get(SyncState, 1), session.get(OwnIdentity, 1)
    waits = own is not None and own.stored and own.recovery_key is not None
    return Trust(state.device_id if state is not None else None, waits)


def moved_rooms(session: Session) -> Mapping[str, str]:
    """Upgraded rooms → the room that the bot uses instead."""
    return room_moves.followed(session)


def key_account(session: Session) -> KeyAccount | None:
    """The bot's own device in encrypted rooms."""
    return session.get(KeyAccount, 1)


def work(session: Session, now: datetime) -> Work:
    """Queues, the last sync, and the API keys."""
    sync = session.get(SyncState, 1)
    due = queues.due(session, now).values()
    received, first = queues.unhandled(session)
    keys = session.exec(select(func.count()).select_from(ApiKey).where(col(ApiKey.revoked_at).is_(None)))
    synced_at = sync.synced_at if sync else None
    return Work(
        synced_at=synced_at,
        inbox=received,
        inbox_oldest=first,
        outbox=sum(count for count, _since in due),
        outbox_oldest=min((since for _count, since in due), default=None),
        set_aside=sum(queues.set_aside(session).values()),
        keys=keys.one(),
    )


def clock(session: Session) -> datetime:
    """What time the database's server says it is."""
    found = session.connection().scalar(text("SELECT clock_timestamp()"))
    assert isinstance(found, datetime)  # noqa: S101 - of PostgreSQL; SQLite has no clock of its own
    return found
