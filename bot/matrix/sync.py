"""The sync loop: from the stored token, into the database in one commit, for ever.

nio's own loop is not used: it spins on errors, moves its token before the events are safe, and dies of a
callback's exception.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import Final

import structlog

from bot.matrix.backoff import pause_after
from bot.matrix.client import MatrixClient
from bot.matrix.encryption.machine import Machine
from bot.matrix.errors import MatrixError, Refused, TokenRejected
from bot.matrix.events import (
    FIRST_SYNC_FILTER,
    JOIN_FILTER,
    SYNC_FILTER,
    TIMELINE_FILTER,
    Gap,
    Reader,
    Said,
    SyncAnswer,
    in_order,
    unlike_any,
)
from bot.matrix.room_state import Json, whole_state
from bot.services import delivery, reception
from bot.services.reception import Batch
from bot.services.unit import DatabaseUnavailable, Units
from bot.waiting import called

_LOG = structlog.get_logger(__name__)
_LONG_POLL_MS: Final = 30_000
_MOST_PAGES: Final = 500
_FOR_AN_ANSWER: Final = 0.15
_WHILE_POSTING: Final = 0.2
_MANY: Final = 4
"""Own messages in one sync, and nothing else: the bot is posting as fast as it can."""

Invited = Callable[[], None]
Synced = Callable[[], Awaitable[None]]


class SyncLoop:
    """Keeps the database up to date with what happens in the rooms."""

    def __init__(
        self,
        client: MatrixClient,
        units: Units,
        reader: Reader,
        machine: Machine,
        invited: Invited,
        synced: Synced,
    ) -> None:
        """:param invited: called when invitations were committed; :param synced: after each commit."""
        self._client = client
        self._units = units
        self._reader = reader
        self._machine = machine
        self._invited = invited
        self._synced = synced
        self._joined: frozenset[str] = frozenset()
        self._failures = 0
        self._in_step = False
        """Whether the last sync succeeded."""
        self._first = True
        """Whether none did in this run."""

    @property
    def failures(self) -> int:
        """How many syncs in a row have failed."""
        return self._failures

    async def run(self) -> None:
        """Sync until cancelled.

        :raises TokenRejected: the account's login is over; no retry mends that.
        """
        token = await self._started()
        while True:
            try:
                token = await self._once(token)
            except TokenRejected:
                raise
            except (MatrixError, DatabaseUnavailable) as error:
                await self._pause(error)

    async def _started(self) -> str | None:
        """Where the last run stopped."""
        user_id, device_id = self._client.user_id, self._client.device_id
        while True:
            try:
                token = await self._units.run(lambda unit: reception.start(unit, user_id, device_id))
                self._joined = await self._units.look(reception.joined_rooms)
            except DatabaseUnavailable as error:
                await self._pause(error)
            else:
                return token

    async def _once(self, token: str | None) -> str:
        # At the start and after a failure the answer is wanted at once: it tells that all is well. But never
        # by the same request: Synapse repeats its answer to that for two minutes, and a bot that was restored
        # meanwhile would not see what it has said since.
        wanted = FIRST_SYNC_FILTER if token is None else SYNC_FILTER
        if self._in_step:
            raw = await self._client.sync(token, _LONG_POLL_MS, wanted)
        else:
            raw = await self._client.sync(token, 0, unlike_any(wanted))
        raw = await self._machine.take_in(raw, first=token is None)
        configured, following = await self._units.look(reception.rooms_to_read)
        answer = self._reader.read(raw, self._joined, configured, following)
        filled = replace(await self._filled(answer, token), first=self._first)
        batch = await self._sure(filled, answer.unsure)
        await self._commit(batch)
        self._first = False
        for update in batch.rooms:
            present = update.membership == "join"
            self._joined = self._joined | {update.room_id} if present else self._joined - {update.room_id}
        self._units.meters.sync(good=True)
        await self._recovered()
        await self._synced()
        if any(update.membership == "invite" for update in batch.rooms):
            self._invited()
        await self._breathe(batch)
        return batch.token

    async def _commit(self, batch: Batch) -> None:
        """Keep all of it at once, with the keys that came by it."""
        for update in batch.rooms:
            if update.encrypted:
                self._machine.note_encrypted(update.room_id)
        async with self._machine.journal.committing() as changes:
            whole = replace(batch, keys=changes)
            restored = await self._units.run(lambda unit: reception.receive(unit, whole))
        self._machine.committed(restored=restored)
        if any(event.sealed for event in batch.events):
            self._machine.locked.set()

    async def _breathe(self, batch: Batch) -> None:
        """Let the homeserver work at what somebody waits for, before it works at the next sync."""
        answered = self._units.signals.answered
        if any(event.content is not None and not event.sealed for event in batch.events):
            await called(answered, _FOR_AN_ANSWER)
        elif self._is_busy(batch) and not (batch.events or batch.rooms or batch.redactions):
            await asyncio.sleep(_WHILE_POSTING)
        answered.clear()

    def _is_busy(self, batch: Batch) -> bool:
        """Whether the bot posts as fast as it can, or requests come in one after the other."""
        return len(batch.echoes) >= _MANY or self._units.signals.much_comes_in()

    async def _filled(self, answer: SyncAnswer, token: str | None) -> Batch:
        """Put what a cut timeline left out before what it brought, so that all is done in order."""
        batch = answer.batch
        if token is None:
            return replace(batch, events=in_order(batch.events))
        missed = [await self._missed(gap, token) for gap in answer.gaps]
        events = [event for said in missed for event in said.events]
        return replace(
            batch,
            events=in_order((*events, *batch.events)),
            echoes=(*(echo for said in missed for echo in said.echoes), *batch.echoes),
            redactions=(*(each for said in missed for each in said.redactions), *batch.redactions),
        )

    async def _sure(self, batch: Batch, unsure: Collection[str]) -> Batch:
        """Put the state as it is in place of what the sync told: rights come from it."""
        rooms = {update.room_id: update for update in batch.rooms}
        for room_id in unsure:
            try:
                rooms[room_id] = whole_state(room_id, await self._client.state(room_id), self._client.user_id)
            except Refused as error:
                # Removed from the room meanwhile: the next sync tells.
                _LOG.warning("state_refused", room_id=room_id, code=error.code)
        return replace(batch, rooms=tuple(rooms.values()))

    async def _missed(self, gap: Gap, token: str) -> Said:
        newest_first: list[Json] = []
        wanted = TIMELINE_FILTER if gap.since_join is None else JOIN_FILTER
        start: str | None = gap.before
        for _page in range(_MOST_PAGES):
            if start is None:
                break
            try:
                chunk, start = await self._client.page_back(gap.room_id, start, token, wanted)
            except Refused as error:
                # The other rooms must not wait for one whose history is closed to the bot for good.
                _LOG.error("gap_refused", room_id=gap.room_id, code=error.code, events=len(newest_first))
                break
            newest_first += chunk
        else:
            _LOG.error("gap_too_long", room_id=gap.room_id, events=len(newest_first))
        opened = await self._machine.opened(gap.room_id, newest_first[::-1])
        return self._reader.read_page(gap, opened)

    async def _recovered(self) -> None:
        if self._failures:
            _LOG.info("sync_recovered", after_failures=self._failures)
            await self._units.run(delivery.hurry)
        self._failures = 0
        self._in_step = True

    async def _pause(self, error: Exception) -> None:
        self._failures += 1
        self._in_step = False
        self._units.meters.sync(good=False)
        pause = pause_after(self._failures, error)
        _LOG.warning("sync_failed", error=repr(error), attempt=self._failures, pause=round(pause, 1))
        await asyncio.sleep(pause)
