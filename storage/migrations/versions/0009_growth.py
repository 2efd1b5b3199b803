"""Growth: people without an e-mail address are found by name and phone number."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_WITHOUT_ADDRESS = sa.text("email_key IS NULL")


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_requesters_without_address",
        "requesters",
        ["name", "phone"],
        sqlite_where=_WITHOUT_ADDRESS,
        postgresql_where=_WITHOUT_ADDRESS,
    )
