"""Models equal migrations; databases of another version are refused and not touched."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlmodel import col, select

from bot.domain.finding import read_query
from bot.domain.words import EVERYTHING, Status
from storage import finding, on_postgresql, schema, search
from storage.database import Database
from storage.errors import DatabaseUnavailable, SchemaTooNew, SchemaTooOld
from storage.models import ALL, Requester, Task, TicketMessage
from tests.integration.desk_data import put


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


async def stamp(database: Database, revision: str) -> None:
    """Pretend that another version of the program made the database."""
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})


def _differences(connection: Connection) -> list[Any]:
    sqlite = connection.dialect.name == "sqlite"

    def described(_what: object, name: str | None, kind: str, reflected: bool, _other: object) -> bool:
        """Whether metadata can describe it: not a virtual table, nor those that it is kept in."""
        return not (sqlite and reflected and kind == "table" and name in search.SQLITE_TABLES)

    options = {"compare_type": True, "compare_server_default": True, "include_object": described}
    context = MigrationContext.configure(connection, opts=options)
    whole: Any = ALL if sqlite else [ALL, on_postgresql.SEARCH]
    return list(compare_metadata(context, whole))


async def test_models_equal_migrations(database: Database) -> None:
    await schema.ensure(database)
    with database.engine.connect() as connection:
        assert _differences(connection) == []


async def test_the_comparison_would_find_a_difference(database: Database) -> None:
    await schema.ensure(database)
    with database.engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_tickets_list"))
        connection.execute(text("ALTER TABLE secrets ADD COLUMN extra INTEGER"))
    with database.engine.connect() as connection:
        kinds = {difference[0] for difference in _differences(connection)}
    assert kinds == {"add_index", "remove_column"}


async def test_the_index_of_the_search_is_all_that_is_not_compared(database: Database) -> None:
    await schema.ensure(database)
    with database.engine.begin() as connection:
        if database.dialect == "sqlite":
            made = connection.execute(
                text("SELECT name FROM sqlite_master WHERE name LIKE 'search%' AND type = 'table'")
            )
            assert set(made.scalars()) == search.SQLITE_TABLES
            found = connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = 'search_index'"))
            assert found == search.CREATE_ON_SQLITE
        else:
            connection.execute(text("DROP INDEX ix_search_index_words"))
            kinds = {difference[0] for difference in _differences(connection)}
            assert kinds == {"add_index"}


async def test_tickets_from_before_the_search_are_found(database: Database) -> None:
    with database.connection() as connection:
        command.upgrade(schema.config(connection), "0001")
        for statement in (
            "INSERT INTO requesters (id, name, email) VALUES (1, 'Kim Doe', 'kim@example.org')",
            "INSERT INTO tickets (number, version, status, topic, team, subject, requester_id, intake,"
            " opened_at, changed_at, moved_at) SELECT n, 1, 'open', 'other', 'berlin', 'Laptop', 1, 'http',"
            " '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2026-01-01 00:00:00' FROM"
            " (WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 450)"
            " SELECT n FROM count) AS numbers",
            "INSERT INTO messages (number, text, intake, at) VALUES (449, 'Für die Schule', 'http',"
            " '2026-01-01 00:00:00')",
        ):
            connection.execute(text(statement))
    await schema.upgrade(database)
    with database.read() as session:
        for typed, numbers in (("laptop", range(450, 0, -1)), ("fur kim@example.org", [449])):
            found = finding.find(session, read_query(typed), EVERYTHING, set(Status), 1_000)
            assert [number for number, _subject, _name in found] == list(numbers)


async def test_sqlite_numbers_are_kept_from_reuse_by_the_migration_too(sqlite_database: str) -> None:
    """What a comparison of metadata does not see: the table's own words."""
    database = Database(sqlite_database)
    try:
        await schema.ensure(database)
        with database.engine.connect() as connection:
            made = connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = 'tickets'"))
    finally:
        await database.close()
    assert "AUTOINCREMENT" in made


async def test_an_empty_database_becomes_usable(database: Database) -> None:
    assert await schema.revision(database) is None
    assert not await schema.is_current(database)
    await schema.ensure(database)
    assert await schema.is_current(database)
    await put(database, Requester(name="Kim"))


async def test_upgrading_twice_does_nothing_the_second_time(database: Database) -> None:
    assert await schema.upgrade(database)
    await put(database, Requester(name="Kim"))
    assert not await schema.upgrade(database)
    await schema.ensure(database)
    with database.read() as session:
        assert session.get_one(Requester, 1).name == "Kim"


async def test_a_newer_database_is_refused_and_left_alone(database: Database) -> None:
    await schema.ensure(database)
    await put(database, Requester(name="Kim"))
    await stamp(database, "9999")
    for act in (schema.ensure, schema.upgrade, schema.is_current):
        with pytest.raises(SchemaTooNew) as caught:
            await act(database)
        assert (caught.value.found, caught.value.known) == ("9999", schema.newest())
    assert await schema.revision(database) == "9999"
    with database.read() as session:
        assert session.get_one(Requester, 1).name == "Kim"


async def test_an_older_database_waits_for_migrate(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await schema.ensure(database)
    await put(database, Requester(name="Kim"))
    first = schema.newest()
    with_next_version(monkeypatch)
    with pytest.raises(SchemaTooOld) as caught:
        await schema.ensure(database)
    assert (caught.value.found, caught.value.known) == (first, "next")
    assert not await schema.is_current(database)
    with database.read() as session:
        assert session.get_one(Requester, 1).name == "Kim"


async def test_what_was_there_before_conversations_is_brought_along(database: Database) -> None:
    with database.engine.begin() as connection:
        command.upgrade(schema.config(connection), "0001")
        for statement in OLD_ROWS:
            connection.execute(text(statement))
    assert await schema.upgrade(database)
    with database.read() as session:
        assert session.get_one(Requester, 1).email_key == "kim@example.org"
        kinds = session.exec(select(TicketMessage.kind)).all()
        positions = session.exec(select(Task.number, Task.position).order_by(col(Task.id))).all()
    assert list(kinds) == ["message"]
    assert [tuple(each) for each in positions] == [(1, 1), (2, 1), (1, 2)]


_WHEN = "'2026-11-23 13:05'"
_TICKET = (
    "INSERT INTO tickets (number, version, status, topic, subject, requester_id, intake, opened_at,"
    f" changed_at, moved_at) VALUES "
    f"({{}}, 1, 'open', 'other', 'Laptop', 1, 'http', {_WHEN}, {_WHEN}, {_WHEN})"
)
_TASK = (
    f"INSERT INTO tasks (id, number, text, added_by, added_at) VALUES ({{}}, {{}}, 'Call', '@a:x', {_WHEN})"
)
OLD_ROWS = (
    "INSERT INTO requesters (id, name, email) VALUES (1, 'Kim', 'Kim@Example.org')",
    _TICKET.format(1),
    _TICKET.format(2),
    "INSERT INTO messages (number, text, intake, at) VALUES (1, 'Hello', 'http', '2026-11-23 13:05')",
    _TASK.format(1, 1),
    _TASK.format(2, 2),
    _TASK.format(3, 1),
)


def with_next_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program know one revision more than the newest one."""
    revisions = schema.known() | {"next"}
    monkeypatch.setattr(schema, "known", lambda: revisions)


async def test_every_migration_follows_the_one_before(database: Database) -> None:
    """One line of revisions, so that there is one newest."""
    await schema.ensure(database)
    scripts = ScriptDirectory.from_config(schema.config())
    assert scripts.get_heads() == [schema.newest()]
    assert len(scripts.get_bases()) == 1


async def test_a_database_that_does_not_answer_is_told_as_such() -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    try:
        with pytest.raises(DatabaseUnavailable):
            await schema.ensure(database)
    finally:
        await database.close()
