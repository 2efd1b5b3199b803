"""Backups: a whole and checked copy of the database, also while the bot runs."""

import os
import shlex
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL

from storage.errors import BackupFailed

_SUFFIX: Final = {"sqlite": ".db", "postgresql": ".dump"}
_PRIVATE: Final = 0o600
_ENDING: Final = ".unfinished"


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup; ``size`` in bytes."""

    path: Path
    size: int


def back_up(url: URL, target: Path, now: datetime) -> Backup:
    """Copy the database into ``target``, a new file or, under a name with the time, into a folder.

    The copy is made beside its place, checked, and only then gets its name: a file of that name is whole.
    It is readable by its owner alone.

    :raises BackupFailed: it could not be made; what had been begun of it is removed.
    """
    path = target / f"tickettruhe-{now:%Y%m%dT%H%M%SZ}{_suffix(url)}" if target.is_dir() else target
    unfinished = path.with_name(path.name + _ENDING)
    if path.exists():
        raise BackupFailed(f"{path} exists already")
    try:
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE))
    except OSError as error:
        raise BackupFailed(f"{unfinished}: {error.strerror}") from error
    try:
        if url.get_backend_name() == "sqlite":
            _copy_file(Path(url.database or ""), unfinished)
        else:
            _dump(url, unfinished)
        _keep(unfinished, path)
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(f"{path}: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return Backup(path, path.stat().st_size)


def dump_command(url: URL, path: Path) -> list[str]:
    """The command that backs a PostgreSQL database up; the password is not in it."""
    return ["pg_dump", "--format=custom", f"--file={path}", f"--dbname={_address(url)}"]


def _suffix(url: URL) -> str:
    return _SUFFIX[url.get_backend_name()]


def _address(url: URL) -> str:
    """As PostgreSQL's own programs read it, without the password, which other users' `ps` would show."""
    # `URL.set` takes no password away.
    return URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, url.query
    ).render_as_string()


def _copy_file(source: Path, target: Path) -> None:
    if not source.is_file():
        raise BackupFailed(f"there is no database {source}")
    with closing(sqlite3.connect(source)) as origin, closing(sqlite3.connect(target)) as copy:
        # In one step it reads one state, beside which the bot may go on writing.
        origin.backup(copy)
        # One file, without a log beside it that could be left behind.
        copy.execute("PRAGMA journal_mode=DELETE")
        found = [row[0] for row in copy.execute("PRAGMA quick_check(3)")]
        if found != ["ok"]:
            raise BackupFailed(f"the copy of {source} is damaged: {'; '.join(found)}")


def _dump(url: URL, target: Path) -> None:
    command = dump_command(url, target)
    if shutil.which("pg_dump") is None or shutil.which("pg_restore") is None:
        told = shlex.join(dump_command(url, Path("tickettruhe.dump")))
        raise BackupFailed(f"pg_dump is not installed here; where it is, run: {told}")
    environment = {**os.environ, **({"PGPASSWORD": url.password} if url.password else {})}
    for step in (command, ["pg_restore", "--list", str(target)]):
        ended = subprocess.run(step, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        if ended.returncode != 0:
            raise BackupFailed(f"{step[0]}: {ended.stderr.strip()}")


def _keep(unfinished: Path, path: Path) -> None:
    """Give the file its name once all of it is on the disk."""
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
