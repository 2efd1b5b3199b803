"""nio without what nobody asked for.

Its second client, which does no input and output, would load HTTP/2: two megabytes.
Its own machine for encryption and the store of its keys are 14 MB that the bot never uses: it has a machine
of its own (:mod:`bot.matrix.encryption`), and nio carries requests and seals files.
"""

from bot.lean import hollow, without

with without("vodozemac"), hollow("h2", "h2.connection", "h2.events"):
    import nio as nio
