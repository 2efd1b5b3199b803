"""Lists that answer a question, `next` and `search`, as a client in the room shows them."""

import asyncio
import re

from tests.desk import Desk
from tests.timeline import Shown


def link_to(desk: Desk, card: Shown, number: int, room: str) -> str:
    """The number as a link to the ticket's card."""
    event_id = card.event_id.replace("$", "%24")
    url = f"https://matrix.to/#/{desk.rooms[room]}/{event_id}"
    return f'<a href="{url}">#{number}</a>'


def html(shown: Shown) -> str:
    """The formatted body with ``$`` escaped, as links may have it either way."""
    return (shown.formatted_body or "").replace("$", "%24")


async def test_list_by_topic_and_age_in_either_language(desk: Desk) -> None:
    offer = await desk.file("Two monitors", "berlin", topicId=11)
    other = await desk.file("A laptop", "berlin")
    card = await desk.card(offer, room="berlin")
    await desk.done("carla", f"!take {offer}", "berlin")
    for line in ("!list donation_offer", "!liste Gerätespende", '!list --topic "Donation offer"'):
        told = await desk.told("carla", line, "berlin")
        title, *lines = told.body.splitlines()
        assert re.fullmatch(r"Open tickets · Donation offer \(\d+\)", title)
        assert f"• 🔵 #{offer} · Two monitors · Carla" in lines
        assert f"#{other} " not in told.body
        assert "<ul><li>" in html(told)
        assert link_to(desk, card, offer, "berlin") in html(told)
    quiet = await desk.told("carla", "!list donation_offer --age 3", "berlin")
    assert "untouched for at least 3 days: nothing there" in quiet.body


async def test_a_list_that_there_is_not_and_one_that_is_for_admins(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!close {number}")
    wrong = await desk.told("anna", "!liste wartelste")
    assert "There is no list “wartelste”" in wrong.body
    assert "Did you mean warteliste?" in wrong.body
    assert "Only admins may do that" in (await desk.told("anna", "!list --all")).body
    assert "“age” is a number of days" in (await desk.told("anna", "!list --age soon")).body
    everything = await desk.told("dora", "!list --all", "admin")
    assert everything.body.startswith("All tickets, the newest first (")
    assert f"✅ #{number} · Laptop wanted · Freiburg · last changed" in everything.body


async def test_a_long_list_shows_a_page_and_how_to_get_the_next(desk: Desk) -> None:
    numbers = await asyncio.gather(
        *(desk.file(f"Offer {index}", "elsewhere", topicId=11) for index in range(11))
    )
    await desk.card(max(numbers), room="triage")
    told = await desk.told("tim", "!list donation_offer", "triage")
    title, *lines = told.body.splitlines()
    assert re.fullmatch(r"Open tickets · Donation offer \(1–10 of \d+\)", title)
    assert sum(" · Offer " in line or "🟢" in line for line in lines) == 10
    assert lines[-1] == "▶️ or !more: the next ones"


async def test_next_shows_the_oldest_that_nobody_has(desk: Desk) -> None:
    filed = await desk.file("Somebody else can take this", "berlin")
    await desk.card(filed, room="berlin")
    told = await desk.told("carla", "!next", "berlin")
    found = re.search(r"🟢 #(\d+) · ", told.body)
    assert found, told.body
    number = int(found[1])
    assert number <= filed
    assert f"It becomes yours with !take {number}" in told.body
    card = await desk.card(number, "🟢", "Open", room="berlin")
    assert link_to(desk, card, number, "berlin") in html(told)
    await desk.done("carla", f"!take {number}", "berlin")
    assert f"#{number} " not in (await desk.told("carla", "!nächstes", "berlin")).body


async def test_search_finds_words_wherever_they_stand(desk: Desk) -> None:
    number = await desk.file(
        "Grüner Papagei", name="Ilse Zwirnsfaden", email="ilse@vogel.example",
        message="Das Gerät steht im Käfig bei den Nymphensittichen & <b>pfeift</b>.",
    )  # fmt: skip
    card = await desk.card(number)
    told = await desk.told("anna", "!suche NYMPHENSITTICH gruner zwirn")
    assert told.body.splitlines() == [
        "Found (1)",
        f"🟢 #{number} · Grüner Papagei · Open",
        "From: Ilse Zwirnsfaden",
        "Das Gerät steht im Käfig bei den Nymphensittichen & <b>pfeift</b>.",
    ]
    assert link_to(desk, card, number, "freiburg") in html(told)
    assert "<strong>Grüner</strong> Papagei" in html(told)
    assert "<strong>Nymphensittichen</strong> &amp; &lt;b&gt;pfeift" in html(told)
    for line in ('!search "Grüner Papagei"', "!search Ilse@vogel.example"):
        assert f"#{number} " in (await desk.told("anna", line)).body
    assert "Nothing found" in (await desk.told("anna", '!search "Papagei grüner"')).body
    assert "Nothing found" in (await desk.told("carla", "!search Papagei", "berlin")).body
    assert "I need a word" in (await desk.told("anna", "!search 🙂 ***")).body
    await desk.done("anna", f"!message {number} Kakadu")
    assert f"#{number} " in (await desk.told("anna", "!search papagei kakadu")).body
