"""What is to be kept of the machine's state, until a unit has committed it.

The machine works in memory, outside of units, which may be run again. What a commit did not take goes with
the next one; commits follow each other, so that no older state of a channel overwrites a newer one.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from bot.services import keys
from bot.services.keys import (
    DeviceList,
    KeyAccount,
    KeyChanges,
    KeyRow,
    KnownDevice,
    MegolmSession,
    OlmSession,
)
from bot.services.unit import DatabaseUnavailable, Units

_Place = tuple[type[KeyRow], tuple[str | int, ...]]


class Journal:
    """Rows that are not committed yet, the latest of each."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self.began_at = units.clock()
        """When the run began, of whose state it tells."""
        self._rows: dict[_Place, KeyRow] = {}
        self._gone: dict[str, OlmSession] = {}
        self._turn = asyncio.Lock()
        self._torn = False
        """Whether rows are missing that belong to those that are there."""

    def put(self, row: KeyRow) -> None:
        """Let a row be kept as it is now; it must not be changed afterwards."""
        self._rows[_place(row)] = row

    def drop(self, channel: OlmSession) -> None:
        """Let a channel be forgotten."""
        self._rows.pop(_place(channel), None)
        self._gone[channel.session_id] = channel

    def drop_channels(self, before: datetime) -> None:
        """Do not keep channels that were made before: a unit has forgotten them."""
        self._rows = {
            place: row
            for place, row in self._rows.items()
            if not (isinstance(row, OlmSession) and row.made_at < before)
        }

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """What is put within the block is committed as a whole or not at all, whoever commits.

        If the block raises, nothing is committed until it was entered again and came to its end.
        """
        async with self._turn:
            self._torn = True
            yield
            self._torn = False

    @asynccontextmanager
    async def committing(self) -> AsyncIterator[KeyChanges]:
        """What to commit within the block; if that raises, it stays for the next time.

        :raises DatabaseUnavailable: it was away while keys were taken, which is not done yet.
        """
        async with self._turn:
            if self._torn:
                raise DatabaseUnavailable("journal")
            rows, gone = dict(self._rows), dict(self._gone)
            yield KeyChanges(tuple(rows.values()), tuple(gone.values()), self.began_at)
            for place, row in rows.items():
                if self._rows.get(place) is row:
                    del self._rows[place]
            for session_id, channel in gone.items():
                if self._gone.get(session_id) is channel:
                    del self._gone[session_id]

    async def keep(self) -> None:
        """Commit what is there, alone.

        :raises DatabaseUnavailable: it stays for the next time.
        """
        if not self._rows and not self._gone:
            # Somebody else's commit may be under way with it.
            async with self._turn:
                return
        async with self.committing() as changes:
            await self._units.run(lambda unit: keys.keep(unit, changes))


def _place(row: KeyRow) -> _Place:
    match row:
        case KeyAccount():
            return KeyAccount, (1,)
        case OlmSession():
            return OlmSession, (row.session_id,)
        case MegolmSession():
            return MegolmSession, (row.room_id, row.session_id, row.user_id)
        case KnownDevice():
            return KnownDevice, (row.user_id, row.device_id)
        case DeviceList():
            return DeviceList, (row.user_id,)
