"""One connection to a mailbox, as a thread of its own uses it. Every wait is bounded.

IMAPClient does the talking: the library for this that is best kept and most used. It waits for its socket, so
it runs in threads; ending the socket from another thread ends any wait.
"""

import logging
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError, LoginError

from bot.domain.errors import TickettruheError
from bot.intake.email.reading import Limits
from bot.services.mail_in import Box

logging.getLogger("imapclient").setLevel(logging.WARNING)  # below that it quotes what goes over the line

_CONNECT: Final = 15.0
_ANSWER: Final = 60.0
"""Seconds without a byte from the server."""


_PASSING: Final = ("[UNAVAILABLE]", "[SERVERBUG]", "[INUSE]", "[LIMIT]")
"""What a server says that could not look at the password (RFC 5530)."""


class Security(StrEnum):
    """How the connection is encrypted."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


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


class Connection:
    """A mailbox with its folder open. Of several calls one runs at a time, but for :meth:`abort`."""

    def __init__(self, settings: MailboxSettings) -> None:
        self._settings = settings
        self._client: IMAPClient | None = None
        self._aborted = False
        self._identity = 0

    def open(self) -> None:
        """Connect, log in and open the folder.

        :raises MailboxError: one of these is not possible.
        """
        settings = self._settings
        try:
            client = IMAPClient(
                settings.host,
                settings.port,
                ssl=settings.security is Security.TLS,
                ssl_context=settings.context,
                timeout=SocketTimeout(_CONNECT, _ANSWER),
            )
        except ssl.SSLError as error:
            raise MailboxError("its certificate is not valid, or it does not speak TLS there") from error
        except (OSError, IMAPClientError) as error:
            raise MailboxError("does not answer") from error
        self._client = client
        if self._aborted:
            self.abort()
        self._asked(self._enter, client)

    def _enter(self, client: IMAPClient) -> None:
        settings = self._settings
        if settings.security is Security.STARTTLS:
            client.starttls(settings.context)
        try:
            client.login(settings.user, settings.password)
        except LoginError as error:
            if any(code in str(error) for code in _PASSING):
                raise MailboxError("cannot check the login now") from error
            raise LoginRefused("refuses the login") from error
        try:
            told = client.select_folder(settings.folder)
        except IMAPClientError as error:
            raise MailboxError(f"has no folder {settings.folder}") from error
        self._identity = int(told.get(b"UIDVALIDITY", 0))

    def _asked(self, question: Any, *args: Any) -> Any:  # noqa: ANN401
        """Ask the server something; its and the network's trouble as one kind of error."""
        try:
            return question(*args)
        except MailboxError:
            raise
        except IMAPClient.AbortError as error:
            raise MailboxError("broke off") from error
        except IMAPClientError as error:
            raise MailboxError("refuses a command") from error
        except ssl.SSLError as error:
            raise MailboxError("its certificate is not valid, or it does not speak TLS there") from error
        except OSError as error:
            raise MailboxError("broke off") from error
        except (ValueError, LookupError, AttributeError) as error:
            # What the client cannot read of an answer.
            raise MailboxError("gives answers that cannot be read") from error

    @property
    def _open(self) -> IMAPClient:
        if self._client is None:
            raise MailboxError("is not open")
        return self._client

    def waiting(self) -> Sequence[int]:
        """Ids of the mails that were not received yet, oldest first.

        Where they are moved away afterwards these are all, else the unread ones.
        """
        criteria = ["UNDELETED"] if self._settings.done_folder else ["UNSEEN", "UNDELETED"]
        return sorted(self._asked(self._open.search, criteria))

    def size(self, uid: int) -> int | None:
        """Bytes of a mail; ``None`` if it is gone."""
        told = self._asked(self._open.fetch, [uid], ["RFC822.SIZE"])
        size = told.get(uid, {}).get(b"RFC822.SIZE")
        return int(size) if size is not None else None

    def fetch(self, uid: int) -> bytes | None:
        """A mail's bytes, without marking it; ``None`` if it is gone."""
        told = self._asked(self._open.fetch, [uid], ["BODY.PEEK[]"])
        data = told.get(uid, {}).get(b"BODY[]")
        return data if isinstance(data, bytes) else None

    def identity(self, uid: int) -> bytes:
        """What tells a mail that is not fetched from all others."""
        return f"{self._settings.box.name}\n{self._identity}\n{uid}".encode()

    def done(self, uid: int) -> None:
        """The mail is received: marked as read, or moved."""
        if self._settings.done_folder:
            self._asked(self._move, uid, self._settings.done_folder)
        else:
            self._asked(self._open.add_flags, [uid], [rb"\Seen"], True)

    def set_aside(self, uid: int) -> None:
        """The mail cannot be received: moved where somebody can look at it."""
        self._asked(self._move, uid, self._settings.aside_folder)

    def _move(self, uid: int, folder: str) -> None:
        client = self._open
        client.add_flags([uid], [rb"\Seen"], True)
        if not client.folder_exists(folder):
            client.create_folder(folder)
        if client.has_capability("MOVE"):
            client.move([uid], folder)
            return
        client.copy([uid], folder)
        client.delete_messages([uid], True)
        if client.has_capability("UIDPLUS"):
            client.uid_expunge([uid])
        # Else it stays marked as deleted: an expunge would take away what people have marked, too.

    def missing_folders(self) -> Sequence[str]:
        """Folders of the settings that are not there yet."""
        wanted = (self._settings.done_folder, self._settings.aside_folder)
        return [name for name in wanted if name and not self._asked(self._open.folder_exists, name)]

    @property
    def can_idle(self) -> bool:
        """Whether the server tells of new mail by itself (RFC 2177)."""
        return bool(self._asked(self._open.has_capability, "IDLE"))

    def idle(self) -> None:
        """Let the server tell of new mail."""
        self._asked(self._open.idle)

    def told_of_something(self, seconds: float) -> bool:
        """Wait at most so long for the server to tell of anything; whether it did."""
        return bool(self._asked(self._open.idle_check, seconds))

    def idle_done(self) -> None:
        """Ask again instead."""
        self._asked(self._open.idle_done)

    def close(self) -> None:
        """Say goodbye, if that is still possible."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError, IMAPClientError, ValueError):
                client.socket().settimeout(2.0)
                client.logout()
            with suppress(OSError, IMAPClientError, ValueError):
                client.shutdown()

    def abort(self) -> None:
        """End the connection at once, from whichever thread: whatever waits for it ends."""
        self._aborted = True
        client = self._client
        if client is not None:
            with suppress(OSError, AttributeError):
                client.socket().shutdown(socket.SHUT_RDWR)
