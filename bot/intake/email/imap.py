"""One connection to a mailbox, as a thread of its own uses it. Every wait is bounded.

IMAPClient does the talking: the library for this that is best kept and most used. It waits for its socket, so
it runs in threads; ending the socket from another thread ends any wait.
"""

import logging
import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, IMAPClientError, LoginError

from bot.domain.mail import Security
from bot.intake.email.account import CommandRefused, LoginRefused, MailboxError, MailboxSettings

logging.getLogger("imapclient").setLevel(logging.WARNING)  # below that it quotes what goes over the line

_CONNECT: Final = 15.0
_ANSWER: Final = 60.0
"""Seconds without a byte from the server."""

SEEN: Final = rb"\Seen"
DELETED: Final = rb"\Deleted"
_PASSING: Final = ("[UNAVAILABLE]", "[SERVERBUG]", "[INUSE]", "[LIMIT]")
"""What a server says that could not look at the password (RFC 5530)."""
_CODE: Final = re.compile(r"\[([A-Z]{1,20})\]")


def _code_in(error: Exception) -> str | None:
    found = _CODE.search(str(error))
    return found[1] if found else None


def _no_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"shows a certificate that is not valid: {error.verify_message}"
    return "does not speak TLS there"


class Connection:
    """A mailbox with its folder open. Of several calls one runs at a time, but for :meth:`abort`."""

    def __init__(self, settings: MailboxSettings) -> None:
        self._settings = settings
        self._client: IMAPClient | None = None
        self._aborted = False
        self._identity = 0
        self._flags: frozenset[bytes] | None = None
        """Those that may be set for good; ``None``: the server did not say (RFC 3501, 7.1)."""

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
            raise MailboxError(_no_tls(error)) from error
        except (OSError, IMAPClientError) as error:
            raise MailboxError("does not answer") from error
        self._client = client
        if self._aborted:
            self.abort()
        self._asked(self._enter, client)

    def _enter(self, client: IMAPClient) -> None:
        settings = self._settings
        if settings.security is Security.STARTTLS:
            try:
                client.starttls(settings.context)
            except CapabilityError as error:
                raise MailboxError("does not offer STARTTLS") from error
        try:
            client.login(settings.user, settings.password)
        except LoginError as error:
            if any(code in str(error) for code in _PASSING):
                raise MailboxError("cannot check the login now") from error
            raise LoginRefused("refuses the login") from error
        try:
            told = self._select(client)
        except IMAPClient.AbortError:
            raise
        except IMAPClientError as error:
            raise MailboxError(f"has no folder {settings.folder}") from error
        self._identity = int(told.get(b"UIDVALIDITY", 0))
        flags = told.get(b"PERMANENTFLAGS")
        if b"READ-ONLY" in told:
            self._flags = frozenset()
        elif flags is not None:
            self._flags = frozenset(bytes(flag).lower() for flag in flags)

    def _select(self, client: IMAPClient) -> Mapping[bytes, Any]:
        folder = self._settings.folder
        try:
            told: Mapping[bytes, Any] = client.select_folder(folder)
        except IMAPClient.ReadOnlyError:
            told = client.select_folder(folder, readonly=True)
        return told

    def _asked(self, question: Any, *args: Any) -> Any:  # noqa: ANN401
        """Ask the server something; its and the network's trouble as one kind of error."""
        try:
            return question(*args)
        except MailboxError:
            raise
        except IMAPClient.AbortError as error:
            raise MailboxError("broke off") from error
        except IMAPClientError as error:
            raise CommandRefused("refuses a command", _code_in(error)) from error
        except ssl.SSLError as error:
            raise MailboxError(_no_tls(error)) from error
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
        # Servers look for new mail then (RFC 3501, 6.1.2); Dovecot's search alone finds it seconds later.
        self._asked(self._open.noop)
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
        """The mail is received: marked as read, and moved if there is a folder for it.

        :raises CommandRefused: the server does not do it; the mail is received all the same.
        """
        folder = self._settings.done_folder
        if folder is None or self.may_flag(SEEN):
            self._asked(self._flag, uid, SEEN)
        if folder is not None:
            self._asked(self._move, uid, folder)

    def set_aside(self, uid: int) -> None:
        """The mail cannot be received: moved where somebody can look at it, and marked as read only then.

        :raises CommandRefused: the server does not do it.
        """
        self._asked(self._move, uid, self._settings.aside_folder)

    def _move(self, uid: int, folder: str) -> None:
        client = self._open
        moves = client.has_capability("MOVE")
        if not moves and not self.may_flag(DELETED):
            # It would be copied there again and again.
            raise CommandRefused("refuses to mark mails as deleted")
        if not client.folder_exists(folder):
            client.create_folder(folder)
        if moves:
            client.move([uid], folder)
            return
        client.copy([uid], folder)
        self._flag(uid, SEEN, DELETED)
        if client.has_capability("UIDPLUS"):
            client.uid_expunge([uid])
        # Else it stays marked as deleted: an expunge would take away what people have marked, too.

    def _flag(self, uid: int, *flags: bytes) -> None:
        if not all(map(self.may_flag, flags)):
            # Some servers take the command then, and do nothing.
            raise CommandRefused("refuses to mark mails")
        self._open.add_flags([uid], flags, True)

    def may_flag(self, flag: bytes) -> bool:
        """Whether the server lets mails be marked so, as far as it says."""
        return self._flags is None or flag.lower() in self._flags

    @property
    def lets_mark(self) -> bool:
        """Whether mails that were received can be marked or moved, as far as the server says."""
        writable = self._flags is None or bool(self._flags)
        moves = self.may_flag(DELETED) or (writable and self._asked(self._open.has_capability, "MOVE"))
        return bool(moves) and (self._settings.done_folder is not None or self.may_flag(SEEN))

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
        return self._asked(self._has_read) or bool(self._asked(self._open.idle_check, seconds))

    def _has_read(self) -> bool:
        """Whether something was read along with the answer before it, or lies decrypted in the TLS layer.

        ``idle_check`` waits for the socket, which tells of neither.
        """
        client = self._open
        sock = client.socket()
        sock.setblocking(False)
        try:
            return bool(client._imap.file.peek(1))  # noqa: SLF001 - there is no other way to it
        except ssl.SSLWantReadError:
            return False
        finally:
            sock.settimeout(_ANSWER)

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
