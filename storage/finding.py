"""Looking up in the full-text index what somebody typed, on both databases."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, text
from sqlmodel import Session

from bot.domain.finding import Query, Term
from bot.domain.words import Scope, Status, Team
from storage.search import LONGEST_INDEXED, mark, team_mark

Completions = Mapping[Term, Sequence[str]]
"""Of terms of which only a beginning is given: all words in the index that begin so."""
_MOST_WORDS: Final = 64
"""With more words of one beginning it is quicker to let FTS5 read all that begins so."""


def fts5_query(query: Query, teams: Collection[Team] | None, completions: Completions) -> str:
    """The query in FTS5's language; nothing but the signs of that language stands outside its quotes."""

    def one(term: Term) -> str:
        *firsts, last = term.words
        completed = completions.get(term, ())
        ways = [f'"{" ".join((*firsts, word))}"' for word in completed or (last,)]
        if term.open and not completed:
            ways = [f"{ways[0]} *"]
        if term.address is not None:
            ways.append(f'"{mark("address", term.address)}"')
        return f"({' OR '.join(ways)})"

    parts = [one(term) for term in query.terms]
    if teams is not None:
        parts.append("(" + " OR ".join(f'"{each}"' for each in _team_marks(teams)) + ")")
    return " AND ".join(parts)


def tsquery(query: Query, teams: Collection[Team] | None) -> str:
    """The same in PostgreSQL's language."""

    def one(term: Term) -> str:
        phrase = " <-> ".join(f"'{word}'" for word in term.words) + (":*" if term.open else "")
        return f"({phrase})" if term.address is None else f"(({phrase}) | '{mark('address', term.address)}')"

    parts = [one(term) for term in query.terms]
    if teams is not None:
        parts.append("(" + " | ".join(f"'{each}'" for each in _team_marks(teams)) + ")")
    return " & ".join(parts)


def _team_marks(teams: Collection[Team]) -> Sequence[str]:
    return sorted(map(team_mark, teams))


# From one word to the next: each step is one look into the index, however often the word stands there.
_WORDS_THAT_BEGIN: Final = text("""
    WITH RECURSIVE words (word) AS (
        SELECT (SELECT term FROM search_words WHERE term >= :beginning ORDER BY term LIMIT 1)
        UNION ALL
        SELECT (SELECT term FROM search_words WHERE term >= word || char(1) ORDER BY term LIMIT 1)
        FROM words WHERE word < :end
        LIMIT :limit
    )
    SELECT word FROM words WHERE word < :end
""")
_LAST_LETTER: Final = chr(0x10FFFF)


def completions_on_sqlite(ask: Callable[[Any, Mapping[str, Any]], Any], query: Query) -> Completions:
    """The words of each beginning that FTS5 has no index of, if they are few.

    For a beginning FTS5 reads all places of all its words before it gives the first ticket, so that a search
    for the word of every ticket would take longer with each one. Whole words are read from the newest on.

    :param ask: a connection's ``execute``.
    """
    found: dict[Term, Sequence[str]] = {}
    for term in query.terms:
        beginning = term.words[-1]
        if not term.open or len(beginning) <= LONGEST_INDEXED:
            continue
        values = {"beginning": beginning, "end": beginning + _LAST_LETTER, "limit": _MOST_WORDS + 1}
        words = [word for (word,) in ask(_WORDS_THAT_BEGIN, values)]
        if len(words) <= _MOST_WORDS:
            found[term] = words
    return found


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
    connection: Connection, query: Query, scope: Scope, statuses: Collection[Status], limit: int
) -> tuple[Any, dict[str, Any]]:
    """The statement and its values; apart from :func:`find` so that its plan can be looked at."""
    teams = None if scope.everything else scope.teams
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        asked = fts5_query(query, teams, completions_on_sqlite(connection.execute, query))
    else:
        asked = tsquery(query, teams)
    statement = text(_FIND_ON_SQLITE if sqlite else _FIND_ON_POSTGRESQL)
    return statement.bindparams(bindparam("statuses", expanding=True)), {
        "query": asked,
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
    statement, values = find_statement(connection, query, scope, statuses, limit)
    rows = connection.execute(statement, values)
    # The room decides what is shown; the marks in the index only make that quick.
    return [(number, subject, name) for number, team, subject, name in rows if scope.shows(team)]
