"""In which rooms the bot has introduced itself; where it has posted before, nobody needs that any more."""

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "greetings",
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("room_id", name=op.f("pk_greetings")),
    )
    op.create_index(op.f("ix_rooms_replaced_by"), "rooms", ["replaced_by"], unique=False)
    op.execute(
        "INSERT INTO greetings (room_id, at) "
        "SELECT room_id, min(posted_at) FROM posted_events GROUP BY room_id"
    )
