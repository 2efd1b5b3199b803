"""A mail server for tests (aiosmtpd): it says what it is told to say, and can be killed and started again."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER: Final = "bot@example.org"
PASSWORD: Final = "correct horse"
TAKEN: Final = "250 OK"


@dataclass(frozen=True)
class Received:
    """A mail as it came: envelope and message."""

    sender: str
    to: tuple[str, ...]
    message: EmailMessage
    encrypted: bool

    @property
    def mail_id(self) -> str:
        """Its Message-ID."""
        return str(self.message["Message-ID"])

    def text(self, kind: str = "plain") -> str:
        """One of its halves."""
        part = self.message.get_body((kind,))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")


@dataclass
class FakeMailServer:
    """Listens on one port of this machine, over all its lives."""

    port: int = 0
    mails: list[Received] = field(default_factory=list)
    on_recipient: Callable[[str], str] = lambda _address: TAKEN
    """What it says to a recipient."""
    on_data: Callable[[Received], str] = lambda _mail: TAKEN
    """What it says to a mail; only one that it takes is kept."""
    after_data: Callable[[], None] = lambda: None
    """Something that happens once a mail is kept, before that is said."""
    authority: trustme.CA | None = None
    starttls: bool = False
    password: str | None = None
    _server: asyncio.Server | None = None

    # --- what aiosmtpd calls ---

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str | None, options: list[str]
    ) -> str:
        envelope.mail_from = address or "<>"
        envelope.mail_options.extend(options)
        return TAKEN

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        said = self.on_recipient(address)
        if said.startswith("2"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert server.transport is not None
        encrypted = server.transport.get_extra_info("sslcontext") is not None
        mail = Received((envelope.mail_from or "").strip("<>"), tuple(envelope.rcpt_tos), message, encrypted)
        said = self.on_data(mail)
        if said.startswith("2"):
            self.mails.append(mail)
            self.after_data()
        return said

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        known = isinstance(given, LoginPassword) and given.login == USER.encode()
        return AuthResult(success=known and given.password == (self.password or "").encode(), handled=False)

    # --- its life ---

    def _protocol(self) -> SMTP:
        context = self._context() if self.starttls else None
        with warnings.catch_warnings(action="ignore"):  # of asking for a password in clear
            return SMTP(
                self,
                hostname="mail.example.org",
                enable_SMTPUTF8=True,
                tls_context=context,
                require_starttls=self.starttls,
                authenticator=self._authenticate if self.password else None,
                auth_required=self.password is not None,
                auth_require_tls=False,
            )

    def _context(self) -> ssl.SSLContext:
        assert self.authority is not None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert("localhost").configure_cert(context)
        return context

    async def start(self) -> None:
        """Listen."""
        secure = self._context() if self.authority and not self.starttls else None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, "localhost", self.port or None, ssl=secure)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more; whoever tries is refused."""
        if self._server is not None:
            self._server.close()
            self._server = None


@asynccontextmanager
async def mail_server(**having: Any) -> AsyncIterator[FakeMailServer]:
    """A mail server that listens."""
    server = FakeMailServer(**having)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
