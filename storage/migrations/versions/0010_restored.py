"""Events that were answered before the database was restored."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Apply."""
    op.add_column("inbox", sa.Column("again", sa.JSON(), nullable=True))
