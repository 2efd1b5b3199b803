"""Keys, recovery key and secret storage, against what matrix-js-sdk 43.0.0 made of the same values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.matrix.encryption import recovery_key, secret_storage
from bot.matrix.encryption.canonical import verified
from bot.matrix.encryption.encoding import base58, from_base58
from bot.matrix.encryption.identity import PrivateIdentity, Usage, identity_in
from bot.matrix.encryption.recovery_key import NoRecoveryKey
from bot.matrix.encryption.secret_storage import WrongRecoveryKey

KEY = bytes(index * 7 % 256 for index in range(32))
WRITTEN = "EsSz z9tE P7v3 2x3J pej9 kEu3 wFRg Cohn LtKd CcAP Gyjg nnbj"
SECRET = {
    "iv": "AAECAwQFBgcICQoLDA0ODw==",
    "ciphertext": "GfJPj/NSQPVFL2Qy",
    "mac": "/Ok/mM1viZNBIw1h23pzD/5VnExmiB6cQA+zjZrKewA=",
}
DESCRIBED = {
    "algorithm": secret_storage.ALGORITHM,
    "iv": "AAECAwQFBgcICQoLDA0ODw==",
    "mac": "YbPO5C9nCzgZDxxedCxSqGSN9SrskNCFfpHaJbtwx2I=",
}
BOT = "@bot:example.org"


def test_the_recovery_key_is_written_as_other_clients_do() -> None:
    assert recovery_key.written(KEY) == WRITTEN
    assert recovery_key.read(WRITTEN) == KEY
    assert recovery_key.read(WRITTEN.replace(" ", "")) == KEY


@pytest.mark.parametrize(
    "text",
    ["", "EsSz", WRITTEN[:-1], WRITTEN.replace("z9tE", "z9tF"), WRITTEN + "1", "0" + WRITTEN[1:], "E" * 5000],
)
def test_a_recovery_key_with_a_fault_is_none(text: str) -> None:
    with pytest.raises(NoRecoveryKey):
        recovery_key.read(text)


@given(st.binary(max_size=40))
def test_base58_there_and_back(data: bytes) -> None:
    assert from_base58(base58(data)) == data


def test_secrets_of_other_clients_open() -> None:
    assert secret_storage.opened(KEY, "m.cross_signing.master", SECRET) == b"bXkgc2VjcmV0"
    assert secret_storage.fits(KEY, DESCRIBED)


def test_only_the_right_key_for_the_right_secret_opens_it() -> None:
    other = bytes(32)
    assert not secret_storage.fits(other, DESCRIBED)
    assert not secret_storage.fits(KEY, {**DESCRIBED, "algorithm": "m.another"})
    for key, name, told in (
        (other, "m.cross_signing.master", SECRET),
        (KEY, "m.cross_signing.self_signing", SECRET),
        (KEY, "m.cross_signing.master", {**SECRET, "ciphertext": "GfJPj/NSQPVFL2Qz"}),
        (KEY, "m.cross_signing.master", {**SECRET, "iv": "AA"}),
        (KEY, "m.cross_signing.master", {"iv": 1}),
        (KEY, "m.cross_signing.master", None),
    ):
        with pytest.raises(WrongRecoveryKey):
            secret_storage.opened(key, name, told)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
def test_secrets_there_and_back(key: bytes, secret: bytes) -> None:
    sealed = secret_storage.sealed(key, "m.test", secret)
    assert secret_storage.opened(key, "m.test", sealed) == secret
    assert secret_storage.fits(key, secret_storage.description(key, "Tickettruhe"))


def test_published_keys_are_signed_by_the_master_key() -> None:
    keys = PrivateIdentity.made(BOT)
    published = keys.to_publish("DEVICE", "c2lnbmF0dXJl")
    answer = {f"{name}s": {BOT: told} for name, told in published.items()}
    told = identity_in(answer, BOT)
    assert told is not None
    assert keys.is_published(told)
    assert published["master_key"]["signatures"][BOT]["ed25519:DEVICE"] == "c2lnbmF0dXJl"
    assert PrivateIdentity.loads(BOT, keys.dumps()).public == keys.public
    assert not PrivateIdentity.made(BOT).is_published(told)


def test_a_key_that_the_master_key_did_not_sign_counts_as_missing() -> None:
    keys, other = PrivateIdentity.made(BOT), PrivateIdentity.made(BOT)
    answer = {f"{name}s": {BOT: told} for name, told in keys.to_publish("DEVICE", "").items()}
    answer["self_signing_keys"] = {BOT: other.to_publish("DEVICE", "")["self_signing_key"]}
    told = identity_in(answer, BOT)
    assert told is not None
    assert told.self_signing is None
    assert not keys.is_published(told)
    assert identity_in({"master_keys": {BOT: {"user_id": "@eve:example.org"}}}, BOT) is None


def test_a_signed_object_carries_that_signature_alone() -> None:
    keys = PrivateIdentity.made(BOT)
    device = {"user_id": BOT, "device_id": "D", "signatures": {BOT: {"ed25519:D": "x"}}, "unsigned": {"a": 1}}
    signed = keys.signed(device, Usage.SELF_SIGNING)
    public = keys.public[Usage.SELF_SIGNING]
    assert set(signed["signatures"][BOT]) == {f"ed25519:{public}"}
    assert "unsigned" not in signed
    assert verified(signed, BOT, public, public)
    assert keys.has_signed(signed, Usage.SELF_SIGNING)
    assert not keys.has_signed({**signed, "device_id": "E"}, Usage.SELF_SIGNING)
