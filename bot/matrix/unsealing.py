"""Events that came before their keys: the keys are asked for, and the events read when they have come."""

from functools import partial
from typing import Final

import structlog

from bot.matrix.backoff import pause_after
from bot.matrix.encryption.machine import Machine
from bot.matrix.encryption.receiving import ENCRYPTED, Plain
from bot.matrix.errors import MatrixError, TokenRejected
from bot.matrix.events import Reader
from bot.services import reception, sealed
from bot.services.sealed import SealedEvent
from bot.services.unit import DatabaseUnavailable, Units
from bot.waiting import called

_LOG = structlog.get_logger(__name__)
_IDLE: Final = 30.0


class Unsealer:
    """Looks at sealed events whenever keys have come, and now and then."""

    def __init__(self, units: Units, machine: Machine, reader: Reader) -> None:
        self._units = units
        self._machine = machine
        self._reader = reader

    async def run(self) -> None:
        """Look until cancelled.

        :raises TokenRejected: the account's login is over.
        """
        failures = 0
        while True:
            self._machine.locked.clear()
            try:
                await self._round()
            except TokenRejected:
                raise
            except (MatrixError, DatabaseUnavailable) as error:
                failures += 1
                _LOG.warning("unsealing_failed", error=repr(error))
                await called(self._machine.locked, pause_after(failures, error))
                continue
            failures = 0
            await called(self._machine.locked, _IDLE)

    async def _round(self) -> None:
        await self._units.run(sealed.give_up)
        configured, _following = await self._units.look(reception.rooms_to_read)
        after = 0
        while page := await self._units.look(partial(sealed.waiting, after=after)):
            for waiting in page:
                await self._look_at(waiting, configured)
            after = page[-1].row_id

    async def _look_at(self, waiting: SealedEvent, configured: frozenset[str]) -> None:
        event = {
            "type": ENCRYPTED,
            "event_id": waiting.event_id,
            "sender": waiting.sender,
            "content": waiting.content,
            "origin_server_ts": int(waiting.sent_at.timestamp() * 1000),
        }
        opened = await self._machine.opened_late(waiting.room_id, event)
        if opened is None or isinstance(opened, Plain):
            told = self._reader.read_late(waiting.room_id, opened, configured) if opened else None
            await self._units.run(lambda unit: sealed.opened(unit, waiting, told))
            _LOG.info(
                "unsealed", event_id=waiting.event_id, room_id=waiting.room_id, readable=opened is not None
            )
            return
        await self._machine.ask_for_key(waiting.room_id, waiting.session_id, waiting.sender, waiting.content)
