"""The conversation by mail: Message-IDs, mails that go out, and an outbox of two channels."""

import sqlalchemy as sa
from alembic import op

from storage.types import BigId, UtcDateTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Apply."""
    op.add_column("tickets", sa.Column("language", sa.String(), nullable=True))
    op.add_column("messages", sa.Column("sender", sa.String(), nullable=True))
    op.add_column("messages", sa.Column("mail_id", sa.String(), nullable=True))
    op.add_column("messages", sa.Column("mail_references", sa.JSON(), nullable=True))
    op.create_index(op.f("ix_messages_mail_id"), "messages", ["mail_id"])
    _make_letters()
    op.drop_index("ix_outbox_due", "outbox")
    op.drop_index("ix_outbox_order", "outbox")
    op.create_index("ix_outbox_due", "outbox", ["state", "channel", "next_attempt_at", "priority", "id"])
    op.create_index("ix_outbox_order", "outbox", ["state", "channel", "priority", "id"])


def _make_letters() -> None:
    op.create_table(
        "letters",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("number", BigId, nullable=False),
        sa.Column("message_id", BigId, nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("mail_id", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=True),
        sa.Column("to_hash", sa.String(), nullable=True),
        sa.Column("origin_hash", sa.String(), nullable=True),
        sa.Column("command_room", sa.String(), nullable=True),
        sa.Column("command_event", sa.String(), nullable=True),
        sa.Column("post_event", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_letters_message_id")),
        sa.ForeignKeyConstraint(["number"], ["tickets.number"], name=op.f("fk_letters_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
        sa.UniqueConstraint("mail_id", name=op.f("uq_letters_mail_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_letters_number"), "letters", ["number"])
    op.create_index(op.f("ix_letters_message_id"), "letters", ["message_id"])
    op.create_index("ix_letters_to_hash", "letters", ["to_hash", "at"])
    op.create_index("ix_letters_origin_hash", "letters", ["origin_hash", "at"])
