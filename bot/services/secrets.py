"""Random values that the bot makes for itself and keeps."""

import secrets
from typing import Final

from bot.services.unit import Unit
from storage.models import Secret

_BYTES: Final = 32


def ensure(unit: Unit, name: str) -> bytes:
    """The secret of this name (32 random bytes), made at first use."""
    known = unit.session.get(Secret, name)
    if known is None:
        known = Secret(name=name, value=secrets.token_hex(_BYTES))
        unit.session.add(known)
    return bytes.fromhex(known.value)
