"""The benchmarks' history is what the bot itself would have written."""

import re

from sqlalchemy import Connection, text

from storage import search
from tests.benchmarks.filling import NEEDLE, OPEN, UNDER_WAY, fill
from tests.integration.desk_data import desk_on

_HISTORY = 20
_ADDRESS = re.compile(r"@\w+(?='?:2\b)|(?<=\w )@\w{16}")
"""The second mark; only its length is right."""


def words(connection: Connection, number: int) -> str:
    """A ticket's words in the index."""
    key, column = ("rowid", "words") if connection.dialect.name == "sqlite" else ("number", "words::text")
    query = text(f"SELECT {column.replace(':', chr(92) + ':')} FROM search_index WHERE {key} = {number}")
    entries = _ADDRESS.sub("@", connection.execute(query).scalar_one()).split(" ")
    return " ".join(entries if connection.dialect.name == "sqlite" else sorted(entries))


async def test_a_filled_database_is_one_that_the_bot_could_have_written(database_url: str) -> None:
    async with desk_on(database_url) as desk:
        with desk.database.connection() as connection:
            fill(connection, _HISTORY)
            for number in (1, NEEDLE, _HISTORY, _HISTORY + 1):
                filled = words(connection, number)
                search.write(connection, [number])
                assert words(connection, number) == filled
            counted = connection.execute(
                text("SELECT team, count(*) FROM tickets WHERE status = 'open' GROUP BY team")
            )
            assert sorted(tuple(row) for row in counted if row[0]) == [("berlin", OPEN), ("freiburg", OPEN)]
        assert await desk.open() == _HISTORY + UNDER_WAY + 1
        assert (await desk.ticket(NEEDLE)).status == "closed"
