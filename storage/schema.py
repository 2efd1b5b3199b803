"""Schema versions: create, upgrade, and refuse what a newer version made."""

from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text
from sqlmodel import Session

from storage.database import Database
from storage.errors import SchemaTooNew, SchemaTooOld

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic takes 10 MB and is imported only where something is to be migrated.
_FOLDER: Final = Path(__file__).parent / "migrations"
_ONE_AT_A_TIME: Final = Lock()
"""Alembic keeps what it works on in a place that all threads share."""


def config(connection: Connection | None = None) -> "Config":
    """What Alembic is to work with."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config


def revision_in(session: Session) -> str | None:
    """The revision of the database that a unit of work sees."""
    return session.connection().execute(text("SELECT version_num FROM alembic_version")).scalar()


@cache
def known() -> frozenset[str]:
    """All revisions that this version of the program has heard of: their files begin with them."""
    return frozenset(file.name.partition("_")[0] for file in (_FOLDER / "versions").glob("[0-9]*_*.py"))


def newest() -> str:
    """The revision that this version of the program works with."""
    return max(known())


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection, to: str) -> None:
    from alembic import command

    with _ONE_AT_A_TIME:
        command.upgrade(config(connection), to)


async def revision(database: Database) -> str | None:
    """The database's revision; ``None`` for an empty one.

    :raises DatabaseUnavailable: it does not answer.
    """
    return await database.restructuring(_current)


async def upgrade(database: Database, to: str = "head") -> bool:
    """Bring the schema to the newest revision, or tests to an old one; says whether there was anything to do.

    :raises SchemaTooNew: the database was made by a newer version.
    """
    if await is_current(database):
        return False
    await database.restructuring(lambda connection: _upgrade(connection, to))
    return True


async def is_current(database: Database) -> bool:
    """Whether the schema is the one that this version works with.

    :raises SchemaTooNew: the database was made by a newer version.
    """
    return await _known_revision(database) == newest()


async def ensure(database: Database) -> None:
    """Create the schema in an empty database, else insist on the newest.

    :raises SchemaTooNew: the database was made by a newer version.
    :raises SchemaTooOld: the database holds data and needs ``migrate`` (after a backup).
    """
    found = await _known_revision(database)
    if found is None:
        await upgrade(database)
    elif found != newest():
        raise SchemaTooOld(found, newest())


async def _known_revision(database: Database) -> str | None:
    found = await revision(database)
    if found is not None and found not in known():
        raise SchemaTooNew(found, newest())
    return found
