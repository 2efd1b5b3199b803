"""Very many tickets at once, for what depends on how many there are."""

from sqlalchemy import Connection, insert, text

from storage import search
from storage.models import Requester, Ticket, TicketMessage
from tests.integration.desk_data import START

TEAMS = ("freiburg", "berlin", None)
STATUSES = ("closed",) * 17 + ("open", "in_progress", "waiting")


def _words(number: int) -> str:
    """A message as long as people write them, of words that other messages have, too."""
    return " ".join(f"word{(number * step) % 1_999}" for step in range(1, 80))


def fill(connection: Connection, count: int, *, index: bool = True) -> None:
    """Tickets with one message each, most of them closed; ticket 7,776 alone has the word "needle"."""
    numbers = range(1, count + 1)
    connection.execute(insert(Requester), {"id": 1, "name": "Kim Doe", "email": "kim@example.org"})
    connection.execute(
        insert(Ticket),
        [
            {
                "number": number, "version": 1, "status": STATUSES[number % len(STATUSES)],
                "topic": "other", "team": TEAMS[number % len(TEAMS)], "subject": f"Laptop {number}",
                "requester_id": 1, "intake": "http", "opened_at": START, "changed_at": START,
                "moved_at": START,
                "waiting_since": START if STATUSES[number % len(STATUSES)] == "waiting" else None,
                "assignee": None,
            }
            for number in numbers
        ],
    )  # fmt: skip
    connection.execute(
        insert(TicketMessage),
        [
            {"number": number, "text": f"{'needle ' if number == 7_776 else ''}{_words(number)}",
             "intake": "http", "at": START}
            for number in numbers
        ],
    )  # fmt: skip
    for start in range(1, count + 1, 500) if index else ():
        search.write(connection, range(start, start + 500))
    if connection.dialect.name != "sqlite":
        # PostgreSQL does this by itself after a while; SQLite never does.
        connection.execute(text("ANALYZE"))
