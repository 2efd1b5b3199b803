"""What the HTTP API answers to bad and hostile input: a reason, and never a failure."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.models import Attachment, Requester, Ticket, TicketMessage
from tests.intake_site import CREATE, REQUEST, Site, site


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": None}, "name is missing"),
        ({"name": " \u200b "}, "name is missing"),
        ({"name": {"a": {"b": 1}}}, "name is not text"),
        ({"name": "x" * 101}, "name is longer than 100 characters"),
        ({"email": "nobody"}, "email is not an e-mail address"),
        ({"email": "a@example.org\r\nBcc: b@example.org"}, "email is not an e-mail address"),
        ({"subject": []}, "subject is not text"),
        ({"subject": "", "message": ""}, "subject is missing; message is missing"),
        ({"message": "x" * 20_001}, "message is longer than 20000 characters"),
        ({"message": "data:image/png;base64,AAAA"}, "message is not text"),
        ({"message": "data:text/plain;base64,????"}, "message cannot be read"),
        ({"message": "data:text/plain;charset=punycode,abc"}, "message cannot be read"),
        ({"phone": "1" * 41}, "phone is longer than 40 characters"),
        ({"region": "x" * 65}, "region is longer than 64 characters"),
        ({"topicId": {"a": []}}, "topicId is not text"),
        ({"attachments": "file"}, "attachments cannot be read"),
        ({"attachments": [{"a": "data:,1", "b": "data:,2"}]}, "attachments cannot be read"),
        ({"attachments": [{"a": "no data url"}]}, "attachments cannot be read"),
        ({"attachments": [{"a": "data:;base64,\ud800"}]}, "attachments cannot be read"),
        ({"attachments": [{"a": "data:,1"}] * 4}, "attachments are more than 3"),
        (
            {"attachments": [{"a": "data:;base64," + "A" * 1_500_000}]},
            "attachments hold more than 1048576 bytes in one",
        ),
        ({"wishes": {"a": {"b": 1}}}, "wishes is not text"),
        ({f"extra{i}": 1 for i in range(21)}, "extra fields are more than 20"),
        ({"x" * 65: 1}, "extra fields cannot be read"),
        ({"own": 1, "own\0": 2}, "extra fields cannot be read"),
        ({"region": "Mars", "region ": "Venus"}, "extra fields cannot be read"),
    ],
)
async def test_bad_fields_are_named(here: Site, change: dict[str, Any], reason: str) -> None:
    fields = {name: value for name, value in (REQUEST | change).items() if value is not None}
    assert await here.call(data=io.BytesIO(json.dumps(fields).encode())) == (400, reason)
    assert await here.rows(Ticket) == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b'{"name": "\xff\xfe"}', "not UTF-8"),
        (b'{"name": NaN}', "a number is not finite"),
        (b'{"name": 1e999}', "a number is not finite"),
        (b'{"name": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b'{"name": "a", "name": "b"}', "a field is given twice"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
        (b"<ticket/>", "not valid JSON"),
    ],
)
async def test_a_malformed_body_is_refused(here: Site, body: bytes, reason: str) -> None:
    assert await here.call(data=body) == (400, f"Malformed body: {reason}")


async def test_a_body_with_broken_compression_is_refused(here: Site) -> None:
    status, _ = await here.call(data=b"no gzip at all", headers={"Content-Encoding": "gzip"})
    assert status == 400


async def test_a_huge_body_is_refused(here: Site) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(160):
            yield b" " * 65_536

    assert (await here.call(data=io.BytesIO(b" " * 10_000_000)))[0] == 413
    assert (await here.call(data=chunks()))[0] == 413
    assert await here.rows(Ticket) == []


HOSTILE = (
    "<b>@room</b> [x](http://a) @anna:example.org `code` \x00\x07\u202egnp.exe\ud800 "
    "'; DROP TABLE tickets; -- %s {0}"
)
HARMLESS = (
    "<b>@room</b> [x](http://a) @anna:example.org `code` gnp.exe\ufffd '; DROP TABLE tickets; -- %s {0}"
)


async def test_hostile_text_is_stored_as_written_but_for_what_is_no_text(both: Site) -> None:
    fields = dict.fromkeys(("name", "subject", "message", "custom"), HOSTILE)
    fields |= {
        "email": "a@example.org",
        "phone": "<i>1</i>\x1b[31m",
        "region": HOSTILE[:60],
        HOSTILE[:40]: "1",
    }
    files = [{"../../etc/pass\x00wd\u202e": "data:text/html,<script>"}]
    assert (await both.call(data=json.dumps(fields | {"attachments": files})))[0] == 201
    [ticket], [person] = await both.rows(Ticket), await both.rows(Requester)
    [message], [file] = await both.rows(TicketMessage), await both.rows(Attachment)
    assert (ticket.subject, person.name, message.text) == (HARMLESS,) * 3
    assert message.extra["custom"] == HARMLESS
    assert person.phone == "<i>1</i>[31m"
    assert file.name == "passwd"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", CREATE), ("PUT", CREATE), ("GET", "/api/tickets/1/messages")]
)
async def test_other_methods_are_refused(here: Site, method: str, path: str) -> None:
    async with here.http.request(method, here.url + path) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def lose_a_table(running: Site) -> None:
    """Make every further ticket fail."""
    with running.database.write() as session:
        session.connection().exec_driver_sql("DROP TABLE history")


async def test_a_failure_tells_nothing(postgres_database: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with site(postgres_database) as running:
        await lose_a_table(running)
        status, text = await running.call(json=REQUEST)
    logged = "".join(capsys.readouterr())
    assert (status, text) == (500, "Something went wrong on our side. Please try again later.")
    assert "intake_failed" in logged
    assert CREATE in logged
    assert "Maria" not in logged


async def test_a_database_in_trouble_is_worth_a_retry(here: Site) -> None:
    await lose_a_table(here)
    async with here.http.post(here.url + CREATE, json=REQUEST, headers={"X-API-Key": here.key}) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=6,
)
URLS = st.builds(
    "data:{}{}{},{}".format,
    st.sampled_from(["", "text/html", "text/plain", "image/x", "/"]),
    st.sampled_from(["", ";charset=utf-8", ";charset=\x00", ";charset=x"]),
    st.sampled_from(["", ";base64"]),
    st.text(max_size=40),
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        **{name: VALUES | st.sampled_from([REQUEST[name]]) for name in REQUEST},
        "message": VALUES | URLS,
        "attachments": VALUES
        | st.lists(st.dictionaries(st.text(max_size=9), URLS | VALUES, max_size=2), max_size=4),
        "own": VALUES,
    },
)


@pytest.fixture(scope="session")
async def lasting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One intake for many examples."""
    async with site(f"sqlite:///{tmp_path_factory.mktemp('api')}/x.db") as running:
        yield running


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES)
async def test_no_body_breaks_it(lasting: Site, body: dict[str, Any]) -> None:
    for fields in (body, REQUEST | body):
        status, answer = await lasting.call(data=json.dumps(fields))
        assert status in (201, 400), answer
        assert "\n" not in answer


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
async def test_no_bytes_break_it(lasting: Site, body: bytes) -> None:
    async with lasting.http.post(
        lasting.url + CREATE, data=body, headers={"X-API-Key": lasting.key}, timeout=aiohttp.ClientTimeout(10)
    ) as answer:
        assert answer.status == 400
