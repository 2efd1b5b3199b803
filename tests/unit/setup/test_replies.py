"""What people type, and what they are told if it will not do."""

import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.setup.discovery import discover
from bot.setup.errors import Wrong
from bot.setup.replies import Replies, topics_setting
from bot.setup.texts import Texts, language_of

SAY = Texts("en")
READ = Replies(SAY)


def refused(read: Callable[[str], Any], given: str) -> str:
    """What is said of an answer that will not do."""
    with pytest.raises(Wrong) as caught:
        read(given)
    return caught.value.told


def test_people() -> None:
    read = READ.people("example.org", needed=True)
    assert read("anna, @ben:x.org;carla anna") == ["@anna:example.org", "@ben:x.org", "@carla:example.org"]
    assert "at least one person" in refused(read, "")
    assert "Write it like @anna:example.org" in refused(read, "anna b:c:d")
    assert READ.people("example.org", needed=False)("") == []


def test_the_account() -> None:
    assert [READ.user(each) for each in ("bot", "@bot", "@bot:x.org")] == ["bot", "bot", "@bot:x.org"]
    assert "Write it like" in refused(READ.user, "two words")


def test_digest_times() -> None:
    told = [READ.digest(each) for each in ("08:00", "7.30", "nie", "never", "0  8 * * mon-fri")]
    assert told == ["0 8 * * *", "30 7 * * *", "false", "false", "0 8 * * mon-fri"]
    for wrong in ("24:00", "8", "0 8 * * 1-5", ""):
        assert "a time like 08:00" in refused(READ.digest, wrong)


def test_names_topics_and_zones() -> None:
    assert READ.names("A,  B c ,") == ["A", "B c"]
    assert "twice" in refused(READ.names, "A, A")
    assert topics_setting(READ.topics("Laptop *, Other"), ["l", "o"]) == {
        "l": {"name": "Laptop", "waitlist": "true"}, "o": {"name": "Other", "waitlist": "false"},
    }  # fmt: skip
    assert "Did you mean Europe/Berlin?" in refused(READ.time_zone, "Europe/Berln")
    assert READ.one_of(["password", "token"])("2") == "token"
    assert "Give one of: a, b" in refused(READ.one_of(["a", "b"]), "3")


def test_addresses() -> None:
    assert READ.web_address("help.example.org/") == "https://help.example.org"
    assert READ.web_address("") == ""
    assert "Write it like" in refused(READ.web_address, "help me")
    assert READ.address("x.org")("tickets") == "#tickets:x.org"
    assert "#tickets:x.org" in refused(READ.address("x.org"), "#a b:")


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"Port {port} cannot be had" in refused(READ.port("127.0.0.1"), port)
    assert READ.port("127.0.0.1")(port) == int(port)
    assert "1 to 65535" in refused(READ.port("127.0.0.1"), "0")


@pytest.mark.parametrize(
    ("environ", "language"),
    [({"LANG": "de_AT.UTF-8"}, "de"), ({"LANG": "de"}, "de"), ({"LANG": "C.UTF-8"}, "en"), ({}, "en"),
     ({"LANG": "de_DE", "LC_ALL": "en_GB"}, "en"), ({"LC_ALL": "", "LC_MESSAGES": "de_DE.UTF-8"}, "de")],
)  # fmt: skip
def test_the_terminals_language(environ: dict[str, str], language: str) -> None:
    assert language_of(environ) == language


# --- finding the homeserver ---


@pytest.fixture
async def web_site() -> AsyncIterator[tuple[Any, dict[str, Any]]]:
    """A website on this machine, and what it says under each path."""
    pages: dict[str, Any] = {}

    async def page(request: web.Request) -> web.Response:
        told = pages.get(request.path)
        if told is None:
            return web.Response(status=404)
        return web.Response(text=told) if isinstance(told, str) else web.json_response(told)

    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    async with TestServer(app, host="127.0.0.1") as server:
        yield server, pages


async def test_a_homeserver_by_its_name(web_site: tuple[Any, dict[str, Any]]) -> None:
    server, pages = web_site
    home = f"http://127.0.0.1:{server.port}"
    pages["/.well-known/matrix/client"] = {"m.homeserver": {"base_url": f"{home}/hs/"}}
    pages["/hs/_matrix/client/versions"] = {"versions": ["v1.16"]}
    for given in (f"127.0.0.1:{server.port}", f"@anna:127.0.0.1:{server.port}"):
        found = await discover(given, SAY)
        assert (found.url, found.name) == (f"{home}/hs", f"127.0.0.1:{server.port}")
    assert (await discover(f"{home}/hs", SAY)).name is None
    del pages["/.well-known/matrix/client"]
    with pytest.raises(Wrong, match=r"is no Matrix homeserver\. If 127\.0\.0\.1:"):
        await discover(f"127.0.0.1:{server.port}", SAY)
    pages["/_matrix/client/versions"] = {"versions": ["v1.16"]}
    assert (await discover(f"127.0.0.1:{server.port}", SAY)).url == home


@pytest.mark.parametrize("told", [
    {"m.homeserver": {"base_url": "file:///etc/passwd"}}, {"m.homeserver": {"base_url": "https://a:b@c"}},
])  # fmt: skip
async def test_a_name_that_leads_nowhere(web_site: tuple[Any, dict[str, Any]], told: Any) -> None:
    server, pages = web_site
    pages["/.well-known/matrix/client"] = told
    with pytest.raises(Wrong, match="that is no web address"):
        await discover(f"127.0.0.1:{server.port}", SAY)


@pytest.mark.parametrize(
    "told", ["", "<html>", "[" * 100_000, [], {"versions": []}, {"versions": "all"}, "x" * 400_000]
)
async def test_what_is_no_homeserver(web_site: tuple[Any, dict[str, Any]], told: Any) -> None:
    server, pages = web_site
    pages["/_matrix/client/versions"] = pages["/.well-known/matrix/client"] = told
    with pytest.raises(Wrong, match="is no Matrix homeserver"):
        await discover(f"http://127.0.0.1:{server.port}", SAY)


async def test_an_address_that_is_none() -> None:
    for given in ("two words", "http://", "https:///path", "https://user:password@example.org"):
        with pytest.raises(Wrong, match="neither a name nor an address"):
            await discover(given, SAY)
    with pytest.raises(Wrong, match="does not answer"):
        await discover("127.0.0.1:1", SAY)
