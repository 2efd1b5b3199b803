"""The search's index, filled with the tickets that there are; an index for the list of all of a team's."""

import sqlalchemy as sa
from alembic import op

from storage import search

revision = "0003"
down_revision = "0002"

_AT_ONCE = 200


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_tickets_team", "tickets", ["team", "number"], unique=False)
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        op.execute(search.CREATE_ON_SQLITE)
    else:
        from storage import on_postgresql

        on_postgresql.SEARCH.create_all(connection, checkfirst=False)
    # The index is made of the other tables, so it is filled by the code that keeps it.
    numbers = sa.text("SELECT number FROM tickets WHERE number > :last ORDER BY number LIMIT :limit")
    last = 0
    while found := connection.execute(numbers, {"last": last, "limit": _AT_ONCE}).scalars().all():
        search.write(connection, found)
        last = found[-1]
