"""The ways in which a command can be given, and what is none."""

import asyncio

import pytest

from tests.desk import Desk


async def test_hash_and_several_numbers(desk: Desk) -> None:
    one, two, three = [await desk.file() for _ in range(3)]
    await desk.done("anna", f"!take #{one}, {two} #{three}")
    for number in (one, two, three):
        await desk.card(number, "In progress", "Anna")


async def test_several_numbers_of_which_one_fails_give_one_notice(desk: Desk) -> None:
    one, two, unknown = await desk.file(), await desk.file(), 2_000_000_000
    await desk.done("ben", f"!take {two}")
    command = await desk.say("anna", f"!take {one} {two} {unknown}")
    anna, room = desk.person("anna"), desk.rooms["freiburg"]
    notice = await anna.wait_for_notice_reply(room, command)
    assert f"Done: #{one}" in notice.body
    assert f"Ben has #{two}" in notice.body
    assert f"I do not know #{unknown} here" in notice.body
    await desk.card(one, "In progress", "Anna")
    await desk.told("anna", "!help take")
    seen = await anna.sees(room)
    assert len([each for each in seen if each.reply_to == command]) == 1
    assert not next(each for each in seen if each.event_id == command).reactions


@pytest.mark.parametrize("line", ["! Take {}", "!{} take", "!Nehmen{}"])
async def test_as_phones_write_it(desk: Desk, line: str) -> None:
    number = await desk.file()
    await desk.done("anna", line.format(number))
    await desk.card(number, "In progress", "Anna")


async def test_as_a_reply_to_the_card(desk: Desk) -> None:
    number = await desk.file()
    card = await desk.card(number)
    await desk.done("anna", "!take", reply_to=card.event_id)
    await desk.card(number, "In progress", "Anna")


async def test_as_a_reply_of_an_older_client_with_a_quotation(desk: Desk) -> None:
    number = await desk.file()
    card = await desk.card(number)
    quotation = f"> <{desk.account.user_id}> {card.body.splitlines()[0]}\n\n"
    await desk.done("anna", f"{quotation}!close done", reply_to=card.event_id)
    await desk.card(number, "Closed", "Reason: done")


async def test_in_the_cards_thread(desk: Desk) -> None:
    number = await desk.file()
    card = await desk.card(number)
    await desk.done("anna", "!take", thread=card.event_id)
    await desk.done("anna", "!wait two screens", thread=card.event_id)
    await desk.card(number, "On waiting", "Needed: two screens")
    notice = await desk.told("anna", "!history", thread=card.event_id)
    assert f"History of #{number}" in notice.body
    assert notice.thread == card.event_id


async def test_a_number_in_the_thread_that_could_be_text_is_asked_about(desk: Desk) -> None:
    other, number = await desk.file(), await desk.file()
    card = await desk.card(number)
    question = await desk.told("anna", f"!close {other} laptops given", thread=card.event_id)
    assert "number or the beginning of the text" in question.body
    await desk.card(other, "Open")
    await desk.card(number, "Open")


async def test_without_a_number_outside_of_a_thread(desk: Desk) -> None:
    question = await desk.told("anna", "!take")
    assert "Which ticket?" in question.body


@pytest.mark.parametrize(
    ("line", "shows"),
    [("!nehmen {}", "In progress"), ("!NEHMEN {}", "In progress"), ("!schließen {}", "Closed"),
     ("!warten {} Netzteil", "Needed: Netzteil")],
)  # fmt: skip
async def test_german_aliases(desk: Desk, line: str, shows: str) -> None:
    number = await desk.file()
    await desk.done("anna", line.format(number))
    await desk.card(number, shows)


@pytest.mark.parametrize("way", ["name", "pill", "user id", "device name"])
async def test_a_mention_of_the_bot_is_a_prefix(desk: Desk, way: str) -> None:
    number = await desk.file()
    bot = desk.account.user_id
    name = bot[1:].partition(":")[0]
    body = {"name": f"{name}: take {number}", "pill": f"Tickettruhe: take {number}",
            "user id": f"{bot} take {number}", "device name": f"Tickettruhe, take {number}"}[way]  # fmt: skip
    formatted = (
        f'<a href="https://matrix.to/#/{bot}">Tickettruhe</a>: take {number}' if way == "pill" else None
    )
    await desk.done("anna", body, formatted=formatted, mentions=[bot] if way == "pill" else [])
    await desk.card(number, "In progress", "Anna")


async def test_a_success_is_a_reaction_and_nothing_else(desk: Desk) -> None:
    number = await desk.file()
    card = await desk.card(number)
    command = await desk.done("anna", f"!take {number}")
    await desk.card(number, "In progress")
    await desk.told("anna", "!help take")
    events = await desk.person("anna").timeline(desk.rooms["freiburg"])
    after = events[next(i for i, event in enumerate(events) if event.event_id == command) :]
    # What the card offers is another matter.
    seeds = {event.event_id for event in after if event.type == "m.reaction" and event.related != command}
    by_bot = [
        event
        for event in after
        if event.sender == desk.account.user_id and event.event_id not in seeds and not event.redacts
    ]
    about = [(event.type, event.relation.get("event_id"), event.relation.get("rel_type")) for event in by_bot]
    assert sorted(about[:-1], key=str) == sorted(
        [("m.reaction", command, "m.annotation"), ("m.room.message", card.event_id, "m.replace")], key=str
    )


async def test_information_is_a_notice_that_mentions_nobody(desk: Desk) -> None:
    lines = ("!help", "!list", "!mine", "!waitlist", "!help take", "!nonsense", "!take 1999999999")
    for told in await asyncio.gather(*(desk.told("anna", line) for line in lines)):
        assert (told.msgtype, told.mentions, told.mentions_room) == ("m.notice", frozenset(), False)


async def test_did_you_mean_with_a_caret(desk: Desk) -> None:
    told = await desk.told("anna", "!taek 42")
    assert "!taek 42\n^^^^^\n" in told.body
    assert "Did you mean !take, !task?" in told.body
    assert "<pre><code>!taek 42\n^^^^^</code></pre>" in (told.formatted_body or "")
    german = await desk.told("anna", "!schliesen 42")
    assert "Did you mean !schließen" in german.body


async def test_plain_talk_is_none(desk: Desk) -> None:
    number = await desk.file()
    await desk.card(number)
    talk = (
        "take {}",
        "! take {} of them",
        "hello !take {}",
        "Great!",
        "!!!",
        "Tickettruhe take {}",
        "We take {}",
        "",
    )
    await _ignored(desk, number, *[await desk.say("anna", line.format(number)) for line in talk])


async def test_only_text_is_a_command(desk: Desk) -> None:
    number = await desk.file()
    await desk.card(number)
    kinds = ("m.notice", "m.emote", "m.image", "org.example.strange")
    await _ignored(desk, number, *[await desk.say("anna", f"!take {number}", msgtype=kind) for kind in kinds])


async def test_an_edit_is_no_command(desk: Desk) -> None:
    number = await desk.file()
    await desk.card(number)
    room, anna = desk.rooms["freiburg"], desk.person("anna")
    said = await desk.say("anna", "a slip")
    await _ignored(desk, number, await anna.edit(room, said, f"!take {number}"))
    again = await desk.done("anna", f"!take {number}")
    await anna.edit(room, again, f"!close {number}")
    await desk.told("anna", "!help take")
    await desk.card(number, "In progress")


async def test_a_command_of_a_member_in_another_rooms_name_is_its_own(desk: Desk) -> None:
    """The sender's rights count, not who is quoted."""
    number = await desk.file()
    card = await desk.card(number)
    told = await desk.told("carla", "!take", "berlin", reply_to=card.event_id)
    assert "I do not know" in told.body or "Which ticket?" in told.body
    assert str(number) not in told.body or f"#{number} here" in told.body
    await desk.card(number, "Open")


async def _ignored(desk: Desk, number: int, *events: str) -> None:
    """A later command was answered, these were not, and the ticket is as it was."""
    await desk.told("anna", "!help take")
    seen = await desk.person("anna").sees(desk.rooms["freiburg"])
    assert not [each for each in seen if each.reply_to in events]
    assert not [each for each in seen if each.event_id in events and each.reactions]
    await desk.card(number, "Open")
