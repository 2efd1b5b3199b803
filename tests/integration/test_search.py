"""The search finds the same on both databases: what it should, nothing else, and quickly."""

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import psycopg
import pytest
from hypothesis import example, given, settings
from sqlalchemy import URL, text

from bot.domain.errors import NotPermitted
from bot.domain.finding import Query, read_query, words_of
from bot.domain.words import EVERYTHING, Action, Intake, Scope, Status
from bot.services import arrivals, merging, notes, purge, searching
from bot.services.arrivals import NewMessage
from bot.services.list_views import SearchView
from bot.services.lists import PAGE
from storage import finding, listing, search
from tests.integration.desk_data import ANNA, BERLIN, CARLA, DORA, FREIBURG, TIM, Desk, desk_on
from tests.integration.many_tickets import fill
from tests.unit.test_document import NASTY, hostile


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


async def view(
    desk: Desk,
    typed: str,
    by: str = ANNA,
    room: str | None = None,
    *,
    everything: bool = False,
    page: int = 0,
) -> SearchView:
    caller = await desk.caller(by, room)
    return await desk.units.look(
        lambda unit: searching.search_tickets(unit, typed, caller, everything=everything, page=page)
    )


async def found(
    desk: Desk, typed: str, by: str = ANNA, room: str | None = None, *, everything: bool = False
) -> list[int]:
    """Numbers in the order shown."""
    shown = await view(desk, typed, by, room, everything=everything)
    return [hit.line.number for hit in shown.hits]


async def write(desk: Desk, number: int, said: str) -> None:
    """A further message of the requester."""
    message = NewMessage(said, Intake.HTTP)
    await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))


@pytest.mark.parametrize(
    ("typed", "hit"),
    [
        ("grosser", True),
        ("GRÖẞER", True),
        ("größ", True),
        ("ausbild kamera", True),
        ("ausbild drucker", False),
        ('"laptop gesucht"', True),
        ('"gesucht laptop"', False),
        ('"laptop gesuch"', False),
        ("dœ", True),
        ("kim@example.org", True),
        ("KIM@EXAMPLE.ORG", True),
        ("kim@example.or", False),
        ("example.org", False),
        ("0761", False),
        ("e-mail", True),
        # Not across subject and name, nor across two messages.
        ('"gesucht kim"', False),
        ('"kamera zweite"', False),
        ("zweite", True),
    ],
)
async def test_what_is_found(desk: Desk, typed: str, hit: bool) -> None:
    number = await desk.open(
        subject="Größerer Laptop gesucht", text="Für die Ausbildung, per E-Mail. Mit Kamera", name="Kim Doe"
    )
    await write(desk, number, "Zweite Nachricht")
    assert await found(desk, typed) == ([number] if hit else [])


async def test_the_best_comes_first_then_the_newest(desk: Desk) -> None:
    message = await desk.open(subject="Printer", text="a laptop", name="Robin")
    name = await desk.open(subject="Printer", text="-", name="Lap Top")
    name_too = await desk.open(subject="Printer", text="-", name="Laptop")
    subject = await desk.open(subject="Laptop", text="-", name="Robin")
    newer = await desk.open(subject="Laptops", text="-", name="Robin")
    assert await found(desk, "laptop") == [newer, subject, name_too, message]
    assert await found(desk, "lap") == [newer, subject, name_too, name, message]


async def test_a_room_finds_its_own_teams_tickets(desk: Desk) -> None:
    ours = await desk.open()
    theirs = await desk.open(region="berlin")
    nobodys = await desk.open(region="elsewhere")
    assert await found(desk, "laptop") == [ours]
    assert await found(desk, "laptop", CARLA) == [theirs]
    assert await found(desk, "laptop", TIM) == [nobodys]
    assert await found(desk, "laptop", DORA) == [nobodys, theirs, ours]
    # An admin who asks in a team's room is in that room.
    assert await found(desk, "laptop", DORA, FREIBURG) == [ours]
    assert await found(desk, "laptop", ANNA, "!elsewhere:example.org") == []
    await desk.do(Action.TRANSFER, ours, team="berlin")
    assert await found(desk, "laptop") == []
    assert await found(desk, "laptop", CARLA, BERLIN) == [theirs, ours]


async def test_deleted_tickets_are_never_found_and_archived_ones_by_admins_who_ask(desk: Desk) -> None:
    closed, spam, archived, deleted = [await desk.open() for _ in range(4)]
    await desk.do(Action.CLOSE, closed)
    await desk.do(Action.SPAM, spam)
    await desk.do(Action.CLOSE, archived)
    await desk.do(Action.ARCHIVE, archived, DORA)
    await desk.do(Action.DELETE, deleted, DORA)
    assert await found(desk, "laptop") == [spam, closed]
    assert await found(desk, "laptop", DORA) == [spam, closed]
    assert await found(desk, "laptop", DORA, everything=True) == [archived, spam, closed]
    with pytest.raises(NotPermitted):
        await view(desk, "laptop", everything=True)


async def test_notes_and_merged_words_are_found_where_they_are(desk: Desk) -> None:
    older, newer = await desk.open(subject="Mousepad"), await desk.open(subject="Headset")
    caller = replace(await desk.caller(ANNA), cause="$note")
    await desk.units.run(lambda unit: notes.note(unit, newer, "called about the webcam", caller))
    assert await found(desk, "webcam") == [newer]
    merger = replace(caller, cause="$merge")
    await desk.units.run(lambda unit: merging.merge(unit, older, newer, merger))
    assert await found(desk, "webcam", DORA, everything=True) == [older]
    await desk.do(Action.UNDO, older, ANNA, cause="$undo")
    assert await found(desk, "webcam") == [newer]
    await desk.units.run(lambda unit: notes.note(unit, older, "about a scanner", replace(caller, cause="$n")))
    assert await found(desk, "scanner") == [older]
    await desk.do(Action.UNDO, older, ANNA, cause="$again")
    assert await found(desk, "scanner") == []


async def test_hits_tell_where(desk: Desk) -> None:
    number = await desk.open(subject="Laptop", text="With a camera, please", name="Kim Doe")
    await desk.deliver()
    (hit,) = (await view(desk, "laptop")).hits
    assert (hit.name, hit.excerpt) == (None, None)
    (hit,) = (await view(desk, "laptop kim camera")).hits
    assert (hit.name, hit.excerpt) == ("Kim Doe", "With a camera, please")
    card = next(iter(desk.homeserver.cards(number)))
    assert (hit.line.card_room, hit.line.card_event) == (FREIBURG, card)


async def test_pages_and_an_end_of_counting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [await desk.open() for _ in range(PAGE + 3)]
    first, second, third = [await view(desk, "laptop", page=page) for page in range(3)]
    shown = [hit.line.number for hit in (*first.hits, *second.hits)]
    assert shown == numbers[::-1]
    assert (first.page, first.next_page, first.before, first.total) == (0, 1, 0, PAGE + 3)
    assert (second.page, second.next_page, second.before, second.total) == (1, None, PAGE, PAGE + 3)
    assert third.hits == ()
    monkeypatch.setattr(listing, "COUNTED", PAGE + 2)
    cut = await view(desk, "laptop", page=1)
    assert (cut.total, cut.beyond, cut.next_page) == (PAGE + 2, True, None)
    assert [hit.line.number for hit in cut.hits] == numbers[2:0:-1]


@pytest.mark.parametrize(
    "typed",
    ["", " ", '"', '""', "'", "*", "lap*", "(", "AND", "laptop OR", "NEAR(a b)", "words:laptop", "-laptop",
     "laptop & !x | <-> :*", "\\", "a\0b", "\ud800", "🙂", "@", "@@", "x" * 100_000, "%_",
     "; DROP TABLE tickets"],
)  # fmt: skip
async def test_nothing_that_is_typed_is_an_error(desk: Desk, typed: str) -> None:
    await desk.open(subject=typed[:100].replace("\0", "").encode("utf-8", "replace").decode() or "x")
    assert (await view(desk, typed)).total in (0, 1)


async def test_very_long_tickets_are_indexed_as_far_as_fits(desk: Desk) -> None:
    number = await desk.open(text=" ".join(f"word{n}" for n in range(2_500)))
    for _message in range(8):
        await write(desk, number, "\U00010400" * 60 + " " + " ".join(f"ü{'x' * 40}{n}" for n in range(2_400)))
    assert await found(desk, "laptop") == [number]
    await write(desk, number, "newest")
    assert await found(desk, "newest laptop") == [number]


async def test_a_purge_leaves_nothing_in_the_index(desk: Desk) -> None:
    number, other = await desk.open(), await desk.open(subject="Camera")
    await desk.do(Action.DELETE, number, DORA)
    caller = await desk.caller(DORA)
    await desk.units.run(lambda unit: purge.purge(unit, number, caller))
    column = "rowid" if desk.database.dialect == "sqlite" else "number"
    with desk.database.engine.connect() as connection:
        left = connection.execute(text(f"SELECT {column} FROM search_index")).scalars().all()
    assert left == [other]


async def test_no_word_of_a_purged_ticket_stays_in_the_files_of_sqlite(sqlite_database: str) -> None:
    """FTS5 keeps the words of deleted rows in its older parts until these are merged."""
    words = ("zebrafink", "quastenflosser", "wolpertinger", "schnabeltier")
    async with desk_on(sqlite_database) as desk:
        folder = Path(str(desk.database.url.database)).parent

        def left() -> list[str]:
            files = [file.read_bytes() for file in folder.iterdir()]
            return [word for word in words if any(word.encode() in content for content in files)]

        number = await desk.open(subject="Zebrafink", name="Quastenflosser", text="Wolpertinger")
        for other in range(30):
            await desk.open(subject=f"Another {other}")
        await write(desk, number, "Schnabeltier")
        assert left() == sorted(words, key=words.index)
        await desk.do(Action.DELETE, number, DORA)
        caller = await desk.caller(DORA)
        await desk.units.run(lambda unit: purge.purge(unit, number, caller))
        assert left() == []
        assert len(await found(desk, "another")) == PAGE


async def test_a_search_uses_the_index_among_ten_thousand(desk: Desk) -> None:
    with desk.database.engine.begin() as connection:
        fill(connection, 10_000)
    assert await found(desk, "needle") == [7_776]
    assert (await view(desk, "laptop")).beyond

    scope, query = frozenset({"freiburg"}), read_query("needle")
    sqlite = desk.database.dialect == "sqlite"
    statement = finding.FIND_ON_SQLITE if sqlite else finding.BY_INDEX
    asked = finding.fts5_query(query, scope, {}) if sqlite else finding.tsquery(query, scope)
    values = {"query": asked, "statuses": [each.value for each in Status], "limit": 1_001}
    explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
    explained = text(f"{explain} {statement.text}").bindparams(*statement._bindparams.values())
    with desk.database.engine.connect() as connection:
        told = "\n".join(" ".join(map(str, row)) for row in connection.execute(explained, values))
    if sqlite:
        assert "search_index VIRTUAL TABLE INDEX" in told
        assert "SEARCH tickets USING INTEGER PRIMARY KEY" in told
        assert "TEMP B-TREE" not in told
    else:
        assert "Bitmap Index Scan on ix_search_index_words" in told
        assert "Seq Scan on tickets" not in told


async def test_postgresql_finds_the_same_by_both_ways(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope, statuses = Scope(frozenset({"freiburg"})), {Status.CLOSED, Status.OPEN}
    async with desk_on(postgres_database) as desk:
        with desk.database.engine.begin() as connection:
            fill(connection, 3_000)

        def found(typed: str, sample: int, most: int) -> list[int]:
            monkeypatch.setattr(finding, "_SAMPLE", sample)
            monkeypatch.setattr(finding, "_MOST_READ", most)
            with desk.database.read() as session:
                hits = finding.find(session, read_query(typed), scope, statuses, 50)
            return [number for number, _subject, _name in hits]

        for typed, count in (("laptop", 50), ("laptop 77", 3), ("laptop 29", 33), ("nothing", 0)):
            by_index = found(typed, 1, 0)
            # From the newest ticket on, and so that one way gives way to the other.
            assert found(typed, 100, 100_000) == found(typed, 100, 500) == by_index
            assert len(by_index) == count
            assert by_index == sorted(by_index, reverse=True)


def _oracle(query: Query, words: str) -> bool:
    """What a search must find, without a database."""
    return all(term.stands_in(words_of(words)) for term in query.terms)


TYPED = hostile.map(lambda typed: f"{typed} laptop")


@settings(deadline=None)
@given(TYPED, hostile)
@example("".join(NASTY), "".join(NASTY))
def test_fts5_reads_every_query_as_it_is_meant(typed: str, words: str) -> None:
    query, indexed = read_query(typed), f"Laptop {typed[:9]} {words}"
    with sqlite3.connect(":memory:") as connection:
        connection.execute(search.CREATE_ON_SQLITE)
        connection.execute(search.WORDS_ON_SQLITE)
        told = " ".join([search.team_mark("x"), *(each.word for each in words_of(indexed))])
        connection.execute("INSERT INTO search_index VALUES (?)", (told,))
        completed = finding.completions_on_sqlite(
            lambda statement, values: connection.execute(statement.text, values), query
        )
        for (team, there), completions in product((("x", True), ("y", False)), ({}, completed)):
            asked = finding.fts5_query(query, [team], completions)
            rows = connection.execute("SELECT 1 FROM search_index WHERE search_index MATCH ?", (asked,))
            assert bool(rows.fetchall()) is (there and _oracle(query, indexed))
    connection.close()


def test_postgresql_reads_every_query_as_it_is_meant(postgres_url: URL) -> None:
    address = postgres_url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:

        @settings(deadline=None)
        @given(TYPED, hostile)
        @example("".join(NASTY), "".join(NASTY))
        def check(typed: str, words: str) -> None:
            query, indexed = read_query(typed), f"Laptop {typed[:9]} {words}"
            told = search._vector([search.team_mark("x"), *(each.word for each in words_of(indexed))])
            for team, there in (("x", True), ("y", False)):
                asked = finding.tsquery(query, [team])
                rows = connection.execute("SELECT CAST(%s AS tsvector) @@ CAST(%s AS tsquery)", (told, asked))
                assert rows.fetchone() == (there and _oracle(query, indexed),)

        check()


async def test_a_beginning_is_found_however_many_words_begin_so(desk: Desk) -> None:
    few = [await desk.open(subject=f"Kofferraum{ending}") for ending in ("", "s", "matte")]
    many = [
        await desk.open(subject=" ".join(f"kabel{10 * each + digit}" for digit in range(10)))
        for each in range(7)
    ]
    assert await found(desk, "kofferraum") == few[::-1]
    assert await found(desk, '"kofferraum"') == few[:1]
    assert await found(desk, "kabel") == many[::-1]
    assert await found(desk, "kabel6") == [many[6], many[0]]
    if desk.database.dialect == "sqlite":
        with desk.database.read() as session:
            ask = session.connection().execute
            query = read_query("kofferraum kof kabel nothing")
            completions = finding.completions_on_sqlite(ask, query)
        words = {term.words[0]: list(completed) for term, completed in completions.items()}
        assert words == {"kofferraum": ["kofferraum", "kofferraummatte", "kofferraums"], "nothing": []}


async def test_a_query_of_no_words_and_a_scope_of_nothing_find_nothing(desk: Desk) -> None:
    await desk.open()
    with desk.database.read() as session:
        assert finding.find(session, read_query("-"), EVERYTHING, set(Status), 9) == []
        assert finding.find(session, read_query("laptop"), Scope(), set(Status), 9) == []
