"""Who has muted which ticket, and what was posted silently in quiet hours."""

import sqlalchemy as sa
from alembic import op

from storage.types import BigId, UtcDateTime

revision = "0006"
down_revision = "0004"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "mutes",
        sa.Column("number", BigId, nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["tickets.number"], name=op.f("fk_mutes_number")),
        sa.PrimaryKeyConstraint("number", "user_id", name=op.f("pk_mutes")),
    )
    op.create_table(
        "quiet_notes",
        sa.Column("tx_id", sa.String(), nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("number", BigId, nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("people", sa.JSON(), nullable=False),
        sa.Column("assignee", sa.String(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("reminder", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["number"], ["tickets.number"], name=op.f("fk_quiet_notes_number")),
        sa.PrimaryKeyConstraint("tx_id", name=op.f("pk_quiet_notes")),
    )
    op.create_index(op.f("ix_quiet_notes_number"), "quiet_notes", ["number"], unique=False)
    op.create_index("ix_quiet_notes_reminder", "quiet_notes", ["reminder", "room"], unique=False)
