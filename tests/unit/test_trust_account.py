"""How the account gets its first keys, whatever the homeserver asks for, and its secret storage."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.matrix.encryption import recovery_key, secret_storage
from bot.matrix.encryption.account import Account, NeedsPassword, NoWay
from bot.matrix.encryption.identity import PrivateIdentity, Usage
from bot.matrix.encryption.secret_storage import WrongRecoveryKey
from bot.matrix.encryption.vault import NothingStored, Vault
from bot.matrix.errors import Refused, Unreachable

BOT = "@bot:example.org"
ASKS = {"flows": [{"stages": ["m.login.password"]}], "session": "s1"}
KEYS = {"master_key": {"user_id": BOT}}


class Homeserver:
    """Answers from lists, and keeps account data."""

    user_id = BOT
    device_id = "DEVICE"

    def __init__(self, *answers: tuple[int, object]) -> None:
        self.answers = list(answers)
        self.uploads: list[Mapping[str, Any]] = []
        self.keys: Mapping[str, Any] = {}
        self.data: dict[str, Any] = {}

    async def answer(
        self, method: str, *parts: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, object]:
        if parts == ("keys", "query"):
            return 200, self.keys
        if "account_data" not in parts:
            self.uploads.append(body or {})
            return self.answers.pop(0)
        if method == "GET":
            found = self.data.get(parts[-1])
            return (404, {"errcode": "M_NOT_FOUND"}) if found is None else (200, found)
        self.data[parts[-1]] = body
        return 200, {}


def account(server: Homeserver, password: str | None = None) -> Account:
    return Account(server, password)  # type: ignore[arg-type]


async def test_the_first_keys_are_mostly_taken_at_once() -> None:
    server = Homeserver((200, {}))
    await account(server).publish(KEYS)
    assert server.uploads == [KEYS]


async def test_the_password_is_given_only_when_it_is_asked_for() -> None:
    server = Homeserver((401, ASKS), (200, {}))
    await account(server, "hunter2").publish(KEYS)
    assert "auth" not in server.uploads[0]
    assert server.uploads[1]["auth"] == {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": BOT},
        "password": "hunter2",
        "session": "s1",
    }


async def test_nothing_is_replaced_if_somebody_was_quicker() -> None:
    server = Homeserver((401, ASKS))
    others = PrivateIdentity.made(BOT).to_publish("OTHER", "")
    server.keys = {f"{name}s": {BOT: told} for name, told in others.items()}
    await account(server, "hunter2").publish(KEYS)
    assert len(server.uploads) == 1


@pytest.mark.parametrize(
    ("answers", "password", "error"),
    [
        ([(401, ASKS)], None, NeedsPassword),
        ([(401, {"flows": [{"stages": ["m.login.sso"]}], "session": "s"})], "hunter2", NoWay),
        ([(401, {"flows": "?", "session": "s"})], "hunter2", NoWay),
        ([(401, ASKS), (401, ASKS)], "hunter2", NoWay),
        ([(401, ASKS), (403, {"errcode": "M_FORBIDDEN"})], "hunter2", NoWay),
        ([(400, {"errcode": "M_INVALID_SIGNATURE"})], "hunter2", Refused),
        ([(502, None)], "hunter2", Unreachable),
    ],
)
async def test_what_cannot_be_done(
    answers: list[tuple[int, object]], password: str | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await account(Homeserver(*answers), password).publish(KEYS)


async def test_a_signature_that_is_not_taken_is_told() -> None:
    server = Homeserver((200, {"failures": {BOT: {"D": {"errcode": "M_INVALID_SIGNATURE"}}}}), (200, {}))
    with pytest.raises(Refused, match="M_INVALID_SIGNATURE"):
        await account(server).add_signature(BOT, "D", {})
    await account(server).add_signature(BOT, "D", {})


async def test_keys_come_back_by_the_recovery_key_alone() -> None:
    server, key = Homeserver(), recovery_key.new()
    vault, keys = Vault(account(server), BOT), PrivateIdentity.made(BOT)
    await vault.store(key, keys)
    assert (await vault.opened(key)).public == keys.public
    with pytest.raises(WrongRecoveryKey):
        await vault.opened(recovery_key.new())
    assert keys.secret(Usage.MASTER) not in str(server.data)

    before = set(server.data)
    await vault.store(key, keys)
    assert set(server.data) == before

    del server.data["m.cross_signing.self_signing"]
    with pytest.raises(NothingStored):
        await vault.opened(key)


async def test_what_others_keep_there_stays() -> None:
    server, theirs, ours = Homeserver(), recovery_key.new(), recovery_key.new()
    vault, keys = Vault(account(server), BOT), PrivateIdentity.made(BOT)
    described = secret_storage.description(theirs, "Theirs")
    server.data = {"m.secret_storage.default_key": {"key": "k"}, "m.secret_storage.key.k": described}
    await vault.store(theirs, keys)
    await vault.store(ours, keys)
    assert server.data["m.secret_storage.default_key"] == {"key": "k"}
    assert server.data["m.secret_storage.key.k"] == described
    for key in (theirs, ours):
        assert (await vault.opened(key)).public == keys.public


async def test_secrets_that_are_none() -> None:
    server, key = Homeserver(), recovery_key.new()
    vault = Vault(account(server), BOT)
    server.data = {
        "m.secret_storage.default_key": {"key": "k"},
        "m.secret_storage.key.k": secret_storage.description(key, ""),
    }
    with pytest.raises(NothingStored):
        await vault.opened(key)
    for usage in Usage:
        kind = f"m.cross_signing.{usage.value}"
        server.data[kind] = {"encrypted": {"k": secret_storage.sealed(key, kind, b"no key")}}
    with pytest.raises(NothingStored):
        await vault.opened(key)
