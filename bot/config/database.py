"""Which databases can be named, and how SQLAlchemy wants to hear of them."""

from pathlib import Path
from typing import Final, LiteralString

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.config.values import refuse

_DRIVERS: Final = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
_HINT: Final[LiteralString] = "Write `sqlite:///tickettruhe.db` or `postgresql://user@host/name`."


def is_sqlite(database: str) -> bool:
    """Whether a checked database is a SQLite file."""
    return make_url(database).drivername == "sqlite"


def sqlite_path(database: str) -> Path | None:
    """The file of a checked database, if it is one."""
    url = make_url(database)
    return Path(url.database) if url.drivername == "sqlite" and url.database else None


def checked(database: str, folder: Path | None) -> str:
    """The database as configured, a SQLite file with its absolute path.

    :param folder: what a relative path is relative to; ``None``: left as it is.
    :raises PydanticCustomError: not one of the two kinds, or with a password in it. The text is never echoed.
    """
    try:
        url = make_url(database)
    except (ArgumentError, ValueError):
        raise refuse("must be the address of a database", _HINT) from None
    if url.drivername not in _DRIVERS:
        raise refuse("must be a SQLite or PostgreSQL database", _HINT)
    if url.password or "password" in url.query:
        hint: LiteralString = "Move it to `database_password_file` or to TICKETTRUHE_DATABASE_PASSWORD."
        raise refuse("must not hold a password", hint)
    if url.drivername == "postgresql":
        if not url.database:
            raise refuse("does not name a database on the server", _HINT)
        return database
    if url.host or not url.database or url.database == ":memory:" or "?" in database:
        raise refuse("must be a file: `sqlite:///` and its path", "Three slashes, four for an absolute path.")
    path = Path(url.database) if folder is None else folder.absolute() / url.database
    return _rendered(url.set(database=str(path)))


def with_driver(database: str, password: str | None) -> str:
    """The checked database with driver and password, for SQLAlchemy."""
    url = make_url(database)
    url = url.set(drivername=_DRIVERS[url.drivername])
    return _rendered(url.set(password=password) if password is not None else url)


def _rendered(url: URL) -> str:
    return url.render_as_string(hide_password=False)
