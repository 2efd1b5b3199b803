"""Rooms that are upgraded, and rooms in which the bot may not write."""

import sqlalchemy as sa
from alembic import op

from storage.types import BigId, UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Apply."""
    op.add_column("rooms", sa.Column("predecessor", sa.String(), nullable=True))
    op.add_column("rooms", sa.Column("muted", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(op.f("ix_rooms_predecessor"), "rooms", ["predecessor"])
    op.add_column("tickets", sa.Column("diverted_from", sa.String(), nullable=True))
    op.create_table(
        "room_moves",
        sa.Column("old_room_id", sa.String(), nullable=False),
        sa.Column("new_room_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("question", BigId, nullable=True),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("old_room_id", name=op.f("pk_room_moves")),
    )
    op.create_index(op.f("ix_room_moves_new_room_id"), "room_moves", ["new_room_id"])
    op.create_index(op.f("ix_room_moves_state"), "room_moves", ["state"])
