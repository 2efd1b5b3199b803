"""Servers, databases, people and the browser, each started once per run and only if a test asks for it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.async_api import Browser, async_playwright
from sqlalchemy import URL

from bot.demo.homeserver import Homeserver
from tests.forks import Launcher
from tests.other_client import Clients, NoNode
from tests.people import Crowd
from tests.servers import CHROMIUM_ARGUMENTS, chromium_path, fresh_database, in_ci, postgres_server

# How long an example takes says something of the machine and what else runs on it.
settings.register_profile(
    "tickettruhe", parent=settings.get_profile(settings.get_current_profile_name()), deadline=None
)
settings.load_profile("tickettruhe")


@pytest.fixture(scope="session")
async def homeserver(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Homeserver]:
    """The run's Synapse; a test that stops it starts it again."""
    async with Homeserver(tmp_path_factory.mktemp("homeserver")) as server:
        yield server


@pytest.fixture(scope="session")
async def launcher(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Launcher]:
    """Starts the program without its imports, which take seconds of a processor each time."""
    async with Launcher(tmp_path_factory.mktemp("launcher") / "launcher.log") as launcher:
        yield launcher


@pytest.fixture
async def people(homeserver: Homeserver) -> AsyncIterator[Crowd]:
    """Makes Matrix users of this test's own: ``anna = await people("anna")``."""
    async with Crowd(homeserver) as crowd:
        yield crowd


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[URL]:
    """The run's PostgreSQL: its maintenance database, not for the tests' own tables."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="module")
def lasting_postgres(postgres_url: URL) -> Iterator[str]:
    """URL of an empty PostgreSQL database of this file's own, for many cases."""
    with fresh_database(postgres_url) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture
def postgres_database(postgres_url: URL) -> Iterator[str]:
    """URL of an empty PostgreSQL database of this test's own."""
    with fresh_database(postgres_url) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture
def sqlite_database(tmp_path: Path) -> str:
    """URL of a SQLite file of this test's own that does not exist yet."""
    return f"sqlite:///{tmp_path / 'tickettruhe.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Runs the test on both databases."""
    name = {"sqlite": "sqlite_database", "postgresql": "postgres_database"}[request.param]
    return str(request.getfixturevalue(name))


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium, headless. Without one the test is skipped, but fails where ``CI=true``."""
    path = chromium_path()
    if path is None:
        reason = "no Chromium on this machine (Debian: apt install chromium)"
        if in_ci():
            pytest.fail(reason)
        pytest.skip(reason)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=path, headless=True, args=list(CHROMIUM_ARGUMENTS)
        )
        try:
            yield chromium
        finally:
            await chromium.close()


@pytest.fixture(scope="session")
async def secret_people(
    homeserver: Homeserver, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Clients]:
    """Makes people who read and write in encrypted rooms: ``anna = await secret_people("anna")``.

    Their client needs Node. Without it the test is skipped, but fails where ``CI=true``.
    """
    clients = Clients(homeserver, tmp_path_factory.mktemp("other-client") / "clients.log")
    try:
        await clients.__aenter__()
    except NoNode as error:
        reason = f"no Node, or no packages for it: {error}"
        if in_ci():
            pytest.fail(reason)
        pytest.skip(reason)
    try:
        yield clients
    finally:
        await clients.__aexit__(None, None, None)
