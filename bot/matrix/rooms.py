"""Getting into the right rooms, and out of all others."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Final

import structlog

from bot.domain.errors import TickettruheError
from bot.matrix.client import MatrixClient
from bot.matrix.errors import RateLimited, Refused, Unreachable
from bot.matrix.room_state import room_state_of
from bot.services import invitations, people, reception, relocation, room_updates
from bot.services.invitations import Invitation
from bot.services.reception import RoomsInUse
from bot.services.relocation import Welcome
from bot.services.unit import Units

_LOG = structlog.get_logger(__name__)
_PER_ROOM: Final = (Refused, RateLimited, Unreachable)
"""What concerns one room; only a login that is over concerns all."""
_LEAVES_AT_ONCE: Final = 2
_LEAVE_PAUSE: Final = 10.0
"""Leaving is in no hurry, and a homeserver counts it like messages: by default 0.2 a second."""
_FIRST_PAUSE: Final = 10.0
_LONGEST_PAUSE: Final = 600.0
"""Seconds between looks for missing rooms. An invitation is answered at once, whatever the pause."""


class SameRoom(TickettruheError):
    """Two settings lead to the same room, which would then show the tickets of both."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__(" = ".join(keys))
        self.keys = keys


class Doorkeeper:
    """Resolves and joins the configured rooms, answers invitations, leaves strangers' rooms.

    What is refused or not answered for one room is tried again later, and no other room waits for it.
    """

    def __init__(self, client: MatrixClient, units: Units, wanted: Mapping[str, str]) -> None:
        """:param wanted: room key → room id or alias, as configured."""
        self._client = client
        self._units = units
        self._wanted = wanted
        self._missing: set[str] = set()
        """Keys of rooms that could not be resolved or joined."""
        self._pause = _FIRST_PAUSE
        self._retry_at = 0.0
        self._leave_at = 0.0

    async def settle(self) -> None:
        """Resolve the configured rooms and join those that are open to the bot.

        :raises SameRoom: two keys lead to one room.
        :raises TokenRejected: the login is over.
        :raises DatabaseUnavailable: what was found could not be kept.
        """
        self._missing = set()
        known = await self._units.look(reception.rooms_in_use)
        found = {
            key: (address, await self._resolved(key, address, known)) for key, address in self._wanted.items()
        }
        self._refuse_same(found)
        await self._units.run(lambda unit: reception.configure_rooms(unit, found))
        joined = await self._units.look(reception.joined_rooms)
        for key, (_address, room_id) in found.items():
            if room_id is not None and room_id not in joined:
                await self._join(key, room_id)
        self._retry_at = asyncio.get_running_loop().time() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE) if self._missing else _FIRST_PAUSE

    async def _resolved(self, key: str, address: str, known: RoomsInUse) -> str | None:
        if address.startswith("!"):
            return known.followed.get(address, address)
        try:
            found = await self._client.resolve(address)
            found = known.followed.get(found, found)
            before = known.serving.get((key, address))
            if before not in (None, found) and await self._is_upgraded(before, found):
                # A homeserver moves a room's aliases along; whether the bot goes there, an admin decides.
                return before
        except _PER_ROOM as error:
            self._missing.add(key)
            _LOG.warning("room_not_found", room=key, address=address, error=repr(error))
            return None
        return found

    async def _is_upgraded(self, room_id: str, to: str) -> bool:
        """Whether a room says that another one replaces it; one that the bot is not in says nothing."""
        try:
            return room_state_of(await self._client.state(room_id)).replaced_by == to
        except Refused:
            return False

    def _refuse_same(self, found: Mapping[str, tuple[str, str | None]]) -> None:
        keys: dict[str, str] = {}
        for key, (_, room_id) in found.items():
            if room_id is not None and room_id in keys:
                raise SameRoom((keys[room_id], key))
            if room_id is not None:
                keys[room_id] = key

    async def _join(self, key: str, room_id: str) -> None:
        try:
            await self._client.join(room_id)
        except _PER_ROOM as error:
            self._missing.add(key)
            _LOG.warning("room_not_joined", room=key, room_id=room_id, error=repr(error))

    async def retry(self) -> None:
        """Look again for rooms that could not be resolved or joined, less and less often.

        :raises MatrixError: or others, as :meth:`settle` does.
        """
        if self._missing and asyncio.get_running_loop().time() >= self._retry_at:
            await self.settle()

    async def answer_invitations(self) -> None:
        """Accept configured rooms and direct chats with members and admins; decline the rest.

        The sync tells what came of it; an invitation that cannot be answered now is answered the next time.
        """
        waiting = await self._units.look(invitations.pending)
        if self._missing and not all([await self._is_undecided(each) for each in waiting]):
            await self.settle()
        for invitation in waiting:
            try:
                await self._answer(invitation)
            except Refused as error:
                room_id = invitation.room_id
                _LOG.warning("invitation_failed", room_id=room_id, code=error.code)
                await self._units.run(partial(invitations.over, room_id=room_id))
            except (RateLimited, Unreachable) as error:
                _LOG.warning("invitation_put_off", room_id=invitation.room_id, error=repr(error))

    async def _is_undecided(self, invitation: Invitation) -> bool:
        """Whether the admins are still to say what to answer, which may take months."""
        room_id, inviter = invitation.room_id, invitation.inviter
        found = await self._units.look(lambda unit: relocation.welcome(unit, room_id, inviter))
        return found is Welcome.LATER

    async def move(self) -> None:
        """Go into the rooms that replace upgraded ones, where an admin wants it."""
        for wanted in await self._units.look(relocation.wanted):
            try:
                await self._client.join(wanted.new_room_id)
                await self._units.run(partial(room_updates.settle_move, old_room_id=wanted.old_room_id))
            except Refused as error:
                _LOG.warning("move_refused", room_id=wanted.new_room_id, code=error.code)
                await self._units.run(partial(relocation.shut_out, old_room_id=wanted.old_room_id))
            except (RateLimited, Unreachable) as error:
                _LOG.warning("move_put_off", room_id=wanted.new_room_id, error=repr(error))

    async def _answer(self, invitation: Invitation) -> None:
        room_id, inviter = invitation.room_id, invitation.inviter
        successor = await self._units.look(lambda unit: relocation.welcome(unit, room_id, inviter))
        if successor is Welcome.LATER:
            return
        welcome = successor is Welcome.YES or await self._is_welcome(invitation)
        if welcome:
            await self._client.join(invitation.room_id)
        else:
            await self._client.leave(invitation.room_id)
        _LOG.info("invited", room_id=invitation.room_id, accepted=welcome, direct=invitation.direct)

    async def _is_welcome(self, invitation: Invitation) -> bool:
        if await self._units.look(lambda unit: reception.is_configured(unit, invitation.room_id)):
            return True
        if not invitation.direct:
            return False
        actor = await self._units.look(lambda unit: people.actor_of(unit, invitation.inviter))
        return actor.admin or bool(actor.teams)

    async def leave_strangers(self) -> None:
        """Leave some of the rooms that are neither configured nor a direct chat of two.

        An account may come with hundreds of them: the homeserver is not to be hammered.
        """
        now = asyncio.get_running_loop().time()
        if now < self._leave_at:
            return
        found = await self._units.look(reception.strangers_rooms)
        for room_id in found[:_LEAVES_AT_ONCE]:
            _LOG.warning("leaving_room", room_id=room_id, of=len(found))
            self._leave_at = now + _LEAVE_PAUSE
            try:
                await self._client.leave(room_id)
            except RateLimited as error:
                self._leave_at = now + max(_LEAVE_PAUSE, error.retry_after)
                return
            except Unreachable as error:
                _LOG.warning("leaving_failed", room_id=room_id, error=repr(error))
                return
            except Refused as error:
                # It is gone, or the bot is out of it: asking again would only keep the others waiting.
                _LOG.warning("leaving_refused", room_id=room_id, code=error.code)
            await self._units.run(partial(reception.left, room_id=room_id))
