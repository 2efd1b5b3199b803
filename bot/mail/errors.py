"""What can go wrong on the way of a mail.

MailError
├─ TemplateBroken       a template cannot be used; names the file
├─ NoSuchMailbox        what is kept as an address cannot be one
├─ ServerAway           the mail server cannot be reached, or takes nothing from anybody now
├─ LoginRefused         the mail server refuses the bot itself
├─ NotNow               the mail server does not take this mail at the moment
└─ Never                the mail server does not take this mail at all
"""

from pathlib import Path

from bot.domain.errors import TickettruheError


class MailError(TickettruheError):
    """Root of what goes wrong with mail. ``reason`` may hold an address: it is not for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(type(self).__name__)
        self.reason = reason


class TemplateBroken(MailError):
    """A template cannot be used; ``line`` is known if its syntax is wrong."""

    def __init__(self, file: Path, line: int | None, reason: str) -> None:
        super().__init__(reason)
        self.file, self.line = file, line

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.reason}"


class NoSuchMailbox(MailError):
    """What is kept as an address cannot be one."""


class ServerAway(MailError):
    """The mail server cannot be reached, or takes nothing from anybody at the moment."""


class LoginRefused(MailError):
    """The mail server refuses the bot itself: a person has to mend that."""


class NotNow(MailError):
    """The mail server does not take this mail at the moment (a code of 400 and more)."""


class Never(MailError):
    """The mail server does not take this mail at all (a code of 500 and more)."""
