"""One process runs on a database: a lock that dies with it, and a row that says who it is."""

import fcntl
import os
import socket
import time
from contextlib import suppress
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, select

from storage.errors import AlreadyRunning
from storage.models import Holder

ADVISORY_KEY: Final = 0x7469636B  # "tick"
_TRIES: Final = 5
_PAUSE: Final = 0.05
"""Seconds. `doctor` holds a lock file for a moment when it looks whether a bot does."""
_SERVER: Final = " ".join(
    f"-c {name}"
    for name in (
        "tcp_keepalives_idle=4",
        "tcp_keepalives_interval=2",
        "tcp_keepalives_count=3",
        "tcp_user_timeout=10000",
    )
)
"""A machine that vanished says no goodbye: the server looks after 4 seconds of silence, and gives it up after
10. Without that the lock would stay for two hours."""
_CLIENT: Final = {
    "keepalives_idle": 4, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000,
}  # fmt: skip
"""The same from this side: the lease of a server that vanished is gone."""


class Lease:
    """A lock that dies with its process: of a file beside SQLite, an advisory one in PostgreSQL."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._file: int | None = None
        self._connection: Connection | None = None

    def take(self) -> bool:
        """Whether it is ours now.

        :raises DBAPIError: the database does not answer.
        """
        return self._lock_file() if self._url.get_backend_name() == "sqlite" else self._lock_in_database()

    def alive(self) -> bool:
        """Whether it is still ours."""
        if self._connection is None:
            return self._file is not None
        try:
            self._connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            return False
        return True

    def drop(self) -> None:
        """Give it back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._connection is not None:
            # A server takes its time to notice that a connection was closed. One that is broken has no lock.
            with suppress(SQLAlchemyError):
                self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_KEY})
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _lock_file(self) -> bool:
        handle = os.open(f"{self._url.database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        for _try in range(_TRIES):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_PAUSE)
            else:
                self._file = handle
                return True
        os.close(handle)
        return False

    def _lock_in_database(self) -> bool:
        self.drop()
        # A connection of its own, which ends with the lease.
        engine = create_engine(
            self._url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={**_CLIENT, "options": _with(self._url.query.get("options"))},
        )
        connection = engine.connect()
        if connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_KEY}):
            self._connection = connection
            return True
        connection.close()
        return False


def _with(given: str | tuple[str, ...] | None) -> str:
    """The server's options for this connection, besides those of the address."""
    asked = given if isinstance(given, tuple) else (given,) if given else ()
    return " ".join((*asked, _SERVER))


def is_own(error: AlreadyRunning) -> bool:
    """Whether this very process is noted as the holder: an older connection of its own still has the lock."""
    return (error.host, error.pid) == (socket.gethostname(), os.getpid())


def note_holder(session: Session, now: datetime, *, taken: bool) -> None:
    """Write down who runs here from now on.

    :raises AlreadyRunning: the lease was not to be had.
    """
    holder = session.exec(select(Holder)).first()
    if not taken and holder is None:
        raise AlreadyRunning("?", 0)
    if not taken and holder is not None:
        raise AlreadyRunning(holder.host, holder.pid, holder.since)
    session.merge(Holder(host=socket.gethostname(), pid=os.getpid(), since=now))
