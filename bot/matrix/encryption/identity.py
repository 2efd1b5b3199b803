"""An account's cross-signing keys: ours with their secret halves, others' as the homeserver tells them."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

from bot.matrix import clean
from bot.matrix.encryption.canonical import canonical, verified
from bot.matrix.encryption.encoding import from_base64, unpadded

_SEED: Final = 32

Json = dict[str, Any]


class Usage(StrEnum):
    """What a key is for (client-server API, "Cross-signing")."""

    MASTER = "master"
    """Says which the other two are."""
    SELF_SIGNING = "self_signing"
    """Signs the account's own devices."""
    USER_SIGNING = "user_signing"
    """Signs other people's master keys, once they were verified."""


@dataclass(frozen=True, slots=True)
class PublicIdentity:
    """An account's cross-signing keys as others see them; they belong together."""

    user_id: str
    master: str
    self_signing: str | None
    user_signing: str | None
    """Told to the account itself only."""
    master_object: Mapping[str, Any]
    """The master key with all that is signed, as the homeserver tells it."""


class PrivateIdentity:
    """The bot's own keys: whoever has them is the bot to everybody. They are never logged nor told."""

    def __init__(self, user_id: str, seeds: Mapping[Usage, bytes]) -> None:
        """:raises ValueError: a seed is none."""
        self.user_id = user_id
        self._seeds = dict(seeds)
        self._keys = {usage: ECC.construct(curve="Ed25519", seed=seed) for usage, seed in seeds.items()}
        self.public = {
            usage: unpadded(key.public_key().export_key(format="raw")) for usage, key in self._keys.items()
        }

    @classmethod
    def made(cls, user_id: str) -> "PrivateIdentity":
        """New ones."""
        return cls(user_id, {usage: secrets.token_bytes(_SEED) for usage in Usage})

    @classmethod
    def loads(cls, user_id: str, text: bytes) -> "PrivateIdentity":
        """As :meth:`dumps` wrote them."""
        told = json.loads(text)
        return cls(user_id, {usage: from_base64(told[usage.value]) for usage in Usage})

    def dumps(self) -> bytes:
        """To be kept, sealed."""
        return json.dumps({usage.value: self.secret(usage) for usage in Usage}).encode()

    def secret(self, usage: Usage) -> str:
        """A key's secret half, as secret storage holds it."""
        return unpadded(self._seeds[usage])

    def is_published(self, told: PublicIdentity) -> bool:
        """Whether these are the keys that the homeserver tells."""
        theirs = (told.master, told.self_signing, told.user_signing)
        return (told.user_id, theirs) == (self.user_id, tuple(self.public[usage] for usage in Usage))

    def to_publish(self, device_id: str, device_signature: str) -> Json:
        """The three as ``/keys/device_signing/upload`` takes them; the device vouches for the master key."""
        master = self.master()
        self._add_signature(master, Usage.MASTER)
        master["signatures"][self.user_id][f"ed25519:{device_id}"] = device_signature
        published = {"master_key": master}
        for usage in (Usage.SELF_SIGNING, Usage.USER_SIGNING):
            described = self._described(usage)
            self._add_signature(described, Usage.MASTER)
            published[f"{usage.value}_key"] = described
        return published

    def master(self) -> Json:
        """The master key, not signed."""
        return self._described(Usage.MASTER)

    def signed(self, value: Mapping[str, Any], usage: Usage) -> Json:
        """An object with the signature of one of the keys alone, as ``/keys/signatures/upload`` wants it."""
        bare = {key: inner for key, inner in value.items() if key not in ("signatures", "unsigned")}
        self._add_signature(bare, usage)
        return bare

    def has_signed(self, value: Mapping[str, Any], usage: Usage) -> bool:
        """Whether an object carries the signature of one of the keys."""
        return verified(value, self.user_id, self.public[usage], self.public[usage])

    def _described(self, usage: Usage) -> Json:
        public = self.public[usage]
        return {"user_id": self.user_id, "usage": [usage.value], "keys": {f"ed25519:{public}": public}}

    def _add_signature(self, value: Json, usage: Usage) -> None:
        signature = unpadded(eddsa.new(self._keys[usage], "rfc8032").sign(canonical(value)))
        signatures = value.setdefault("signatures", {}).setdefault(self.user_id, {})
        signatures[f"ed25519:{self.public[usage]}"] = signature


def identity_in(answer: Mapping[str, Any], user_id: str) -> PublicIdentity | None:
    """A person's cross-signing keys in an answer to ``/keys/query``; ``None`` if there are none.

    A key that the master key did not sign counts as missing.
    """
    master_object = _told(answer, Usage.MASTER, user_id)
    master = _public_half(master_object, Usage.MASTER, user_id)
    if master is None:
        return None
    others = {}
    for usage in (Usage.SELF_SIGNING, Usage.USER_SIGNING):
        told = _told(answer, usage, user_id)
        genuine = verified(told, user_id, master, master)
        others[usage] = _public_half(told, usage, user_id) if genuine else None
    return PublicIdentity(
        user_id, master, others[Usage.SELF_SIGNING], others[Usage.USER_SIGNING], master_object
    )


def _told(answer: Mapping[str, Any], usage: Usage, user_id: str) -> Mapping[str, Any]:
    return clean.mapping(clean.mapping(answer.get(f"{usage.value}_keys")).get(user_id))


def _public_half(told: Mapping[str, Any], usage: Usage, user_id: str) -> str | None:
    usages, public = told.get("usage"), clean.mapping(told.get("keys"))
    if told.get("user_id") != user_id or not isinstance(usages, list) or usage.value not in usages:
        return None
    found = [value for key, value in public.items() if isinstance(value, str) and key == f"ed25519:{value}"]
    return found[0] if len(found) == 1 else None
