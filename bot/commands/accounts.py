"""What came of each command and tap: counted by name, and a line per ticket in the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import structlog

from bot.meters import Meters, Outcome
from bot.services.reception import Incoming

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a command or tap. ``refused``: number → kind of refusal, of the tickets it was about."""

    outcome: Outcome
    numbers: Sequence[int] = ()
    refused: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))


DONE: Final = Settled(Outcome.DONE)
REFUSED: Final = Settled(Outcome.REFUSED)


def settled(results: Mapping[int, Any], problems: tuple[type[Exception], ...]) -> Settled:
    """Sums up what came of each ticket: a problem, or anything else."""
    refused = {number: type(each).__name__ for number, each in results.items() if isinstance(each, problems)}
    if not refused:
        outcome = Outcome.DONE
    else:
        outcome = Outcome.REFUSED if len(refused) == len(results) else Outcome.PARTLY
    return Settled(outcome, tuple(results), refused)


def enter(meters: Meters, incoming: Incoming, name: str, what: Settled) -> None:
    """Count it, and say in the log what came of it. ``name`` is the command's, or says what was tapped."""
    kind, count = ("tap", meters.tap) if incoming.is_tap else ("command", meters.command)
    count(name, what.outcome)
    line: dict[str, object] = {"command": name, "event_id": incoming.event_id}
    if not what.numbers:
        _LOG.info(kind, **line, result=what.outcome.value)
    for number in what.numbers:
        if number in what.refused:
            result = {"result": Outcome.REFUSED.value, "reason": what.refused[number]}
        else:
            alone = what.outcome is Outcome.PARTLY
            result = {"result": Outcome.DONE.value if alone else what.outcome.value}
        _LOG.info(kind, **line, ticket=number, **result)
