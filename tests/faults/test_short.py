"""The short form of `make faults`: some kills and faults on each database, then the oracle.

And the oracle itself: whatever is tampered with afterwards, it tells.
"""

import random
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Final

import pytest

from bot.demo.homeserver import Homeserver
from tests.faults.oracle import breaches
from tests.faults.rounds import Plan, judged, played, told
from tests.faults.stage import Servers, Stage
from tests.faults.tampering import TAMPERINGS, something_to_tamper_with
from tests.forks import Launcher
from tests.servers import Postgres, fresh_database

KILLS: Final = 5
FAULTS: Final = {
    "sqlite": ("token expired", "disk full", "database locked briefly", "clock set right"),
    "postgresql": ("Synapse restarted", "PostgreSQL restarted", "tables locked", "clocks go back"),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def stage(
    request: pytest.FixtureRequest,
    own_homeserver: Homeserver,
    launcher: Launcher,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Stage]:
    """A desk after a round, settled."""
    plan = Plan(random.randrange(2**32), KILLS, FAULTS[request.param], pace=0.6)
    print(f"seed of the round: {plan.seed}")
    with ExitStack() as stack:
        servers, url = Servers(own_homeserver, launcher), None
        if request.param == "postgresql":
            postgres: Postgres = request.getfixturevalue("own_postgres")
            servers = Servers(own_homeserver, launcher, postgres)
            url = stack.enter_context(fresh_database(postgres.url)).render_as_string(hide_password=False)
        async with played(servers, tmp_path_factory.mktemp("round"), url, plan, print) as stage:
            yield stage


@pytest.mark.timeout(300)
async def test_nothing_is_lost_or_done_twice(stage: Stage) -> None:
    result = await judged(stage)
    assert result.breaches == []
    assert sum(result.kills.values()) >= KILLS
    assert min(result.tickets, result.commands, result.taps) > 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("stage", ["sqlite"], indirect=True)
async def test_the_oracle_sees_what_is_wrong(stage: Stage) -> None:
    """Each thing that is tampered with is told by the check that is for it."""
    await something_to_tamper_with(stage)
    known = set(breaches(await told(stage)))
    await stage.bot.stop()
    for tamper in TAMPERINGS:
        check = await tamper(stage)
        news = set(breaches(await told(stage))) - known
        assert any(each.startswith(f"{check}: ") for each in news), (tamper.__name__, news)
        known |= news
