"""A mailbox as the config describes it, and what can be wrong with it."""

import ssl
from dataclasses import dataclass

from bot.domain.errors import TickettruheError
from bot.domain.mail import Security
from bot.intake.email.reading import Limits
from bot.services.mail_in import Box


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """Where mails are fetched, and what becomes of them there. Sizes in bytes, times in seconds."""

    box: Box
    host: str
    port: int
    security: Security
    user: str
    password: str
    folder: str
    done_folder: str | None
    aside_folder: str
    poll: float
    limits: Limits
    max_size: int
    context: ssl.SSLContext | None = None
    """For tests, whose servers no authority knows."""


class MailboxError(TickettruheError):
    """The mailbox cannot be used now; ``reason`` is one of a few words, and holds nothing of any mail."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LoginRefused(MailboxError):
    """The server does not let the bot in."""


class CommandRefused(MailboxError):
    """The server is there and says no, as for a full folder or one that may not be written.

    ``code``: its reason as one of the words for that (RFC 5530), if it gives one.
    """

    def __init__(self, reason: str, code: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
