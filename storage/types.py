"""Column types and indexes that behave the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, DateTime, Dialect, Index, Integer, text
from sqlalchemy.types import TypeDecorator

BigId = BigInteger().with_variant(Integer, "sqlite")
"""64-bit key; SQLite numbers rows by itself only for a column of type INTEGER."""


CONDITION: Final = "condition"
"""Under this an index's ``info`` has the condition of the rows that are in it."""


def partial_index(name: str, *columns: str, where: str) -> Index:
    """An index of some of a table's rows; PostgreSQL is told by ``storage.on_postgresql``."""
    condition = text(where)
    return Index(name, *columns, sqlite_where=condition, info={CONDITION: condition})


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC times. SQLite has no zones: stored there without one, given back with one.

    :raises ValueError: for a naive time, whose zone would be a guess.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware time of any zone → UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone cannot be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401
        """Stored time → aware UTC."""
        if value is None:
            return None
        assert isinstance(value, datetime)  # noqa: S101
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
