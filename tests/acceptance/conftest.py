"""One help desk with one running bot for most tests; each test files tickets of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, running_desk
from tests.forks import Launcher
from tests.house_rules import breaches
from tests.people import Crowd
from tests.process import started_by


@pytest.fixture(scope="session", autouse=True)
def _started_at_once(launcher: Launcher) -> Iterator[None]:
    with started_by(launcher.start):
        yield


@pytest.fixture(scope="session")
async def crowd(homeserver: Homeserver) -> AsyncIterator[Crowd]:
    """Makes the people of the shared desk."""
    async with Crowd(homeserver) as crowd:
        yield crowd


@pytest.fixture(scope="session")
async def desk(
    homeserver: Homeserver, crowd: Crowd, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """The shared desk, its bot running. What no test may have caused is looked for at the end."""
    folder = tmp_path_factory.mktemp("desk")
    database = f"sqlite:///{folder / 'tickettruhe.db'}"
    async with running_desk(homeserver, crowd, folder, database) as desk:
        yield desk
        assert desk.bot.running
    assert await breaches(desk) == []
