"""The full-text index of tickets: FTS5 on SQLite, a ``tsvector`` on PostgreSQL.

Both hold the words that :mod:`bot.domain.finding` makes of the texts, and neither folds or splits them again:
so both find the same. Beside the words stand marks that nobody can type, as they begin with ``@``: the
ticket's team and its requester's e-mail address, which is found whole or not at all.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, Index, MetaData, Table, bindparam, select, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Session, col

from bot.domain.finding import Query, Term, words_of
from bot.domain.words import Scope, Status, Team
from storage.listing import latest_texts
from storage.models import ALL, Requester, Ticket

POSTGRESQL: Final = MetaData(naming_convention=ALL.naming_convention)
"""What the index is on PostgreSQL; SQLite's is a virtual table, which no metadata can describe."""
_TABLE: Final = Table(
    "search_index",
    POSTGRESQL,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("words", TSVECTOR, nullable=False),
    # Without fast updates no search has to go through a list of what is not in the index yet.
    Index("ix_search_index_words", "words", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
)
CREATE_ON_SQLITE: Final = (
    "CREATE VIRTUAL TABLE search_index USING fts5"
    "(words, prefix='2 3', columnsize=0, tokenize=\"ascii tokenchars '@'\")"
)
"""Splits at spaces only: the words are folded already. No column sizes, as FTS5's own rank is not used."""
SQLITE_TABLES: Final = frozenset(
    {"search_index", *(f"search_index_{shadow}" for shadow in ("data", "idx", "content", "config"))}
)
"""The virtual table and those that FTS5 keeps it in."""
MERGE: Final = "INSERT INTO search_index (search_index, rank) VALUES ('merge', ?)"
"""Erased words stay in SQLite's index until its parts are merged into one: a step of that, in pages; the
first one with a minus, which lets all parts take part.
"""
MERGE_PAGES: Final = 500

_BREAK: Final = "@"
"""Stands between two texts, so that no phrase is found across them."""
_MESSAGES: Final = 200
_WORDS: Final = 15_000
"""A ticket's words in the index; PostgreSQL counts positions to 16,383."""
_BYTES: Final = 400_000
"""Of all these words; PostgreSQL takes 1 MiB, positions included."""
_PLACES: Final = 255
"""Positions that PostgreSQL keeps of one word."""


def _mark(kind: str, value: str) -> str:
    """A word of the index that stands for exactly this value."""
    return _BREAK + hashlib.blake2s(f"{kind}:{value}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def _team_mark(team: Team) -> str:
    return _mark("triage", "") if team is None else _mark("team", team)


# --- writing ---


def reindex(session: Session, number: int) -> None:
    """Write a ticket into the index as it is now: to be called in every commit that changes its subject,
    team, requester or messages. A ticket that is gone leaves the index.
    """
    session.flush()
    write(session.connection(), [number])


def write(connection: Connection, numbers: Sequence[int]) -> None:
    """Like :func:`reindex`, for several tickets on a bare connection."""
    connection.execute(_DELETE[connection.dialect.name], [{"number": number} for number in numbers])
    _insert(connection, _words(connection, numbers))


def enter(session: Session, number: int, team: Team, address: str | None, texts: Sequence[str]) -> None:
    """Write a ticket into the index that was not in it, by what is known of it: subject, name, messages."""
    _insert(session.connection(), [(number, _all_words(team, address, texts))])


_DELETE: Final = {
    "sqlite": text("DELETE FROM search_index WHERE rowid = :number"),
    "postgresql": text("DELETE FROM search_index WHERE number = :number"),
}
_INSERT: Final = {
    "sqlite": text("INSERT INTO search_index (rowid, words) VALUES (:number, :words)"),
    "postgresql": text("INSERT INTO search_index (number, words) VALUES (:number, CAST(:words AS tsvector))"),
}


def _insert(connection: Connection, entries: Iterable[tuple[int, Sequence[str]]]) -> None:
    name = connection.dialect.name
    found = [
        {"number": number, "words": " ".join(words) if name == "sqlite" else _vector(words)}
        for number, words in entries
    ]
    if found:
        connection.execute(_INSERT[name], found)


def _words(connection: Connection, numbers: Sequence[int]) -> Iterator[tuple[int, Sequence[str]]]:
    """Of each ticket marks first, then subject, name and messages, the newest first: what is too much is cut
    at the end.
    """
    messages: dict[int, list[str]] = {}
    for number, said in connection.execute(latest_texts(numbers, _MESSAGES)).all():
        messages.setdefault(number, []).append(said)
    wanted = [
        col(each) for each in (Ticket.number, Ticket.team, Ticket.subject, Requester.name, Requester.email)
    ]
    found: Any = connection.execute(
        select(*wanted)
        .join(Requester, col(Requester.id) == col(Ticket.requester_id))
        .where(col(Ticket.number).in_(numbers))
    )
    for number, team, subject, name, email in found:
        yield number, _all_words(team, email, (subject, name, *messages.get(number, ())))


def _all_words(team: Team, address: str | None, texts: Iterable[str]) -> Sequence[str]:
    words = [_team_mark(team), *([_mark("address", address.casefold())] if address else [])]
    for each in texts:
        words += [_BREAK, *(word.word for word in words_of(each))]
    return _within_limits(words)


def _within_limits(words: Sequence[str]) -> Sequence[str]:
    left = _BYTES
    for index, word in enumerate(words[:_WORDS]):
        left -= len(word.encode()) + 8
        if left < 0:
            return words[:index]
    return words[:_WORDS]


def _vector(words: Iterable[str]) -> str:
    """The words with their positions, as PostgreSQL reads a ``tsvector``."""
    places: dict[str, list[int]] = {}
    for at, word in enumerate(words, 1):
        places.setdefault(word, []).append(at)
    return " ".join(f"'{word}':{','.join(map(str, at[:_PLACES]))}" for word, at in places.items())


# --- finding ---


def fts5_query(query: Query, teams: Collection[Team] | None) -> str:
    """The query in FTS5's language; nothing but the signs of that language stands outside its quotes."""

    def one(term: Term) -> str:
        phrase = f'"{" ".join(term.words)}"{" *" if term.open else ""}'
        return phrase if term.address is None else f'({phrase} OR "{_mark("address", term.address)}")'

    parts = [one(term) for term in query.terms]
    if teams is not None:
        parts.append("(" + " OR ".join(f'"{mark}"' for mark in _team_marks(teams)) + ")")
    return " AND ".join(parts)


def tsquery(query: Query, teams: Collection[Team] | None) -> str:
    """The same in PostgreSQL's language."""

    def one(term: Term) -> str:
        phrase = " <-> ".join(f"'{word}'" for word in term.words) + (":*" if term.open else "")
        return f"({phrase})" if term.address is None else f"(({phrase}) | '{_mark('address', term.address)}')"

    parts = [one(term) for term in query.terms]
    if teams is not None:
        parts.append("(" + " | ".join(f"'{mark}'" for mark in _team_marks(teams)) + ")")
    return " & ".join(parts)


def _team_marks(teams: Collection[Team]) -> Sequence[str]:
    return sorted(map(_team_mark, teams))


# The order of the joins is the query's plan on SQLite: first the index, then each ticket by its number.
_FIND_ON_SQLITE: Final = """
    SELECT tickets.number, tickets.team, tickets.subject, requesters.name
    FROM search_index
    CROSS JOIN tickets ON tickets.number = search_index.rowid
    CROSS JOIN requesters ON requesters.id = tickets.requester_id
    WHERE search_index MATCH :query AND tickets.status IN :statuses
    ORDER BY search_index.rowid DESC LIMIT :limit
"""
_FIND_ON_POSTGRESQL: Final = """
    SELECT tickets.number, tickets.team, tickets.subject, requesters.name
    FROM search_index
    JOIN tickets ON tickets.number = search_index.number
    JOIN requesters ON requesters.id = tickets.requester_id
    WHERE search_index.words @@ CAST(:query AS tsquery) AND tickets.status IN :statuses
    ORDER BY search_index.number DESC LIMIT :limit
"""


def find_statement(
    dialect: str, query: Query, scope: Scope, statuses: Collection[Status], limit: int
) -> tuple[Any, dict[str, Any]]:
    """The statement and its values; apart from :func:`find` so that its plan can be looked at."""
    teams = None if scope.everything else scope.teams
    sqlite = dialect == "sqlite"
    statement = text(_FIND_ON_SQLITE if sqlite else _FIND_ON_POSTGRESQL)
    return statement.bindparams(bindparam("statuses", expanding=True)), {
        "query": fts5_query(query, teams) if sqlite else tsquery(query, teams),
        "statuses": sorted(status.value for status in statuses),
        "limit": limit,
    }


def find(
    session: Session, query: Query, scope: Scope, statuses: Collection[Status], limit: int
) -> Sequence[tuple[int, str, str]]:
    """Number, subject and requester's name of the newest ``limit`` tickets that a query finds."""
    if not query.terms or not (scope.everything or scope.teams):
        return []
    connection = session.connection()
    statement, values = find_statement(connection.dialect.name, query, scope, statuses, limit)
    rows = connection.execute(statement, values)
    # The room decides what is shown; the marks in the index only make that quick.
    return [(number, subject, name) for number, team, subject, name in rows if scope.shows(team)]
