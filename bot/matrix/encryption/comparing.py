"""Two devices get a short secret that people can compare (client-server API, "Short Authentication String").

Pure: it takes what the other says and gives what is to be said. Who calls it sends, keeps the time and asks
people.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from typing import Any, Final

import vodozemac

from bot.matrix.encryption.canonical import canonical
from bot.matrix.encryption.encoding import unpadded

METHOD: Final = "m.sas.v1"
_AGREEMENT: Final = "curve25519-hkdf-sha256"
_HASH: Final = "sha256"
_MAC: Final = "hkdf-hmac-sha256.v2"
_EMOJI: Final = "emoji"
_DECIMAL: Final = "decimal"
_MOST_MACS: Final = 20

Json = dict[str, Any]


class Code(Enum):
    """Why a verification ends early: what the others' client is told."""

    USER = "m.user"
    TIMEOUT = "m.timeout"
    UNKNOWN_TRANSACTION = "m.unknown_transaction"
    UNKNOWN_METHOD = "m.unknown_method"
    UNEXPECTED_MESSAGE = "m.unexpected_message"
    KEY_MISMATCH = "m.key_mismatch"
    INVALID_MESSAGE = "m.invalid_message"
    MISMATCHED_COMMITMENT = "m.mismatched_commitment"
    MISMATCHED_SAS = "m.mismatched_sas"
    ACCEPTED = "m.accepted"


class Broken(Exception):
    """The verification cannot go on."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True, slots=True)
class Party:
    """One side: whose device, and the keys that are to be verified, by their ids."""

    user_id: str
    device_id: str
    keys: Mapping[str, str]
    """``ed25519:<device>`` and, where there is one, ``ed25519:<master key>`` → public key."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What people compare: seven numbers of emoji, or three numbers where the other shows no emoji."""

    emoji: tuple[int, ...] = ()
    decimals: tuple[int, ...] = ()


@dataclass(slots=True)
class Comparison:
    """The exchange from ``start`` to ``mac``.

    Each method takes one message and raises :class:`Broken` if it is not what has to come now.
    """

    me: Party
    other: Party
    transaction: str
    _sas: vodozemac.Sas = field(default_factory=vodozemac.Sas)
    _started: Json | None = None
    _mine: bool = False
    """Whether this side started."""
    _accepted: bool = False
    _commitment: str = ""
    _by_emoji: bool = True
    _established: vodozemac.EstablishedSas | None = None
    _their_key: str = ""
    verified: frozenset[str] = frozenset()
    """Ids of the other's keys that turned out to be what they were said to be."""

    @property
    def public_key(self) -> str:
        """This side's half of the secret."""
        return self._sas.public_key.to_base64()

    def start(self, envelope: Mapping[str, Any]) -> Json:
        """Begin. :param envelope: by what each message names the verification it is of."""
        self._mine = True
        self._started = {
            "from_device": self.me.device_id,
            "method": METHOD,
            "key_agreement_protocols": [_AGREEMENT],
            "hashes": [_HASH],
            "message_authentication_codes": [_MAC],
            "short_authentication_string": [_DECIMAL, _EMOJI],
            **envelope,
        }
        return self._started

    def take_start(self, content: Mapping[str, Any]) -> Json | None:
        """The other begins: the answer; ``None`` if both began and this side's counts."""
        if self._accepted or (self._started is not None and not self._mine):
            raise Broken(Code.UNEXPECTED_MESSAGE)
        if content.get("method") != METHOD:
            raise Broken(Code.UNKNOWN_METHOD)
        if self._mine and (self.me.user_id, self.me.device_id) < (self.other.user_id, self.other.device_id):
            return None
        for key, known in (
            ("key_agreement_protocols", _AGREEMENT),
            ("hashes", _HASH),
            ("message_authentication_codes", _MAC),
        ):
            if known not in _listed(content, key):
                raise Broken(Code.UNKNOWN_METHOD)
        ways = [
            each for each in (_EMOJI, _DECIMAL) if each in _listed(content, "short_authentication_string")
        ]
        if not ways:
            raise Broken(Code.UNKNOWN_METHOD)
        self._mine, self._started, self._by_emoji = False, dict(content), _EMOJI in ways
        return {
            "method": METHOD,
            "key_agreement_protocol": _AGREEMENT,
            "hash": _HASH,
            "message_authentication_code": _MAC,
            "short_authentication_string": ways,
            "commitment": self._committed(self.public_key),
        }

    def take_accept(self, content: Mapping[str, Any]) -> Json:
        """The other goes along: this side's key."""
        if not self._mine or self._accepted:
            raise Broken(Code.UNEXPECTED_MESSAGE)
        chosen = tuple(
            content.get(key) for key in ("key_agreement_protocol", "hash", "message_authentication_code")
        )
        ways, commitment = _listed(content, "short_authentication_string"), content.get("commitment")
        if chosen != (_AGREEMENT, _HASH, _MAC) or not {_EMOJI, _DECIMAL}.intersection(ways):
            raise Broken(Code.UNKNOWN_METHOD)
        if not isinstance(commitment, str):
            raise Broken(Code.INVALID_MESSAGE)
        self._accepted, self._commitment, self._by_emoji = True, commitment, _EMOJI in ways
        return {"key": self.public_key}

    def take_key(self, content: Mapping[str, Any]) -> Json | None:
        """The other's key: this side's, if it is still to be told. Now there is something to compare."""
        if self._started is None or self._established is not None or (self._mine and not self._accepted):
            raise Broken(Code.UNEXPECTED_MESSAGE)
        key = content.get("key")
        if not isinstance(key, str):
            raise Broken(Code.INVALID_MESSAGE)
        if self._mine and not hmac.compare_digest(self._committed(key), self._commitment):
            # Otherwise the other could have chosen its key so that the emoji become what it wants.
            raise Broken(Code.MISMATCHED_COMMITMENT)
        try:
            self._established = self._sas.diffie_hellman(vodozemac.Curve25519PublicKey.from_base64(key))
        except ValueError as error:
            raise Broken(Code.INVALID_MESSAGE) from error
        self._their_key = key
        return None if self._mine else {"key": self.public_key}

    @property
    def shown(self) -> Shown | None:
        """What is to be compared, once there is something."""
        if self._established is None:
            return None
        me = f"{self.me.user_id}|{self.me.device_id}|{self.public_key}"
        other = f"{self.other.user_id}|{self.other.device_id}|{self._their_key}"
        first, second = (me, other) if self._mine else (other, me)
        found = self._established.bytes(f"MATRIX_KEY_VERIFICATION_SAS|{first}|{second}|{self.transaction}")
        if self._by_emoji:
            return Shown(emoji=tuple(found.emoji_indices))
        return Shown(decimals=tuple(found.decimals))

    def mac(self) -> Json:
        """To be said once people have found the same on both sides: by this the other knows the keys."""
        if self._established is None:
            raise Broken(Code.UNEXPECTED_MESSAGE)
        info = self._info(self.me, self.other)
        ids = ",".join(sorted(self.me.keys))
        return {
            "mac": {
                key_id: self._established.calculate_mac(key, info + key_id)
                for key_id, key in self.me.keys.items()
            },
            "keys": self._established.calculate_mac(ids, f"{info}KEY_IDS"),
        }

    def take_mac(self, content: Mapping[str, Any]) -> None:
        """What the other's people found the same: their keys must be those that the homeserver tells."""
        told, ids_mac = content.get("mac"), content.get("keys")
        if self._established is None or self.verified:
            raise Broken(Code.UNEXPECTED_MESSAGE)
        if not isinstance(told, Mapping) or not isinstance(ids_mac, str) or len(told) > _MOST_MACS:
            raise Broken(Code.INVALID_MESSAGE)
        info = self._info(self.other, self.me)
        self._check(",".join(sorted(told)), f"{info}KEY_IDS", ids_mac)
        found = set()
        for key_id, mac in told.items():
            key = self.other.keys.get(key_id)
            if key is None:
                continue  # another device's, or a master key that has been replaced since
            self._check(key, info + key_id, mac)
            found.add(key_id)
        if f"ed25519:{self.other.device_id}" not in found:
            raise Broken(Code.KEY_MISMATCH)
        self.verified = frozenset(found)

    def _check(self, what: str, info: str, mac: object) -> None:
        assert self._established is not None  # noqa: S101 - looked at by whoever calls this
        if not isinstance(mac, str):
            raise Broken(Code.INVALID_MESSAGE)
        try:
            self._established.verify_mac(what, info, mac)
        except ValueError as error:
            raise Broken(Code.KEY_MISMATCH) from error

    def _info(self, sender: Party, to: Party) -> str:
        people = f"{sender.user_id}{sender.device_id}{to.user_id}{to.device_id}"
        return f"MATRIX_KEY_VERIFICATION_MAC{people}{self.transaction}"

    def _committed(self, key: str) -> str:
        assert self._started is not None  # noqa: S101 - there is nothing to commit to before
        return unpadded(sha256(key.encode() + canonical(self._started)).digest())


def _listed(content: Mapping[str, Any], key: str) -> list[Any]:
    value = content.get(key)
    return value if isinstance(value, list) else []
