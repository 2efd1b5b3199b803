"""Notes, numbered tasks, merged tickets, and what undo needs to know."""

import sqlalchemy as sa
from alembic import op

from storage.types import BigId

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "messages", sa.Column("kind", sa.String(), server_default=sa.text("'message'"), nullable=False)
    )
    op.add_column("tickets", sa.Column("merged_into", BigId, nullable=True))
    op.create_index("ix_tickets_merged_into", "tickets", ["merged_into"], unique=False)
    op.add_column("history", sa.Column("detail", sa.JSON(), nullable=True))
    _compare_addresses()
    _number_tasks()


def _compare_addresses() -> None:
    op.add_column("requesters", sa.Column("email_key", sa.String(), nullable=True))
    op.create_index(op.f("ix_requesters_email_key"), "requesters", ["email_key"], unique=False)
    requesters = sa.table("requesters", sa.column("email"), sa.column("email_key"))
    op.execute(requesters.update().values(email_key=sa.func.lower(requesters.c.email)))


def _number_tasks() -> None:
    op.add_column("tasks", sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False))
    tasks = sa.table("tasks", sa.column("id"), sa.column("number"), sa.column("position"))
    earlier = tasks.alias()
    rank = (
        sa.select(sa.func.count())
        .select_from(earlier)
        .where(earlier.c.number == tasks.c.number, earlier.c.id <= tasks.c.id)
        .scalar_subquery()
    )
    op.execute(tasks.update().values(position=rank))
    op.drop_index("ix_tasks_number", "tasks")
    op.create_index("uq_tasks_position", "tasks", ["number", "position"], unique=True)
