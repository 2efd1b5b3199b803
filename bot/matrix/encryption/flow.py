"""One verification that an admin has begun, and how the bot talks about it to the other side."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import structlog

from bot.matrix.encryption.comparing import Code, Comparison
from bot.matrix.encryption.identity import PublicIdentity
from bot.matrix.encryption.machine import Machine
from bot.matrix.errors import MatrixError, TokenRejected

_LOG = structlog.get_logger(__name__)

PREFIX: Final = "m.key.verification."


@dataclass(slots=True)
class Flow:
    """It lives in memory only: what it is made of must not outlive it."""

    user_id: str
    device_id: str
    room_id: str | None
    transaction: str
    until: datetime
    """When it is called off."""
    start_at: datetime
    """When the bot begins with the comparison, if the other side has not."""
    comparison: Comparison
    identity: PublicIdentity | None
    """The person's cross-signing keys, as the homeserver told them at the beginning."""
    started: bool = False
    shown: bool = False
    agreed: bool = False
    """The admin has said that both sides show the same."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def envelope(self) -> dict[str, Any]:
        """By what each message names the verification that it is of."""
        return _envelope(self.room_id, self.transaction)

    @property
    def master_is_theirs(self) -> bool:
        """Whether what the other side has proved covers the master key."""
        return self.identity is not None and f"ed25519:{self.identity.master}" in self.comparison.verified


REASONS: Final = {
    Code.USER: "Called off",
    Code.TIMEOUT: "It took too long",
    Code.UNKNOWN_TRANSACTION: "There is no such verification, or it has ended",
    Code.UNKNOWN_METHOD: "Only emoji and numbers can be compared",
    Code.UNEXPECTED_MESSAGE: "Something else had to come",
    Code.KEY_MISMATCH: "The keys are others than the homeserver tells",
    Code.INVALID_MESSAGE: "A message was malformed",
    Code.MISMATCHED_COMMITMENT: "The key is not the one that was committed to",
    Code.MISMATCHED_SAS: "Both sides do not show the same",
}
"""Words for whoever reads them in the other client; clients mostly show their own."""


class Talk:
    """Sends a verification's messages, in its room or to the other device."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    async def send(self, flow: Flow, kind: str, content: Mapping[str, Any]) -> None:
        """Say the next thing.

        :raises MatrixError: it could not be said.
        """
        message = {**content, **flow.envelope}
        await self._deliver(flow.user_id, flow.device_id, flow.room_id, kind, message)

    async def cancel(
        self, user_id: str, device_id: str, room_id: str | None, transaction: str, code: Code
    ) -> None:
        """Call one off. Where that fails, the other side gives up by itself after ten minutes.

        :raises TokenRejected: the login is over.
        """
        content = {"code": code.value, "reason": REASONS[code], **_envelope(room_id, transaction)}
        try:
            await self._deliver(user_id, device_id, room_id, "cancel", content)
        except TokenRejected:
            raise
        except MatrixError as error:
            _LOG.warning("verification_not_cancelled", user=user_id, error=repr(error))

    async def _deliver(
        self, user_id: str, device_id: str, room_id: str | None, kind: str, content: Mapping[str, Any]
    ) -> None:
        event_type, tx_id = PREFIX + kind, uuid.uuid4().hex
        if room_id is not None:
            await self._machine.say(room_id, event_type, content, tx_id)
        else:
            await self._machine.send_plain(event_type, {user_id: {device_id: content}}, tx_id)


def _envelope(room_id: str | None, transaction: str) -> dict[str, Any]:
    if room_id is None:
        return {"transaction_id": transaction}
    return {"m.relates_to": {"rel_type": "m.reference", "event_id": transaction}}
