"""Secrets in the account's own data at the homeserver, which only the recovery key opens.

Client-server API, "Secrets", ``m.secret_storage.v1.aes-hmac-sha2``.
"""

import hmac
import secrets
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF

from bot.domain.errors import TickettruheError
from bot.matrix import clean
from bot.matrix.encryption.encoding import from_base64, unpadded

ALGORITHM: Final = "m.secret_storage.v1.aes-hmac-sha2"
_IV: Final = 16
_KEY: Final = 32
_NO_SALT: Final = bytes(_KEY)
_CHECKED: Final = bytes(_KEY)
"""What is encrypted to tell whether a key is the right one."""

Json = dict[str, Any]


class WrongRecoveryKey(TickettruheError):
    """The recovery key does not open this."""


def description(key: bytes, name: str) -> Json:
    """What the account says of a key, by which others tell whether they have it."""
    check = sealed(key, "", _CHECKED)
    return {"algorithm": ALGORITHM, "name": name, "iv": check["iv"], "mac": check["mac"]}


def fits(key: bytes, described: Mapping[str, Any]) -> bool:
    """Whether this is the key that the account describes."""
    if described.get("algorithm") != ALGORITHM:
        return False
    try:
        check = _sealed(key, "", _CHECKED, from_base64(described.get("iv")))
        return hmac.compare_digest(from_base64(check["mac"]), from_base64(described.get("mac")))
    except ValueError:
        return False


def sealed(key: bytes, name: str, secret: bytes) -> Json:
    """A secret under a key; ``name`` is its type in the account's data."""
    iv = bytearray(secrets.token_bytes(_IV))
    iv[8] &= 0x7F  # some implementations count with 63 bits
    return _sealed(key, name, secret, bytes(iv))


def opened(key: bytes, name: str, told: object) -> bytes:
    """The secret.

    :raises WrongRecoveryKey: this key does not open it, or it is broken.
    """
    described = clean.mapping(told)
    try:
        iv, mac, secret = (from_base64(described.get(each)) for each in ("iv", "mac", "ciphertext"))
        encrypting, authenticating = _keys(key, name)
        if not hmac.compare_digest(hmac.digest(authenticating, secret, sha256), mac):
            raise WrongRecoveryKey
        plain: bytes = _cipher(encrypting, iv).decrypt(secret)
    except ValueError as error:
        raise WrongRecoveryKey from error
    return plain


def _sealed(key: bytes, name: str, secret: bytes, iv: bytes) -> Json:
    encrypting, authenticating = _keys(key, name)
    encrypted = _cipher(encrypting, iv).encrypt(secret)
    mac = hmac.digest(authenticating, encrypted, sha256)
    return {"iv": unpadded(iv), "ciphertext": unpadded(encrypted), "mac": unpadded(mac)}


def _keys(key: bytes, name: str) -> tuple[bytes, bytes]:
    both = HKDF(key, 2 * _KEY, _NO_SALT, SHA256, context=name.encode())
    assert isinstance(both, bytes)  # noqa: S101 - one piece was asked for
    return both[:_KEY], both[_KEY:]


def _cipher(key: bytes, iv: bytes) -> Any:  # noqa: ANN401 - the library has no public type for it
    if len(iv) != _IV:
        raise ValueError("iv")
    return AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=iv)
