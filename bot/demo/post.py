"""All mail of the demo: what requesters write, what the bot sends, and the servers between them."""

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from bot.demo import letters
from bot.demo.cast import HELP_DESK, LATER, MAILS, SAMPLES, SETTINGS, MailSample
from bot.demo.errors import PostFailed
from bot.demo.letters import Letter

if TYPE_CHECKING:
    from bot.demo.mail_servers import Mailbox

_WAITING: Final = "waiting.json"
_NAMES: Final = {each.email: each.name for each in (*SAMPLES, *LATER, *MAILS)}
_ZONE: Final = ZoneInfo(SETTINGS["timezone"])


class Post:
    """Every mail is kept as a file, too: any mail program opens it."""

    def __init__(self, folder: Path, changed: Callable[[], Awaitable[None]]) -> None:
        """:param changed: is called whenever there is one more."""
        self._folder = folder
        self._changed = changed
        self._letters: list[Letter] = []
        self._password = secrets.token_urlsafe(16)
        self._mailbox: Mailbox | None = None
        self._smtp_port = 0
        self.on_letter: Callable[[Letter], None] = lambda _letter: None
        """Is told of each new one."""

    @property
    def letters(self) -> tuple[Letter, ...]:
        """All mails, oldest first."""
        return tuple(self._letters)

    def settings(self) -> dict[str, Any]:
        """The section ``mail`` of the bot's config."""
        here = {"host": "127.0.0.1", "security": "none"}
        box = {**here, "port": self._box.port, "user": "hilfe", "password": self._password}
        return {
            "smtp": {**here, "port": self._smtp_port},
            "sender": f"Tickettruhe <{HELP_DESK}>",
            # The demo's requests all come from one address, and some from the same people.
            "acks_per_origin": 1000,
            "acks_per_address": 100,
            "mailboxes": {"hilfe": {"address": HELP_DESK, **box}},
        }

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Both servers listen; the mails of an earlier demo in that folder are there.

        :raises PostFailed: they are not installed.
        """
        if find_spec("aiosmtpd") is None or find_spec("pymap") is None:
            raise PostFailed("The local mail server is not installed: pip install 'tickettruhe[demo]'")
        # Not at the top: who uses the bot for real has neither.
        from bot.demo.mail_servers import mail_server, mailbox

        self._folder.mkdir(mode=0o700, exist_ok=True)
        async with AsyncExitStack() as stack:
            self._mailbox = await stack.enter_async_context(mailbox(self._password))
            self._smtp_port = await stack.enter_async_context(mail_server(self._take))
            await self._recall()
            try:
                yield
            finally:
                (self._folder / _WAITING).write_text(json.dumps(await self._mailbox.unread()))

    async def write(self, sample: MailSample) -> Letter:
        """Somebody writes to the help desk."""
        return await self._send(letters.new(sample, datetime.now(_ZONE)))

    async def answer(self, number: int, text: str) -> Letter | None:
        """The requester of a ticket answers the last mail about it; ``None`` if there was none."""
        about = [each for each in self._letters if each.outgoing and each.number == number]
        if not about:
            return None
        last = about[-1]
        return await self._send(letters.answer(last, _NAMES.get(last.to, ""), text, datetime.now(_ZONE)))

    @property
    def _box(self) -> "Mailbox":
        if self._mailbox is None:
            raise PostFailed("The local mail server is not running.")
        return self._mailbox

    async def _send(self, data: bytes) -> Letter:
        letter = await self._keep(data)
        await self._box.put(letter.place, data)
        return letter

    async def _take(self, data: bytes) -> None:
        """What the bot sends. After a kill -9 a mail may come again; as mailboxes do, one is kept."""
        letter = letters.read(0, data)
        if all(letter.mail_id != known.mail_id for known in self._letters):
            await self._keep(data)

    async def _keep(self, data: bytes) -> Letter:
        letter = letters.read(len(self._letters) + 1, data)
        self._file(letter.place).write_bytes(data)
        self._letters.append(letter)
        self.on_letter(letter)
        await self._changed()
        return letter

    async def _recall(self) -> None:
        while (file := self._file(len(self._letters) + 1)).exists():
            self._letters.append(letters.read(len(self._letters) + 1, file.read_bytes()))
        waiting = self._folder / _WAITING
        for place in json.loads(waiting.read_text()) if waiting.exists() else ():
            await self._box.put(place, self._file(place).read_bytes())

    def _file(self, place: int) -> Path:
        return self._folder / f"{place:04}.eml"
