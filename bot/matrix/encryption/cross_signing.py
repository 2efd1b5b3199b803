"""The account vouches for the bot's device: clients may warn of one that its owner has not signed.

Nothing that somebody else has set up is ever replaced.
"""

import asyncio
from typing import Final

import structlog

from bot.domain.trust import CrossSigningTrouble as Trouble
from bot.matrix import clean
from bot.matrix.backoff import pause_after
from bot.matrix.encryption import recovery_key as recovery
from bot.matrix.encryption.account import Account, NeedsPassword, NoWay, Published
from bot.matrix.encryption.canonical import verified
from bot.matrix.encryption.identity import PrivateIdentity, PublicIdentity, Usage
from bot.matrix.encryption.machine import Machine
from bot.matrix.encryption.sealing import Sealer
from bot.matrix.encryption.secret_storage import WrongRecoveryKey
from bot.matrix.encryption.vault import NothingStored, Vault
from bot.matrix.errors import MatrixError, Refused, TokenRejected
from bot.services import trust
from bot.services.unit import DatabaseUnavailable, Units

_LOG = structlog.get_logger(__name__)
_KEYS: Final = "cross-signing keys"
_RECOVERY: Final = "recovery key"
_LOOK_AGAIN: Final = 3600.0
"""Seconds. Somebody may reset the account's keys, or mend what was wrong with them."""


def unsealed_recovery_key(sealer: Sealer, text: str) -> bytes:
    """The recovery key, as it is kept until somebody takes it.

    :raises WrongKey: it was kept under another pickle key.
    """
    return sealer.unseal(_RECOVERY, text)


class CrossSigning:
    """Sees to it that the bot's device is signed, at each start and once an hour."""

    def __init__(self, machine: Machine, account: Account, units: Units, given: bytes | None) -> None:
        """:param given: the recovery key from the config."""
        self._machine = machine
        self._account = account
        self._units = units
        self._given = given
        self._vault = Vault(account, machine.user_id)
        self.keys: PrivateIdentity | None = None
        """The account's keys, if the bot has those that are in use."""
        self.settled = asyncio.Event()
        """Set once it was seen to, whatever came of it."""

    async def run(self) -> None:
        """See to it until cancelled.

        :raises TokenRejected: the login is over.
        """
        failures = 0
        while True:
            try:
                await self._machine.uploaded()
                await self.ensure()
            except TokenRejected:
                raise
            except (MatrixError, DatabaseUnavailable) as error:
                failures += 1
                pause = pause_after(failures, error)
                _LOG.warning("cross_signing_put_off", error=repr(error), pause=round(pause, 1))
            else:
                failures, pause = 0, _LOOK_AGAIN
            self.settled.set()
            await asyncio.sleep(pause)

    async def ensure(self) -> Trouble | None:
        """Make, restore or mend what is missing; tells what stands against it, as the admins are told.

        :raises MatrixError: not now. :raises DatabaseUnavailable: likewise.
        """
        trouble: Trouble | None = None
        try:
            self.keys = await self._in_use()
        except NeedsPassword:
            trouble = Trouble.NEEDS_PASSWORD
        except (NoWay, Refused):
            trouble = Trouble.REFUSED
        except WrongRecoveryKey:
            trouble = Trouble.WRONG_RECOVERY_KEY
        except NothingStored:
            trouble = Trouble.NOTHING_STORED
        else:
            trouble = Trouble.FOREIGN if self.keys is None else None
        if trouble is not None:
            self.keys = None
            _LOG.warning("cross_signing_trouble", trouble=trouble.value)
        await self._units.run(lambda unit: trust.tell(unit, self._machine.user_id, trouble))
        return trouble

    async def _in_use(self) -> PrivateIdentity | None:
        """The account's keys, published and with all signatures; ``None`` if they are somebody else's."""
        published = await self._account.published()
        keys = await self._kept()
        if published.identity is None:
            keys = keys or await self._made()
            await self._publish(keys)
            published = await self._account.published()
        if published.identity is None:
            raise NoWay
        if keys is None or not keys.is_published(published.identity):
            keys = await self._restored(published.identity)
            if keys is None:
                return None
        await self._sign(keys, published, published.identity)
        await self._store(keys)
        return keys

    async def _kept(self) -> PrivateIdentity | None:
        kept = await self._units.look(lambda unit: trust.own_keys(unit, self._machine.user_id))
        if kept.keys is None:
            return None
        return PrivateIdentity.loads(self._machine.user_id, self._machine.sealer.unseal(_KEYS, kept.keys))

    async def _made(self) -> PrivateIdentity:
        """New keys, kept before anybody is told of them."""
        keys = PrivateIdentity.made(self._machine.user_id)
        new_key = recovery.new() if self._given is None else None
        await self._keep(keys, new_key, stored=False)
        _LOG.info("cross_signing_keys_made")
        return keys

    async def _keep(self, keys: PrivateIdentity, new_key: bytes | None, *, stored: bool) -> None:
        seal = self._machine.sealer.seal
        sealed = seal(_KEYS, keys.dumps())
        sealed_key = seal(_RECOVERY, new_key) if new_key is not None else None
        user_id = self._machine.user_id
        await self._units.run(lambda unit: trust.keep(unit, user_id, sealed, sealed_key, stored=stored))

    async def _publish(self, keys: PrivateIdentity) -> None:
        signature = self._machine.sign(keys.master())
        await self._account.publish(keys.to_publish(self._machine.device_id, signature))
        _LOG.info("cross_signing_keys_published")

    async def _restored(self, published: PublicIdentity) -> PrivateIdentity | None:
        """The account's own keys by the recovery key, if one is given."""
        if self._given is None:
            return None
        keys = await self._vault.opened(self._given)
        if not keys.is_published(published):
            raise NothingStored
        await self._keep(keys, None, stored=True)
        _LOG.info("cross_signing_keys_restored")
        return keys

    async def _sign(self, keys: PrivateIdentity, published: Published, identity: PublicIdentity) -> None:
        """The account signs the device, and the device the account's master key, where that is missing."""
        machine, device = self._machine, published.device
        key_id = f"ed25519:{machine.device_id}"
        if clean.mapping(device.get("keys")).get(key_id) != machine.identity.ed25519:
            # The homeserver tells of another device under this id: nobody must vouch for that.
            raise NoWay
        if not keys.has_signed(device, Usage.SELF_SIGNING):
            signed = keys.signed(device, Usage.SELF_SIGNING)
            await self._account.add_signature(machine.user_id, machine.device_id, signed)
            _LOG.info("device_signed", device=machine.device_id)
        master = identity.master_object
        if not verified(master, machine.user_id, machine.device_id, machine.identity.ed25519):
            bare = keys.master()
            signed = {**bare, "signatures": {machine.user_id: {key_id: machine.sign(bare)}}}
            await self._account.add_signature(machine.user_id, identity.master, signed)

    async def _store(self, keys: PrivateIdentity) -> None:
        """Bring new keys into the secret storage, so that they outlive this database."""
        user_id = self._machine.user_id
        kept = await self._units.look(lambda unit: trust.own_keys(unit, user_id))
        if kept.stored:
            return
        key = self._given
        if kept.recovery_key is not None:
            key = unsealed_recovery_key(self._machine.sealer, kept.recovery_key)
        if key is None:
            return
        await self._vault.store(key, keys)
        await self._units.run(lambda unit: trust.note_stored(unit, user_id))
        _LOG.info("cross_signing_keys_stored", hint="tickettruhe recovery-key")

    async def sign_person(self, identity: PublicIdentity) -> bool:
        """Vouch for another person's master key, which was compared; says whether that could be done.

        :raises MatrixError: not now.
        """
        if self.keys is None:
            return False
        signed = self.keys.signed(identity.master_object, Usage.USER_SIGNING)
        await self._account.add_signature(identity.user_id, identity.master, signed)
        return True
