"""What the bot's device needs at the homeserver: its keys, and one-time keys by which others reach it."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import structlog

from bot.matrix import clean
from bot.matrix.backoff import pause_after
from bot.matrix.client import MatrixClient
from bot.matrix.encryption.journal import Journal
from bot.matrix.encryption.own import OwnDevice
from bot.matrix.encryption.repair import Repair
from bot.matrix.errors import MatrixError, Refused, TokenRejected, Unreachable
from bot.services.unit import DatabaseUnavailable, Units
from bot.waiting import called

_LOG = structlog.get_logger(__name__)
_IDLE: Final = 60.0
_KIND: Final = "signed_curve25519"
_MOST_REFUSALS: Final = 10

Json = Mapping[str, Any]


class Upkeep:
    """Uploads keys, and mends channels, in a task of its own."""

    def __init__(
        self, client: MatrixClient, units: Units, own: OwnDevice, journal: Journal, repair: Repair
    ) -> None:
        self._client = client
        self._units = units
        self._own = own
        self._journal = journal
        self._repair = repair
        self._count: int | None = None
        self._fallback = False
        self.wanted = asyncio.Event()
        self.uploaded = asyncio.Event()
        """Set once the homeserver has the device's keys."""

    def told(self, sync: Json) -> None:
        """Note what a sync tells of the keys that the homeserver has."""
        count = clean.mapping(sync.get("device_one_time_keys_count")).get(_KIND)
        unused = sync.get("device_unused_fallback_key_types")
        if self.uploaded.is_set() and type(count) is int:
            self._count = count
            self._fallback = not isinstance(unused, list) or _KIND in unused

    async def run(self) -> None:
        """Look after the keys until cancelled.

        :raises TokenRejected: the account's login is over.
        """
        failures = 0
        while True:
            self.wanted.clear()
            try:
                await self._round()
            except TokenRejected:
                raise
            except (MatrixError, DatabaseUnavailable) as error:
                failures += 1
                pause = pause_after(failures, error)
                _LOG.warning("upkeep_failed", error=repr(error), pause=round(pause, 1))
                await asyncio.sleep(pause)
                continue
            failures = 0
            await called(self.wanted, _IDLE)

    async def _round(self) -> None:
        if not self.uploaded.is_set():
            # With each start, as a device that was logged out has none when it is logged in again.
            await self._upload({"device_keys": self._own.device_keys()})
            _LOG.info("device_keys_uploaded", device=self._own.device_id)
            self.uploaded.set()
        if self._count is not None and self._own.refill(self._count, fallback=self._fallback):
            await self._refill()
        await self._repair.mend(self._units.clock())

    async def _refill(self) -> None:
        """Upload what was made. What the database does not hold must not be offered to anybody.

        :raises Unreachable: it was refused again and again; the next round goes on from there.
        """
        for _refused in range(_MOST_REFUSALS):
            await self._journal.keep()
            try:
                await self._upload(self._own.to_upload())
            except Refused as error:
                # A restored database makes keys under ids that were given out already: on to the next ones.
                _LOG.warning("one_time_keys_refused", code=error.code)
                self._own.uploaded()
                self._own.refill(0, fallback=self._fallback)
            else:
                self._own.uploaded()
                self._fallback = True
                await self._journal.keep()
                return
        raise Unreachable("one-time keys refused")

    async def _upload(self, request: Json) -> None:
        answer = await self._client.keys("upload", request)
        count = clean.mapping(answer.get("one_time_key_counts")).get(_KIND, 0)
        # One that tells no number is offered no more: it would be without end.
        self._count = count if type(count) is int and "one_time_key_counts" in answer else None
