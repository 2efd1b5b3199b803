"""Schema versions: create, upgrade, and refuse what a newer version made."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlmodel import Session

from storage.database import Database
from storage.errors import SchemaTooNew, SchemaTooOld


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def revision_in(session: Session) -> str | None:
    """The revision of the database that a unit of work sees."""
    return session.connection().execute(text("SELECT version_num FROM alembic_version")).scalar()


def newest() -> str:
    """The revision that this version of the program works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None  # noqa: S101 - the first migration is part of the package
    return head


def known() -> frozenset[str]:
    """All revisions that this version of the program has heard of."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def revision(database: Database) -> str | None:
    """The database's revision; ``None`` for an empty one.

    :raises DatabaseUnavailable: it does not answer.
    """
    return await database.restructuring(_current)


async def upgrade(database: Database, to: str = "head") -> bool:
    """Bring the schema to the newest revision, or tests to an old one; says whether there was anything to do.

    :raises SchemaTooNew: the database was made by a newer version.
    """
    found = await _known_revision(database)
    if found == newest():
        return False
    await database.restructuring(lambda connection: command.upgrade(_config(connection), to))
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
    if found is not None and found not in await asyncio.to_thread(known):
        raise SchemaTooNew(found, newest())
    return found
