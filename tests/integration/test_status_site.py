"""The page behind a requester's link over a real socket, without a browser."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest

from bot.domain.words import Intake
from bot.services import intake, status_links
from bot.services.status_links import Proof
from bot.services.unit import Unit
from storage import rows
from storage.models import Attachment, OutboxRow, Secret, Ticket, TicketMessage
from tests.intake_site import POLICY, SETTINGS, Site, form_settings, site
from tests.integration.desk_data import request

LIMITED = replace(SETTINGS, max_attachment=2048, max_attachments=2, max_body=16 * 1024)


@pytest.fixture
async def here(sqlite_database: str) -> AsyncIterator[Site]:
    async with site(sqlite_database, LIMITED) as running:
        yield running


@pytest.fixture
async def both(database_url: str) -> AsyncIterator[Site]:
    async with site(database_url, LIMITED) as running:
        yield running


@dataclass
class Page:
    """An answer to a browser."""

    status: int
    text: str
    path: str
    headers: dict[str, str]

    @property
    def token(self) -> str:
        """The token against forged requests."""
        found = re.search(r'name="token" value="([^"]+)"', self.text)
        assert found is not None
        return found[1]


async def opened(running: Site, proof: Proof = Proof.MAIL, **changes: Any) -> tuple[int, str]:
    """A new ticket, and the path of its page."""
    wanted = request(intake=Intake.FORM, **changes)
    number = (await running.units.run(lambda unit: intake.open_ticket(unit, wanted))).number
    token = await running.units.run(lambda unit: status_links.issue(unit, number, proof))
    return number, f"/request/{token}"


async def get(running: Site, path: str, **headers: str) -> Page:
    """Open a page."""
    async with running.http.get(running.url + path, headers=headers) as answer:
        return Page(answer.status, await answer.text(), answer.url.path_qs, dict(answer.headers))


async def post(running: Site, path: str, data: Any, **headers: str) -> Page:
    """Send something and go where the answer leads."""
    async with running.http.post(running.url + path, data=data, headers=headers) as answer:
        return Page(answer.status, await answer.text(), answer.url.path_qs, dict(answer.headers))


def form(token: str, text: str, *files: tuple[str, bytes]) -> aiohttp.FormData:
    """What a browser sends, also where no file was chosen."""
    data = aiohttp.FormData(quote_fields=False)
    data.add_field("token", token)
    data.add_field("message", text)
    for name, content in files or (("", b""),):
        data.add_field("attachments", content, filename=name, content_type="image/png")
    return data


async def test_seeing_writing_and_withdrawing(both: Site) -> None:
    number, path = await opened(both)
    page = await get(both, f"{path}?lang=en")
    assert page.status == 200
    assert f"#{number}" in page.text
    assert "It has arrived" in page.text
    page = await post(both, f"{path}?lang=en", form(page.token, "A photo:\r\n<b>", ('ä "1".png', b"\x89PNG")))
    assert (page.status, page.path) == (200, f"{path}?lang=en&done=sent")
    assert "Thank you, your message has arrived." in page.text
    assert "A photo:\n&lt;b&gt;" in page.text
    assert [row.text for row in await both.rows(TicketMessage)] == ["Hello!", "A photo:\n<b>"]
    [file] = await both.rows(Attachment)
    assert (file.name, file.media_type, file.data) == ('ä "1".png', "image/png", b"\x89PNG")

    asked = await get(both, f"{path}/withdraw?lang=en")
    assert f"Really withdraw your request #{number}?" in asked.text
    assert (await both.rows(Ticket))[0].status == "open"
    page = await post(both, f"{path}/withdraw?lang=en", {"token": asked.token})
    assert (page.status, page.path) == (200, f"{path}?lang=en&done=withdrawn")
    assert "Your request is withdrawn." in page.text
    assert (await both.rows(Ticket))[0].status == "closed"
    said = [(row.payload or {}).get("what") for row in await both.rows(OutboxRow)]
    assert said.count("withdrawal") == 1
    # There is nothing left to withdraw.
    assert f"{path}/withdraw" not in page.text
    assert (await get(both, f"{path}/withdraw")).path == f"{path}?lang=de"


async def test_the_thank_you_page_leads_there_for_a_day(here: Site) -> None:
    fields = {
        "topic": "donation_request", "name": "Maria", "email": "maria@example.org", "subject": "Laptop",
        "message": "Please", "token": (await get(here, "/")).token,
    }  # fmt: skip
    sent = await post(here, "/", fields)
    found = re.search(r'href="\.\./(request/f1-[^"?]+)\?lang=de"', sent.text)
    assert found is not None
    page = await get(here, f"/{found[1]}")
    assert "Please" in page.text
    assert "Unsere Antworten stehen nicht auf dieser Seite." in page.text
    here.late = timedelta(hours=24, minutes=1)
    later = await get(here, sent.path)
    assert "#1" in later.text
    assert "request/" not in later.text
    assert (await get(here, f"/{found[1]}")).status == 200


async def test_answers_look_as_in_their_mail_and_requesters_words_are_text(here: Site) -> None:
    number, path = await opened(here, text="**Mine** <b>x</b> [a](https://evil.example)")
    answer = (
        "Friday is **fine**, <i>really</i>:\n\n- [map](https://maps.example/?a=1&b=2)\n- [x](javascript:y)"
    )

    def reply(unit: Unit) -> None:
        rows.insert(
            unit.session, TicketMessage, number=number, kind="reply", text=answer,
            intake="email", author="@anna:example.org", at=unit.now,
        )  # fmt: skip

    await here.units.run(reply)
    page = (await get(here, path)).text
    assert "<p>Friday is <strong>fine</strong>, &lt;i&gt;really&lt;/i&gt;:</p>" in page
    assert re.search(
        r'<li><a href="https://maps.example/\?a=1&amp;b=2" rel="[^"]*noreferrer">map</a></li>', page
    )
    assert 'href="javascript' not in page
    assert '<p class="text">**Mine** &lt;b&gt;x&lt;/b&gt; [a](https://evil.example)</p>' in page


async def test_pages_are_for_nobody_else(here: Site) -> None:
    _number, path = await opened(here, subject="<script>alert(1)</script>", text="{{ 7 * 7 }}<img src=x>")
    for each in (path, f"{path}/withdraw", "/request/x"):
        page = await get(here, each)
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Robots-Tag"].startswith("noindex, nofollow")
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")
        assert 'name="robots" content="noindex' in page.text
        assert not {"<script", "<img"} & set(re.findall(r"<\w+", page.text))
        assert re.findall(r'(?:src|href)="(https?://[^"]+)', page.text) == ["https://example.org/privacy"]
    page = await get(here, path)
    assert "{{ 7 * 7 }}&lt;img" in page.text
    assert not {"Kim Doe", "kim@example.org", "0761 123"} & set(re.findall(r"[\w@. ]+", page.text))


async def test_all_links_that_are_not_good_get_one_answer(here: Site) -> None:
    number, path = await opened(here)
    token = (await get(here, path)).token
    others = [f"/request/m{number}-1-{'a' * 26}", "/request/x", "/request/%00", "/request/%F0", f"{path}a"]
    pages = [await get(here, each, **{"Accept-Language": "en"}) for each in others]
    pages += [await post(here, f"{each}?lang=en", form(token, "Hello")) for each in others]
    below = [await get(here, f"{each}/withdraw?lang=en") for each in others]
    below += [await post(here, f"{each}/withdraw?lang=en", {"token": token}) for each in others]
    here.late = timedelta(days=181)
    pages += [await get(here, f"{path}?lang=en"), await post(here, f"{path}?lang=en", form(token, "Hello"))]
    assert {page.status for page in (*pages, *below)} == {404}
    assert {page.text for page in pages} == {pages[0].text}
    assert {page.text for page in below} == {below[0].text}
    assert "A link is good for 180 days." in pages[0].text
    assert len(await here.rows(TicketMessage)) == 1


async def test_what_comes_from_elsewhere_changes_nothing(here: Site) -> None:
    """A foreign page knows no token, and one of another request is of no use."""
    _first, path = await opened(here)
    _second, other = await opened(here, email="other@example.org")
    foreign = [(await get(here, other)).token, (await get(here, "/")).token, "", "x"]
    for token in foreign:
        page = await post(here, f"{path}?lang=en", form(token, "Buy this"))
        assert page.status == 400
        assert "Buy this</textarea>" in page.text
        page = await post(here, f"{path}/withdraw?lang=en", {"token": token})
        assert "Really withdraw" in page.text
    for body in (b"", b"token", b"&=" * 50, b"\xff" * 100):
        assert "Really withdraw" in (await post(here, f"{path}/withdraw?lang=en", body)).text
    assert {row.status for row in await here.rows(Ticket)} == {"open"}
    assert len(await here.rows(TicketMessage)) == 2


async def test_a_page_that_was_open_too_long_keeps_the_message(here: Site) -> None:
    _number, path = await opened(here)
    token = (await get(here, path)).token
    here.late = timedelta(hours=24, minutes=1)
    page = await post(here, f"{path}?lang=en", form(token, "Long letter"))
    assert page.status == 400
    assert "This page was open for a long time." in page.text
    assert "Long letter</textarea>" in page.text
    assert (await post(here, path, form(page.token, "Long letter"))).path.endswith("done=sent")


async def test_a_double_tap_is_one_message_and_another_text_is_another(here: Site) -> None:
    _number, path = await opened(here)
    token = (await get(here, path)).token
    taps = await asyncio.gather(*(post(here, path, form(token, "Once")) for _ in range(4)))
    assert {page.path for page in taps} == {f"{path}?lang=de&done=sent"}
    # Gone back in the browser, the page has its old token.
    await post(here, path, form(token, "Twice"))
    assert [row.text for row in await here.rows(TicketMessage)] == ["Hello!", "Once", "Twice"]


@pytest.mark.parametrize(
    ("text", "files", "told"),
    [
        (" \u200b ", (), "Please write a message."),
        ("x" * 20_001, (), "Please shorten your message to at most 20000 characters."),
        ("Here", (("a", b"1"), ("b", b"1"), ("c", b"1")), "Please choose at most 2 files."),
        ("Here", (("a", b"x" * 2049),), "One of the files is too large: 2 KB is the most."),
    ],
)
async def test_what_is_wrong_is_told(sqlite_database: str, text: str, files: Any, told: str) -> None:
    async with site(sqlite_database, replace(LIMITED, max_body=64 * 1024)) as running:
        _number, path = await opened(running)
        page = await post(running, f"{path}?lang=en", form((await get(running, path)).token, text, *files))
        assert page.status == 400
        assert page.text.count(told) == 2
        assert page.text.count('aria-invalid="true"') == 1
        assert ("Please choose your files once more." in page.text) == bool(files)
        assert len(await running.rows(TicketMessage)) == 1
        assert await running.rows(Attachment) == []


async def test_too_much_is_told(here: Site) -> None:
    _number, path = await opened(here)
    page = await post(
        here, f"{path}?lang=en", form((await get(here, path)).token, "Hi", ("a", b"x" * 20_000))
    )
    assert page.status == 413
    assert f'href="{path.removeprefix("/request/")}?lang=en"' in page.text


async def test_who_tries_many_links_has_to_wait(sqlite_database: str) -> None:
    trusting = replace(LIMITED, trusted_proxies=(ip_network("127.0.0.1"),))
    async with site(sqlite_database, trusting) as running:
        _number, path = await opened(running)
        from_here, from_there = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}
        # One's own page may be looked at again and again.
        assert {(await get(running, path, **from_here)).status for _each in range(40)} == {200}
        tried = [(await get(running, f"/request/{each}", **from_here)).status for each in range(31)]
        assert tried == [404] * 29 + [429] * 2
        blocked = await get(running, "/request/once-more?lang=en", **from_here)
        assert "Please try again in 10 minutes." in blocked.text
        assert int(blocked.headers["Retry-After"]) <= 601
        assert (await get(running, path, **from_there)).status == 200


async def test_many_messages_have_to_wait(sqlite_database: str) -> None:
    limits = replace(form_settings(per_address=2), trusted_proxies=(ip_network("127.0.0.1"),))
    async with site(sqlite_database, limits) as running:
        _number, path = await opened(running)
        token = (await get(running, path)).token
        statuses = [(await post(running, path, form(token, f"No. {each}"))).status for each in range(3)]
        assert statuses == [200, 200, 429]
        page = await post(running, f"{path}?lang=en", form(token, "No. 2"))
        assert "Your message is still here. Please try again in 10 minutes." in page.text
        assert "No. 2</textarea>" in page.text
        # Nor does a link that was passed around fill a thread.
        froms = [{"X-Forwarded-For": f"192.0.2.{each}"} for each in range(20)]
        statuses = [
            (await post(running, path, form(token, f"Flood {each}"), **origin)).status
            for each, origin in enumerate(froms)
        ]
        assert statuses == [200] * 18 + [429] * 2


async def test_it_can_be_turned_off(sqlite_database: str) -> None:
    async with site(sqlite_database) as running:
        _number, path = await opened(running)
    async with site(sqlite_database, policy=replace(POLICY, page=None), key_name="again") as running:
        assert (await get(running, path)).status == 404
        assert (await get(running, "/")).status == 200
    async with site(sqlite_database, form_settings(enabled=False), key_name="once more") as running:
        page = await get(running, path)
        assert page.status == 200
        found = re.search(r'href="\.\./(static/[^"]+)"', page.text)
        assert found is not None
        assert (await get(running, f"/{found[1]}")).status == 200
        assert "contact form" not in (await get(running, "/request/x?lang=en")).text


async def test_the_keys_are_made_once(sqlite_database: str) -> None:
    async with site(sqlite_database) as running:
        _number, path = await opened(running)
        keys = {row.name: row.value for row in await running.rows(Secret)}
        assert {"status_link", "page"} <= keys.keys()
    async with site(sqlite_database, key_name="again") as running:
        assert (await get(running, path)).status == 200
        assert {row.name: row.value for row in await running.rows(Secret)} == keys
