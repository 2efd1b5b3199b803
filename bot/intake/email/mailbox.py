"""Fetches the mails of one mailbox for as long as the bot runs: each once, and marked once it is received."""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

import structlog

from bot.domain.errors import Conflict
from bot.intake.email import receiving
from bot.intake.email.account import CommandRefused, LoginRefused, MailboxError, MailboxSettings
from bot.intake.email.imap import Connection
from bot.logs import place_of
from bot.services import mail_in
from bot.services.mail_in import Fate
from bot.services.unit import DatabaseUnavailable, Units

_LOG: Final = structlog.get_logger(__name__)
_FIRST: Final = 1.0
_LONGEST: Final = 60.0
_LONGEST_REFUSED: Final = 300.0
"""Seconds until a refused login is tried again; some servers lock out who tries too often."""
_IDLE: Final = 240.0
"""Seconds until the mailbox is looked at although the server told of nothing."""
_FIRST_IDLE: Final = 2.0
"""Seconds of that after there was something, doubled each time: mails come in crowds, and of one that comes
between the last look and the wait some servers do not tell."""
_CHECK: Final = 20.0
_PATIENCE: Final = 3.0
_TROUBLED: Final = 3
"""Failures in a row; fewer are a hiccup that nobody need be called for."""
_UNMARKED: Final = "refuses to mark or move mails that were received"
T = TypeVar("T")


class Mailbox:
    """One mailbox, with a thread of its own."""

    def __init__(self, units: Units, settings: MailboxSettings) -> None:
        self._units = units
        self._settings = settings
        self._connection = Connection(settings)
        self._failures = 0
        self._problem: str | None = "not looked at yet"
        self._unmarked: set[int] = set()
        """Received mails that the server did not let be marked: left alone while the connection lasts."""
        self._told = False
        """Whether the admins know of them."""
        self.turned_at: float | None = None
        """The running loop's time at which it came round last."""

    @property
    def name(self) -> str:
        """Its name in the config."""
        return self._settings.box.name

    @property
    def problem(self) -> str | None:
        """Why mails are not fetched, or not marked; ``None``: they are, or it was a hiccup."""
        waited = self._failures == 0 or self._failures >= _TROUBLED
        return self._problem if waited else None

    async def run(self) -> None:
        """Fetch until cancelled; whatever is in the way is tried again later."""
        # The loop's own threads are few, and each mailbox needs one all the time.
        with ThreadPoolExecutor(1, f"mailbox-{self.name}") as self._thread:
            refusals = 0
            while True:
                refused = False
                try:
                    await self._stay()
                except LoginRefused as error:
                    refused = True
                    self._failed(error.reason, at_once=True)
                except MailboxError as error:
                    self._failed(error.reason)
                except (DatabaseUnavailable, Conflict):
                    self._failed("the database does not answer")
                except Exception as error:  # noqa: BLE001 - mail must not end the bot, and is tried again
                    where = place_of(error)
                    _LOG.error("mailbox_fault", mailbox=self.name, error=type(error).__name__, place=where)
                    self._failed("a fault; the log says which")
                # A server that comes up again may refuse a login at first: that one is soon tried again.
                refusals = refusals + 1 if refused else 0
                tries, longest = (refusals, _LONGEST_REFUSED) if refused else (self._failures, _LONGEST)
                pause = min(longest, _FIRST * 2 ** min(tries - 1, 10))
                await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311 - no secret

    def _failed(self, reason: str, *, at_once: bool = False) -> None:
        self._failures = max(self._failures + 1, _TROUBLED if at_once else 0)
        self._problem = reason
        self._turn()
        _LOG.warning("mailbox_unavailable", mailbox=self.name, reason=reason, failures=self._failures)

    def _turn(self) -> None:
        self.turned_at = asyncio.get_running_loop().time()

    async def _stay(self) -> None:
        """Open the mailbox and stay in it until something goes wrong."""
        self._connection = Connection(self._settings)
        self._unmarked.clear()
        try:
            await self._do(self._connection.open)
            if self._failures:
                _LOG.info("mailbox_open", mailbox=self.name)
            idles, wait = await self._do(lambda: self._connection.can_idle), _FIRST_IDLE
            while True:
                await self._fetch_all()
                self._failures, self._problem = 0, _UNMARKED if self._unmarked else None
                self._turn()
                if idles:
                    news = await self._idle(wait)
                    wait = _FIRST_IDLE if news else min(2 * wait, _IDLE)
                else:
                    await asyncio.sleep(self._settings.poll)
        finally:
            await self._do(self._connection.close)

    async def _do(self, work: Callable[[], T]) -> T:
        """Run something in the mailbox's thread; cancelled, it ends the connection and with it the work."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            self._connection.abort()
            await asyncio.wait({future}, timeout=_PATIENCE)
            if future.done() and not future.cancelled() and (error := future.exception()):
                _LOG.debug("mailbox_cut_off", mailbox=self.name, error=type(error).__name__)
            raise

    async def _idle(self, seconds: float) -> bool:
        """Wait until the server tells of something, or for so long; whether it did."""
        connection, loop = self._connection, asyncio.get_running_loop()
        until, news = loop.time() + seconds, False
        await self._do(connection.idle)
        while not news and (left := until - loop.time()) > 0:
            news = await self._do(partial(connection.told_of_something, min(left, _CHECK)))
            self._turn()
        await self._do(connection.idle_done)
        return news

    async def _fetch_all(self) -> None:
        """Fetch until nothing new waits.

        Of what comes meanwhile a server tells with its next answer, whatever was asked; to who then waits
        for news it says nothing more of it.

        :raises CommandRefused: the server does not give out one of them; the others are received.
        """
        looked: set[int] = set()
        refused: CommandRefused | None = None
        while new := [uid for uid in await self._do(self._connection.waiting) if uid not in looked]:
            for uid in new:
                if uid not in self._unmarked:
                    try:
                        await self._fetch(uid)
                    except CommandRefused as error:
                        refused = error
                self._turn()
            looked.update(new)
        self._unmarked &= looked
        if refused is not None:
            raise refused

    async def _fetch(self, uid: int) -> None:
        """One mail: received and committed, and only then marked."""
        settings, connection = self._settings, self._connection
        size = await self._do(lambda: connection.size(uid))
        if size is None:
            return
        if size > settings.max_size:
            await receiving.refuse_large(self._units, connection.identity(uid), size, settings.box)
            await self._mark(uid, connection.set_aside)
            return
        data = await self._do(lambda: connection.fetch(uid))
        if data is None:
            return
        received = await receiving.receive(self._units, data, settings.box, settings.limits)
        mark = connection.set_aside if received.fate is Fate.ASIDE else connection.done
        await self._mark(uid, mark)

    async def _mark(self, uid: int, mark: Callable[[int], None]) -> None:
        """Mark a mail; one that the server does not let be marked must not stop those behind it."""
        try:
            await self._do(lambda: mark(uid))
            self._told = False
        except CommandRefused as error:
            code = error.code
            self._unmarked.add(uid)
            _LOG.warning("mail_not_marked", mailbox=self.name, uid=uid, code=code)
            if not self._told:
                await self._units.run(lambda unit: mail_in.tell_unmarked(unit, self.name, code))
                self._told = True
