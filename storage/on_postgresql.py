"""What only PostgreSQL's dialect understands: the full-text index's table, and conditions of partial indexes.

Apart from the models, as it loads that dialect: a megabyte, which a bot on SQLite has no use for. The bot
makes its tables by migrations; whoever compares models with a database imports this.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, MetaData, Table
from sqlalchemy.dialects.postgresql import TSVECTOR

from storage.models import ALL
from storage.types import CONDITION

SEARCH: Final = MetaData(naming_convention=ALL.naming_convention)
"""SQLite's full-text index is a virtual table, which no metadata can describe."""
_TABLE: Final = Table(
    "search_index",
    SEARCH,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("words", TSVECTOR, nullable=False),
    # Without fast updates no search has to go through a list of what is not in the index yet.
    Index("ix_search_index_words", "words", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
)

for _index in {index for table in ALL.tables.values() for index in table.indexes}:
    if CONDITION in _index.info:
        _index.dialect_kwargs["postgresql_where"] = _index.info[CONDITION]
