"""nio without what nobody asked for.

peewee, in which nio would keep its keys, imports PostgreSQL's driver wherever it is installed: 9 MB that a
bot on SQLite never uses. A module that is ``None`` cannot be imported, and peewee does without.
"""

import sys

_absent = "psycopg" not in sys.modules
if _absent:
    sys.modules["psycopg"] = None  # type: ignore[assignment]
try:
    import nio as nio
finally:
    if _absent:
        del sys.modules["psycopg"]
