"""The HTTP API over a real socket, on both databases where it matters what they do."""

import asyncio
import base64
import json
from dataclasses import replace

import pytest

from bot.domain.words import Status
from bot.services import apikeys
from storage.models import Attachment, IdempotencyKey, Requester, Ticket, TicketMessage
from tests.intake_site import CREATE, POLICY, REQUEST, Site, site


async def test_a_request_becomes_a_ticket_with_everything_in_it(both: Site) -> None:
    body = REQUEST | {
        "phone": "+49 761 1234",
        "alert": True,
        "autorespond": False,
        "source": "API",
        "ip": "198.51.100.7",
        "priorityId": 2,
        "device": "laptop",
        "age": 19,
        "attachments": [{"../zeugnis.txt": "data:text/plain;charset=iso-8859-1;base64,w7w="}],
    }
    assert await both.call(json=body) == (201, "1")
    [ticket] = await both.rows(Ticket)
    assert (ticket.team, ticket.region, ticket.topic, ticket.subject, ticket.intake) == (
        "freiburg",
        "freiburg",
        "donation_request",
        REQUEST["subject"],
        "http",
    )
    [person] = await both.rows(Requester)
    assert (person.name, person.email, person.phone) == ("Maria Muster", "maria@example.org", "+49 761 1234")
    [message] = await both.rows(TicketMessage)
    assert message.text == REQUEST["message"]
    assert message.extra == {"device": "laptop", "age": "19"}
    [file] = await both.rows(Attachment)
    assert (file.name, file.media_type, file.data) == (
        "zeugnis.txt",
        "text/plain; charset=iso-8859-1",
        "ü".encode(),
    )


async def test_the_answer_is_the_bare_number_as_osticket_gives_it(here: Site) -> None:
    path = here.url + "/api/http.php/tickets.json"
    async with here.http.post(path, json=REQUEST, headers={"X-API-Key": here.key}) as answer:
        assert (answer.status, answer.content_type, await answer.text()) == (201, "text/plain", "1")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_who_asks_for_json_gets_the_link_to_the_requesters_page(both: Site) -> None:
    json_please = {"Accept": "application/json", "Idempotency-Key": "one"}
    told = []
    for _retry in range(2):
        status, text = await both.call(json=REQUEST, headers=json_please)
        assert status == 201
        told.append(json.loads(text))
    assert [each["number"] for each in told] == [1, 1]
    address = both.units.policy.page and both.units.policy.page.address
    assert told[0]["link"].startswith(f"{address}/request/f1-")
    path = "/api/tickets/1/messages"
    later = await both.call(path, json={"message": "From elsewhere"}, headers={"Accept": "application/json"})
    assert (later[0], json.loads(later[1])) == (201, {"number": 1, "link": None})
    async with both.http.get(told[0]["link"].replace(address, both.url) + "?lang=en") as answer:
        page = await answer.text()
    assert (answer.status, REQUEST["message"].splitlines()[1] in page) == (200, True)
    assert "Our answers are not shown" in page
    assert "From elsewhere" not in page
    no_key = await both.call(json=REQUEST, headers={"Accept": "application/json", "X-API-Key": "tt_x"})
    assert no_key == (401, "Valid API key required")


async def test_without_an_address_or_a_page_there_is_no_link(sqlite_database: str) -> None:
    assert POLICY.page is not None
    for name, page in (("none", None), ("nameless", replace(POLICY.page, address=None))):
        async with site(sqlite_database, policy=replace(POLICY, page=page), key_name=name) as running:
            _status, text = await running.call(json=REQUEST, headers={"Accept": "application/json"})
        assert json.loads(text)["link"] is None


@pytest.mark.parametrize(
    ("region", "team", "kept"),
    [
        ("freiburg", "freiburg", None),
        ("FREIBURG IM BREISGAU", "freiburg", None),
        ({"strasbourg": "Straßburg"}, "strasbourg", None),
        ({"7": "Straßburg"}, "strasbourg", None),
        ("elsewhere", None, None),
        ("Atlantis", None, {"region": "Atlantis"}),
        (4711, None, {"region": "4711"}),
        ("", None, None),
        (None, None, None),
        ({}, None, None),
    ],
)
async def test_the_region_decides_the_team(
    here: Site, region: object, team: str | None, kept: dict[str, str] | None
) -> None:
    assert await here.call(json=REQUEST | {"region": region}) == (201, "1")
    assert [ticket.team for ticket in await here.rows(Ticket)] == [team]
    assert [message.extra for message in await here.rows(TicketMessage)] == [kept]


@pytest.mark.parametrize(
    ("topic_id", "topic"),
    [
        (10, "donation_request"),
        ("11", "donation_offer"),
        ("donation_offer", "donation_offer"),
        ("spendenanfrage", "donation_request"),
        (99, "other"),
        (None, "other"),
        (True, "other"),
    ],
)
async def test_the_topic_comes_by_number_key_or_name(here: Site, topic_id: object, topic: str) -> None:
    assert await here.call(json=REQUEST | {"topicId": topic_id}) == (201, "1")
    assert [ticket.topic for ticket in await here.rows(Ticket)] == [topic]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            "data:text/html,<h1>Hi</h1><p>one<br>two &amp; three</p><script>evil()</script>",
            "Hi\n\none\ntwo & three",
        ),
        (
            "data:text/html;charset=utf-8;base64," + base64.b64encode("<p>Grüße</p>".encode()).decode(),
            "Grüße",
        ),
        ("data:text/plain;charset=iso-8859-1,Gr%FC%DFe%0Aan alle", "Grüße\nan alle"),
        ("data:,just%20text", "just text"),
        ("data: I lost all of it", "data: I lost all of it"),
    ],
)
async def test_a_message_may_be_a_data_url(here: Site, message: str, text: str) -> None:
    assert (await here.call(json=REQUEST | {"message": message}))[0] == 201
    assert [row.text for row in await here.rows(TicketMessage)] == [text]


async def test_ten_retries_at_once_make_one_ticket(both: Site) -> None:
    headers = {"Idempotency-Key": "order-66"}
    answers = await asyncio.gather(*(both.call(json=REQUEST, headers=headers) for _ in range(10)))
    [ticket] = await both.rows(Ticket)
    assert set(answers) == {(201, str(ticket.number))}
    assert len(await both.rows(TicketMessage)) == 1


async def test_a_retry_key_stands_for_one_request_of_one_client(both: Site) -> None:
    headers = {"Idempotency-Key": "order-66"}
    assert (await both.call(json=REQUEST, headers=headers)) == (201, "1")
    status, reason = await both.call(json=REQUEST | {"subject": "Other"}, headers=headers)
    assert (status, reason) == (409, "Idempotency-Key was used for another request")
    assert (await both.call("/api/tickets/1/messages", json=REQUEST, headers=headers))[0] == 409
    both.key = await both.units.run(lambda unit: apikeys.create(unit, "another client"))
    assert (await both.call(json=REQUEST, headers=headers)) == (201, "2")


@pytest.mark.parametrize("retry", ["", "with space", "ü", "x" * 256])
async def test_a_malformed_retry_key_is_refused(here: Site, retry: str) -> None:
    status, reason = await here.call(json=REQUEST, headers={"Idempotency-Key": retry})
    assert (status, reason.partition(":")[0]) == (400, "Idempotency-Key")


async def test_a_message_reaches_its_ticket_once(both: Site) -> None:
    await both.call(json=REQUEST)
    body = {"message": "data:text/html,<p>Noch etwas</p>", "attachments": [{"a.txt": "data:,hello"}]}
    headers = {"Idempotency-Key": "again"}
    path = "/api/tickets/1/messages"
    answers = await asyncio.gather(*(both.call(path, json=body, headers=headers) for _ in range(10)))
    assert set(answers) == {(201, "1")}
    assert [row.text for row in await both.rows(TicketMessage)] == [REQUEST["message"], "Noch etwas"]
    assert [file.data for file in await both.rows(Attachment)] == [b"hello"]
    assert len(await both.rows(IdempotencyKey)) == 1


@pytest.mark.parametrize(
    ("status", "number", "after"),
    [
        (Status.CLOSED, "1", "open"),
        (Status.SPAM, "1", "spam"),
        (Status.ARCHIVED, "2", "archived"),
        (Status.DELETED, "2", "deleted"),
    ],
)
async def test_a_message_follows_the_lifecycle(both: Site, status: Status, number: str, after: str) -> None:
    await both.call(json=REQUEST)
    with both.database.write() as session:
        ticket = session.get_one(Ticket, 1)
        ticket.status = status.value
        session.add(ticket)
    assert await both.call("/api/tickets/1/messages", json={"message": "Hallo?"}) == (201, number)
    assert (await both.rows(Ticket))[0].status == after


@pytest.mark.parametrize("number", ["2", "0", "999999999999999", "9999999999999999999999", "-1", "x", "１"])
async def test_a_message_to_no_ticket_is_refused(both: Site, number: str) -> None:
    assert (await both.call(f"/api/tickets/{number}/messages", json={"message": "Hallo?"}))[0] == 404


async def test_a_message_is_checked(here: Site) -> None:
    await here.call(json=REQUEST)
    bad = {"message": "", "attachments": 5}
    reasons = "message is missing; attachments cannot be read"
    assert await here.call("/api/tickets/1/messages", json=bad) == (400, reasons)


async def test_health(here: Site) -> None:
    async with here.http.get(here.url + "/readyz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok"})
    here.problems["sync"] = "no answer for 90 s"
    async with here.http.get(here.url + "/readyz") as answer:
        assert answer.status == 503
        assert (await answer.json())["problems"] == {"sync": "no answer for 90 s"}
    async with here.http.get(here.url + "/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok"})


async def test_shutting_down_does_not_wait_for_the_slow(sqlite_database: str) -> None:
    loop = asyncio.get_running_loop()
    async with site(sqlite_database) as running:
        port = int(running.url.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = (
            f"POST {CREATE} HTTP/1.1\r\nHost: x\r\nX-API-Key: {running.key}\r\nContent-Length: 500\r\n\r\n{{"
        )
        writer.write(head.encode())
        await writer.drain()
        await asyncio.sleep(0.1)
        began = loop.time()
    assert loop.time() - began < 2.5
    writer.close()
