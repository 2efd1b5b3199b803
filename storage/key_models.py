"""The tables of the encryption's keys. What is secret in them is encrypted under the pickle key.

Part of :mod:`storage.models`, by which they are reached.
"""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from storage.types import UtcDateTime


class KeyAccount(SQLModel, table=True):
    """The bot's own device: its identity keys, one-time keys and fallback key."""

    __tablename__: ClassVar[str] = "key_account"
    id: int = Field(default=1, primary_key=True)
    user_id: str
    device_id: str
    pickle: str = Field(sa_column=Column(Text, nullable=False))


class OlmSession(SQLModel, table=True):
    """A channel to one other device."""

    __tablename__: ClassVar[str] = "olm_sessions"
    session_id: str = Field(primary_key=True)
    sender_key: str = Field(index=True)
    """Curve25519 key of the other device."""
    pickle: str = Field(sa_column=Column(Text, nullable=False))
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    used_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class MegolmSession(SQLModel, table=True):
    """The key to what one person's device says in a room."""

    __tablename__: ClassVar[str] = "megolm_sessions"
    room_id: str = Field(primary_key=True)
    session_id: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    """Who sent the key: several may claim the same session, and each speaks for themselves only."""
    sender_key: str
    signing_key: str
    pickle: str = Field(sa_column=Column(Text, nullable=False))
    received_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class KnownDevice(SQLModel, table=True):
    """A device of somebody who is in an encrypted room with the bot."""

    __tablename__: ClassVar[str] = "known_devices"
    user_id: str = Field(primary_key=True)
    device_id: str = Field(primary_key=True)
    curve25519: str
    ed25519: str
    signed: bool = False
    """Whether its owner has signed it."""
    gone: bool = False
    """Whether its owner has logged it out; what it said before still counts."""


class DeviceList(SQLModel, table=True):
    """Whose devices are known, and whether all of them are."""

    __tablename__: ClassVar[str] = "device_lists"
    user_id: str = Field(primary_key=True)
    outdated: bool = True
