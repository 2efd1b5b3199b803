"""The mail server that takes what goes out (SMTP, RFC 5321), and what its answers mean."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPTimeoutError,
)

from bot.domain.mail import Security
from bot.mail.compose import Mail
from bot.mail.errors import LoginRefused, MailError, Never, NotNow, ServerAway

_COMMAND: Final = 30.0
_WHOLE: Final = 120.0
"""Seconds for one mail; a server that answers each command just in time is as good as away."""
_GOING_DOWN: Final = 421
_PERMANENT: Final = 500
_GOODBYE: Final = 5.0
_BROKEN_OFF: Final = "4.4.2 the mail server broke off the connection"
_TOO_SLOW: Final = "4.4.2 the mail server did not answer in time"
"""As RFC 3463, 3.5 numbers them."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the server is, and who the bot is there."""

    host: str
    port: int
    security: Security = Security.TLS
    user: str | None = None
    password: str | None = None
    context: ssl.SSLContext | None = None
    """Whom to trust, if not as the system does."""


class MailServer:
    """One connection at a time, kept while there is something to send."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, mail: Mail) -> None:
        """Hand one mail over; returns once the server has taken it.

        :raises MailError: it did not; the kind says what to do. Away is only a server that one cannot connect
            or log in to: what breaks off later may do so for this mail's sake, as by a filter.
        """
        client = None
        try:
            async with asyncio.timeout(_WHOLE):
                client = await self._connected()
                await self._hand_over(client, mail)
        except TimeoutError as error:
            await self._drop()
            raise (ServerAway("it does not answer") if client is None else NotNow(_TOO_SLOW)) from error

    async def greet(self) -> None:
        """Connect and log in, to see whether that works.

        :raises MailError: it does not.
        """
        try:
            async with asyncio.timeout(_WHOLE):
                await self._connected()
        except TimeoutError as error:
            raise ServerAway("it does not answer") from error
        finally:
            await self.close()

    async def close(self) -> None:
        """Say goodbye, if there is a connection."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(_GOODBYE):
                    await client.quit()
            client.close()

    async def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
        wanted = self._settings
        client = aiosmtplib.SMTP(
            hostname=wanted.host,
            port=wanted.port,
            timeout=_COMMAND,
            use_tls=wanted.security is Security.TLS,
            start_tls=wanted.security is Security.STARTTLS,
            tls_context=wanted.context,
        )
        try:
            await client.connect()
            self._client = client
            if wanted.user is not None:
                await client.login(wanted.user, wanted.password or "")
        except SMTPAuthenticationError as error:
            await self._drop()
            raise (LoginRefused if error.code >= _PERMANENT else ServerAway)(_said(error)) from error
        except SMTPNotSupported as error:
            await self._drop()
            raise LoginRefused(str(error)) from error
        except (SMTPException, OSError) as error:
            await self._drop()
            client.close()
            raise ServerAway(_told(error)) from error
        return client

    async def _hand_over(self, client: aiosmtplib.SMTP, mail: Mail) -> None:
        options = ["SMTPUTF8"] if mail.utf8 else []
        try:
            if mail.utf8 and not client.supports_extension("smtputf8"):
                raise Never("5.6.7 the mail server cannot send to such an address")
            await client.sendmail(mail.sender, [mail.to], mail.content, mail_options=options)
        except SMTPRecipientsRefused as error:
            raise await self._refused(error.recipients[0]) from error
        except SMTPTimeoutError as error:
            await self._drop()
            raise NotNow(_TOO_SLOW) from error
        except SMTPResponseException as error:
            raise await self._refused(error) from error
        except (SMTPException, OSError) as error:
            await self._drop()
            raise NotNow(_BROKEN_OFF) from error

    async def _refused(self, error: SMTPResponseException) -> MailError:
        """What an answer to one mail means (RFC 5321, 4.2.1); after some there is no connection any more."""
        if error.code == _GOING_DOWN or error.code < 0:
            await self._drop()
        return (Never if error.code >= _PERMANENT else NotNow)(_said(error))


def _said(error: SMTPResponseException) -> str:
    return f"{error.code} {error.message}"


def _told(error: Exception) -> str:
    return _said(error) if isinstance(error, SMTPResponseException) else f"{type(error).__name__}: {error}"
