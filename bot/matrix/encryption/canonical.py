"""Canonical JSON and its signatures (specification, appendices "Canonical JSON" and "Signing JSON")."""

import json
from collections.abc import Mapping
from typing import Any, Final

import vodozemac

from bot.matrix import clean

_UNSIGNED: Final = ("signatures", "unsigned")


def canonical(value: Mapping[str, Any]) -> bytes:
    """The bytes that a signature of the object is made over.

    :raises ValueError: it holds what no JSON does.
    """
    signed = {key: inner for key, inner in value.items() if key not in _UNSIGNED}
    text = json.dumps(signed, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return text.encode()


def verified(value: Mapping[str, Any], user_id: str, key_id: str, public_key: str) -> bool:
    """Whether the object is signed by this user's Ed25519 key; ``key_id`` is the part behind ``ed25519:``."""
    signatures = clean.mapping(clean.mapping(value.get("signatures")).get(user_id))
    signature = signatures.get(f"ed25519:{key_id}")
    if not isinstance(signature, str):
        return False
    try:
        key = vodozemac.Ed25519PublicKey.from_base64(public_key)
        key.verify_signature(canonical(value), vodozemac.Ed25519Signature.from_base64(signature))
    except (ValueError, TypeError, RecursionError):
        # vodozemac's errors are values' errors; the rest is what strangers make of JSON.
        return False
    return True
