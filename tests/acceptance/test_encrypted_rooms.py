"""Encrypted rooms, with people at a client of another family: what is said, by whom, and who reads it."""

import base64
import hashlib
from collections.abc import AsyncIterator
from functools import partial

import pytest
from Crypto.Cipher import AES

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, running_desk
from tests.mail_data import raw
from tests.other_client import Clients, SecretHuman
from tests.timeline import Event

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
async def desk(
    homeserver: Homeserver, secret_people: Clients, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """All rooms are encrypted."""
    folder = tmp_path_factory.mktemp("encrypted")
    database = f"sqlite:///{folder / 'tickettruhe.db'}"
    async with running_desk(homeserver, secret_people, folder, database) as desk:
        yield desk


def secret(desk: Desk, name: str) -> SecretHuman:
    person = desk.person(name)
    assert isinstance(person, SecretHuman)
    return person


async def in_clear(desk: Desk, name: str, room: str) -> list[str]:
    """What the homeserver can read of what the bot said in a room, but for reactions."""
    raw = await secret(desk, name).raw_timeline(desk.room(room))
    mine = [each for each in raw if each["sender"] == desk.account.user_id and "state_key" not in each]
    return [each["type"] for each in mine if not each["encrypted"] and each["type"] == "m.room.message"]


async def test_a_ticket_is_worked_on(desk: Desk) -> None:
    number = await desk.file("Laptop for school")
    card = await desk.card(number, "🟢")
    await desk.done("anna", f"!take {number}")
    assert (await desk.card(number, "🔵")).event_id == card.event_id
    told = await desk.told("ben", f"!show {number}")
    assert "Kim Doe" in told.body
    refused = await desk.say("ben", "!close", thread=card.event_id, reply_to=card.event_id)
    await desk.person("ben").wait_for_reaction(desk.room("freiburg"), refused, "✅", desk.account.user_id)
    assert await in_clear(desk, "anna", "freiburg") == []
    assert "Laptop for school" not in desk.bot.log


async def test_a_picture_is_for_those_in_the_room(desk: Desk) -> None:
    """What lies at the homeserver nobody can see without the message that shows it."""
    await desk.card(await desk.file("Laptop for school"))
    asked = await desk.say("anna", "!stats")
    shown = await desk.person("anna").wait_for(
        desk.room("freiburg"),
        lambda event: event.in_reply_to == asked and event.content.get("msgtype") == "m.image",
        timeout=40,
    )
    assert (await opened(desk, "anna", shown)).startswith(b"\x89PNG")


async def test_a_mails_files_are_for_those_in_the_room(desk: Desk) -> None:
    status, number = await desk.post("/api/tickets.email", raw("nested"))
    assert status == 201
    card = await desk.card(int(number), "Im Anhang die Fotos", room="triage")
    for name, kind, begin in (
        ("Gerät vorn.jpg", "m.image", b"\xff\xd8"),
        ("Übersicht.pdf", "m.file", b"%PDF-1.4"),
    ):
        shown = await desk.viewer("triage").wait_for(desk.room("triage"), partial(called, name), timeout=40)
        assert shown.content["msgtype"] == kind
        assert shown.content["m.relates_to"]["event_id"] == card.event_id
        assert (await opened(desk, "tim", shown)).startswith(begin)


def called(name: str, event: Event) -> bool:
    return name in str(event.content.get("body"))


async def opened(desk: Desk, name: str, shown: Event) -> bytes:
    """A file as somebody in the room sees it; what lies at the homeserver is sealed."""
    file = shown.content["file"]
    assert "url" not in shown.content
    media_type, sealed = await desk.person(name).download(file["url"])
    assert media_type == "application/octet-stream"
    assert unpadded(file["hashes"]["sha256"]) == hashlib.sha256(sealed).digest()
    cipher = AES.new(unpadded(file["key"]["k"]), AES.MODE_CTR, nonce=b"", initial_value=unpadded(file["iv"]))
    plain = cipher.decrypt(sealed)
    assert plain[:4] != sealed[:4]
    return plain


def unpadded(text: str) -> bytes:
    return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


async def test_killed_it_goes_on_where_it_was(desk: Desk) -> None:
    """Commands given meanwhile are read, old cards are still edited, and everybody reads everything."""
    number = await desk.file()
    card = await desk.card(number, "🟢")
    await desk.done("anna", f"!take {number}")
    await desk.bot.kill()
    given = await desk.say("ben", f"!take {number} --force")
    mine = await desk.say("anna", f"!note {number} while it was down", thread=card.event_id)
    await desk.bot.start()
    for name, event_id in (("ben", given), ("anna", mine)):
        await desk.person(name).wait_for_reaction(
            desk.room("freiburg"), event_id, "✅", desk.account.user_id, timeout=30
        )
    assert (await desk.card(number, "Ben")).event_id == card.event_id
    raw = await secret(desk, "anna").raw_timeline(desk.room("freiburg"))
    assert [each["unreadable"] for each in raw if each["unreadable"]] == []
    assert await in_clear(desk, "anna", "freiburg") == []


async def test_direct_chats_and_rooms_that_become_encrypted(desk: Desk) -> None:
    anna, carla = secret(desk, "anna"), secret(desk, "carla")
    bot = desk.account.user_id
    chat = await anna.create_room(
        "", preset="trusted_private_chat", invite=[bot], is_direct=True, encrypted=True
    )
    await desk.until_joined("anna", chat)
    assert "no tickets" in (await desk.told("anna", "mine", chat)).body
    later = await carla.direct_chat_with(bot)
    await desk.until_joined("carla", later)
    await desk.told("carla", "mine", later)
    await carla.send_state(later, "m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    await carla.until_encrypted(later)
    plain = len(await in_clear(desk, "carla", later))
    await desk.told("carla", "list", later)
    assert len(await in_clear(desk, "carla", later)) == plain
    assert await in_clear(desk, "anna", chat) == []


async def test_who_comes_in_reads_what_is_said_from_then_on(desk: Desk) -> None:
    olga, freiburg = secret(desk, "olga"), desk.room("freiburg")
    await desk.person("anna").invite(freiburg, olga)
    await olga.join(freiburg)
    await olga.wait_for(freiburg, lambda event: event.state_key == olga.user_id, timeout=20)
    # Once the bot answers her, it knows that she is there.
    await desk.told("olga", "!list")
    number = await desk.file()
    card = await olga.wait_to_see(freiburg, lambda seen: desk.is_card(seen, number), timeout=20)
    await desk.done("olga", f"!take {number}")
    await olga.leave(freiburg)
    await desk.done("anna", f"!take {number} --force")
    assert card.event_id == (await desk.card(number, "Anna")).event_id
    assert await in_clear(desk, "anna", "freiburg") == []


async def test_restored_from_a_backup_it_says_nothing_twice_and_is_read(desk: Desk) -> None:
    """Its own messages of the time since are recognised although the backup holds none of their keys."""
    number = await desk.file()
    await desk.card(number, "🟢")
    await desk.bot.stop()
    database = desk.folder / "tickettruhe.db"
    backup = database.read_bytes()
    assert not list(desk.folder.glob("*-wal"))
    await desk.bot.start()
    await desk.done("anna", f"!take {number}")
    await desk.card(number, "🔵")
    lost = await desk.file("Lost with the backup")
    await desk.card(lost, "🟢")
    await desk.bot.kill()
    for file in desk.folder.glob("tickettruhe.db*"):
        file.unlink()
    database.write_bytes(backup)
    await desk.bot.start()
    assert f"#{lost}" in (await desk.hears("admin", "My database was restored")).body
    assert f"#{number}" in (await desk.told("ben", "!list")).body
    await desk.card(number, "🔵", "Anna")
    assert len(await desk.cards(number)) == 1
    assert await in_clear(desk, "anna", "freiburg") == []
