"""Answers: lists, one ticket whole, its history, a new one, help. Each names only what its room may show."""

import re

from tests.desk import Desk


async def test_show_tells_everything_with_the_contact(desk: Desk) -> None:
    number = await desk.file(
        "A tablet",
        phone="0761 123456",
        email="show@example.org",
        name="Robin Roe",
        message="First line\nSecond",
    )
    shown = await desk.told("anna", f"!show {number}")
    for word in (
        "Robin Roe",
        "show@example.org",
        "0761 123456",
        "Freiburg",
        "A tablet",
        "> First line",
        "> Second",
    ):
        assert word in shown.body
    card = await desk.card(number)
    assert "show@example.org" not in card.body
    assert "0761" not in card.body


async def test_show_lists_attachments(desk: Desk) -> None:
    files = [{"photo.png": "data:image/png;base64,iVBORw0KGgo="}]
    number = await desk.file("With a photo", attachments=files)
    assert "📎 1" in (await desk.card(number)).body
    assert "📎 photo.png (8 " in (await desk.told("anna", f"!show {number}")).body


async def test_list_shows_what_is_under_way_oldest_first(desk: Desk) -> None:
    old, taken, closed = [
        await desk.file(region="berlin", subject=f"Listed {i}", topicId=11) for i in range(3)
    ]
    await desk.done("carla", f"!take {taken}", "berlin")
    await desk.done("carla", f"!close {closed}", "berlin")
    card = await desk.card(old, room="berlin")
    listed = await desk.told("carla", "!list donation_offer", "berlin")
    assert listed.body.index(f"🟢 #{old} · Listed 0") < listed.body.index(f"🔵 #{taken} · Listed 1 · Carla")
    assert f"#{closed}" not in listed.body
    assert f"{desk.rooms['berlin']}/{card.event_id}" in (listed.formatted_body or "").replace("%24", "$")


async def test_mine_shows_ones_own_of_this_room(desk: Desk) -> None:
    mine, other = await desk.file(), await desk.file()
    await desk.done("ben", f"!take {mine}")
    await desk.done("anna", f"!take {other}")
    told = await desk.told("ben", "!meine")
    assert f"#{mine} " in told.body
    assert f"#{other} " not in told.body


async def test_waitlist_is_oldest_first_and_tells_what_is_needed(desk: Desk) -> None:
    first, second = [await desk.file(region="berlin", subject=f"Waits {i}") for i in range(2)]
    await desk.done("carla", f"!wait {second} a mouse", "berlin")
    await desk.done("carla", f"!wait {first}", "berlin")
    await desk.done("carla", f"!take {second}", "berlin")
    await desk.done("carla", f"!wait {second}", "berlin")
    told = await desk.told("carla", "!waitlist", "berlin")
    assert told.body.index(f"#{second} ") < told.body.index(f"#{first} ")
    assert "a mouse" in told.body


async def test_history_is_a_timeline_of_who_did_what(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!take {number}")
    await desk.done("ben", f"!close {number} solved on the phone")
    card = await desk.card(number)
    told = await desk.told("anna", f"!verlauf {number}")
    title, _empty, day, *lines = told.body.splitlines()
    assert title == f"History of #{number}"
    assert f"{desk.rooms['freiburg']}/{card.event_id}" in (told.formatted_body or "").replace("%24", "$")
    assert re.fullmatch(r"\d{1,2} \w+ \d{4}", day)
    assert [re.sub(r"^• \d\d:\d\d · ", "", line) for line in lines] == [
        "requester opened the ticket",
        "Anna took the ticket · Open → In progress",
        "Ben closed the ticket · In progress → Closed · “solved on the phone”",
    ]


async def test_new_opens_a_ticket_in_the_rooms_team(desk: Desk) -> None:
    options = '--name "Sam Poe" --phone 0761/99 --topic donation_offer'
    text = f"!new {options} Old printer\nIt still works.\nPick it up."
    told = await desk.told("anna", text)
    number = _number(told.body)
    assert "room of Freiburg" in told.body
    card = await desk.card(
        number, "🟢", "Old printer", "Donation offer", "> It still works.", "> Pick it up."
    )
    assert "0761" not in card.body
    shown = await desk.told("anna", f"!show {number}")
    for word in ("Sam Poe", "0761/99", "written down in the chat", "Anna"):
        assert word in shown.body


async def test_new_for_another_region_goes_there(desk: Desk) -> None:
    told = await desk.told("anna", "!neu --region Berlin A laptop for Berlin")
    number = _number(told.body)
    await desk.card(number, "A laptop for Berlin", room="berlin")
    assert "room of Berlin" in told.body
    assert await desk.cards(number) == []


async def test_new_says_which_field_is_wrong(desk: Desk) -> None:
    assert "e-mail address" in (await desk.told("anna", "!new --email nonsense A laptop")).body
    assert "“subject” is too long" in (await desk.told("anna", f"!new {'x' * 300}")).body
    assert (
        "There is no region “Atlantis”" in (await desk.told("anna", "!new --region Atlantis A laptop")).body
    )
    assert "“text” is missing" in (await desk.told("anna", "!new")).body


async def test_help_lists_all_and_explains_one(desk: Desk) -> None:
    told = await desk.told("anna", "!help")
    for name in (
        "take",
        "release",
        "assign",
        "wait",
        "close",
        "spam",
        "reopen",
        "undo",
        "message",
        "topic",
        "transfer",
        "new",
        "list",
        "mine",
        "waitlist",
        "next",
        "search",
        "show",
        "history",
    ):
        assert f"!{name}" in told.body
    assert "!purge" not in told.body
    one = await desk.told("anna", "!hilfe nehmen")
    assert one.body.startswith("!take [number …] [--force]")
    assert "!take 42: you take ticket 42" in one.body
    assert "There is no command “tkae”. Did you mean !take?" in _flat(
        (await desk.told("anna", "!help tkae")).body
    )


async def test_help_tells_admins_of_theirs(desk: Desk) -> None:
    told = await desk.told("dora", "!help", "admin")
    for name in ("archive", "delete", "restore", "purge", "status"):
        assert f"!{name}" in told.body


def _number(text: str) -> int:
    found = re.search(r"#(\d+)", text)
    assert found, text
    return int(found[1])


def _flat(text: str) -> str:
    return " ".join(text.split())
