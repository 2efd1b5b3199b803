"""Binary values as text: Matrix's base64, and base58 for what people write down."""

import base64
import binascii
from typing import Final

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE: Final = len(_ALPHABET)


def unpadded(data: bytes) -> str:
    """Base64 without padding (Matrix specification, appendix "Unpadded Base64")."""
    return base64.b64encode(data).decode().rstrip("=")


def from_base64(text: object) -> bytes:
    """The value of base64, padded or not.

    :raises ValueError: it is none.
    """
    if not isinstance(text, str):
        raise ValueError("no text")  # noqa: TRY004 - what strangers send is wrong, not the call
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def base58(data: bytes) -> str:
    """In the alphabet without letters that look alike."""
    number, text = int.from_bytes(data), ""
    while number:
        number, rest = divmod(number, _BASE)
        text = _ALPHABET[rest] + text
    return _ALPHABET[0] * (len(data) - len(data.lstrip(b"\0"))) + text


def from_base58(text: str) -> bytes:
    """The value of base58.

    :raises ValueError: it is none.
    """
    number = 0
    for letter in text:
        number = number * _BASE + _ALPHABET.index(letter)
    zeros = len(text) - len(text.lstrip(_ALPHABET[0]))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)
