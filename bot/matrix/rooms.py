"""Getting into the right rooms, and out of all others."""

from collections.abc import Mapping

import structlog

from bot.domain.errors import TickettruheError
from bot.matrix.client import MatrixClient
from bot.matrix.errors import MatrixError, Refused
from bot.matrix.events import Invitation
from bot.services import people, reception
from bot.services.unit import Units

_LOG = structlog.get_logger(__name__)


class SameRoom(TickettruheError):
    """Two settings lead to the same room, which would then show the tickets of both."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__(" = ".join(keys))
        self.keys = keys


class Doorkeeper:
    """Resolves and joins the configured rooms, answers invitations, leaves strangers' rooms."""

    def __init__(self, client: MatrixClient, units: Units, wanted: Mapping[str, str]) -> None:
        """:param wanted: room key → room id or alias, as configured."""
        self._client = client
        self._units = units
        self._wanted = wanted
        self._unresolved: set[str] = set()

    async def settle(self) -> None:
        """Resolve the configured rooms and join those that are open to the bot.

        :raises SameRoom: two keys lead to one room.
        :raises MatrixError: the homeserver does not answer.
        """
        found: dict[str, tuple[str, str | None]] = {}
        for key, address in self._wanted.items():
            found[key] = (address, await self._resolved(key, address))
        self._refuse_same(found)
        await self._units.run(lambda unit: reception.configure_rooms(unit, found))
        joined = await self._units.look(reception.joined_rooms)
        for key, (address, room_id) in found.items():
            if room_id is not None and room_id not in joined:
                await self._join(key, address if room_id is None else room_id)

    async def _resolved(self, key: str, address: str) -> str | None:
        if address.startswith("!"):
            return address
        try:
            room_id = await self._client.resolve(address)
        except Refused as error:
            self._unresolved.add(key)
            _LOG.warning("room_not_found", room=key, address=address, code=error.code)
            return None
        self._unresolved.discard(key)
        return room_id

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
        except Refused as error:
            _LOG.warning("room_not_joined", room=key, room_id=room_id, code=error.code)

    async def retry(self) -> None:
        """Look again for rooms whose alias did not exist."""
        if self._unresolved:
            await self.settle()

    async def invited(self, invitations: tuple[Invitation, ...]) -> None:
        """Accept configured rooms and direct chats with members and admins; decline the rest."""
        if self._unresolved:
            await self.settle()
        for invitation in invitations:
            welcome = await self._is_welcome(invitation)
            _LOG.info("invited", room_id=invitation.room_id, accepted=welcome)
            try:
                if welcome:
                    await self._client.join(invitation.room_id)
                else:
                    await self._client.leave(invitation.room_id)
            except Refused as error:
                # Withdrawn meanwhile, or the room is gone.
                _LOG.warning("invitation_failed", room_id=invitation.room_id, code=error.code)

    async def _is_welcome(self, invitation: Invitation) -> bool:
        if await self._units.look(lambda unit: reception.is_configured(unit, invitation.room_id)):
            return True
        if not invitation.direct:
            return False
        actor = await self._units.look(lambda unit: people.actor_of(unit, invitation.inviter))
        return actor.admin or bool(actor.teams)

    async def leave_strangers(self) -> None:
        """Leave rooms that are neither configured nor a direct chat of two."""
        for room_id in await self._units.look(reception.strangers_rooms):
            _LOG.warning("leaving_room", room_id=room_id)
            try:
                await self._client.leave(room_id)
            except MatrixError as error:
                _LOG.warning("leaving_failed", room_id=room_id, error=repr(error))
