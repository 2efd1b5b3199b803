"""Years of a help desk's history, made by the database itself.

``history`` tickets are closed; beside them are those under way, as many at each size: they grow with the
teams, not with the years. Per ticket there are one message, up to three entries of history, one command
handled, one row sent, two events posted, the card, and its words in the search index; per ten tickets seven
requesters. Twenty tickets come in a day.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, text

from storage.search import _BREAK, team_mark
from tests.integration.desk_data import ANNA, BERLIN, FREIBURG, START, TRIAGE

OPEN: Final = 200
WAITING: Final = 300
IN_PROGRESS: Final = 100
"""Of each team, and in triage."""
UNDER_WAY: Final = 3 * (OPEN + WAITING + IN_PROGRESS)
NEEDLE: Final = 8
"""The one ticket that has the rare word."""
RARE: Final = "needle"
COMMON: Final = "laptop"
_MINUTES: Final = 72
"""From one ticket to the next."""
_VOCABULARY: Final = 19_997
_STEPS: Final = (7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)
_CHUNK: Final = 100_000


@dataclass(frozen=True)
class _Dialect:
    """What the two databases say differently."""

    rows: str
    ago: str
    """A time so many minutes before the start."""
    words: str
    """Columns of the search index."""


_DIALECTS: Final = {
    "sqlite": _Dialect(
        "(WITH RECURSIVE n(i) AS (SELECT :low UNION ALL SELECT i + 1 FROM n WHERE i < :high)"
        " SELECT i FROM n)",
        "strftime('%Y-%m-%d %H:%M:%f000', :start, '-' || ({}) || ' minutes')",
        "rowid, words",
    ),
    "postgresql": _Dialect(
        "(SELECT i FROM generate_series(CAST(:low AS bigint), CAST(:high AS bigint)) AS g(i))",
        "CAST(CAST(:start AS text) AS timestamptz) - ({}) * interval '1 minute'",
        "number, words",
    ),
}  # fmt: skip

# What is true of a row's ticket. Those under way are counted from 0 in "k".
_TICKETS: Final = f"""
    (SELECT i, k,
        CASE WHEN k IS NOT NULL THEN k % 3 WHEN i % 20 = 0 THEN 2 WHEN i % 2 = 0 THEN 0 ELSE 1 END AS t,
        CASE WHEN k IS NULL THEN 'closed' WHEN k / 3 < {OPEN} THEN 'open'
             WHEN k / 3 < {OPEN + WAITING} THEN 'waiting' ELSE 'in_progress' END AS status,
        (:total - i) * {_MINUTES} AS age
     FROM (SELECT i, CASE WHEN i > :history THEN i - :history - 1 END AS k
           FROM {{rows}} AS numbered) AS counted
    ) AS x
"""


def _of_team(freiburg: str, berlin: str, triage: str) -> str:
    return f"CASE t WHEN 0 THEN {freiburg} WHEN 1 THEN {berlin} ELSE {triage} END"


_TEAM: Final = _of_team("'freiburg'", "'berlin'", "NULL")
_ROOM: Final = _of_team(f"'{FREIBURG}'", f"'{BERLIN}'", f"'{TRIAGE}'")
_ASSIGNEE: Final = f"CASE WHEN status IN ('in_progress', 'closed') THEN '{ANNA}' END"
_SUBJECT: Final = f"'{COMMON} ' || i"
_WORDS: Final = [f"'word' || (i * {step} % {_VOCABULARY})" for step in _STEPS]
_RARE: Final = f"CASE WHEN i = {NEEDLE} THEN '{RARE}' ELSE 'screen' END"
_TEXT: Final = " || ' ' || ".join([f"'hello we need a {COMMON}'", _RARE, *_WORDS])
_LATER: Final = "CASE WHEN age > 60 THEN age - 60 ELSE 0 END"

_REQUESTER: Final = "1 + i * 7 / 10"
_REQUESTERS: Final = f"""
    INSERT INTO requesters (id, name, email, email_key)
    SELECT DISTINCT r, 'Kim Doe ' || r, 'kim' || r || '@example.org', 'kim' || r || '@example.org'
    FROM (SELECT {_REQUESTER} AS r FROM {{rows}} AS numbered) AS found
    WHERE r NOT IN (SELECT id FROM requesters WHERE id >= 1 + :low * 7 / 10)
"""

_INSERTS: Final[Mapping[str, str]] = {
    "tickets": f"""
        (number, version, status, topic, team, region, assignee, subject, requester_id, intake, opened_at,
         changed_at, moved_at, waiting_since)
        SELECT i, 3, status, 'donation_request', {_TEAM}, {_TEAM}, {_ASSIGNEE}, {_SUBJECT},
            {_REQUESTER}, 'http', {{age}}, {{later}}, {{later}},
            CASE WHEN status = 'waiting' THEN {{later}} END""",
    "messages": f"(number, text, intake, at) SELECT i, {_TEXT}, 'http', {{age}}",
    "history (opened)": "(number, at, action, to_status) SELECT i, {age}, 'open', 'open'",
    "history (taken)": f"""
        (number, at, action, who, from_status, to_status, cause)
        SELECT i, {{later}}, 'take', '{ANNA}', 'open', 'in_progress', '$take' || i""",
    "history (closed)": f"""
        (number, at, action, who, from_status, to_status, cause)
        SELECT i, {{later}}, 'close', '{ANNA}', 'in_progress', 'closed', '$close' || i""",
    "inbox": f"""
        (event_id, room_id, sender, kind, sent_at, received_at, handled_at, attempts)
        SELECT '$take' || i, {_ROOM}, '{ANNA}', 'message', {{later}}, {{later}}, {{later}}, 0""",
    "outbox": """
        (id, channel, kind, number, priority, tx_id, state, held, suspect, attempts, created_at,
         next_attempt_at, done_at, event_id)
        SELECT i, 'matrix', 'card', i, 2, 'tx' || i, 'sent', false, false, 1, {age}, {age}, {age},
            '$card' || i""",
    "outbox_tickets": "(outbox_id, number) SELECT i, i",
    "posted_events (cards)": f"""
        (event_id, room_id, kind, posted_at) SELECT '$card' || i, {_ROOM}, 'card', {{age}}""",
    "posted_events (reactions)": f"""
        (event_id, room_id, kind, thread, posted_at)
        SELECT '$done' || i, {_ROOM}, 'reaction', '$take' || i, {{later}}""",
    "posted_tickets (cards)": "(event_id, number) SELECT '$card' || i, i",
    "posted_tickets (reactions)": "(event_id, number) SELECT '$done' || i, i",
    "cards": f"(number, room_id, event_id, version) SELECT i, {_ROOM}, '$card' || i, 3",
}  # fmt: skip
_ONLY: Final = {
    "history (taken)": "WHERE status IN ('in_progress', 'closed')",
    "history (closed)": "WHERE status = 'closed'",
}
_NUMBERED: Final = {"requesters": "id", "tickets": "number", "outbox": "id"}


def fill(connection: Connection, history: int) -> None:
    """So many closed tickets, and those under way, into an empty database; the caller commits."""
    dialect = connection.dialect.name
    how = _DIALECTS[dialect]
    total = history + UNDER_WAY
    tickets = _TICKETS.format(rows=how.rows)
    times = {"age": how.ago.format("age"), "later": how.ago.format(_LATER)}
    for low in range(1, total + 1, _CHUNK):
        values = {
            "low": low, "high": min(low + _CHUNK - 1, total), "total": total, "history": history,
            "start": START.strftime("%Y-%m-%d %H:%M:%S" + ("" if dialect == "sqlite" else "+00")),
        }  # fmt: skip
        for statement in _statements(how, tickets, times, _index_words(dialect)):
            connection.execute(text(statement), _used(statement, values))
    _catch_up(connection)


def _used(statement: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if f":{name}" in statement}


def _statements(how: _Dialect, tickets: str, times: Mapping[str, str], words: str) -> Iterator[str]:
    yield _REQUESTERS.format(rows=how.rows)
    for name, columns in _INSERTS.items():
        table = name.partition(" ")[0]
        yield f"INSERT INTO {table} {columns.format(**times)} FROM {tickets} {_ONLY.get(name, '')}"
    yield f"INSERT INTO search_index ({how.words}) SELECT i, {words} FROM {tickets}"


def _index_words(dialect: str) -> str:
    """An expression of a ticket's words in the search index, as :mod:`storage.search` writes them.

    The mark of the e-mail address is as long as a real one, but no hash.
    """
    marks = [f"'{team_mark(team)}'" for team in ("freiburg", "berlin", None)]
    subject: Sequence[str] = [f"'{COMMON}'", "CAST(i AS text)"]
    name: Sequence[str] = ["'kim'", "'doe'", f"CAST({_REQUESTER} AS text)"]
    message: Sequence[str] = ["'hello'", "'we'", "'need'", "'a'", f"'{COMMON}'", _RARE, *_WORDS]
    address = f"'{_BREAK}' || (1000000000000000 + {_REQUESTER})"
    gap = f"'{_BREAK}'"
    words = [_of_team(*marks), address, gap, *subject, gap, *name, gap, *message]
    if dialect == "sqlite":
        return " || ' ' || ".join(f"({word})" for word in words)
    placed = [f"'''' || ({word}) || '''\\:{at}'" for at, word in enumerate(words, 1)]
    return "CAST(" + " || ' ' || ".join(placed) + " AS tsvector)"


def _catch_up(connection: Connection) -> None:
    """Let what comes next be numbered after what is there, and the planner know what is there."""
    if connection.dialect.name == "sqlite":
        return
    for table, column in _NUMBERED.items():
        newest = f"(SELECT max({column}) FROM {table})"
        connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), {newest})"))
    # PostgreSQL does this by itself after a while; SQLite never does.
    connection.execute(text("ANALYZE"))
