"""A requester writes again: over the API, or on the phone to a member who writes it down."""

import re
from typing import Any

import aiohttp

from tests.desk import Desk


async def test_the_assignee_is_mentioned_in_the_thread(desk: Desk) -> None:
    number = await desk.file(name="Toni Moe")
    await desk.done("anna", f"!take {number}")
    card = await desk.card(number, "🔵")
    status, text = await _write(desk, number, "Is it ready?")
    assert (status, text) == (201, str(number))
    told = await desk.hears("freiburg", "Is it ready?", f"#{number}", "Toni Moe")
    assert told.mentions == {desk.person("anna").user_id}
    assert (told.msgtype, told.thread) == ("m.text", card.event_id)
    await desk.card(number, "🔵", "Anna")


async def test_without_an_assignee_every_member_is_mentioned(desk: Desk) -> None:
    number = await desk.file()
    await _write(desk, number, "Anybody there?")
    told = await desk.hears("freiburg", "Anybody there?")
    assert told.mentions == {desk.person("anna").user_id, desk.person("ben").user_id}


async def test_it_reopens_a_closed_ticket(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!take {number}")
    await desk.done("anna", f"!close {number} done")
    await _write(desk, number, "It broke again")
    card = await desk.card(number, "🟢", "Open", "Anna")
    assert "done" not in card.body
    told = await desk.hears("freiburg", "It broke again", f"#{number} is open again")
    assert told.mentions == {desk.person("anna").user_id}


async def test_waiting_stays_waiting(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!wait {number}")
    await _write(desk, number, "Still waiting here")
    await desk.hears("freiburg", "Still waiting here")
    await desk.card(number, "⏳")


async def test_on_spam_it_is_stored_and_nobody_is_told(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!spam {number}")
    status, _ = await _write(desk, number, "Buy my watches")
    assert status == 201
    told = await desk.told("anna", f"!show {number}")
    assert "Buy my watches" in told.body
    await desk.card(number, "🚫")
    seen = await desk.person("anna").sees(desk.rooms["freiburg"])
    assert [each.reply_to for each in seen if "Buy my watches" in each.body] == [told.reply_to]


async def test_on_an_archived_ticket_it_opens_a_new_one_that_names_it(desk: Desk) -> None:
    number = await desk.file("Archived subject")
    await desk.done("anna", f"!close {number}")
    await desk.done("dora", f"!archive {number}", "admin")
    status, text = await _write(desk, number, "Hello again")
    assert status == 201
    follower = int(text)
    assert follower != number
    await desk.card(follower, "🟢", "Archived subject", f"continues #{number}", "> Hello again")


async def test_who_sent_the_form_writes_on_and_withdraws_on_a_page_of_their_own(desk: Desk) -> None:
    async with aiohttp.ClientSession() as session:

        async def page(path: str, **fields: str) -> tuple[str, str]:
            """Open a page, or send its form if there are fields; text and path."""
            ask: dict[str, Any] = {"method": "POST", "data": fields} if fields else {"method": "GET"}
            async with session.request(url=f"{desk.url}{path}", **ask) as answer:
                assert answer.status == 200
                return await answer.text(), answer.url.path

        def token(text: str) -> str:
            return str(re.findall(r'name="token" value="([^"]+)"', text)[0])

        entered = {"topic": "other", "region": "freiburg", "name": "Ute", "email": "ute@example.org"}
        entered |= {"subject": "A screen", "message": "Please"}
        desk.filed |= {"ute@example.org", "A screen"}
        sent, _path = await page("/?lang=en", token=token((await page("/"))[0]), **entered)
        number, link = re.findall(r'href="\.\./(request/f(\d+)-[^"?]+)', sent)[0][::-1]
        await desk.done("anna", f"!take {number}")
        with aiohttp.MultipartWriter("form-data") as form:
            for name, value in (("token", token((await page(f"/{link}"))[0])), ("message", "A big one")):
                form.append(value).set_content_disposition("form-data", name=name)
            async with session.post(f"{desk.url}/{link}", data=form) as answer:
                assert (answer.status, answer.url.path) == (200, f"/{link}")
        told = await desk.hears("freiburg", "A big one", f"#{number}")
        assert told.mentions == {desk.person("anna").user_id}
        asked, _path = await page(f"/{link}/withdraw")
        assert (await page(f"/{link}/withdraw?lang=en", token=token(asked)))[1] == f"/{link}"
    told = await desk.hears("freiburg", f"Ute withdrew #{number}")
    card = await desk.card(int(number), "✅")
    assert told.mentions == {desk.person("anna").user_id}
    assert told.thread == card.event_id
    assert "requester withdrew the request" in (await desk.told("anna", f"!history {number}")).body


async def test_a_member_writes_down_what_was_said(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!take {number}")
    await desk.done("anna", f"!close {number}")
    await desk.done("ben", f"!message {number} can come on Friday\nafter five")
    told = await desk.hears("freiburg", "can come on Friday", "is open again")
    assert told.mentions == {desk.person("anna").user_id}
    assert "Ben" in told.body
    await desk.card(number, "🟢", "Anna")
    assert "> after five" in (await desk.told("anna", f"!show {number}")).body


async def test_who_wrote_it_down_is_not_mentioned(desk: Desk) -> None:
    number = await desk.file()
    card = await desk.card(number)
    await desk.done("ben", "!nachricht called back", thread=card.event_id)
    told = await desk.hears("freiburg", "called back", thread=card.event_id)
    assert told.mentions == {desk.person("anna").user_id}


async def test_written_down_for_an_archived_ticket_it_tells_the_new_number(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!close {number}")
    await desk.done("dora", f"!archive {number}", "admin")
    told = await desk.told("anna", f"!message {number} wants another one")
    assert f"#{number} can take no more messages" in told.body
    follower = await desk.hears("freiburg", "wants another one", f"continues #{number}")
    assert follower.body.split()[1] in told.body


async def test_a_retry_gives_one_ticket_one_message_one_card(desk: Desk) -> None:
    body = {"name": "Kim Doe", "email": "kim@example.org", "subject": "Only once", "message": "please",
            "region": "freiburg"}  # fmt: skip
    answers = [
        await desk.post("/api/tickets.json", body, **{"Idempotency-Key": "only-once"}) for _ in range(3)
    ]
    assert len(set(answers)) == 1
    number = int(answers[0][1])
    await desk.card(number)
    told = [
        await desk.post(
            f"/api/tickets/{number}/messages", {"message": "One more"}, **{"Idempotency-Key": "m"}
        )
        for _ in range(3)
    ]
    assert set(told) == {(201, str(number))}
    await desk.hears("freiburg", "One more")
    shown = await desk.told("anna", f"!show {number}")
    assert shown.body.count("One more") == 1
    seen = await desk.person("anna").sees(desk.rooms["freiburg"])
    assert len([each for each in seen if "One more" in each.body]) == 2
    assert len([each for each in seen if desk.is_card(each) and "Only once" in each.body]) == 1


async def test_an_unknown_number(desk: Desk) -> None:
    assert await _write(desk, 2_000_000_000, "Hello?") == (404, "No such ticket")


async def _write(desk: Desk, number: int, text: str) -> tuple[int, str]:
    desk.filed.add(text)
    return await desk.post(f"/api/tickets/{number}/messages", {"message": text})
