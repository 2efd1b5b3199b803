"""The encryption's keys: what its machine, which works outside of units, wants read and kept."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.services.unit import Unit
from storage import keys, rooms
from storage.key_models import DeviceList as DeviceList
from storage.key_models import KeyAccount as KeyAccount
from storage.key_models import KnownDevice as KnownDevice
from storage.key_models import MegolmSession as MegolmSession
from storage.key_models import OlmSession as OlmSession

KeyRow = KeyAccount | OlmSession | MegolmSession | KnownDevice | DeviceList


@dataclass(frozen=True, slots=True)
class KeyChanges:
    """What the machine wants kept: rows as they are now, and those that are no more."""

    rows: tuple[KeyRow, ...] = ()
    gone: tuple[OlmSession, ...] = ()
    began_at: datetime | None = None
    """When the machine's run began."""


_KEPT_FOR: Final = timedelta(days=90)
"""Since a key came. Clients make a new one at least every week, or when a hundred messages were said."""
NO_KEYS: Final = KeyChanges()


def keep(unit: Unit, changes: KeyChanges) -> None:
    """Write what the machine wants kept."""
    keys.keep(unit.session, changes.rows, changes.gone)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a machine begins with."""

    account: KeyAccount | None
    encrypted_rooms: frozenset[str]


def kept(unit: Unit) -> Kept:
    """What was kept of the last run."""
    return Kept(keys.account(unit.session), frozenset(keys.encrypted_rooms(unit.session)))


def channels(unit: Unit, sender_keys: Collection[str]) -> Sequence[OlmSession]:
    """The channels to these devices."""
    return keys.channels(unit.session, sender_keys)


def room_keys(unit: Unit, wanted: Collection[tuple[str, str]]) -> Sequence[MegolmSession]:
    """The keys of these sessions: room and session id."""
    return keys.room_keys(unit.session, wanted)


def devices(unit: Unit, user_ids: Collection[str]) -> tuple[Sequence[DeviceList], Sequence[KnownDevice]]:
    """What is known of these people's devices."""
    return keys.devices(unit.session, user_ids)


def members(unit: Unit, room_id: str) -> Sequence[str]:
    """Ids of those who are joined to a room."""
    return tuple(rooms.members(unit.session, room_id))


def acquainted(unit: Unit, user_ids: Collection[str]) -> frozenset[str]:
    """Those of the people who are in a room with the bot."""
    return rooms.in_any(unit.session, user_ids)


def another_device(unit: Unit) -> None:
    """The bot runs as another device than before, whose channels are of no use to it."""
    keys.forget_channels(unit.session)


def restored(unit: Unit, changes: KeyChanges) -> None:
    """The database is a backup: channels are further on than it knows, and no state may be used twice."""
    if changes.began_at is not None:
        keys.forget_channels(unit.session, changes.began_at)


def tidy(unit: Unit) -> None:
    """Drop keys to what was said long ago, of which nothing is read again, and channels that nobody uses."""
    keys.forget_idle_channels(unit.session, unit.now - _KEPT_FOR)
    keys.forget_room_keys(unit.session, unit.now - _KEPT_FOR)


def outdate_devices(unit: Unit) -> None:
    """Nobody's devices are known for sure: what changed is not told from the beginning."""
    keys.outdate_devices(unit.session)
