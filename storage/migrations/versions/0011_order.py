"""The outbox in the order in which it is sent: what is due is found at once, however much waits."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_outbox_order", "outbox", ["state", "priority", "id"])
