"""Servers that the rounds may restart: a homeserver and a PostgreSQL of this folder's own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from bot.demo.homeserver import Homeserver
from tests.servers import Postgres, restartable_postgres


@pytest.fixture(scope="package")
async def own_homeserver(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Homeserver]:
    """A homeserver that may be stopped."""
    async with Homeserver(tmp_path_factory.mktemp("faults-homeserver")) as server:
        yield server


@pytest.fixture(scope="package")
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL that may be stopped."""
    with restartable_postgres() as server:
        yield server
