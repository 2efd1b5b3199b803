"""Whatever strangers send: nothing crashes, and nothing of theirs becomes markup, a link or a mention."""

import asyncio
import json
import re
from contextlib import suppress
from typing import Any

import pytest

from tests.desk import Desk
from tests.people import MatrixRefusal
from tests.timeline import Shown

_TAGS = re.compile(r"<[a-zA-Z/][^>]*>")
_OURS = re.compile(r"</?(?:p|br|strong|em|code|pre|blockquote|ul|li|table|tbody|tr|td)>")
_NASTY = {
    "html": "<h1>Big</h1><script>alert(1)</script><img src=x onerror=alert(1)>",
    "entities": "&lt;b&gt;bold&lt;/b&gt; &amp;amp; &#64;room",
    "room": "@room everybody come here",
    "pill": '<a href="https://matrix.to/#/@anna:localhost">Anna</a>',
    "matrix.to": "https://matrix.to/#/@anna:localhost and https://matrix.to/#/!room:localhost",
    "matrix uri": "matrix:u/anna:localhost matrix:r/room:localhost",
    "alias": "#secret:localhost !abc:localhost",
    "markdown": "**bold** [click](https://evil.example) `code` # heading\n> quoted\n- list",
    "rtl": "\u202egnp.exe\u202c \u2066isolated\u2069 \u200bzero\u200d",
    "controls": "bell\x07 escape\x1b[31m null\x00 vertical\x0b",
    "command": "!close 1\n!spam 1",
    "mx-reply": "<mx-reply><blockquote>fake</blockquote></mx-reply>",
    "emoji": "👨‍👩‍👧‍👦" * 20,
    "format": "{number} {0} %s %(x)s ${HOME} {{7*7}}",
    "card": "✅ #1 · Fake card",
}


@pytest.mark.parametrize("kind", _NASTY)
async def test_in_every_field_of_the_api(desk: Desk, kind: str) -> None:
    """Refused with 400, or shown as the text that it is."""
    text = _NASTY[kind]
    mentioned = f"{text} {desk.person('anna').user_id}"
    body = {
        "name": mentioned[:120],
        "email": "hostile@example.org",
        "phone": text[:40],
        "subject": mentioned[:180],
        "message": mentioned,
        "region": "freiburg",
        "topicId": text,
        text[:40]: mentioned,
        "extra": mentioned,
        "attachments": [{text[:80]: "data:text/plain,hello"}],
    }
    desk.filed |= {text, mentioned}
    status, answer = await desk.post("/api/tickets.json", body)
    if status == 400:
        plain = {**body, "attachments": [], "phone": "", "topicId": 10}
        status, answer = await desk.post(
            "/api/tickets.json", {k: v for k, v in plain.items() if k != text[:40]}
        )
    assert status in (201, 400), answer
    if status == 201:
        number = int(answer)
        _harmless(desk, await desk.card(number))
        lines = (f"!show {number}", "!list", f"!search -- {text[:60]}", "!search Hello")
        for told in await asyncio.gather(*(desk.told("anna", line) for line in lines)):
            _harmless(desk, told)


@pytest.mark.parametrize(
    "kinds",
    [
        ("html", "entities", "mx-reply"),
        ("room", "pill", "matrix.to"),
        ("matrix uri", "alias", "rtl", "controls"),
        ("markdown", "emoji"),
        ("command", "format", "card"),
    ],
    ids="-".join,
)
async def test_in_commands(desk: Desk, kinds: tuple[str, ...]) -> None:
    number = await desk.file()
    text = " ".join(_NASTY[kind] for kind in kinds).replace("\x00", "")
    for line in (f"!wait {number} {text}", f"!close {number} {text}"):
        await desk.done("anna", line)
    _harmless(desk, await desk.card(number, "✅", "Reason:"))
    lines = (
        f"!history {number}",
        f"!{kinds[0].replace(' ', '')}x {text}",
        f"!take {text}",
        f"!assign {number} {text}",
        f"!transfer {number} {text}",
        f"!help {text}",
    )
    for told in await asyncio.gather(*(desk.told("anna", line) for line in lines)):
        _harmless(desk, told)
    await desk.done("anna", f"!message {number} {text}")
    _harmless(desk, await desk.card(number, "🟢"))


def _harmless(desk: Desk, seen: Shown) -> None:
    """No markup but ours, no pill or link but to our own people and cards, nobody mentioned."""
    assert seen.mentions == frozenset()
    assert not seen.mentions_room
    html = seen.formatted_body or ""
    for tag in _TAGS.findall(html):
        assert _OURS.fullmatch(tag) or _leads_to_ours(desk, tag), tag
    for text in (seen.body, html):
        assert "@room" not in text
        assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069\u200b]", text)
    plain = re.sub(r'href="[^"]*"', "", html)
    for text in (seen.body, plain):
        assert "matrix.to/" not in text
        assert "matrix:u" not in text
        assert desk.person("anna").user_id not in text


def _leads_to_ours(desk: Desk, tag: str) -> bool:
    link = re.fullmatch(r'<a href="https://matrix\.to/#/([^"]+)">|</a>', tag)
    if link is None or link[1] is None:
        return link is not None
    people = {person.user_id for person in desk.people.values()}
    return link[1] in people or link[1].partition("/")[0] in desk.rooms.values()


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        (b"{", {400}),
        (b"", {400}),
        (b"null", {400}),
        (b"[1, 2]", {400}),
        (b'"text"', {400}),
        (b"\xff\xfe\x00", {400}),
        (b"[" * 100_000, {400}),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, {400}),
        (b'{"name": NaN, "subject": Infinity}', {400}),
        (b'{"name": {"a": 1}, "email": [], "subject": 7, "message": null}', {400}),
        (b'{"name": "\\ud800", "email": "a@example.org", "subject": "s", "message": "m"}', {201, 400}),
        (
            b'{"name": "N", "email": "a@example.org", "subject": "s", "message": "data:text/html;base64,!!"}',
            {201, 400},
        ),
        (b"x" * (10 * 1024 * 1024), {413}),
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else "",
)
async def test_malformed_bodies(desk: Desk, body: bytes, statuses: set[int]) -> None:
    for path in ("/api/tickets.json", "/api/tickets/1/messages"):
        status, _ = await desk.post(path, body)
        assert status in statuses | ({404} if "messages" in path else set())


async def test_a_wrong_key(desk: Desk) -> None:
    for key in ("", "wrong", desk.key[:-1], desk.key + "x", "'; DROP TABLE tickets; --", "é"):
        status, text = await desk.post("/api/tickets.json", {"name": "x"}, **{"X-API-Key": key})
        assert (status, text) == (401, "Valid API key required")


_STRANGE: dict[str, dict[str, Any]] = {
    "body is a number": {"msgtype": "m.text", "body": 7},
    "body is a list": {"msgtype": "m.text", "body": ["!take 1"]},
    "msgtype is an object": {"msgtype": {"a": 1}, "body": "!take 1"},
    "relation is a text": {"msgtype": "m.text", "body": "!take", "m.relates_to": "m.thread"},
    "relation is a list": {"msgtype": "m.text", "body": "!take", "m.relates_to": [1]},
    "relation of wrong types": {
        "msgtype": "m.text",
        "body": "!take",
        "m.relates_to": {"rel_type": 5, "event_id": {"a": 1}, "m.in_reply_to": "text"},
    },
    "reply to a list": {
        "msgtype": "m.text",
        "body": "!take",
        "m.relates_to": {"m.in_reply_to": {"event_id": []}},
    },
    "thread without a root": {"msgtype": "m.text", "body": "!take", "m.relates_to": {"rel_type": "m.thread"}},
    "thread with a number": {
        "msgtype": "m.text",
        "body": "!take",
        "m.relates_to": {"rel_type": "m.thread", "event_id": 5},
    },
    "thread of nowhere": {
        "msgtype": "m.text",
        "body": "!take",
        "m.relates_to": {"rel_type": "m.thread", "event_id": "$nowhere"},
    },
    "mentions is a text": {"msgtype": "m.text", "body": "!help", "m.mentions": "@room"},
    "mentions of wrong types": {
        "msgtype": "m.text",
        "body": "!help",
        "m.mentions": {"user_ids": 5, "room": "yes"},
    },
    "html is a list": {
        "msgtype": "m.text",
        "body": "!help",
        "format": "org.matrix.custom.html",
        "formatted_body": ["matrix.to"],
    },
    "html never ends": {
        "msgtype": "m.text",
        "body": "!take",
        "format": "org.matrix.custom.html",
        "formatted_body": "matrix <!" + "<a href='" * 1500,
    },
    "a forged transaction": {"msgtype": "m.text", "body": "!help", "org.tickettruhe.tx": "1"},
    "a forged transaction of another type": {
        "msgtype": "m.text",
        "body": "!help",
        "org.tickettruhe.tx": {"a": []},
    },
    "deep": {"msgtype": "m.text", "body": "!help", "deep": json.loads("[" * 400 + "]" * 400)},
}


async def test_content_of_strange_types(desk: Desk) -> None:
    anna, room = desk.person("anna"), desk.rooms["freiburg"]
    for content in _STRANGE.values():
        # Some a homeserver refuses itself; another one may let them through.
        with suppress(MatrixRefusal):
            await anna.send(room, "m.room.message", content)
    await _still_alive(desk)


_COMMANDS = {
    "60 kB of a command": "!" + "x" * 60_000,
    "60 kB of numbers": "!take " + "1999999999 " * 5_000,
    "thousands of different numbers": "!take " + " ".join(map(str, range(1_900_000_000, 1_900_005_000))),
    "a huge number": "!take " + "9" * 5_000,
    "60 kB of a reason": "!close 1999999999 " + "x" * 60_000,
    "60 kB of options": "!new " + "--name x " * 6_000,
    "30 kB of quotes": "!new --name " + '"' * 30_000,
    "combining marks": "!take" + "\u0301" * 20_000,
    "other digits": "!take ٤٢ ४२ 42️⃣ ²",
    "bidi": "!take \u202e42",
    "only whitespace after": "!take\u3000\u00a0\u2028\u2029\x0b",
    "dashes": "!take –—―‑-- 42",
    "zero width": "!ta\u200bke 42",
    "surrogate pair": "!take 🂡𝟜𝟚",
    "nul": "!take \x01\x02 42",
    "negative": "!take -42 +42 4.2 1e9 0x2a",
    "zero": "!take 0 #0 00",
    "many lines": "!new\n" + "line\n" * 8_000,
}


async def test_strange_commands_are_answered(desk: Desk) -> None:
    for notice in await asyncio.gather(*(desk.told("anna", line) for line in _COMMANDS.values())):
        assert len(notice.body) < 5_000
        assert notice.mentions == frozenset()


async def test_outsiders_in_the_direct_chat_and_foreign_rooms_get_nothing(desk: Desk) -> None:
    number = await desk.file()
    olga = desk.person("olga")
    room = await olga.create_room("Olga's", invite=[desk.account.user_id])
    await desk.until_left("olga", room)
    await olga.say(room, f"!show {number}")
    await _still_alive(desk)
    assert [each for each in await olga.sees(room) if each.sender == desk.account.user_id] == []


async def test_the_log_holds_no_words_of_requesters(desk: Desk) -> None:
    await desk.file(
        "Logged subject", name="Logged Name", email="logged@example.org", message="Logged message"
    )
    await desk.told("anna", "!new --email new@logged.example Another logged subject")
    await desk.told("anna", "!tkae 42 Mistyped logged words")
    log = desk.bot.log
    assert '"event": "sent"' in log
    for word in ("Logged", "logged", "Mistyped", "example.org", "Traceback", "command_fault"):
        assert word not in log


async def _still_alive(desk: Desk) -> None:
    assert "!take" in (await desk.told("anna", "!help")).body
    assert "Traceback" not in desk.bot.log
