"""Columns, numbers and units on both databases."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, text
from sqlalchemy.exc import DBAPIError, StatementError
from sqlmodel import Session, delete, select

from bot.domain.errors import Conflict
from storage import tickets
from storage.database import Database
from storage.errors import DatabaseUnavailable
from storage.models import ApiKey, Requester, SyncState, Ticket
from tests.integration.desk_data import START, bare_database, put


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with bare_database(database_url) as database:
        yield database


async def new_ticket(database: Database, *, fails: bool = False) -> int:
    """Insert a ticket; its number. ``fails``: in the middle of the unit, with the ticket written."""
    with database.write() as session:
        who = tickets.requester(session, "Kim", "kim@example.org", None)
        assert who.id is not None
        ticket = Ticket(
            status="open", topic="other", subject="Laptop", requester_id=who.id, intake="http",
            opened_at=START, changed_at=START, moved_at=START,
        )  # fmt: skip
        session.add(ticket)
        session.flush()
        assert ticket.number is not None
        if fails:
            raise ZeroDivisionError
        return ticket.number


TIMES = (
    datetime(2026, 11, 23, 14, 5, 6, 789012, tzinfo=UTC),
    datetime(2026, 11, 23, 14, 5, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=0),
    datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
    datetime(1970, 1, 1, tzinfo=UTC),
)


async def test_aware_times_come_back_as_the_same_instant_in_utc(database: Database) -> None:
    for index, when in enumerate(TIMES):
        await put(database, SyncState(id=index, synced_at=when))
        with database.read() as session:
            found = session.get_one(SyncState, index).synced_at
        assert found is not None
        assert found == when.astimezone(UTC)
        assert found.utcoffset() == timedelta(0)


async def test_naive_times_are_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="without zone"):
        await put(database, SyncState(id=1, synced_at=datetime(2026, 11, 23)))  # noqa: DTZ001
    with database.read() as session:
        assert session.get(SyncState, 1) is None


async def test_compare_and_set_writes_the_next_version(database: Database) -> None:
    number = await new_ticket(database)
    with database.write() as session:
        ticket = tickets.get(session, number)
        assert ticket is not None
        tickets.compare_and_set(session, ticket, {"status": "closed"})
        assert (ticket.status, ticket.version) == ("closed", 2)
    with database.read() as session:
        ticket = tickets.get(session, number)
    assert ticket is not None
    assert (ticket.status, ticket.version) == ("closed", 2)


async def test_compare_and_set_refuses_a_row_that_changed_meanwhile(database: Database) -> None:
    number = await new_ticket(database)
    with database.read() as session:
        stale = tickets.get(session, number)
    assert stale is not None
    with database.write() as session:
        fresh = tickets.get(session, number)
        assert fresh is not None
        tickets.compare_and_set(session, fresh, {"assignee": "@ben:example.org"})
    with pytest.raises(Conflict), database.write() as session:
        tickets.compare_and_set(session, stale, {"assignee": "@anna:example.org"})
    with database.read() as session:
        found = tickets.get(session, number)
    assert found is not None
    assert (found.assignee, found.version) == ("@ben:example.org", 2)


async def test_a_number_is_never_given_twice(database: Database) -> None:
    given = [await new_ticket(database) for _ in range(3)]
    with database.write() as session:
        session.exec(delete(Ticket))
    given.append(await new_ticket(database))
    with pytest.raises(ZeroDivisionError):
        await new_ticket(database, fails=True)
    given.append(await new_ticket(database))
    assert given == sorted(set(given))


async def test_a_unit_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await new_ticket(database, fails=True)
    with database.read() as session:
        assert session.exec(select(func.count()).select_from(Requester)).one() == 0


async def test_reading_never_commits(database: Database) -> None:
    with database.read() as session:
        session.add(Requester(name="Kim"))
        session.flush()
    with database.read() as session:
        assert session.exec(select(func.count()).select_from(Requester)).one() == 0


async def test_a_ticket_needs_its_requester(database: Database) -> None:
    """Foreign keys are on, which SQLite has to be told on each connection."""
    row = Ticket(
        status="open", topic="other", subject="s", requester_id=77, intake="http",
        opened_at=START, changed_at=START, moved_at=START,
    )  # fmt: skip
    with pytest.raises((DBAPIError, Conflict)):
        await put(database, row)


SECRET = "kim.secret@example.org"
BROKEN = (
    "INSERT INTO requesters (name, email) VALUES (NULL, :secret)",
    "INSERT INTO messages (number, text, intake, at) VALUES (77, :secret, 'http', '2026-11-23')",
    "SELECT nothing FROM nowhere WHERE name = :secret",
    "INSERT INTO api_keys (name, digest, created_at) VALUES (:secret, 'x', '2026-11-23')",
)


async def test_no_value_is_in_the_text_of_an_error(database: Database) -> None:
    await put(database, ApiKey(name=SECRET, digest="y", created_at=START))
    for statement in BROKEN:
        with (
            pytest.raises((DBAPIError, Conflict, DatabaseUnavailable)) as caught,
            database.write() as session,
        ):
            session.connection().execute(text(statement), {"secret": SECRET})
        error: BaseException | None = caught.value
        while error is not None:
            assert SECRET not in f"{error} {error!r}"
            error = error.__cause__


async def test_a_value_of_the_wrong_type_is_not_in_the_text_of_an_error(postgres_database: str) -> None:
    async with bare_database(postgres_database) as database:
        with pytest.raises(DBAPIError) as caught, database.write() as session:
            session.connection().execute(text("SELECT CAST(:secret AS integer)"), {"secret": SECRET})
    assert SECRET not in f"{caught.value}{caught.value.orig}"


async def test_a_server_that_does_not_answer_is_unavailable() -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    try:
        with pytest.raises(DatabaseUnavailable) as caught:
            await database.ping()
        assert caught.value.dialect == "postgresql"
        with pytest.raises(DatabaseUnavailable), database.write() as session:
            tickets.get(session, 1)
        with pytest.raises(DatabaseUnavailable), database.read() as session:
            tickets.get(session, 1)
        with pytest.raises(DatabaseUnavailable):
            await database.hold(START)
    finally:
        await database.close()


async def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("place") / "tickettruhe.db"
    folder.mkdir()
    database = Database(f"sqlite:///{folder}")
    try:
        with pytest.raises(DatabaseUnavailable):
            await database.ping()
    finally:
        await database.close()


@pytest.mark.parametrize("way", ["read", "write"])
async def test_a_connection_that_is_cut_is_told_however_far_the_unit_got(
    postgres_database: str, way: str
) -> None:
    """Also if only giving it back fails: whoever waits for the database must not take it for a fault."""
    async with bare_database(postgres_database) as database:
        with pytest.raises(DatabaseUnavailable):
            cut_within(database, database.read() if way == "read" else database.write())


def cut_within(database: Database, unit: AbstractContextManager[Session]) -> None:
    """End the connection of a unit while it goes on."""
    with unit as session:
        pid = session.exec(select(func.pg_backend_pid())).one()
        with database.read() as other:
            other.exec(select(func.pg_terminate_backend(pid)))
