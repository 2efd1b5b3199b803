"""What the account has at the homeserver for cross-signing: public keys, signatures and secret storage."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.matrix import clean
from bot.matrix.client import MatrixClient
from bot.matrix.encryption.identity import PublicIdentity, identity_in
from bot.matrix.errors import Refused
from bot.matrix.transport import error_of

_PASSWORD: Final = "m.login.password"  # noqa: S105 - a word
_PATIENCE_MS: Final = 8_000

Json = dict[str, Any]


class NeedsPassword(Exception):
    """The homeserver wants the account's password, which the bot does not have."""


class NoWay(Exception):
    """The homeserver wants a proof of who asks that the bot cannot give."""


@dataclass(frozen=True, slots=True)
class Published:
    """What the homeserver tells of the account."""

    identity: PublicIdentity | None
    device: Mapping[str, Any]
    """The bot's device with all its signatures; empty if it has no keys there."""


class Account:
    """The account's keys at the homeserver. Whatever the network does, a :class:`MatrixError` is raised."""

    def __init__(self, client: MatrixClient, password: str | None) -> None:
        self._client = client
        self._password = password

    async def published(self, device_id: str | None = None) -> Published:
        """What others are told of the account now, and of its device, this login's unless it is named."""
        user_id = self._client.user_id
        answer = await self._query(user_id)
        devices = clean.mapping(clean.mapping(answer.get("device_keys")).get(user_id))
        return Published(
            identity_in(answer, user_id), clean.mapping(devices.get(device_id or self._client.device_id))
        )

    async def identity_of(self, user_id: str) -> PublicIdentity | None:
        """Another person's cross-signing keys."""
        return identity_in(await self._query(user_id), user_id)

    async def _query(self, user_id: str) -> Mapping[str, Any]:
        request = {"timeout": _PATIENCE_MS, "device_keys": {user_id: []}}
        return _object(*await self._client.answer("POST", "keys", "query", body=request))

    async def publish(self, keys: Mapping[str, Any]) -> None:
        """Give the account the first cross-signing keys that it has; never replaces any.

        :raises NeedsPassword: with a token alone the homeserver takes none.
        :raises NoWay: nor with the password.
        """
        status, value = await self._upload(keys)
        if status == 200:
            return
        asked = clean.mapping(value)
        session = asked.get("session")
        if status != 401 or not isinstance(session, str):
            raise error_of(status, value)
        if [_PASSWORD] not in [clean.mapping(flow).get("stages") for flow in _listed(asked.get("flows"))]:
            raise NoWay
        if self._password is None:
            raise NeedsPassword
        if (await self.published()).identity is not None:
            return  # somebody else was quicker, and theirs are not to be replaced
        status, value = await self._upload({**keys, "auth": self._proof(session)})
        if status in (401, 403):
            raise NoWay
        _object(status, value)

    def _proof(self, session: str) -> Json:
        identifier = {"type": "m.id.user", "user": self._client.user_id}
        return {"type": _PASSWORD, "identifier": identifier, "password": self._password, "session": session}

    async def _upload(self, keys: Mapping[str, Any]) -> tuple[int, object]:
        return await self._client.answer("POST", "keys", "device_signing", "upload", body=keys)

    async def add_signature(self, user_id: str, key_id: str, signed: Mapping[str, Any]) -> None:
        """Add a signature to a device or master key.

        :raises Refused: the homeserver does not take it.
        """
        request = {user_id: {key_id: signed}}
        answer = _object(*await self._client.answer("POST", "keys", "signatures", "upload", body=request))
        failure = clean.mapping(clean.mapping(answer.get("failures")).get(user_id)).get(key_id)
        if failure is not None:
            code = clean.mapping(failure).get("errcode")
            raise Refused(code if isinstance(code, str) else "M_UNKNOWN")

    async def data(self, kind: str) -> Mapping[str, Any]:
        """Something that the account keeps for itself; empty if there is none of the kind."""
        path = ("user", self._client.user_id, "account_data", kind)
        status, value = await self._client.answer("GET", *path)
        return {} if status == 404 else _object(status, value)

    async def put_data(self, kind: str, content: Mapping[str, Any]) -> None:
        """Keep something there."""
        path = ("user", self._client.user_id, "account_data", kind)
        _object(*await self._client.answer("PUT", *path, body=content))


def _object(status: int, value: object) -> Mapping[str, Any]:
    if status != 200 or not isinstance(value, Mapping):
        raise error_of(status, value)
    return value


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
