"""Admins verify the bot by emoji: in their direct chat with it, or from device to device.

A bot has no eyes: it takes an admin's word that both sides show the same, and says so to the admin's client
only then. One verification at a time per person.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

import structlog

from bot.domain.trust import VerificationEnd as End
from bot.matrix import clean
from bot.matrix.encryption.account import Account
from bot.matrix.encryption.comparing import METHOD, Broken, Code, Comparison, Party
from bot.matrix.encryption.cross_signing import CrossSigning
from bot.matrix.encryption.flow import PREFIX, Flow, Talk
from bot.matrix.encryption.identity import Usage
from bot.matrix.encryption.machine import Machine, RoomEvent
from bot.matrix.encryption.receiving import ToDevice
from bot.matrix.errors import MatrixError, TokenRejected
from bot.services import trust, verification
from bot.services.unit import DatabaseUnavailable, Units

_LOG = structlog.get_logger(__name__)
_ROUND: Final = 0.5
_PATIENCE: Final = timedelta(seconds=10)
"""How long the other side is given to begin with the comparison."""
_EARLY: Final = timedelta(minutes=5)
"""Clocks differ (client-server API, ``m.key.verification.request``)."""
_MOST: Final = 20
_DECLINE_AGAIN: Final = 60.0
_TELL_AGAIN: Final = 3600.0

Json = Mapping[str, Any]


class Verifier:
    """Handles verifications' events; a :class:`~bot.matrix.encryption.machine.Handler`."""

    def __init__(self, machine: Machine, cross_signing: CrossSigning, account: Account, units: Units) -> None:
        self._machine = machine
        self._cross_signing = cross_signing
        self._account = account
        self._units = units
        self._talk = Talk(machine)
        self._flows: dict[str, Flow] = {}
        """By transaction."""
        self._declined: dict[str, float] = {}
        """When somebody was last told no."""
        self._told_of_own: float | None = None
        """When the admins were last told of another session of the bot's account."""

    # --- what comes in ---

    async def to_device(self, event: ToDevice) -> None:
        """Something for this device."""
        if not event.type.startswith(PREFIX):
            return
        transaction = clean.identifier(event.content.get("transaction_id"))
        if transaction is None:
            return
        kind = event.type.removeprefix(PREFIX)
        if event.sender == self._machine.user_id:
            if kind == "request":
                await self._asked_by_own(transaction, event.content)
            return
        if kind == "request":
            told = clean.moment(event.content.get("timestamp"))
            age = self._units.clock() - told
            if -_EARLY <= age <= verification.WITHIN:
                await self._asked(event.sender, transaction, None, event.content)
            return
        await self._said(event.sender, transaction, None, kind, event.content)

    async def in_room(self, event: RoomEvent) -> None:
        """A verification's event in a room."""
        if event.type == "m.room.message":
            age = self._units.clock() - event.sent_at
            if event.content.get("to") == self._machine.user_id and age <= verification.WITHIN:
                await self._asked(event.sender, event.event_id, event.room_id, event.content)
            return
        relation = clean.mapping(event.content.get("m.relates_to"))
        transaction = clean.identifier(relation.get("event_id"))
        if relation.get("rel_type") != "m.reference" or transaction is None:
            return
        kind = event.type.removeprefix(PREFIX)
        await self._said(event.sender, transaction, event.room_id, kind, event.content)

    # --- the beginning ---

    async def _asked(self, user_id: str, transaction: str, room_id: str | None, content: Json) -> None:
        device_id = clean.identifier(content.get("from_device"))
        if device_id is None or transaction in self._flows:
            return
        place = (user_id, device_id, room_id, transaction)
        if not await self._units.look(lambda unit: verification.may_verify(unit, user_id, room_id)):
            await self._decline(*place)
            return
        methods = content.get("methods")
        if not isinstance(methods, list) or METHOD not in methods:
            await self._talk.cancel(*place, Code.UNKNOWN_METHOD)
            return
        for older in [flow for flow in self._flows.values() if flow.user_id == user_id]:
            await self._end(older, End.CANCELLED, Code.USER)
        if len(self._flows) >= _MOST:
            await self._talk.cancel(*place, Code.USER)
            return
        flow = await self._flow(user_id, device_id, room_id, transaction)
        if flow is None:
            await self._talk.cancel(*place, Code.KEY_MISMATCH)
            return
        await self._units.run(lambda unit: verification.begin(unit, transaction, user_id, device_id, room_id))
        self._flows[transaction] = flow
        _LOG.info("verification_begun", user=user_id, in_room=room_id is not None)
        await self._talk.send(flow, "ready", {"from_device": self._machine.device_id, "methods": [METHOD]})

    async def _decline(self, user_id: str, device_id: str, room_id: str | None, transaction: str) -> None:
        """Say no to whoever is known and no admin, but not all the time; strangers hear nothing."""
        if not await self._units.look(lambda unit: verification.is_acquainted(unit, user_id)):
            return
        now = asyncio.get_running_loop().time()
        self._declined = {who: at for who, at in self._declined.items() if now - at < _DECLINE_AGAIN}
        if user_id not in self._declined:
            self._declined[user_id] = now
            _LOG.info("verification_declined", user=user_id)
            await self._talk.cancel(user_id, device_id, room_id, transaction, Code.USER)

    async def _asked_by_own(self, transaction: str, content: Json) -> None:
        """Another session of the bot's account: no chat tells whose it is, so it is never verified.

        Once verified it would be the bot to everybody, and a thief of token or password can ask, too. Who
        has the recovery key needs no help of the bot's. As asking costs nothing, the admins hear of it once
        an hour at most.
        """
        device_id = clean.identifier(content.get("from_device"))
        if device_id is None or device_id == self._machine.device_id:
            return
        now = asyncio.get_running_loop().time()
        if self._told_of_own is None or now - self._told_of_own >= _TELL_AGAIN:
            _LOG.warning("own_session_not_verified", device=device_id)
            await self._units.run(lambda unit: trust.tell_of_session(unit, device_id))
            self._told_of_own = now
        await self._talk.cancel(self._machine.user_id, device_id, None, transaction, Code.USER)

    async def _flow(self, user_id: str, device_id: str, room_id: str | None, transaction: str) -> Flow | None:
        """``None`` if the homeserver knows no such device."""
        devices = await self._machine.devices_of(user_id)
        device = next((each for each in devices if each.device_id == device_id), None)
        if device is None:
            return None
        identity = await self._account.identity_of(user_id)
        other = Party(
            user_id, device_id, _keys(device_id, device.ed25519, identity.master if identity else None)
        )
        now = self._units.clock()
        return Flow(
            user_id,
            device_id,
            room_id,
            transaction,
            now + verification.WITHIN,
            now + _PATIENCE,
            Comparison(self._me(), other, transaction),
            identity,
        )

    def _me(self) -> Party:
        machine, keys = self._machine, self._cross_signing.keys
        master = keys.public[Usage.MASTER] if keys is not None else None
        own = _keys(machine.device_id, machine.identity.ed25519, master)
        return Party(machine.user_id, machine.device_id, own)

    # --- what follows ---

    async def _said(
        self, user_id: str, transaction: str, room_id: str | None, kind: str, content: Json
    ) -> None:
        flow = self._flows.get(transaction)
        if flow is None or (flow.user_id, flow.room_id) != (user_id, room_id):
            # Of one that has ended, or that the bot lost when it was started anew, or somebody else's.
            return
        async with flow.lock:
            if self._flows.get(transaction) is not flow:
                return
            try:
                await self._take(flow, kind, content)
            except Broken as broken:
                await self._end(flow, End.BROKEN, broken.code)

    async def _take(self, flow: Flow, kind: str, content: Json) -> None:
        comparison = flow.comparison
        match kind:
            case "start":
                if clean.identifier(content.get("from_device")) != flow.device_id:
                    raise Broken(Code.KEY_MISMATCH)
                flow.started = True
                await self._answer(flow, "accept", comparison.take_start(content))
            case "accept":
                await self._answer(flow, "key", comparison.take_accept(content))
            case "key":
                await self._answer(flow, "key", comparison.take_key(content))
                await self._show(flow)
            case "mac":
                comparison.take_mac(content)
                await self._conclude(flow)
            case "cancel":
                differs = content.get("code") == Code.MISMATCHED_SAS.value
                await self._end(flow, End.DIFFERENT if differs else End.CANCELLED, None)

    async def _answer(self, flow: Flow, kind: str, content: Json | None) -> None:
        if content is not None:
            await self._talk.send(flow, kind, content)

    async def _show(self, flow: Flow) -> None:
        shown = flow.comparison.shown
        assert shown is not None  # noqa: S101 - the other's key has just come
        flow.shown = await self._units.run(
            lambda unit: verification.show(unit, flow.transaction, shown.emoji, shown.decimals)
        )
        if not flow.shown:
            # Whoever sits at the bot's machine may still see it and answer.
            _LOG.info("verification_not_shown", user=flow.user_id, hint="tickettruhe verify")

    async def _conclude(self, flow: Flow) -> None:
        """Both sides have said that it is the same: sign, and say that it is done."""
        if not flow.agreed or not flow.comparison.verified:
            return
        signed = await self._signed(flow)
        await self._talk.send(flow, "done", {})
        await self._end(flow, End.DONE, None, signed=signed)

    async def _signed(self, flow: Flow) -> bool:
        identity = flow.identity
        if identity is None or not flow.master_is_theirs:
            return False
        try:
            if not await self._cross_signing.sign_person(identity):
                return False
        except TokenRejected:
            raise
        except MatrixError as error:
            _LOG.warning("person_not_signed", user=flow.user_id, error=repr(error))
            return False
        await self._units.run(lambda unit: verification.note_verified(unit, flow.user_id, identity.master))
        return True

    # --- the end ---

    async def _end(self, flow: Flow, end: End, code: Code | None, *, signed: bool = False) -> None:
        """Forget it; tell the admin, and the other side if it does not know (``code``)."""
        if self._flows.pop(flow.transaction, None) is None:
            return
        _LOG.info("verification_over", user=flow.user_id, end=end.value, code=code.value if code else None)
        if code is not None:
            await self._talk.cancel(flow.user_id, flow.device_id, flow.room_id, flow.transaction, code)
        await self._units.run(lambda unit: verification.over(unit, flow.transaction, end, signed=signed))

    # --- time and the admin's word ---

    async def run(self) -> None:
        """Look after those under way until cancelled.

        :raises TokenRejected: the login is over.
        """
        left = False
        while True:
            try:
                if not left:
                    await self._leave_behind()
                    left = True
                if self._flows:
                    await self._look()
            except TokenRejected:
                raise
            except (MatrixError, DatabaseUnavailable) as error:
                _LOG.warning("verifications_put_off", error=repr(error))
            await asyncio.sleep(_ROUND)

    async def _leave_behind(self) -> None:
        """Call off what the last run has left: its secrets are gone."""
        for each in await self._units.look(verification.running):
            if each.transaction in self._flows:
                continue
            place = (each.person.user_id, each.device_id, each.room_id, each.transaction)
            await self._talk.cancel(*place, Code.USER)
            await self._units.run(partial(verification.over, transaction=each.transaction, end=End.RESTART))

    async def _look(self) -> None:
        decisions = {each.transaction: each.decision for each in await self._units.look(verification.running)}
        now = self._units.clock()
        for flow in list(self._flows.values()):
            async with flow.lock:
                await self._look_at(flow, decisions.get(flow.transaction), late=now >= flow.until)

    async def _look_at(self, flow: Flow, decision: bool | None, *, late: bool) -> None:
        if flow.transaction not in self._flows:
            return
        if late:
            await self._end(flow, End.TIMEOUT, Code.TIMEOUT)
        elif decision is False:
            await self._end(flow, End.DIFFERENT, Code.MISMATCHED_SAS)
        elif decision is True and not flow.agreed:
            flow.agreed = True
            await self._talk.send(flow, "mac", flow.comparison.mac())
            await self._conclude(flow)
        elif not flow.started and self._units.clock() >= flow.start_at:
            flow.started = True
            await self._talk.send(flow, "start", flow.comparison.start(flow.envelope))


def _keys(device_id: str, ed25519: str, master: str | None) -> dict[str, str]:
    """A person's keys by their ids, as they are verified."""
    return {f"ed25519:{device_id}": ed25519, **({f"ed25519:{master}": master} if master else {})}
