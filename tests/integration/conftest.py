"""A running HTTP intake for the tests of API and form."""

from collections.abc import AsyncIterator

import pytest

from tests.intake_site import Site, site


@pytest.fixture
async def both(database_url: str) -> AsyncIterator[Site]:
    """An intake on each of the databases."""
    async with site(database_url) as running:
        yield running


@pytest.fixture
async def here(sqlite_database: str) -> AsyncIterator[Site]:
    """An intake on SQLite, for what does not depend on the database."""
    async with site(sqlite_database) as running:
        yield running
