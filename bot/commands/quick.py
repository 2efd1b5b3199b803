"""The short way of a command: what one change of one ticket answers is done in the unit that finds it.

Somebody waits for the answer, and each further unit takes as long again. Whatever needs more than that, a
question, a confirmation or a refusal before the gate, and whatever fails, goes the long way instead, where
faults are counted and told.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.commands.accounts import Settled
from bot.commands.executor import Executor, acted_on, by_command
from bot.commands.handlers import Act, Handler
from bot.commands.parser import Call, Context
from bot.commands.prompting import needs_confirmation
from bot.commands.rights import check_call
from bot.domain.errors import Refusal, UsageError
from bot.domain.words import RoomKind
from bot.services.people import Caller
from bot.services.reception import Incoming
from bot.services.unit import Unit

Situation = tuple[Caller, Context]
"""Who asks where, and which tickets the command may mean without naming them."""
Following = Callable[[Unit], tuple[Incoming, Situation | None] | None]
Understood = Callable[[Incoming, Caller, Context], Call[Handler] | None]


@dataclass(frozen=True, slots=True)
class Found:
    """A command or tap; ``done`` says which command it was and what came of it, if it was done at once."""

    incoming: Incoming
    situation: Situation | None
    done: tuple[str, Settled] | None = None


class Quick:
    """Finds the next command and does it, if that is all it takes."""

    def __init__(self, executor: Executor, following: Following, understood: Understood) -> None:
        self._executor = executor
        self._following = following
        self._understood = understood

    def __call__(self, unit: Unit) -> Found | None:
        """What came next; ``None`` if nothing did."""
        following = self._following(unit)
        if following is None:
            return None
        incoming, situation = following
        if incoming.again is not None or situation is None:
            return Found(incoming, situation)
        caller, context = situation
        meant = self._meant(incoming, caller, context)
        if meant is None:
            return Found(incoming, situation)
        call, handler, number = meant
        occasion = by_command(incoming)
        result = self._executor.finish(unit, occasion, call, handler, number, caller=caller)
        # The log's context is that of the unit's caller, who does not know yet what is done here.
        about = {"event_id": incoming.event_id, "command": call.command.name}
        unit.lines = [(line, {**about, **fields}) for line, fields in unit.lines]
        return Found(incoming, situation, (call.command.name, result))

    def _meant(
        self, incoming: Incoming, caller: Caller, context: Context
    ) -> tuple[Call[Handler], Act, int] | None:
        """One change of one ticket, by somebody who may command it."""
        if caller.place.kind is RoomKind.FOREIGN:
            return None
        try:
            call = self._understood(incoming, caller, context)
            if call is None or needs_confirmation(call):
                return None
            check_call(call, caller)
        except (UsageError, Refusal):
            return None
        handler = call.command.handler
        if not isinstance(handler, Act):
            return None
        numbers = acted_on(call, handler)
        return (call, handler, numbers[0]) if len(numbers) == 1 else None
