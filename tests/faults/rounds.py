"""A round: a desk of its own, so many kills, faults in between, and the oracle's word at the end."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bot import wiring
from bot.commands.declarations import build_registry
from bot.commands.helping import german_names
from bot.services import reads
from bot.services.jobs import Send
from bot.services.status import Program
from bot.services.unit import Units
from bot.services.views import CardView
from storage.database import Database
from tests.faults import facts
from tests.faults.faults import FAULTS, happen
from tests.faults.kills import MOMENTS, kill_at
from tests.faults.oracle import breaches
from tests.faults.proxy import Spoil
from tests.faults.stage import Servers, Stage, staged
from tests.faults.story import Story

Progress = Callable[[str], None]

_WEATHERS: Final[Sequence[tuple[float, float, tuple[Spoil, ...]]]] = (
    (4, 0.0, ()),
    (3, 0.15, tuple(Spoil)),
    (1, 0.5, tuple(Spoil)),
    (1, 0.4, (Spoil.LIMITED,)),
    (1, 0.6, (Spoil.SLOW,)),
    (1, 0.4, (Spoil.CUT_AFTER, Spoil.TRUNCATED)),
)
"""How often each comes, the chance of a request being spoilt, and how it is."""
_READY_IN_BAD_WEATHER: Final = 5.0
"""Seconds for which the next kill waits for a bot that starts."""


@dataclass(frozen=True)
class Plan:
    """What a round is made of. The seed decides all the rest."""

    seed: int
    kills: int
    faults: tuple[str, ...] = tuple(FAULTS)
    """Each happens once, somewhere between the kills, where it is possible."""
    pace: float = 1.0


@dataclass
class Result:
    """What came of a round."""

    kills: dict[str, int]
    faults: dict[str, int]
    tickets: int
    commands: int
    taps: int
    breaches: list[str] = field(default_factory=list)


@asynccontextmanager
async def played(
    servers: Servers, folder: Path, database_url: str | None, plan: Plan, tell: Progress
) -> AsyncIterator[Stage]:
    """The stage after all kills and faults, settled, its bot running."""
    async with staged(servers, folder, database_url, plan.seed, plan.pace) as stage:
        await stage.start()
        await stage.ready()
        work = asyncio.create_task(stage.workload.run())
        try:
            await stage.warmed_up()
            for step in _steps(stage, plan):
                if work.done():
                    break
                await _take(stage, step)
                tell(step)
        finally:
            stage.proxy.chance = 0.0
            stage.workload.stop()
            await work
        try:
            await stage.settled()
        except (TimeoutError, AssertionError):
            stage.log.mishaps.append("it did not settle")
        yield stage


def _steps(stage: Stage, plan: Plan) -> list[str]:
    """Names of kills and faults in the order in which they come."""
    dice = stage.dice
    weights = [3 if moment != "while starting" else 1 for moment in MOMENTS]
    steps = dice.choices(list(MOMENTS), weights, k=plan.kills)
    for name in plan.faults:
        if FAULTS[name].possible(stage):
            steps.insert(dice.randint(0, len(steps)), name)
    return steps


async def _take(stage: Stage, step: str) -> None:
    if step in FAULTS:
        # One thing at a time: a fault of the house comes in fair weather.
        stage.proxy.chance = 0.0
        await happen(stage, step)
        return
    weights = [weight for weight, *_ in _WEATHERS]
    _, stage.proxy.chance, stage.proxy.kinds = stage.dice.choices(_WEATHERS, weights)[0]
    if stage.dice.random() < 0.8 and await stage.ready(_READY_IN_BAD_WEATHER):
        await asyncio.sleep(stage.dice.uniform(0, 1.5))
    await kill_at(stage, step)
    await stage.start()


async def judged(stage: Stage) -> Result:
    """What the oracle says."""
    story = await told(stage)
    return Result(
        kills=dict(stage.log.kills),
        faults={**stage.log.faults, **{kind.value: count for kind, count in stage.proxy.spoilt.items()}},
        tickets=len(story.facts.tickets),
        commands=len(stage.log.commands),
        taps=len(stage.log.taps),
        breaches=breaches(story),
    )


async def told(stage: Stage) -> Story:
    """The three views. Whoever looks into a room is at a client that has seen nothing yet."""
    desk = stage.desk
    found = await asyncio.to_thread(facts.read, stage.engine, stage.clock.now)
    events = {key: await desk.viewer(key).fresh().timeline(room) for key, room in desk.rooms.items()}
    return Story(desk, stage.log, found, events, await _rendered(stage, list(found.tickets)))


async def _rendered(stage: Stage, numbers: Sequence[int]) -> Mapping[int, str]:
    """Each ticket's card, as the bot would write it from what the database says now."""
    config = stage.desk.config
    registry = build_registry(Program("", datetime.now(UTC), ""), config.prefix)
    speaker = wiring.Speaker(config, german_names(registry))
    database = Database(stage.desk.database_url)
    try:
        units = Units(database, wiring.policy(config), lambda: stage.clock.now)
        return {number: await _body(units, speaker, number) for number in numbers}
    finally:
        await database.close()


async def _body(units: Units, speaker: wiring.Speaker, number: int) -> str:
    view: CardView | None = await units.look(lambda unit: reads.card_view(unit, number))
    assert view is not None
    send = Send(0, "card", "", "", "m.room.message", datetime.now(UTC), view=view, team=view.team)
    content: Mapping[str, Any] = speaker.render(send)
    return str(content["body"])


def seed_of(master: int, number: int) -> int:
    """A round's seed, from that of the whole run."""
    return random.Random(f"{master} {number}").randrange(2**32)
