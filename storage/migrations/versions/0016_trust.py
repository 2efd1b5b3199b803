"""Who the bot is to others' clients, and whom it has verified."""

import sqlalchemy as sa
from alembic import op

from storage.types import BigId, UtcDateTime

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "own_identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("keys", sa.Text(), nullable=True),
        sa.Column("recovery_key", sa.Text(), nullable=True),
        sa.Column("stored", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("told", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_identity")),
    )
    op.create_table(
        "verifications",
        sa.Column("transaction", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("room_id", sa.String(), nullable=True),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("shown", sa.JSON(), nullable=True),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("question", BigId, nullable=True),
        sa.PrimaryKeyConstraint("transaction", name=op.f("pk_verifications")),
    )
    op.create_table(
        "verified_people",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("master_key", sa.String(), nullable=False),
        sa.Column("verified_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_verified_people")),
    )
