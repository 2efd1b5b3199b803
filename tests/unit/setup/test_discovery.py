"""How a homeserver is found by its name, and what is said where that fails. On localhost, in clear."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.setup.discovery import discover
from bot.setup.errors import Wrong
from bot.setup.texts import Texts
from tests.desk import free_port

SAY = Texts("en")


@asynccontextmanager
async def website(well_known: Callable[[str], web.Response] | None, *, speaks: bool) -> AsyncIterator[str]:
    """The name of a website, which may be a homeserver itself."""
    app = web.Application()
    name = ""

    async def told(_request: web.Request) -> web.Response:
        assert well_known is not None
        return well_known(name)

    async def versions(_request: web.Request) -> web.Response:
        return web.json_response({"versions": ["v1.11"]})

    if well_known is not None:
        app.router.add_get("/.well-known/matrix/client", told)
    if speaks:
        app.router.add_get("/_matrix/client/versions", versions)
        app.router.add_get("/elsewhere/_matrix/client/versions", versions)
    async with TestServer(app, host="127.0.0.1") as server:
        name = f"localhost:{server.port}"
        yield name


def names(url: str) -> Callable[[str], web.Response]:
    """A well-known file that names a homeserver."""
    return lambda name: web.json_response({"m.homeserver": {"base_url": url.format(name=name)}})


PAGE = web.Response
"""What many websites answer whatever they are asked for."""


@pytest.mark.parametrize(
    ("well_known", "path"),
    [
        (None, ""),
        (names("http://{name}/elsewhere/"), "/elsewhere"),
        (lambda _name: PAGE(text="<html>Welcome</html>"), ""),
        (lambda _name: web.json_response({"m.homeserver": "example.org"}), ""),
        (lambda _name: web.Response(status=500), ""),
    ],
    ids=["missing", "named", "a page", "without an address", "failing"],
)
async def test_a_homeserver_is_found(well_known: Any, path: str) -> None:
    async with website(well_known, speaks=True) as name:
        for given in (name, f"@anna:{name}", f" {name}/ "):
            found = await discover(given, SAY)
            assert (found.url, found.name) == (f"http://{name}{path}", name)


@pytest.mark.parametrize(
    ("well_known", "told"),
    [
        (None, ("http://{name} is no Matrix homeserver. If {name} keeps it elsewhere",)),
        (lambda _name: PAGE(text="{broken"), ("{name}/.well-known/matrix/client does not say in JSON",)),
        (lambda _name: web.json_response([]), ("{name}/.well-known/matrix/client does not say in JSON",)),
        (names("matrix.example.org"),
         ("/.well-known/matrix/client names a homeserver that is no web address",)),
        (names("http://127.0.0.1:{{dead}}"), ("http://127.0.0.1:{dead} does not answer (",
                                            "http://{name}/.well-known/matrix/client names that homeserver")),
        (names("http://{name}/else"), ("http://{name}/else is no Matrix homeserver",
                                      "http://{name}/.well-known/matrix/client names that homeserver")),
    ],
    ids=["missing", "broken", "a list", "no address", "dead", "no homeserver"],
)  # fmt: skip
async def test_what_is_wrong_is_said(well_known: Any, told: tuple[str, ...]) -> None:
    dead = free_port()

    def answer(name: str) -> web.Response:
        response: web.Response = well_known(name)
        if isinstance(response.text, str):
            response.text = response.text.replace("{dead}", str(dead))
        return response

    async with website(answer if well_known else None, speaks=False) as name:
        with pytest.raises(Wrong) as caught:
            await discover(name, SAY)
        for each in told:
            assert each.format(name=name, dead=dead) in caught.value.told
