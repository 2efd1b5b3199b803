"""A real mailbox (IMAP with IDLE, by pymap) and a real mail server (SMTP, by aiosmtpd), both in this process.

They listen on this machine only, and nothing leaves it.
"""

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session
from proxyprotocol.noop import ProxyProtocolNoop
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxSet
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Seen
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

HOST: Final = "127.0.0.1"
USER: Final = "hilfe"
_TAKEN: Final = "250 OK"


class Mailbox:
    """The mailbox of the help desk, in memory."""

    def __init__(self, boxes: MailboxSet, port: int) -> None:
        self._boxes = boxes
        self._places: dict[int, int] = {}
        self.port = port

    async def put(self, place: int, data: bytes) -> None:
        """Delivers a mail; whoever waits for news of the mailbox is told."""
        inbox = await self._boxes.get_mailbox("INBOX")
        message = await inbox.append(AppendMessage(data, datetime.now(UTC)), recent=True)
        self._places[message.uid] = place

    async def unread(self) -> list[int]:
        """The places of those that nobody has fetched."""
        inbox = await self._boxes.get_mailbox("INBOX")
        return [self._places[each.uid] async for each in inbox.messages() if Seen not in each.permanent_flags]


class _Settings(Config):
    @property
    def greeting(self) -> bytes:
        # pymap asks the name server who this machine is, and everything here would wait for the answer.
        return b"Tickettruhe's demo"


@asynccontextmanager
async def mailbox(password: str) -> AsyncIterator[Mailbox]:
    """Lets one user in, by that password."""
    boxes, login = await _with_one_user(password)
    # The wrapper is what pymap's own service uses; it tells the server of the connection.
    served = ProxyProtocolReader(ProxyProtocolNoop()).get_callback(IMAPServer(login, login.config))
    server = await asyncio.start_server(served, HOST, 0)
    try:
        yield Mailbox(boxes, _port(server))
    finally:
        server.close()


async def _with_one_user(password: str) -> tuple[MailboxSet, Login]:
    args = Namespace(
        host=HOST, port=0, debug=False, cert=None, key=None, tls=False, proxy_protocol=None,
        passlib_cfg=None, demo_data=False, demo_user=USER, demo_password=password,
    )  # fmt: skip
    settings = _Settings.from_args(args, hash_context=Cleartext())
    login, boxes = Login(settings), MailboxSet()
    await login.demo_user_identity.set(UserMetadata(settings, USER, password=password))
    settings.set_cache[USER] = boxes, FilterSet()
    return boxes, login


@asynccontextmanager
async def mail_server(take: Callable[[bytes], Awaitable[None]]) -> AsyncIterator[int]:
    """Gives its port. ``take`` gets each mail; the sender is told that it was taken once that returns."""
    handler = _Handler(take)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="mail.example", enable_SMTPUTF8=True, loop=loop), HOST, 0
    )
    try:
        yield _port(server)
    finally:
        server.close()


class _Handler:
    def __init__(self, take: Callable[[bytes], Awaitable[None]]) -> None:
        self._take = take

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str | None, options: list[str]
    ) -> str:
        # The empty one of automatic mail would count as none.
        envelope.mail_from = address or "<>"
        envelope.mail_options.extend(options)
        return _TAKEN

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)  # noqa: S101 - it is text only if one asks for that
        await self._take(envelope.content)
        return _TAKEN


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])
