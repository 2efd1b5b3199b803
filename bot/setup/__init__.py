"""`init`: from an account on a homeserver to a bot that works, for an admin who has ten minutes.

Asks for what is missing (or takes it from flags and a file), says what it will do, and does it: keeps the
login, writes the config, makes rooms, invites people, starts the bot once so that it greets its rooms.

The config, the file with the token and what the homeserver knows are all the state there is, beside a
**draft**: the answers so far, which only a run that came to its end takes away. Each step looks first at what
is there, so that a run that was cut off is finished by the next one, and one that has nothing to do changes
nothing.
"""
