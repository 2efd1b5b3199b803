"""Rows without the session's bookkeeping, which costs six times what the database needs.

For what comes with every request and command: rows that are inserted, and prepared statements that change
rows or ask for columns, not for objects. What the session still holds is written first, so that rows stand in
the order in which they were asked for, and a question finds them. An object by its key, too, comes in half
the time of the session's own way, which builds its question anew each time.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import bindparam
from sqlmodel import Session, SQLModel, select

_Model = TypeVar("_Model", bound=SQLModel)


@cache
def _statement(model: type[SQLModel]) -> Any:  # noqa: ANN401
    return sqlalchemy.insert(model.__table__)  # type: ignore[attr-defined]


def insert(session: Session, model: type[SQLModel], /, **values: Any) -> Any:  # noqa: ANN401
    """Insert one row of a table, with the model's defaults for what is not named; gives its primary key."""
    key = _connection(session).execute(_statement(model), values).inserted_primary_key
    return key[0] if key is not None else None


def insert_all(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert several rows, all with the same columns."""
    if rows:
        _connection(session).execute(_statement(model), rows)


def run(
    session: Session,
    statement: sqlalchemy.Executable,
    **values: Any,  # noqa: ANN401
) -> "sqlalchemy.CursorResult[*tuple[Any, ...]]":
    """Execute a prepared statement. Objects that the session holds do not hear of what it changes."""
    return _connection(session).execute(statement, values)


@cache
def _object_of(model: type[SQLModel], fresh: bool) -> Any:  # noqa: ANN401
    (key,) = sqlalchemy.inspect(model).primary_key
    return select(model).where(key == bindparam("key")).execution_options(populate_existing=fresh)


def get(session: Session, model: type[_Model], key: int | str, *, fresh: bool = False) -> _Model | None:
    """The object with this key, of a table whose key is one column; ``fresh``: as the database has it now."""
    if not fresh and (model, (key,), None) in session.identity_map:
        return session.get(model, key)
    found: _Model | None = session.exec(_object_of(model, fresh), params={"key": key}).first()
    return found


def _connection(session: Session) -> sqlalchemy.Connection:
    if session.new or session.dirty or session.deleted:
        session.flush()
    return session.connection()
