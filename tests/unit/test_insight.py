"""What waits is told also while what is over cannot be counted."""

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.seeing import Insight, counted
from bot.services import figures
from bot.services.figures import Figures, Queue
from bot.services.status import Program, Soundness
from bot.services.unit import DatabaseUnavailable, utc_now
from bot.watch import Watch

WAITS = "tickettruhe_outbox_oldest_seconds"


class Units:
    """A database in which one card waits, and in which counting what is over may fail."""

    def __init__(self) -> None:
        self.clock = utc_now
        self.fails = False

    async def look(self, work: Callable[[Any], Any]) -> object:
        """What the database tells."""
        if work is figures.over and self.fails:
            raise DatabaseUnavailable("sqlite")
        return {} if work is figures.over else work(None)


@pytest.fixture
def units(monkeypatch: pytest.MonkeyPatch) -> Units:
    """Nothing is kept, so that each page is asked for anew."""
    for kept in ("_KEEP", "_KEEP_OVER"):
        monkeypatch.setattr(f"bot.seeing.{kept}", 0.0)
    found = Figures({("matrix", "card"): Queue(1, 7.0)}, {}, {}, Queue(0, 0.0), (), {}, {}, {}, "0007")
    monkeypatch.setattr(figures, "figures", lambda _unit, _over: found)
    monkeypatch.setattr("bot.services.status.soundness", lambda _unit: Soundness("0007", {}))
    return Units()


async def test_what_was_counted_last_stands_in(units: Units) -> None:
    program = Program("1.0", utc_now(), "sqlite")
    watch = Watch(units, "0007")  # type: ignore[arg-type]
    insight = Insight(units, watch, program, counted(()).registry)  # type: ignore[arg-type]
    async with TestClient(TestServer(insight.app())) as client:
        units.fails = True
        assert WAITS not in await (await client.get("/metrics")).text()
        units.fails = False
        assert WAITS in await (await client.get("/metrics")).text()
        units.fails = True
        assert WAITS in await (await client.get("/metrics")).text()
    await insight.close()
