"""Two sides of a verification, message by message, and what an attacker may try."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.matrix.encryption.comparing import Broken, Code, Comparison, Party

ENVELOPE = {"transaction_id": "t1"}
ANNA = Party("@anna:example.org", "PHONE", {"ed25519:PHONE": "AAAA", "ed25519:MASTER": "BBBB"})
BOT = Party("@bot:example.org", "BOT", {"ed25519:BOT": "CCCC"})


def sides() -> tuple[Comparison, Comparison]:
    return Comparison(ANNA, BOT, "t1"), Comparison(BOT, ANNA, "t1")


def compared(first: Comparison, second: Comparison) -> None:
    """From start to what is shown."""
    accept = second.take_start(first.start(ENVELOPE))
    assert accept is not None
    key = second.take_key(first.take_accept(accept))
    assert key is not None
    assert first.take_key(key) is None


def code_of(work: Any, *words: Any) -> Code:
    with pytest.raises(Broken) as raised:
        work(*words)
    return raised.value.code


def test_both_sides_show_the_same_whoever_starts() -> None:
    for first, second in (sides(), sides()[::-1]):
        compared(first, second)
        assert first.shown is not None
        assert first.shown == second.shown
        assert len(first.shown.emoji) == 7
        first.take_mac(second.mac())
        second.take_mac(first.mac())
    assert second.verified | first.verified == {"ed25519:PHONE", "ed25519:MASTER", "ed25519:BOT"}


def test_without_emoji_numbers_are_shown() -> None:
    anna, bot = sides()
    start = {**anna.start(ENVELOPE), "short_authentication_string": ["decimal"]}
    anna._started = start
    accept = bot.take_start(start)
    assert accept is not None
    key = bot.take_key(anna.take_accept(accept))
    assert key is not None
    anna.take_key(key)
    assert bot.shown is not None
    assert bot.shown == anna.shown
    assert bot.shown.emoji == ()
    assert all(1000 <= number <= 9191 for number in bot.shown.decimals)


def test_a_key_that_was_not_committed_to_is_refused() -> None:
    anna, bot = sides()
    mallory = Comparison(ANNA, BOT, "t1")
    start = bot.start(ENVELOPE)
    accept = anna.take_start(start)
    assert accept is not None
    bot.take_accept(accept)
    assert code_of(bot.take_key, {"key": mallory.public_key}) is Code.MISMATCHED_COMMITMENT


def test_somebody_between_them_makes_them_show_something_else() -> None:
    anna, bot = sides()
    to_anna, to_bot = Comparison(BOT, ANNA, "t1"), Comparison(ANNA, BOT, "t1")
    compared(anna, to_anna)
    compared(to_bot, bot)
    assert anna.shown != bot.shown


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda mac: {**mac, "mac": {**mac["mac"], "ed25519:PHONE": "AAAA"}}, Code.KEY_MISMATCH),
        (lambda mac: {**mac, "mac": {"ed25519:MASTER": mac["mac"]["ed25519:MASTER"]}}, Code.KEY_MISMATCH),
        (lambda mac: {**mac, "keys": "AAAA"}, Code.KEY_MISMATCH),
        (lambda mac: {**mac, "keys": 7}, Code.INVALID_MESSAGE),
        (lambda mac: {"keys": mac["keys"]}, Code.INVALID_MESSAGE),
        (lambda mac: {**mac, "mac": {f"ed25519:{n}": "A" for n in range(100)}}, Code.INVALID_MESSAGE),
        (lambda mac: {**mac, "mac": {**mac["mac"], "ed25519:PHONE": None}}, Code.INVALID_MESSAGE),
    ],
)
def test_macs_that_are_not_what_they_must_be(change: Any, code: Code) -> None:
    anna, bot = sides()
    compared(anna, bot)
    assert code_of(bot.take_mac, change(anna.mac())) is code
    assert bot.verified == frozenset()


def test_another_key_than_the_homeserver_tells_is_found() -> None:
    told = Party(ANNA.user_id, ANNA.device_id, {**ANNA.keys, "ed25519:MASTER": "DDDD"})
    anna, bot = Comparison(ANNA, BOT, "t1"), Comparison(BOT, told, "t1")
    compared(anna, bot)
    assert code_of(bot.take_mac, anna.mac()) is Code.KEY_MISMATCH


def test_a_master_key_that_the_homeserver_does_not_tell_is_not_verified() -> None:
    told = Party(ANNA.user_id, ANNA.device_id, {"ed25519:PHONE": "AAAA"})
    anna, bot = Comparison(ANNA, BOT, "t1"), Comparison(BOT, told, "t1")
    compared(anna, bot)
    bot.take_mac(anna.mac())
    assert bot.verified == {"ed25519:PHONE"}


def test_nothing_counts_out_of_its_turn() -> None:
    anna, bot = sides()
    assert code_of(bot.take_key, {"key": anna.public_key}) is Code.UNEXPECTED_MESSAGE
    assert code_of(bot.take_mac, {}) is Code.UNEXPECTED_MESSAGE
    assert code_of(bot.mac) is Code.UNEXPECTED_MESSAGE
    assert code_of(bot.take_accept, {}) is Code.UNEXPECTED_MESSAGE
    start = anna.start(ENVELOPE)
    bot.take_start(start)
    assert code_of(bot.take_start, start) is Code.UNEXPECTED_MESSAGE
    bot.take_key({"key": anna.public_key})
    assert code_of(bot.take_key, {"key": anna.public_key}) is Code.UNEXPECTED_MESSAGE


@pytest.mark.parametrize(
    "change",
    [
        {"method": "m.qr_code.scan.v1"},
        {"key_agreement_protocols": ["curve25519"]},
        {"hashes": "sha256"},
        {"message_authentication_codes": ["hkdf-hmac-sha256"]},
        {"short_authentication_string": []},
    ],
)
def test_what_the_bot_does_not_know_is_refused(change: Mapping[str, Any]) -> None:
    anna, bot = sides()
    assert code_of(bot.take_start, {**anna.start(ENVELOPE), **change}) is Code.UNKNOWN_METHOD
    anna, bot = sides()
    accept = anna.take_start(bot.start(ENVELOPE))
    assert accept is not None
    assert code_of(bot.take_accept, {**accept, "hash": "md5"}) is Code.UNKNOWN_METHOD
    assert code_of(bot.take_accept, {**accept, "commitment": 1}) is Code.INVALID_MESSAGE


def test_if_both_start_the_lesser_name_counts() -> None:
    anna, bot = sides()
    by_anna, by_bot = anna.start(ENVELOPE), bot.start(ENVELOPE)
    assert anna.take_start(by_bot) is None
    accept = bot.take_start(by_anna)
    assert accept is not None
    key = bot.take_key(anna.take_accept(accept))
    assert key is not None
    anna.take_key(key)
    assert anna.shown == bot.shown


@pytest.mark.parametrize("key", [None, 7, "", "AAAA", "x" * 43, "A" * 5000])
def test_a_key_that_is_none(key: object) -> None:
    anna, bot = sides()
    bot.take_start(anna.start(ENVELOPE))
    assert code_of(bot.take_key, {"key": key}) is Code.INVALID_MESSAGE
