"""Databases as copies of one that was filled once: tables and first rows cost a test next to nothing."""

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from storage.database import Database

Fill = Callable[[Database], Awaitable[None]]

_FILES: Final[dict[str, bytes]] = {}
_DATABASES: Final[dict[tuple[str, str], str]] = {}
"""Kind and server → the database there that is copied; it goes with the server, at the end of the run."""


async def filled(url: str, kind: str, fill: Fill) -> None:
    """Make an empty database what ``fill`` makes of one; those of one ``kind`` are all alike.

    One that is not empty stays as it is.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        await _file(Path(str(address.database)), url, kind, fill)
    else:
        await _database(address, kind, fill)


async def _file(path: Path, url: str, kind: str, fill: Fill) -> None:
    if _size(path):
        return
    if kind in _FILES:
        path.write_bytes(_FILES[kind])  # noqa: ASYNC240 - in memory, and nobody waits
        return
    await _run(url, fill)
    assert not _size(path.with_name(f"{path.name}-wal")), "something is not in the file yet"
    _FILES[kind] = path.read_bytes()  # noqa: ASYNC240


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


async def _database(url: URL, kind: str, fill: Fill) -> None:
    with psycopg.connect(_address(url)) as connection:
        if connection.execute("SELECT to_regclass('alembic_version')").fetchone() != (None,):
            return
    known = kind, _address(url.set(database="postgres"))
    if known not in _DATABASES:
        await _run(url.render_as_string(hide_password=False), fill)
        template = f"template_{secrets.token_hex(6)}"
        _copy(url, str(url.database), template)
        _DATABASES[known] = template
        return
    _copy(url, _DATABASES[known], str(url.database))


def _address(url: URL) -> str:
    plain = url.set(drivername="postgresql").difference_update_query(["options"])
    return plain.render_as_string(hide_password=False)


async def _run(url: str, fill: Fill) -> None:
    database = Database(url)
    try:
        await fill(database)
    finally:
        await database.close()


def _copy(server: URL, source: str, target: str) -> None:
    with psycopg.connect(_address(server.set(database="postgres")), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(target)))
        copied = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(copied.format(sql.Identifier(target), sql.Identifier(source)))
