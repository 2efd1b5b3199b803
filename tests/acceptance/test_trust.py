"""Clients of another family trust the bot: its account has signed its device, admins verify it by emoji."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, running_desk
from tests.other_client import Clients, SecretHuman
from tests.people import Crowd
from tests.process import command_line
from tests.timeline import Shown

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
async def dora(secret_people: Clients) -> SecretHuman:
    """An admin by the config, with cross-signing of her own."""
    dora = await secret_people("dora")
    await dora.set_up_cross_signing()
    return dora


@pytest.fixture(scope="module")
async def desk(
    homeserver: Homeserver, crowd: Crowd, dora: SecretHuman, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("trust")
    database = f"sqlite:///{folder / 'tickettruhe.db'}"
    async with running_desk(homeserver, crowd, folder, database, admins=[dora.user_id]) as desk:
        desk.people["dora"] = dora
        yield desk


@pytest.fixture(scope="module")
async def chat(desk: Desk, dora: SecretHuman) -> str:
    """The admin's direct chat with the bot."""
    return await chat_with_the_bot(desk, dora)


async def chat_with_the_bot(desk: Desk, person: SecretHuman) -> str:
    """An encrypted direct chat that the bot has joined."""
    bot = desk.account.user_id
    room = await person.create_room(
        "", encrypted=True, preset="trusted_private_chat", invite=[bot], is_direct=True
    )
    await person.wait_for(
        room, lambda event: event.state_key == bot and event.content["membership"] == "join", timeout=20
    )
    return room


async def answer_to(desk: Desk, person: SecretHuman, room: str, words: str) -> dict[str, Any]:
    """What the bot answers, as the client got it."""
    asked = await person.say(room, words)
    seen = await person.wait_to_see(
        room, lambda seen: seen.reply_to == asked and seen.sender == desk.account.user_id
    )
    (raw,) = [each for each in await person.raw_timeline(room) if each["event_id"] == seen.event_id]
    return raw


async def question(person: SecretHuman, room: str, emoji: list[list[str]]) -> Shown:
    """What the bot asks to be compared, once its reactions can be tapped."""
    return await person.wait_to_see(
        room,
        lambda seen: (
            all(f"{sign} " in seen.body for sign, _name in emoji) and {"✅", "❌"} <= set(seen.reactions)
        ),
        description=f"{emoji} with ✅ and ❌",
    )


async def compared(person: SecretHuman, **whom: str) -> list[list[str]]:
    """Verify the bot until its emoji are shown; those that the client shows."""
    await person.ask_to_verify(**whom)
    await person.until_verification(phase="Ready")
    await person.start_emoji()
    emoji: list[list[str]] = (await person.until_verification(emoji=True))["emoji"]
    return emoji


async def published(desk: Desk) -> Any:
    """The bot's master key."""
    query: dict[str, Any] = {"device_keys": {desk.account.user_id: []}}
    answer = await desk.person("anna").call("POST", "keys", "query", body=query)
    return answer["master_keys"].get(desk.account.user_id)


async def test_an_admin_verifies_the_bot_and_a_new_start_changes_nothing(
    desk: Desk, dora: SecretHuman, chat: str
) -> None:
    bot = desk.account
    device = (await dora.devices_of(bot.user_id))[bot.device_id]
    assert device.signed_by_owner
    assert not device.cross_signing_verified

    # Nothing is verified: a client that excludes unsigned devices shares keys with the bot and reads it.
    await dora.exclude_unsigned_devices()
    answer = await answer_to(desk, dora, chat, "help")
    assert answer["encrypted"]
    assert answer["shield"] is None

    emoji = await compared(dora, other=bot.user_id, room=chat)
    asks = await question(dora, chat, emoji)
    await dora.emoji_match()
    await asyncio.sleep(1)
    assert (await dora.verification() or {})["phase"] == "Started", "the bot took nobody's word"
    await dora.react(chat, asks.event_id, "✅")
    await dora.until_verification(phase="Done")
    await dora.until_verified(bot.user_id)
    assert (await dora.devices_of(bot.user_id))[bot.device_id].cross_signing_verified
    await dora.wait_to_see(chat, lambda seen: "I have signed your identity" in seen.body)
    master = await published(desk)

    await desk.bot.kill()
    await desk.bot.start()
    assert (await answer_to(desk, dora, chat, "help"))["shield"] is None
    assert (await dora.devices_of(bot.user_id))[bot.device_id].cross_signing_verified
    assert await published(desk) == master


async def test_a_verification_is_refused_called_off_or_lost_with_the_process(
    desk: Desk, dora: SecretHuman, chat: str, secret_people: Clients
) -> None:
    bot, anna = desk.account, desk.person("anna")
    mia = await secret_people("mia")
    await anna.invite(desk.rooms["freiburg"], mia)
    await mia.join(desk.rooms["freiburg"])
    room = await chat_with_the_bot(desk, mia)
    await mia.ask_to_verify(bot.user_id, room=room)
    refused = await mia.until_verification(phase="Cancelled")
    assert (refused["code"], refused["cancelled_by"]) == ("m.user", bot.user_id)

    # From device to device; the answer is given at the bot's machine.
    emoji = await compared(dora, other=bot.user_id, device=bot.device_id)
    await question(dora, chat, emoji)
    code, out = await command_line(desk.folder / "config.yaml", "verify", "--different")
    assert code == 0, out
    assert all(sign in out for sign, _name in emoji)
    ended = await dora.until_verification(phase="Cancelled")
    assert ended["code"] == "m.mismatched_sas"
    await dora.wait_to_see(chat, lambda seen: "that was not the same" in seen.body)

    await question(dora, chat, await compared(dora, other=bot.user_id, room=chat))
    await desk.bot.kill()
    await desk.bot.start()
    await dora.until_verification(phase="Cancelled")
    await dora.wait_to_see(chat, lambda seen: "I was started anew" in seen.body)
