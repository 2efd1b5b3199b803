"""The full-text index of tickets: FTS5 on SQLite, a ``tsvector`` on PostgreSQL.

Both hold the words that :mod:`bot.domain.finding` makes of the texts, and neither folds or splits them again:
so both find the same. Beside the words stand marks that nobody can type, as they begin with ``@``: the
ticket's team and its requester's e-mail address, which is found whole or not at all.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select, text
from sqlmodel import Session, col

from bot.domain.finding import words_of
from bot.domain.words import Team
from storage.listing import latest_texts
from storage.models import Requester, Ticket

CREATE_ON_SQLITE: Final = (
    "CREATE VIRTUAL TABLE search_index USING fts5"
    "(words, prefix='2 3', columnsize=0, tokenize=\"ascii tokenchars '@'\")"
)
"""Splits at spaces only: the words are folded already. No column sizes, as FTS5's own rank is not used."""
LONGEST_INDEXED: Final = 3
"""Letters of a beginning that FTS5 keeps an index of."""
WORDS_ON_SQLITE: Final = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS temp.search_words USING fts5vocab(main, search_index, instance)"
)
"""A connection's view of the words in the index, in their order; it holds nothing itself."""
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


def mark(kind: str, value: str) -> str:
    """A word of the index that stands for exactly this value."""
    return _BREAK + hashlib.blake2s(f"{kind}:{value}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def team_mark(team: Team) -> str:
    return mark("triage", "") if team is None else mark("team", team)


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
    words = [team_mark(team), *([mark("address", address.casefold())] if address else [])]
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
