"""nio without what nobody asked for.

Its own machine for encryption and the store of its keys are 14 MB that the bot never uses: it has a machine
of its own (:mod:`bot.matrix.encryption`), and nio carries requests and seals files.
"""

from bot.lean import without

with without("vodozemac"):
    import nio as nio
