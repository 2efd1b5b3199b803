"""The contact form over a real socket, without a browser."""

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_network
from urllib.parse import urlencode

import pytest

from storage.models import IdempotencyKey, Requester, Secret, Ticket, TicketMessage
from tests.intake_site import SETTINGS, Site, form_settings, site

GOOD = {
    "topic": "donation_request",
    "region": "freiburg",
    "name": "Maria Muster",
    "email": "maria@example.org",
    "phone": "0761 1234",
    "subject": "Laptop für die Ausbildung",
    "message": "Guten Tag,\r\nich beginne im Herbst.",
}


@dataclass
class Page:
    """An answer to a browser."""

    status: int
    text: str
    url: str
    headers: dict[str, str]

    @property
    def token(self) -> str:
        """The one-time token in the page."""
        found = re.search(r'name="token" value="([^"]+)"', self.text)
        assert found is not None
        return found[1]


async def get(running: Site, path: str = "/", **headers: str) -> Page:
    """Open a page."""
    async with running.http.get(running.url + path, headers=headers) as answer:
        return Page(answer.status, await answer.text(), answer.url.path_qs, dict(answer.headers))


async def post(running: Site, fields: dict[str, str], query: str = "", **headers: str) -> Page:
    """Send the form and go where the answer leads."""
    async with running.http.post(f"{running.url}/{query}", data=fields, headers=headers) as answer:
        return Page(answer.status, await answer.text(), answer.url.path_qs, dict(answer.headers))


async def test_a_filled_form_becomes_a_ticket(both: Site) -> None:
    empty = await get(both)
    page = await post(both, GOOD | {"token": empty.token})
    assert (page.status, page.url) == (200, f"/sent/{empty.token}?lang=de")
    assert "#1" in page.text
    assert not any(GOOD[field] in page.text for field in ("name", "email", "phone", "subject"))
    [ticket], [person] = await both.rows(Ticket), await both.rows(Requester)
    assert (ticket.team, ticket.topic, ticket.subject, ticket.intake) == (
        "freiburg",
        "donation_request",
        GOOD["subject"],
        "form",
    )
    assert (person.name, person.email, person.phone) == ("Maria Muster", "maria@example.org", "0761 1234")
    assert [row.text for row in await both.rows(TicketMessage)] == ["Guten Tag,\nich beginne im Herbst."]


async def test_a_double_tap_is_one_ticket(both: Site) -> None:
    fields = GOOD | {"token": (await get(both)).token}
    pages = await asyncio.gather(*(post(both, fields) for _ in range(8)))
    again = await post(both, fields | {"subject": "Changed meanwhile"})
    assert {(page.status, page.url) for page in (*pages, again)} == {
        (200, f"/sent/{fields['token']}?lang=de")
    }
    assert len(await both.rows(Ticket)) == 1
    assert len(await both.rows(IdempotencyKey)) == 1


async def test_without_a_region_it_goes_to_triage(here: Site) -> None:
    await post(here, GOOD | {"token": (await get(here)).token, "region": "", "phone": ""})
    assert [(ticket.team, ticket.region) for ticket in await here.rows(Ticket)] == [(None, None)]


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("topic", "", "Please choose what it is about."),
        ("topic", "made up", "What is it about?: please choose from the list."),
        ("region", "made up", "Which region is nearest to you?: please choose from the list."),
        ("name", " ", "Please enter your name."),
        ("name", "x" * 101, "Your name: please shorten this to at most 100 characters."),
        ("email", "", "Please enter your e-mail address."),
        ("email", "maria", "Please check your e-mail address. It should look like name@example.org."),
        ("phone", "1" * 41, "Your phone number: please shorten this to at most 40 characters."),
        ("subject", "", "Please enter a subject."),
        ("message", "", "Please write what it is about."),
        ("message", "x" * 20_001, "Your message: please shorten this to at most 20000 characters."),
    ],
)
async def test_what_is_wrong_stands_at_the_field_and_nothing_is_lost(
    here: Site, field: str, value: str, told: str
) -> None:
    token = (await get(here)).token
    page = await post(here, GOOD | {"token": token, field: value}, "?lang=en")
    assert page.status == 400
    focus = "topic-0" if field == "topic" else field
    assert f'<a href="#{focus}">{told}</a>' in page.text
    assert f'id="{field}-error">{told}</p>' in page.text
    assert page.text.count('aria-invalid="true"') == 1
    kept = [GOOD[name] for name in ("name", "email", "phone", "subject") if name != field]
    assert all(f'value="{text}"' in page.text for text in kept)
    assert field == "message" or "ich beginne im Herbst." in page.text
    assert page.token == token
    assert await here.rows(Ticket) == []


async def test_everything_wrong_is_told_at_once(here: Site) -> None:
    page = await post(here, {"token": (await get(here)).token}, "?lang=en")
    assert page.status == 400
    assert page.text.count("<li><a href=") == 5
    assert "<title>Please check · Contact form</title>" in page.text


async def test_hostile_entries_are_shown_as_text(here: Site) -> None:
    hostile = "\"><script>alert(1)</script>\x00\u202e'{{ 7 * 7 }}"
    entered = dict.fromkeys(GOOD, hostile) | {"email": hostile}
    page = await post(here, entered | {"token": (await get(here)).token})
    assert page.status == 400
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert not {"\x00", "\u202e"} & set(page.text)


async def test_hostile_text_is_filed_as_written(here: Site) -> None:
    hostile = "<b>@room</b> \x07[x](http://a)"
    fields = GOOD | {"name": hostile, "subject": hostile, "message": hostile}
    assert (await post(here, fields | {"token": (await get(here)).token})).status == 200
    assert [ticket.subject for ticket in await here.rows(Ticket)] == ["<b>@room</b> [x](http://a)"]


async def test_the_honeypot_asks_to_press_once_more(here: Site) -> None:
    token = (await get(here)).token
    page = await post(here, GOOD | {"token": token, "website": "https://example.org"}, "?lang=en")
    assert page.status == 400
    assert "press “Send” once more" in page.text
    assert 'value="Maria Muster"' in page.text
    assert 'name="website" type="text" value=""' in page.text
    assert await here.rows(Ticket) == []
    assert (await post(here, GOOD | {"token": page.token, "website": ""})).status == 200
    assert len(await here.rows(Ticket)) == 1


async def test_an_old_form_is_shown_again_with_its_entries(here: Site) -> None:
    token = (await get(here)).token
    here.late = timedelta(hours=24, minutes=1)
    page = await post(here, GOOD | {"token": token}, "?lang=en")
    assert page.status == 400
    assert "open for a long time" in page.text
    assert 'value="Maria Muster"' in page.text
    assert page.token != token
    assert (await post(here, GOOD | {"token": page.token})).status == 200


async def test_an_old_form_that_was_sent_still_leads_to_its_number(here: Site) -> None:
    fields = GOOD | {"token": (await get(here)).token}
    sent = await post(here, fields)
    here.late = timedelta(days=3)
    assert (await post(here, fields)).url == sent.url
    assert len(await here.rows(Ticket)) == 1


@pytest.mark.parametrize(
    "forged", ["", "x", "6b0474c3.AAAAAAAAAAAAAAAAAAAAAA." + "A" * 43, "é" * 40, "0" * 9000]
)
async def test_a_forged_token_files_nothing(here: Site, forged: str) -> None:
    page = await post(here, GOOD | {"token": forged})
    assert page.status == 400
    assert page.token != forged
    assert await here.rows(Ticket) == []


async def test_a_changed_token_files_nothing(here: Site) -> None:
    issued, token_id, mac = (await get(here)).token.split(".")
    later = f"{int(issued, 16) + 3600:x}.{token_id}.{mac}"
    assert (await post(here, GOOD | {"token": later})).status == 400
    assert (await get(here, f"/sent/{later}")).status == 404


async def test_tokens_outlive_a_restart(sqlite_database: str) -> None:
    async with site(sqlite_database) as running:
        token = (await get(running)).token
        [secret] = [row for row in await running.rows(Secret) if row.name == "form"]
        assert len(bytes.fromhex(secret.value)) == 32
    async with site(sqlite_database, key_name="tests again") as running:
        assert (await post(running, GOOD | {"token": token})).status == 200


async def test_the_result_page_of_nothing(here: Site) -> None:
    unused = (await get(here)).token
    for token in (unused, "x", "%00", "é"):
        page = await get(here, f"/sent/{token}")
        assert (page.status, "#" in page.text.partition("<main>")[2]) == (404, False)


async def test_too_many_requests_have_to_wait(sqlite_database: str) -> None:
    async with site(sqlite_database, form_settings(per_address=2)) as running:
        first = GOOD | {"token": (await get(running)).token}
        assert (await post(running, first)).status == 200
        running.late = timedelta(minutes=4)
        assert (await post(running, GOOD | {"token": (await get(running)).token})).status == 200
        blocked = GOOD | {"token": (await get(running)).token}
        page = await post(running, blocked, "?lang=en")
        assert page.status == 429
        assert 350 <= int(page.headers["Retry-After"]) <= 361
        assert "Please try again in 6 minutes." in page.text
        assert 'value="Maria Muster"' in page.text
        assert (await post(running, first)).status == 200
        running.late = timedelta(minutes=10, seconds=5)
        assert (await post(running, GOOD | {"token": page.token})).status == 200
        assert len(await running.rows(Ticket)) == 3


async def test_the_limit_is_per_address_and_ipv6_network(sqlite_database: str) -> None:
    limited = replace(form_settings(per_address=1), trusted_proxies=(ip_network("127.0.0.1"),))
    async with site(sqlite_database, limited) as running:
        for address, status in (
            ("2001:db8:0:1::1", 200),
            ("2001:db8:0:1::2", 429),
            ("2001:db8:0:2::1", 200),
            ("192.0.2.1", 200),
            ("::ffff:192.0.2.1", 429),
            ("192.0.2.2", 200),
        ):
            fields = GOOD | {"token": (await get(running)).token}
            page = await post(running, fields, **{"X-Forwarded-For": address})
            assert (address, page.status) == (address, status)


async def test_wrong_entries_do_not_count_against_the_limit(sqlite_database: str) -> None:
    async with site(sqlite_database, form_settings(per_address=1)) as running:
        token = (await get(running)).token
        for _ in range(5):
            assert (await post(running, {"token": token})).status == 400
        assert (await post(running, GOOD | {"token": token})).status == 200


@pytest.mark.parametrize(
    ("path", "accepted", "language"),
    [
        ("/", "", "de"),
        ("/", "en-GB,en;q=0.9,de;q=0.8", "en"),
        ("/", "fr, de-AT;q=0.5, en;q=0.1", "de"),
        ("/", "de;q=0, en;q=0.2", "en"),
        ("/", "fr", "de"),
        ("/", ";;q=,en;q=x,,q=nan", "de"),
        ("/?lang=en", "de", "en"),
        ("/?lang=xx", "en", "en"),
    ],
)
async def test_the_language_is_the_visitors(here: Site, path: str, accepted: str, language: str) -> None:
    page = await get(here, path, **{"Accept-Language": accepted})
    assert f'<html lang="{language}">' in page.text
    assert ("Your message" if language == "en" else "Ihre Nachricht") in page.text
    assert f'href="?lang={"de" if language == "en" else "en"}"' in page.text
    assert ("Strasbourg" if language == "en" else "Straßburg") in page.text


async def test_the_result_keeps_the_language(here: Site) -> None:
    page = await post(
        here, GOOD | {"token": (await get(here)).token}, "?lang=en", **{"Accept-Language": "de"}
    )
    assert "your request has arrived" in page.text


async def test_pages_load_nothing_from_elsewhere_and_are_not_kept(here: Site) -> None:
    page = await get(here)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "aiohttp" not in page.headers["Server"]
    assert re.findall(r'(?:src|href)="(https?://[^"]+)', page.text) == ["https://example.org/privacy"]
    found = re.search(r'href="(static/[^"]+)"', page.text)
    assert found is not None
    style = await get(here, f"/{found[1]}")
    assert (style.status, style.headers["Content-Type"]) == (200, "text/css; charset=utf-8")


async def test_bodies_that_are_no_form(here: Site) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, status in (
        (b"\xff\xfe%ff%00&=&&name=%", 400),
        (urlencode([("a", "b")] * 60).encode(), 400),
        (b"message=" + b"x" * 600_000, 413),
        (b"{}", 400),
    ):
        async with here.http.post(here.url, data=body, headers=headers) as answer:
            assert answer.status == status
    assert await here.rows(Ticket) == []


async def test_the_form_can_be_turned_off(sqlite_database: str) -> None:
    async with site(sqlite_database, form_settings(enabled=False)) as running:
        assert (await get(running)).status == 404
        assert (await post(running, GOOD)).status == 404
        assert (await running.call(json=GOOD))[0] == 201


async def test_choices_are_left_out_where_there_is_nothing_to_choose(sqlite_database: str) -> None:
    async with site(sqlite_database, replace(SETTINGS, regions=(), topics=())) as running:
        page = await get(running)
        assert not {'name="region"', 'name="topic"'} & set(re.findall(r'name="\w+"', page.text))
        fields = {name: value for name, value in GOOD.items() if name not in ("region", "topic")}
        assert (await post(running, fields | {"token": page.token})).status == 200
