"""One tap: reactions in the inbox, seeded reactions, prompts, and the last event of a card's thread."""

import sqlalchemy as sa
from alembic import op

from storage.types import BigId, UtcDateTime

revision = "0007"
down_revision = "0006"

_SEEDS = sa.text("key IS NOT NULL")


def upgrade() -> None:
    """Apply."""
    op.add_column("inbox", sa.Column("kind", sa.String(), nullable=False, server_default="message"))
    op.add_column("cards", sa.Column("latest", sa.String(), nullable=True))
    op.add_column("outbox", sa.Column("target", sa.String(), nullable=True))
    op.create_index("ix_outbox_target", "outbox", ["target", "state"])
    op.add_column("posted_events", sa.Column("key", sa.String(), nullable=True))
    op.create_index(
        "ix_posted_events_seeds",
        "posted_events",
        ["thread"],
        sqlite_where=_SEEDS,
        postgresql_where=_SEEDS,
    )
    op.create_table(
        "prompts",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("outbox_id", BigId, nullable=False),
        sa.Column("event_id", sa.String(), nullable=True),
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("thread", sa.String(), nullable=True),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompts")),
        sa.UniqueConstraint("event_id", name=op.f("uq_prompts_event_id")),
        sa.UniqueConstraint("outbox_id", name=op.f("uq_prompts_outbox_id")),
    )
    op.create_index(op.f("ix_prompts_expires_at"), "prompts", ["expires_at"])
    op.create_index("ix_prompts_last", "prompts", ["room_id", "person", "kind", "id"])
    op.create_table(
        "prompt_tickets",
        sa.Column("prompt_id", BigId, nullable=False),
        sa.Column("number", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["prompt_id"], ["prompts.id"], name=op.f("fk_prompt_tickets_prompt_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("prompt_id", "number", name=op.f("pk_prompt_tickets")),
    )
    op.create_index(op.f("ix_prompt_tickets_number"), "prompt_tickets", ["number"])
