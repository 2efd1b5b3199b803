"""What members do to tickets: the card shows it, the command gets a ✅, whoever must know is told."""

import pytest

from tests.desk import Desk


def pill(user_id: str, name: str) -> str:
    """A mention as clients write it into ``formatted_body``."""
    return f'<a href="https://matrix.to/#/{user_id}">{name}</a>'


async def test_take_makes_the_actor_the_assignee(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!take {number}")
    card = await desk.card(number, "🔵", "In progress", "Anna")
    assert pill(desk.person("anna").user_id, "Anna") in (card.formatted_body or "")
    assert card.mentions == frozenset()


async def test_taking_anothers_ticket_is_refused_with_whose_it_is(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!take {number}")
    refusal = await desk.told("ben", f"!take {number}")
    assert "Anna" in refusal.body
    assert f"!take --force {number}" in refusal.body
    assert refusal.mentions == frozenset()
    await desk.card(number, "Anna")


async def test_taking_ones_own_ticket_again_succeeds(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!take {number}")
    await desk.done("anna", f"!take {number}")
    history = await desk.told("anna", f"!history {number}")
    assert history.body.count("took the ticket") == 1


async def test_force_takes_it_over_and_tells_who_lost_it(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!take {number}")
    await desk.done("ben", f"!take {number} --force")
    card = await desk.card(number, "In progress", "Ben")
    told = await desk.hears("freiburg", f"#{number} is no longer yours", "Ben took it over")
    assert told.mentions == {desk.person("anna").user_id}
    assert told.msgtype == "m.text"
    assert told.thread == card.event_id


async def test_release_gives_it_back(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!take {number}")
    await desk.done("anna", f"!release {number}")
    card = await desk.card(number, "🟢", "Open")
    assert "Anna" not in card.body


async def test_only_the_assignee_or_an_admin_releases(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!take {number}")
    refusal = await desk.told("ben", f"!release {number}")
    assert "Anna" in refusal.body
    await desk.done("dora", f"!release {number}", "admin")
    told = await desk.hears("freiburg", f"#{number} is no longer yours", "Dora released it")
    assert told.mentions == {desk.person("anna").user_id}


@pytest.mark.parametrize("way", ["pill", "user id", "name", "local part"])
async def test_assign(desk: Desk, way: str) -> None:
    number = await desk.file()
    ben = desk.person("ben").user_id
    typed = {"pill": "Ben", "user id": ben, "name": "ben", "local part": ben[1:].partition(":")[0]}[way]
    formatted = f"!assign {number} {pill(ben, 'Ben')}" if way == "pill" else None
    mentions = [ben] if way == "pill" else []
    await desk.done("anna", f"!assign {number} {typed}", formatted=formatted, mentions=mentions)
    await desk.card(number, "🟢", "Open", "Ben")
    told = await desk.hears("freiburg", f"#{number} is yours", "Anna")
    assert told.mentions == {ben}
    assert told.msgtype == "m.text"
    await desk.done("ben", f"!take {number}")
    await desk.card(number, "🔵", "In progress", "Ben")


async def test_assign_to_oneself_mentions_nobody(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!assign {number} Anna")
    await desk.card(number, "Open", "Anna")
    await desk.told("anna", "!help assign")
    seen = await desk.person("anna").sees(desk.rooms["freiburg"])
    assert not [each for each in seen if f"#{number} is yours" in each.body]


async def test_assign_to_one_who_is_no_member_is_refused(desk: Desk) -> None:
    number = await desk.file()
    carla = desk.person("carla").user_id
    refusal = await desk.told("anna", f"!assign {number} {carla}")
    assert "not in the room of Freiburg" in refusal.body
    assert refusal.mentions == frozenset()
    unknown = await desk.told("anna", f"!assign {number} Carla")
    assert "nobody called “Carla”" in unknown.body
    assert "Carla" not in (await desk.card(number, "Open")).body


async def test_wait_puts_on_the_waiting_list_with_what_is_needed(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!take {number}")
    await desk.done("anna", f"!wait {number} a laptop with a camera")
    card = await desk.card(number, "⏳", "On waiting", "Needed: a laptop with a camera", "Waiting since")
    assert "Anna" not in card.body
    assert f"#{number}" in (await desk.told("ben", "!waitlist")).body


async def test_a_topic_without_a_waiting_list_cannot_wait(desk: Desk) -> None:
    number = await desk.file(topicId=11)
    refusal = await desk.told("anna", f"!wait {number}")
    assert "“Donation offer” has no waiting list" in refusal.body
    assert f"!topic {number}" in refusal.body
    await desk.done("anna", f"!topic {number} donation_request")
    await desk.done("anna", f"!wait {number}")


async def test_close_with_a_reason(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!close {number} laptop handed over")
    await desk.card(number, "✅", "Closed", "Reason: laptop handed over")


async def test_closed_twice_is_refused_and_tells_what_is_possible(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!close {number}")
    refusal = await desk.told("anna", f"!close {number}")
    assert "its status is “Closed”" in refusal.body
    for possible in ("take", "wait", "reopen", "spam"):
        assert f"!{possible} {number}" in refusal.body


async def test_spam_and_reopen(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!spam {number}")
    await desk.card(number, "🚫", "Closed (spam)")
    await desk.done("ben", f"!reopen {number}")
    await desk.card(number, "🟢", "Open")


async def test_reopen_keeps_the_assignee(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!take {number}")
    await desk.done("ben", f"!close {number}")
    await desk.done("ben", f"!reopen {number}")
    await desk.card(number, "🟢", "Open", "Anna")


async def test_undo_brings_back_status_and_assignee(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!take {number}")
    await desk.done("ben", f"!wait {number} a charger")
    refusal = await desk.told("anna", f"!undo {number}")
    assert "Ben" in refusal.body
    assert "only they can undo it" in refusal.body
    await desk.done("ben", f"!undo {number}")
    card = await desk.card(number, "🔵", "In progress", "Anna")
    assert "charger" not in card.body
    again = await desk.told("ben", f"!undo {number}")
    assert "cannot be undone" in again.body


async def test_topic_is_corrected_by_key_or_name(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!topic {number} donation_offer")
    await desk.card(number, "Donation offer")
    await desk.done("anna", f"!topic {number} Sonstiges")
    await desk.card(number, "Other")
    unknown = await desk.told("anna", f"!topic {number} donation_ofer")
    assert 'Did you mean "Donation offer"?' in unknown.body
    assert "Donation request" in unknown.body
