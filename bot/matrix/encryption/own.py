"""The bot's own device: its identity, signatures, one-time keys and fallback key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import vodozemac

from bot.domain.errors import TickettruheError
from bot.matrix.encryption.canonical import canonical
from bot.matrix.encryption.journal import Journal
from bot.matrix.encryption.sealing import Sealer
from bot.services.keys import KeyAccount

OLM: Final = "m.olm.v1.curve25519-aes-sha2"
MEGOLM: Final = "m.megolm.v1.aes-sha2"
_WANTED: Final = 50
"""One-time keys at the homeserver; each is used once, by a device that opens a channel."""

Json = dict[str, Any]


class NoDevice(TickettruheError):
    """The access token is that of no device, as an application service's: only devices can encrypt."""


class KeysUnreadable(TickettruheError):
    """The database holds keys that the pickle key does not open: it is missing, or another one."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A device's public keys, unpadded base64."""

    curve25519: str
    ed25519: str


def opened_account(kept: KeyAccount, sealer: Sealer) -> vodozemac.Account:
    """The account as it was kept.

    :raises KeysUnreadable: under another pickle key.
    """
    try:
        return vodozemac.Account.from_pickle(kept.pickle, sealer.pickling)
    except ValueError as error:
        raise KeysUnreadable from error


class OwnDevice:
    """The bot's device. What changes in it goes into the journal at once."""

    def __init__(
        self, user_id: str, device_id: str, account: vodozemac.Account, sealer: Sealer, journal: Journal
    ) -> None:
        self.user_id = user_id
        self.device_id = device_id
        self.account = account
        self._sealer = sealer
        self._journal = journal
        self._fallbacks: Any = account
        """vodozemac's type information does not know of fallback keys."""
        self.identity = Identity(account.curve25519_key.to_base64(), account.ed25519_key.to_base64())

    @classmethod
    def restored(
        cls, user_id: str, device_id: str, kept: KeyAccount | None, sealer: Sealer, journal: Journal
    ) -> "OwnDevice":
        """As it was kept; a new one where none was, or that of another device.

        :raises KeysUnreadable: the pickle key is not the one that they were kept with.
        """
        if kept is not None:
            account = opened_account(kept, sealer)
            if (kept.user_id, kept.device_id) == (user_id, device_id):
                return cls(user_id, device_id, account, sealer, journal)
        own = cls(user_id, device_id, vodozemac.Account(), sealer, journal)
        own.keep()
        return own

    def keep(self) -> None:
        """Put the account as it is now into the journal."""
        pickle = self.account.pickle(self._sealer.pickling)
        self._journal.put(KeyAccount(id=1, user_id=self.user_id, device_id=self.device_id, pickle=pickle))

    def sign(self, value: Mapping[str, Any]) -> str:
        """Signature over an object, unpadded base64."""
        return self.account.sign(canonical(value)).to_base64()

    def signed(self, value: Mapping[str, Any]) -> Json:
        """The object with the device's signature."""
        return {**value, "signatures": {self.user_id: {f"ed25519:{self.device_id}": self.sign(value)}}}

    def device_keys(self) -> Json:
        """What others are told of this device (client-server API, "Device keys")."""
        return self.signed(
            {
                "user_id": self.user_id,
                "device_id": self.device_id,
                "algorithms": [OLM, MEGOLM],
                "keys": {
                    f"curve25519:{self.device_id}": self.identity.curve25519,
                    f"ed25519:{self.device_id}": self.identity.ed25519,
                },
            }
        )

    def refill(self, count: int, *, fallback: bool) -> bool:
        """Make keys, so that there are enough at the homeserver; says whether any are to be uploaded.

        :param count: how many it has; :param fallback: whether it has a fallback key that nobody used.
        """
        missing = (
            min(_WANTED, self.account.max_number_of_one_time_keys) - count - len(self.account.one_time_keys)
        )
        if missing > 0 and (count < _WANTED // 2 or self.account.one_time_keys):
            self.account.generate_one_time_keys(missing)
        if not fallback and not self._fallbacks.fallback_key:
            self._fallbacks.generate_fallback_key()
        waiting = bool(self.account.one_time_keys or self._fallbacks.fallback_key)
        if waiting:
            self.keep()
        return waiting

    def to_upload(self) -> Json:
        """The keys that the homeserver does not have yet, as ``/keys/upload`` takes them."""
        one_time = self.account.one_time_keys.items()
        fallback = self._fallbacks.fallback_key.items()
        return {
            "one_time_keys": {
                f"signed_curve25519:{key_id}": self.signed({"key": key.to_base64()})
                for key_id, key in one_time
            },
            "fallback_keys": {
                f"signed_curve25519:{key_id}": self.signed({"key": key.to_base64(), "fallback": True})
                for key_id, key in fallback
            },
        }

    def uploaded(self) -> None:
        """The homeserver has them all."""
        self.account.mark_keys_as_published()
        self.keep()
