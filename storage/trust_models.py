"""The tables of who the bot is to others, and whom it has verified.

What is secret in them is sealed under the pickle key.

Part of :mod:`storage.models`, by which they are reached.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, Boolean, Column, Text, false
from sqlmodel import Field, SQLModel

from storage.types import BigId, UtcDateTime


class OwnIdentity(SQLModel, table=True):
    """The account's cross-signing keys, as far as the bot has them."""

    __tablename__: ClassVar[str] = "own_identity"
    id: int = Field(default=1, primary_key=True)
    user_id: str
    keys: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    """The secret halves, sealed; none while the account's are somebody else's."""
    recovery_key: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    """Sealed, until an operator has taken it."""
    stored: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    """Whether the account's secret storage has the keys."""
    told: str | None = None
    """The trouble that the admins know of."""


class Verification(SQLModel, table=True):
    """A verification under way. Its secrets are in memory only: it ends with the process."""

    __tablename__: ClassVar[str] = "verifications"
    transaction: str = Field(primary_key=True)
    user_id: str
    device_id: str
    room_id: str | None = None
    """The direct chat that it goes through; none if it goes from device to device."""
    began_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    shown: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    """What is to be compared, once there is something."""
    decision: str | None = None
    question: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    """The outbox row that asks for it."""


class VerifiedPerson(SQLModel, table=True):
    """Somebody whose master key was found to be theirs."""

    __tablename__: ClassVar[str] = "verified_people"
    user_id: str = Field(primary_key=True)
    master_key: str
    verified_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
