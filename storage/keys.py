"""The encryption's keys, as the machine wants them kept. Queries never commit."""

from collections.abc import Collection, Sequence
from datetime import datetime
from importlib import import_module
from typing import Any, Final

from sqlalchemy import delete, update
from sqlmodel import Session, SQLModel, col, select

from storage.key_models import DeviceList, KeyAccount, KnownDevice, MegolmSession, OlmSession
from storage.models import Room

_AT_ONCE: Final = 200
"""Values in one query; SQLite takes no more than some thousands."""


def account(session: Session) -> KeyAccount | None:
    """The bot's own device, if it ever had keys."""
    return session.get(KeyAccount, 1)


def channels(session: Session, sender_keys: Collection[str]) -> Sequence[OlmSession]:
    """The channels to these devices."""
    found: list[OlmSession] = []
    for some in _in_parts(sender_keys):
        found += session.exec(select(OlmSession).where(col(OlmSession.sender_key).in_(some)))
    return found


def room_keys(session: Session, wanted: Collection[tuple[str, str]]) -> Sequence[MegolmSession]:
    """The keys of these sessions: room and session id."""
    found: list[MegolmSession] = []
    for some in _in_parts(wanted):
        # No list of pairs: for that SQLite reads the whole table.
        query = select(MegolmSession).where(
            col(MegolmSession.room_id).in_({room_id for room_id, _session_id in some}),
            col(MegolmSession.session_id).in_([session_id for _room_id, session_id in some]),
        )
        found += (row for row in session.exec(query) if (row.room_id, row.session_id) in some)
    return found


def devices(
    session: Session, user_ids: Collection[str]
) -> tuple[Sequence[DeviceList], Sequence[KnownDevice]]:
    """What is known of these people's devices."""
    lists: list[DeviceList] = []
    found: list[KnownDevice] = []
    for some in _in_parts(user_ids):
        lists += session.exec(select(DeviceList).where(col(DeviceList.user_id).in_(some)))
        found += session.exec(select(KnownDevice).where(col(KnownDevice.user_id).in_(some)))
    return lists, found


def encrypted_rooms(session: Session) -> Sequence[str]:
    """Ids of the rooms that are encrypted."""
    return session.exec(select(Room.room_id).where(col(Room.encrypted).is_(True))).all()


def keep(session: Session, rows: Collection[SQLModel], gone: Collection[SQLModel]) -> None:
    """Write rows as they are now, new or known; drop others."""
    by_table: dict[type[SQLModel], list[dict[str, Any]]] = {}
    for row in rows:
        by_table.setdefault(type(row), []).append(row.model_dump())
    for model, values in by_table.items():
        _upsert(session, model, values)
    for channel in gone:
        if isinstance(channel, OlmSession):
            session.exec(delete(OlmSession).where(col(OlmSession.session_id) == channel.session_id))


def forget_channels(session: Session, before: datetime | None = None) -> None:
    """Drop the channels that were made before, or all: new ones are made when they are needed."""
    query = delete(OlmSession)
    session.exec(query if before is None else query.where(col(OlmSession.made_at) < before))


def forget_idle_channels(session: Session, before: datetime) -> None:
    """Drop the channels that nothing went by since."""
    session.exec(delete(OlmSession).where(col(OlmSession.used_at) < before))


def forget_room_keys(session: Session, before: datetime) -> None:
    """Drop the keys that came before."""
    session.exec(delete(MegolmSession).where(col(MegolmSession.received_at) < before))


def outdate_devices(session: Session) -> None:
    """Nobody's devices are known for sure any more."""
    session.exec(update(DeviceList).values(outdated=True).execution_options(synchronize_session=False))


def _upsert(session: Session, model: type[SQLModel], values: list[dict[str, Any]]) -> None:
    table = model.__table__  # type: ignore[attr-defined]
    # The dialect in use is loaded; the other one would be a megabyte for nothing.
    dialect = import_module(f"sqlalchemy.dialects.{session.get_bind().dialect.name}")
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key]
    rest = {
        column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys
    }
    session.connection().execute(statement.on_conflict_do_update(index_elements=keys, set_=rest), values)


def _in_parts(values: Collection[Any]) -> Sequence[list[Any]]:
    listed = list(values)
    return [listed[start : start + _AT_ONCE] for start in range(0, len(listed), _AT_ONCE)]
