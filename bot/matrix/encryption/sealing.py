"""Secrets in the database, or where all can read them: sealed with the pickle key, which lies apart."""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF

from bot.domain.errors import TickettruheError

_NONCE: Final = 12
_TAG: Final = 16
_KEY: Final = 32


class WrongKey(TickettruheError):
    """It was not sealed with this key, or not for this purpose, or was changed since."""


class Sealer:
    """Seals and opens with the pickle key (AES-256-GCM under a key of its own, by HKDF-SHA-256)."""

    def __init__(self, pickle_key: str) -> None:
        self._sealing = _derived(pickle_key, b"tickettruhe sealing")
        self.pickling = _derived(pickle_key, b"tickettruhe pickling")
        """The key for vodozemac's own pickles."""

    def seal(self, purpose: str, plain: bytes) -> str:
        """A text that only :meth:`unseal` with the same purpose opens."""
        nonce = secrets.token_bytes(_NONCE)
        cipher = AES.new(self._sealing, AES.MODE_GCM, nonce=nonce)
        cipher.update(purpose.encode())
        sealed, tag = cipher.encrypt_and_digest(plain)
        return urlsafe_b64encode(nonce + tag + sealed).decode()

    def unseal(self, purpose: str, text: str) -> bytes:
        """What was sealed.

        :raises WrongKey: with another key or for another purpose, or it was changed.
        """
        try:
            sealed = urlsafe_b64decode(text)
            cipher = AES.new(self._sealing, AES.MODE_GCM, nonce=sealed[:_NONCE])
            cipher.update(purpose.encode())
            return cipher.decrypt_and_verify(sealed[_NONCE + _TAG :], sealed[_NONCE : _NONCE + _TAG])
        except ValueError as error:
            raise WrongKey(purpose) from error


def _derived(pickle_key: str, purpose: bytes) -> bytes:
    derived = HKDF(pickle_key.encode(), _KEY, b"", SHA256, context=purpose)
    assert isinstance(derived, bytes)  # noqa: S101 - one key was asked for
    return derived


class Labels:
    """What every event of the bot says of itself, in a form that only the bot reads.

    It stands beside the encrypted content: own events are recognised without the key of a session, which a
    restored database does not have.
    """

    KEY: Final = "org.tickettruhe.sealed"

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def written(self, room_id: str, label: Mapping[str, Any]) -> str:
        """For an event in this room."""
        return self._sealer.seal(f"label:{room_id}", json.dumps(label, separators=(",", ":")).encode())

    def read(self, room_id: str, text: object) -> Mapping[str, Any] | None:
        """What the bot wrote into an event of this room; ``None`` if it did not."""
        if not isinstance(text, str):
            return None
        try:
            label = json.loads(self._sealer.unseal(f"label:{room_id}", text))
        except (WrongKey, ValueError):
            return None
        return label if isinstance(label, dict) else None
