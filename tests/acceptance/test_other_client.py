"""The tests' client of another family does by itself what the bot is to be tested with."""

from tests.other_client import Clients, SecretHuman


async def _room_of_two(one: SecretHuman, two: SecretHuman) -> str:
    room = await one.create_room("", invite=[two], encrypted=True, is_direct=True)
    await two.join(room)
    await one.until_encrypted(room)
    await one.wait_for(
        room, lambda event: event.state_key == two.user_id and event.content["membership"] == "join"
    )
    return room


async def test_two_people_talk_in_an_encrypted_room(secret_people: Clients) -> None:
    anna, ben = await secret_people("anna"), await secret_people("ben")
    room = await _room_of_two(anna, ben)
    said = await anna.say(room, "only for Ben")
    await ben.wait_to_see(room, lambda seen: seen.body == "only for Ben" and seen.event_id == said)
    await anna.edit(room, said, "only for you")
    await ben.react(room, said, "👍")
    seen = await ben.wait_to_see(room, lambda seen: seen.body == "only for you" and bool(seen.reactions))
    assert seen.edited
    assert seen.reactions == {"👍": {ben.user_id}}
    (raw,) = [each for each in await ben.raw_timeline(room) if each["event_id"] == said]
    assert raw["encrypted"]
    assert "body" not in raw["wire"]


async def test_they_verify_each_other_by_emoji_and_shut_out_unsigned_devices(secret_people: Clients) -> None:
    anna, ben = await secret_people("anna"), await secret_people("ben")
    room = await _room_of_two(anna, ben)
    await anna.set_up_cross_signing()
    await anna.exclude_unsigned_devices()
    assert not (await anna.devices_of(ben))[ben.device_id].signed_by_owner
    said = await anna.say(room, "not for unsigned devices")
    await ben.wait_for(room, lambda event: event.event_id == said)
    (raw,) = [each for each in await ben.raw_timeline(room) if each["event_id"] == said]
    assert raw["unreadable"]

    await ben.set_up_cross_signing()
    await anna.ask_to_verify(ben, room=room)
    await ben.until_verification(phase="Requested")
    await ben.accept_verification()
    await anna.until_verification(phase="Ready")
    await anna.start_emoji()
    shown = [(await person.until_verification(emoji=True))["emoji"] for person in (ben, anna)]
    assert shown[0] == shown[1]
    for person in (anna, ben):
        await person.emoji_match()
    for person in (anna, ben):
        await person.until_verification(phase="Done")
    await anna.until_verified(ben)
    assert await anna.has_verified(ben)
    device = (await anna.devices_of(ben))[ben.device_id]
    assert device.signed_by_owner
    assert device.cross_signing_verified
    await anna.say(room, "for signed devices")
    await ben.wait_to_see(room, lambda seen: seen.body == "for signed devices")
