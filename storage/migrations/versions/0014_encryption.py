"""Encrypted rooms: keys, devices, and which place of a session an event had."""

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Apply."""
    op.add_column("inbox", sa.Column("cipher", sa.String(), nullable=True))
    op.create_index("ix_inbox_cipher", "inbox", ["cipher"])
    op.create_table(
        "key_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("pickle", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_account")),
    )
    op.create_table(
        "olm_sessions",
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("sender_key", sa.String(), nullable=False),
        sa.Column("pickle", sa.Text(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_olm_sessions")),
    )
    op.create_index("ix_olm_sessions_sender_key", "olm_sessions", ["sender_key"])
    op.create_table(
        "megolm_sessions",
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("sender_key", sa.String(), nullable=False),
        sa.Column("signing_key", sa.String(), nullable=False),
        sa.Column("pickle", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("room_id", "session_id", "user_id", name=op.f("pk_megolm_sessions")),
    )
    op.create_index("ix_megolm_sessions_received_at", "megolm_sessions", ["received_at"])
    op.create_table(
        "known_devices",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("curve25519", sa.String(), nullable=False),
        sa.Column("ed25519", sa.String(), nullable=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "device_id", name=op.f("pk_known_devices")),
    )
    op.create_table(
        "device_lists",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("outdated", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_device_lists")),
    )
