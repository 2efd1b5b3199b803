"""Looking up in the full-text index what somebody typed, on both databases."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, TextClause, bindparam, text
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


def _statement(said: str) -> TextClause:
    return text(said).bindparams(bindparam("statuses", expanding=True))


# The order of the joins is the query's plan on SQLite: first the index, then each ticket by its number.
FIND_ON_SQLITE: Final = _statement("""
    SELECT tickets.number, tickets.team, tickets.subject, requesters.name
    FROM search_index
    CROSS JOIN tickets ON tickets.number = search_index.rowid
    CROSS JOIN requesters ON requesters.id = tickets.requester_id
    WHERE search_index MATCH :query AND tickets.status IN :statuses
    ORDER BY search_index.rowid DESC LIMIT :limit
""")
# PostgreSQL cannot know how many tickets have a word, and the wrong one of its ways takes seconds in a
# million tickets: so it is told which. What is materialized or ends with OFFSET 0 it leaves as it is.
_ON_POSTGRESQL: Final = """
    WITH found AS MATERIALIZED ({})
    SELECT newest.number, told.team, told.subject, told.name
    FROM (SELECT number FROM found ORDER BY number DESC OFFSET 0) AS newest CROSS JOIN LATERAL (
        SELECT tickets.team, tickets.subject, requesters.name
        FROM tickets JOIN requesters ON requesters.id = tickets.requester_id
        WHERE tickets.number = newest.number AND tickets.status IN :statuses
        OFFSET 0
    ) AS told
    ORDER BY newest.number DESC LIMIT :limit
"""
BY_INDEX: Final = _statement(
    _ON_POSTGRESQL.format("SELECT number FROM search_index WHERE words @@ CAST(:query AS tsquery)")
)
_AMONG_NEWEST: Final = _statement(
    _ON_POSTGRESQL.format("""
        SELECT number FROM (
            SELECT number, words FROM search_index WHERE number BETWEEN :low AND :high OFFSET 0
        ) AS recent WHERE words @@ CAST(:query AS tsquery)""")
)
_NEWEST: Final = text("SELECT max(number) FROM search_index")
_SAMPLE: Final = 3_000
"""Of the newest tickets, so many tell how common it is what is searched for."""
_MOST_READ: Final = 60_000
"""If it takes more than so many to find enough, the index is quicker."""


def _find_on_postgresql(connection: Connection, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
    """The newest tickets are read one after the other as long as enough of them are hits; otherwise the index
    gives all that there are, which then are few.
    """
    high, limit = connection.execute(_NEWEST).scalar() or 0, values["limit"]
    found: list[Row[Any]] = []
    width, left = _SAMPLE, _MOST_READ
    while high > 0 and width <= left:
        among = {**values, "low": high - width + 1, "high": high, "limit": limit - len(found)}
        hits = connection.execute(_AMONG_NEWEST, among).all()
        found += hits
        high, left = high - width, left - width
        if len(found) == limit or high <= 0:
            return found
        if not hits:
            break
        # As many as it should take, and some more.
        width = (limit - len(found)) * width * 5 // (len(hits) * 4) + 1
    return connection.execute(BY_INDEX, values).all()


def find(
    session: Session, query: Query, scope: Scope, statuses: Collection[Status], limit: int
) -> Sequence[tuple[int, str, str]]:
    """Number, subject and requester's name of the newest ``limit`` tickets that a query finds."""
    if not query.terms or not (scope.everything or scope.teams):
        return []
    connection = session.connection()
    teams = None if scope.everything else scope.teams
    values = {"statuses": sorted(status.value for status in statuses), "limit": limit}
    if connection.dialect.name == "sqlite":
        asked = fts5_query(query, teams, completions_on_sqlite(connection.execute, query))
        rows = connection.execute(FIND_ON_SQLITE, {**values, "query": asked}).all()
    else:
        rows = _find_on_postgresql(connection, {**values, "query": tsquery(query, teams)})
    # The room decides what is shown; the marks in the index only make that quick.
    return [(number, subject, name) for number, team, subject, name in rows if scope.shows(team)]
