"""Where it is measured: databases, homeserver, desk; all of this run's own."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, running_desk
from tests.people import Crowd
from tests.servers import fresh_database, postgres_server

SQLITE: Final = "SQLite"
POSTGRESQL: Final = "PostgreSQL"
FOLDER_VARIABLE: Final = "TICKETTRUHE_BENCH_DIR"
"""Where the scratch folder is made: on the disk that is to be measured."""


@dataclass(frozen=True)
class Options:
    """How much is measured."""

    databases: tuple[str, ...] = (SQLITE, POSTGRESQL)
    takes: int = 100
    seconds: float = 6.0
    """Of each measurement of the intake."""
    sizes: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    runs: int = 7
    """Of each command at each size."""
    tickets: int = 1_000
    """Of the burst."""
    events: int = 100_000
    idle: float = 30.0


@dataclass
class Stage:
    """A run's scratch folder, and its PostgreSQL if one is wanted."""

    options: Options
    folder: Path

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """URL of an empty database that is gone afterwards."""
        if name == POSTGRESQL:
            with postgres_server() as server, fresh_database(server) as url:
                yield url.render_as_string(hide_password=False)
            return
        with self.scratch() as folder:
            yield f"sqlite:///{folder}/tickettruhe.db"

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder that is gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield Path(folder)

    @asynccontextmanager
    async def desk(self, database_url: str) -> AsyncIterator[Desk]:
        """A desk whose bot runs at a real Synapse of its own."""
        with self.scratch() as folder:
            place = folder / "desk"
            place.mkdir()
            async with (
                Homeserver(folder / "homeserver") as homeserver,
                Crowd(homeserver) as crowd,
                running_desk(homeserver, crowd, place, database_url) as desk,
            ):
                yield desk


@contextmanager
def stage(options: Options) -> Iterator[Stage]:
    """The stage; everything is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=os.environ.get(FOLDER_VARIABLE)) as folder:
        yield Stage(options, Path(folder))
