"""The mail courier: takes the letters that are due from the outbox and hands them to the mail server.

At least once: a letter that was handed over just before the process died goes again with the same Message-ID.
"""

import asyncio
import random
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from structlog.contextvars import bound_contextvars

from bot.logs import about, place_of
from bot.mail.compose import Composer
from bot.mail.errors import LoginRefused, MailError, Never, NoSuchMailbox, NotNow, ServerAway, TemplateBroken
from bot.mail.server import MailServer
from bot.meters import Fate
from bot.services import mail_jobs, mail_outcomes
from bot.services.mail_jobs import LetterJob
from bot.services.unit import DatabaseUnavailable, Units
from bot.waiting import called

_LOG = structlog.get_logger(__name__)
_SHORTEST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 30.0
_PAUSES: Final = (60.0, 300.0, 900.0, 1800.0, 3600.0)
"""Seconds between attempts of a letter that the server does not take yet; greylisting wants some minutes."""
_FIRST_REST: Final = 1.0
_LONGEST_REST: Final = 120.0
_TROUBLE_AFTER: Final = timedelta(minutes=5)
KIND: Final = "mail"


class MailCourier:
    """Sends what waits, one letter after the other, of each ticket in their order."""

    def __init__(self, units: Units, composer: Composer, server: MailServer) -> None:
        self._units = units
        self._composer = composer
        self._server = server
        self._stopping = asyncio.Event()
        self._resumed = False
        """Whether it was looked after what the last run left."""
        self._handed_over: LetterJob | None = None
        """What the server took and the database does not know of yet: nothing goes before that is noted."""
        self._failures = 0
        """How often the server was away in a row."""
        self._rest_until = 0.0
        self._away_since: datetime | None = None
        self._told = False
        """Whether the admins know that the server refuses the bot."""
        self.turned_at: float | None = None
        """The loop's time at which it came round last; ``None`` before the first time."""

    @property
    def trouble(self) -> bool:
        """Whether nothing could be sent for some minutes."""
        return self._away_since is not None and self._units.clock() - self._away_since > _TROUBLE_AFTER

    def stop(self) -> None:
        """Take nothing new; :meth:`run` returns when the letter under way is sent."""
        self._stopping.set()
        self._units.signals.mail.set()

    async def run(self) -> None:
        """Deliver until stopped."""
        ready = self._units.signals.mail
        try:
            while not self._stopping.is_set():
                self._turn()
                ready.clear()
                wait = await self._round()
                if not self._stopping.is_set():
                    await called(ready, wait)
        finally:
            await self._server.close()

    def _turn(self) -> None:
        self.turned_at = asyncio.get_running_loop().time()

    async def _round(self) -> float:
        """Send what may be sent now; gives for how many seconds to sleep unless called."""
        rest = self._rest_until - asyncio.get_running_loop().time()
        if rest > 0:
            await called(self._stopping, min(rest, _LONGEST_WAIT))
            return 0.0
        try:
            if not self._resumed:
                await self._units.run(mail_jobs.resume)
                self._resumed = True
            if self._handed_over is not None:
                with _bound(self._handed_over):
                    await self._sent(self._handed_over)
            claimed = await self._units.run(mail_jobs.claim)
            if claimed.job is not None:
                await self._deliver(claimed.job)
        except DatabaseUnavailable:
            _LOG.warning("database_unavailable", doing="mail")
            return _SHORTEST_WAIT
        if claimed.job is not None:
            return 0.0
        await self._server.close()
        return self._wait(claimed.look_again_at)

    def _wait(self, look_again_at: datetime | None) -> float:
        if look_again_at is None:
            return _LONGEST_WAIT
        ahead = (look_again_at - self._units.clock()).total_seconds()
        return min(max(ahead, _SHORTEST_WAIT), _LONGEST_WAIT)

    async def _deliver(self, job: LetterJob) -> None:
        """Send one letter."""
        with _bound(job):
            fate = await self._attempt(job)
            self._units.meters.delivery(KIND, fate)

    async def _attempt(self, job: LetterJob) -> Fate:
        try:
            await self._server.send(self._composer.compose(job.letter))
        except (ServerAway, LoginRefused) as error:
            await self._is_away(job, error)
            return Fate.UNREACHABLE
        except NotNow as error:
            await self._later(job, error)
            return Fate.PUT_OFF
        except (Never, NoSuchMailbox) as error:
            await self._failed(job, error.reason)
            return Fate.REFUSED
        except TemplateBroken as error:
            _LOG.error("template_broken", file=error.file.name)
            await self._failed(job, f"internal: {error.file.name} cannot be used as a template")
            return Fate.FAILED
        except Exception as error:  # noqa: BLE001 - one letter that cannot be made must not stop the rest
            # The error's text could hold a requester's words.
            _LOG.error("mail_fault", error=type(error).__name__, place=place_of(error))
            await self._failed(job, f"internal: {type(error).__name__}")
            return Fate.FAILED
        self._failures, self._away_since, self._told = 0, None, False
        self._handed_over = job
        await self._sent(job)
        return Fate.SENT

    async def _sent(self, job: LetterJob) -> None:
        """Note that the server took a letter.

        :raises DatabaseUnavailable: it is noted in a later round; the letter does not go again for that.
        """
        await self._units.run(partial(mail_outcomes.sent, row_id=job.row_id, letter_id=job.letter.id))
        self._handed_over = None
        waited = self._units.clock() - job.letter.at
        self._units.meters.waited(KIND, max(0.0, waited.total_seconds()))
        _LOG.info("mail_sent", letter=job.letter.kind.value)

    async def _later(self, job: LetterJob, error: NotNow) -> None:
        pause = _PAUSES[min(job.attempts, len(_PAUSES) - 1)] * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        _LOG.warning("mail_put_off", code=_code(error), pause=round(pause))
        delay = timedelta(seconds=pause)
        await self._units.run(
            lambda unit: mail_outcomes.later(unit, job.row_id, job.letter.id, delay, error.reason)
        )

    async def _failed(self, job: LetterJob, reason: str) -> None:
        _LOG.error("mail_failed", code=reason.partition(" ")[0])
        await self._units.run(lambda unit: mail_outcomes.failed(unit, job.row_id, job.letter.id, reason))

    async def _is_away(self, job: LetterJob, error: MailError) -> None:
        """A server that is away is away for all: the letters wait, and after days they are given up."""
        self._failures += 1
        self._away_since = self._away_since or self._units.clock()
        rest = min(_LONGEST_REST, _FIRST_REST * 2.0 ** min(self._failures - 1, 10))
        rest *= random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        self._rest_until = asyncio.get_running_loop().time() + rest
        _LOG.warning("mail_server_away", error=type(error).__name__, code=_code(error), pause=round(rest, 1))
        await self._units.run(partial(mail_jobs.release, row_id=job.row_id))
        if not self._told and (isinstance(error, LoginRefused) or self.trouble):
            self._told = True
            await self._units.run(lambda unit: mail_outcomes.tell_admins(unit, error.reason))
        await self._units.run(mail_outcomes.give_up_old)


def _bound(job: LetterJob) -> AbstractContextManager[object]:
    """Let the log say which letter it is about."""
    return bound_contextvars(row=job.row_id, kind=KIND, **about((job.letter.number,)))


def _code(error: MailError) -> str:
    """The first word of what the server said: a code, or the name of an error."""
    return error.reason.partition(" ")[0].rstrip(":")
