"""The account's own secret storage: where the cross-signing keys lie under the recovery key."""

import secrets
from typing import Final

from bot.matrix import clean
from bot.matrix.encryption import secret_storage
from bot.matrix.encryption.account import Account
from bot.matrix.encryption.encoding import from_base64
from bot.matrix.encryption.identity import PrivateIdentity, Usage
from bot.matrix.encryption.secret_storage import WrongRecoveryKey

_DEFAULT: Final = "m.secret_storage.default_key"
_KEY: Final = "m.secret_storage.key."
_NAME: Final = "Tickettruhe"


class NothingStored(Exception):
    """The recovery key is right, but what it should open is not there."""


def _kind(usage: Usage) -> str:
    return f"m.cross_signing.{usage.value}"


class Vault:
    """Reads and writes the secret storage. Others may use it, too: what they put there stays."""

    def __init__(self, account: Account, user_id: str) -> None:
        self._account = account
        self._user_id = user_id

    async def opened(self, recovery_key: bytes) -> PrivateIdentity:
        """The keys that the recovery key opens.

        :raises WrongRecoveryKey: it opens nothing here.
        :raises NothingStored: it is right, but there are no such keys.
        """
        master = clean.mapping((await self._account.data(_kind(Usage.MASTER))).get("encrypted"))
        default = (await self._account.data(_DEFAULT)).get("key")
        for key_id in (*master, *((default,) if isinstance(default, str) else ())):
            if await self._fits(recovery_key, key_id):
                return await self._read(recovery_key, key_id)
        raise WrongRecoveryKey

    async def _read(self, recovery_key: bytes, key_id: str) -> PrivateIdentity:
        seeds = {}
        for usage in Usage:
            stored = clean.mapping((await self._account.data(_kind(usage))).get("encrypted"))
            if key_id not in stored:
                raise NothingStored
            secret = secret_storage.opened(recovery_key, _kind(usage), stored[key_id])
            try:
                seeds[usage] = from_base64(secret.decode())
            except ValueError as error:
                raise NothingStored from error
        try:
            return PrivateIdentity(self._user_id, seeds)
        except ValueError as error:
            raise NothingStored from error

    async def store(self, recovery_key: bytes, keys: PrivateIdentity) -> None:
        """Put the keys there. Again it changes nothing but what is missing."""
        default = (await self._account.data(_DEFAULT)).get("key")
        if isinstance(default, str) and await self._fits(recovery_key, default):
            key_id = default
        else:
            key_id = secrets.token_hex(16)
            await self._account.put_data(f"{_KEY}{key_id}", secret_storage.description(recovery_key, _NAME))
        for usage in Usage:
            known = await self._account.data(_kind(usage))
            sealed = secret_storage.sealed(recovery_key, _kind(usage), keys.secret(usage).encode())
            encrypted = {**clean.mapping(known.get("encrypted")), key_id: sealed}
            await self._account.put_data(_kind(usage), {**known, "encrypted": encrypted})
        if not isinstance(default, str):
            await self._account.put_data(_DEFAULT, {"key": key_id})

    async def _fits(self, recovery_key: bytes, key_id: str) -> bool:
        return secret_storage.fits(recovery_key, await self._account.data(f"{_KEY}{key_id}"))
