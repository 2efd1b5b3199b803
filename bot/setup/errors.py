"""What can stop the set-up.

TickettruheError
└─ SetupStopped     a person must act; says what is wrong and what to do, in the person's language
   ├─ Wrong         an answer that cannot be used: ask again
   └─ NotNow        the homeserver asks to wait for too long
"""

from bot.domain.errors import TickettruheError


class SetupStopped(TickettruheError):
    """The set-up cannot go on. The text is for the person."""

    def __init__(self, told: str) -> None:
        super().__init__(told)
        self.told = told


class Wrong(SetupStopped):
    """An answer that cannot be used, and what would do."""


class NotNow(SetupStopped):
    """The homeserver asks to wait for longer than anybody would."""
