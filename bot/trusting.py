"""What makes clients trust the bot, put together: cross-signing, verification, the recovery key."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

from bot import wiring
from bot.config import Config
from bot.domain.errors import TickettruheError
from bot.matrix.client import MatrixClient
from bot.matrix.encryption import recovery_key
from bot.matrix.encryption.account import Account
from bot.matrix.encryption.cross_signing import CrossSigning, unsealed_recovery_key
from bot.matrix.encryption.machine import Machine
from bot.matrix.encryption.pickle_key import sealer_for
from bot.matrix.encryption.verification import Verifier
from bot.services import trust as trust_service
from bot.services.unit import Units
from bot.waiting import called

_PATIENCE: Final = 10.0
"""Seconds that the bot says nothing at its start until its device is signed."""


@dataclass(frozen=True, slots=True)
class Trust:
    """The parts that run beside the others."""

    cross_signing: CrossSigning
    verifier: Verifier

    def tasks(self) -> dict[str, Coroutine[Any, Any, None]]:
        """What is to run, by name."""
        return {"cross_signing": self.cross_signing.run(), "verification": self.verifier.run()}

    async def tell(self, identified: asyncio.Event) -> None:
        """Say so once the account's keys were looked after."""
        await self.cross_signing.settled.wait()
        identified.set()

    async def settled(self) -> None:
        """Wait until the device is signed, but not for long: some clients refuse what came before."""
        await called(self.cross_signing.settled, _PATIENCE)


class NoIdentityYet(TickettruheError):
    """The account has no cross-signing keys of the bot's, or its secret storage does not have them yet."""


class RecoveryKeyTaken(TickettruheError):
    """The recovery key was shown already, and is kept nowhere here."""


async def kept_recovery_key(units: Units, config: Config) -> str:
    """The recovery key as people write it down, until :func:`forget_recovery_key`.

    :raises NoIdentityYet: or RecoveryKeyTaken: there is none to be shown.
    """
    kept = await units.look(lambda unit: trust_service.own_keys(unit, config.matrix.user))
    if kept.keys is None or not kept.stored:
        raise NoIdentityYet
    if kept.recovery_key is None:
        raise RecoveryKeyTaken
    sealer = await sealer_for(units, wiring.pickle_key(config), config.pickle_key_path())
    return recovery_key.written(unsealed_recovery_key(sealer, kept.recovery_key))


async def forget_recovery_key(units: Units) -> None:
    """Whoever looks after the bot has stored it away."""
    await units.run(trust_service.forget_recovery_key)


def given_key(config: Config) -> bytes | None:
    """The recovery key from the config.

    :raises NoRecoveryKey: what stands there is none.
    """
    given = config.matrix.recovery_key
    return recovery_key.read(given.get_secret_value()) if given is not None else None


def trust(config: Config, client: MatrixClient, machine: Machine, units: Units) -> Trust:
    """The parts for this account; verifications reach them by the machine."""
    password = config.matrix.password
    account = Account(client, password.get_secret_value() if password is not None else None)
    cross_signing = CrossSigning(machine, account, units, given_key(config))
    verifier = Verifier(machine, cross_signing, account, units)
    machine.handlers.append(verifier)
    return Trust(cross_signing, verifier)
