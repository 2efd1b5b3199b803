"""The recovery key: what opens the account's secret storage, in the form that all clients know.

Client-server API, "Secrets", "Key representation".
"""

import secrets
from functools import reduce
from operator import xor
from typing import Final

from bot.domain.errors import TickettruheError
from bot.matrix.encryption.encoding import base58, from_base58

_PREFIX: Final = bytes((0x8B, 0x01))
_LENGTH: Final = 32
_GROUP: Final = 4
_LONGEST: Final = 100


class NoRecoveryKey(TickettruheError):
    """A text is no recovery key: it is cut off, or a letter is wrong."""


def new() -> bytes:
    """A key of its own."""
    return secrets.token_bytes(_LENGTH)


def written(key: bytes) -> str:
    """The key as people keep it, in groups of four letters."""
    whole = _PREFIX + key
    text = base58(whole + bytes((_parity(whole),)))
    return " ".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def read(text: str) -> bytes:
    """The key that somebody wrote down; spaces do not matter.

    :raises NoRecoveryKey: it is none.
    """
    bare = "".join(text.split())
    if len(bare) > _LONGEST:
        raise NoRecoveryKey
    try:
        whole = from_base58(bare)
    except ValueError as error:
        raise NoRecoveryKey from error
    if len(whole) != len(_PREFIX) + _LENGTH + 1 or not whole.startswith(_PREFIX) or _parity(whole):
        raise NoRecoveryKey
    return whole[len(_PREFIX) : -1]


def _parity(data: bytes) -> int:
    return reduce(xor, data)
