"""nio without what nobody asked for.

peewee, in which nio would keep its keys, imports PostgreSQL's driver wherever it is installed: 9 MB that a
bot on SQLite never uses.
"""

from bot.lean import without

with without("psycopg"):
    import nio as nio
