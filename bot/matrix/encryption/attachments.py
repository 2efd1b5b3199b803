"""Files for encrypted rooms: what is uploaded tells nobody anything, and the message brings the key.

Source: client-server API, module "end-to-end encryption", "Sending encrypted attachments".
nio has the same, but takes 15 MB of memory for all that comes with it.
"""

import hashlib
from base64 import b64encode, urlsafe_b64encode
from typing import Any, Final

from Crypto.Cipher import AES
from Crypto.Random import get_random_bytes

_COUNTER: Final = 8
"""Bytes of the initialization vector that count blocks; other clients want them to begin at zero."""


def sealed(data: bytes) -> tuple[bytes, dict[str, Any]]:
    """A file under a key of its own, and what the message's ``file`` says of it beside its address."""
    key, nonce = get_random_bytes(32), get_random_bytes(AES.block_size - _COUNTER)
    hidden = AES.new(key, AES.MODE_CTR, nonce=nonce).encrypt(data)
    return hidden, {
        "v": "v2",
        "key": {
            "kty": "oct", "alg": "A256CTR", "ext": True, "key_ops": ["encrypt", "decrypt"],
            "k": urlsafe_b64encode(key).decode().rstrip("="),
        },
        "iv": _plain(nonce + bytes(_COUNTER)),
        "hashes": {"sha256": _plain(hashlib.sha256(hidden).digest())},
    }  # fmt: skip


def _plain(data: bytes) -> str:
    """Base64 without the signs that fill up."""
    return b64encode(data).decode().rstrip("=")
