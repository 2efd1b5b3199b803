"""Mails that come in: what was received already, and what could not be read."""

import sqlalchemy as sa
from alembic import op

from storage.types import BigId, UtcDateTime

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Apply."""
    op.add_column("messages", sa.Column("original", sa.Text(), nullable=True))
    op.create_table(
        "mail_marks",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("fate", sa.String(), nullable=False),
        sa.Column("number", BigId, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_mail_marks")),
    )
    op.create_index(op.f("ix_mail_marks_at"), "mail_marks", ["at"])
    op.create_table(
        "kept_mails",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_mails")),
        sa.UniqueConstraint("key", name=op.f("uq_kept_mails_key")),
        sqlite_autoincrement=True,
    )
