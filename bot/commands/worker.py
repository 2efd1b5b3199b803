"""The way of a command: from the inbox through parser, rights and one use case to the outbox."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

import structlog

from bot.commands import text
from bot.commands.handlers import Act, Ask, Handler, View
from bot.commands.parser import Call, Context, parse
from bot.commands.shows import shown_by
from bot.commands.spec import Registry
from bot.domain.errors import (
    NotPermitted,
    Refusal,
    TooManyTickets,
    UsageError,
)
from bot.domain.request import InvalidFields
from bot.domain.words import Right, RoomKind, Team
from bot.logs import place_of
from bot.services import answers, people, reception
from bot.services.list_views import SearchView
from bot.services.people import Caller
from bot.services.reception import Incoming
from bot.services.threads import tickets_shown_by
from bot.services.unit import DatabaseUnavailable, Unit, Units
from bot.services.views import CommandFailed

_LOG = structlog.get_logger(__name__)
AT_ONCE: Final = 50
"""Most tickets that one command may name."""
_ATTEMPTS: Final = 3
_PAUSE: Final = 1.0
_IDLE: Final = 30.0

Problem = Refusal | UsageError | InvalidFields
Content = Mapping[str, Any]
_Result = View | None
"""What came of one ticket: a refusal, a view to show, or simply done."""


class Speaker(Protocol):
    """Renders results in a team's language; handed in by the composition root."""

    def answer(self, view: View, team: Team) -> Content:
        """Message content for a view."""

    def problem(self, error: Problem, team: Team, people: Mapping[str, str]) -> Content:
        """Message content for a refusal or a usage error. ``people``: user id → name."""

    def outcome(
        self,
        done: tuple[int, ...],
        refused: tuple[Refusal, ...],
        team: Team,
        people: Mapping[str, str],
    ) -> Content:
        """Message content for several tickets, some of which were refused."""


@dataclass(frozen=True, slots=True)
class Identity:
    """How people call the bot in the chat."""

    user_id: str
    names: tuple[str, ...]
    prefix: str


class Worker:
    """Handles the inbox, one event after the other."""

    def __init__(
        self, units: Units, registry: Registry[Handler], speaker: Speaker, identity: Identity
    ) -> None:
        self._units = units
        self._registry = registry
        self._speaker = speaker
        self._identity = identity

    def is_command(self, content: Mapping[str, object]) -> bool:
        """Whether a message's content is meant for the bot; all others are not kept."""
        me = self._identity
        return text.command_text(content, me.user_id, me.names, me.prefix) is not None

    async def run(self) -> None:
        """Handle what comes in, until cancelled. A passing fault of the database is waited out."""
        ready = self._units.signals.inbox
        while True:
            ready.clear()
            try:
                batch = await self._units.look(reception.waiting)
                for incoming in batch:
                    await self._handle_or_report(incoming)
            except DatabaseUnavailable:
                _LOG.warning("database_unavailable", doing="inbox")
                await asyncio.sleep(_PAUSE)
                continue
            if not batch:
                with suppress(TimeoutError):
                    await asyncio.wait_for(ready.wait(), _IDLE)

    async def _handle_or_report(self, incoming: Incoming) -> None:
        try:
            await self.handle(incoming)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is must not stop the others' commands
            await self._after_fault(incoming, error)

    async def _after_fault(self, incoming: Incoming, error: Exception) -> None:
        """Try a few times; then say in the room that the command was not done, and go on."""
        attempts = await self._units.run(lambda unit: reception.tried_in_vain(unit, incoming))
        # The traceback tells the place; the error's text could hold a requester's words.
        _LOG.error("command_fault", event_id=incoming.event_id, error=type(error).__name__, attempt=attempts,
                   place=place_of(error))  # fmt: skip
        if attempts < _ATTEMPTS:
            await asyncio.sleep(_PAUSE)
            return

        async def give_up(unit: Unit) -> None:
            if await reception.handled(unit, incoming):
                content = self._speaker.answer(CommandFailed(incoming.event_id), None)
                await answers.answer(unit, incoming, content, ())

        await self._units.run(give_up)

    async def handle(self, incoming: Incoming) -> None:
        """Do one command. Run again after a crash, it finishes what is left of it and answers once."""
        caller, context = await self._units.look(lambda unit: self._situation(unit, incoming))
        if caller.place.kind is RoomKind.FOREIGN:
            await self._units.run(lambda unit: reception.handled(unit, incoming))
            return
        try:
            call = self._understood(incoming, context)
            if call is not None:
                _check_call(call, caller)
        except (Refusal, UsageError) as error:
            await self._refuse(incoming, caller, error)
            return
        if call is None:
            await self._units.run(lambda unit: reception.handled(unit, incoming))
        elif isinstance(call.command.handler, Ask):
            await self._ask(incoming, call, call.command.handler)
        else:
            await self._act(incoming, caller.place.team, call, call.command.handler)

    async def _situation(self, unit: Unit, incoming: Incoming) -> tuple[Caller, Context]:
        caller = await people.caller_of(unit, incoming.sender, incoming.room_id, incoming.event_id)
        event = text.context_event(incoming.content)
        shown = await tickets_shown_by(unit, event.reply_to, event.root)
        return caller, Context(shown)

    def _understood(self, incoming: Incoming, context: Context) -> Call[Handler] | None:
        me = self._identity
        line = text.command_text(incoming.content, me.user_id, me.names, me.prefix)
        return None if line is None else parse(line, self._registry, me.prefix, context)

    async def _ask(self, incoming: Incoming, call: Call[Handler], handler: Ask) -> None:
        async def work(unit: Unit) -> None:
            caller = await people.caller_of(unit, incoming.sender, incoming.room_id, incoming.event_id)
            result: View
            try:
                result = await handler.run(unit, call, caller)
                content = self._speaker.answer(result, caller.place.team)
            except (Refusal, InvalidFields) as error:
                result, content = error, await self._problem(unit, error, caller.place.team)
            if await reception.handled(unit, incoming):
                wordy = isinstance(result, Refusal | InvalidFields | SearchView)
                await answers.answer(unit, incoming, content, shown_by(result), wordy=wordy)

        await self._units.run(work)

    async def _act(self, incoming: Incoming, team: Team, call: Call[Handler], handler: Act) -> None:
        """Each ticket in its own commit; the last one's also holds the answer."""
        *others, last = call.numbers
        results: dict[int, _Result] = {}
        for number in others:
            results[number] = await self._units.run(partial(self._one, incoming, call, handler, number))

        async def finish(unit: Unit) -> None:
            result = await self._one(incoming, call, handler, last, unit)
            await self._report(unit, incoming, team, {**results, last: result})

        await self._units.run(finish)

    async def _one(
        self, incoming: Incoming, call: Call[Handler], handler: Act, number: int, unit: Unit
    ) -> _Result:
        caller = await people.caller_of(unit, incoming.sender, incoming.room_id, incoming.event_id)
        try:
            return await handler.run(unit, number, call, caller)
        except (Refusal, InvalidFields) as error:
            # The rules refuse before anything is written: the unit is still clean.
            return error

    async def _report(
        self, unit: Unit, incoming: Incoming, team: Team, results: Mapping[int, _Result]
    ) -> None:
        if not await reception.handled(unit, incoming):
            return
        problems = [each for each in results.values() if isinstance(each, Refusal | InvalidFields)]
        if not problems:
            await answers.acknowledge(unit, incoming)
        elif len(results) == 1:
            content = await self._problem(unit, problems[0], team)
            await answers.answer(unit, incoming, content, results, wordy=True)
        else:
            done = tuple(number for number, each in results.items() if each not in problems)
            refused = tuple(each for each in problems if isinstance(each, Refusal))
            names = await _names(unit, refused, team)
            content = self._speaker.outcome(done, refused, team, names)
            await answers.answer(unit, incoming, content, results, wordy=True)
        for view in results.values():
            if view is not None and view not in problems:
                await answers.answer(unit, incoming, self._speaker.answer(view, team), shown_by(view))

    async def _problem(self, unit: Unit, error: Problem, team: Team) -> Content:
        refused = (error,) if isinstance(error, Refusal) else ()
        return self._speaker.problem(error, team, await _names(unit, refused, team))

    async def _refuse(self, incoming: Incoming, caller: Caller, error: Problem) -> None:
        async def work(unit: Unit) -> None:
            content = await self._problem(unit, error, caller.place.team)
            if await reception.handled(unit, incoming):
                await answers.answer(unit, incoming, content, shown_by(error), wordy=True)

        await self._units.run(work)


async def _names(unit: Unit, refused: tuple[Refusal, ...], team: Team) -> Mapping[str, str]:
    """Display names of those whom refusals name."""
    ids = {each.named for each in refused if each.named is not None}
    return {user_id: (await people.person(unit, user_id, team)).name for user_id in ids}


def _check_call(call: Call[Handler], caller: Caller) -> None:
    """Rights that need no ticket: for lists, and for somebody who is in none of the teams."""
    actor, right = caller.actor, call.command.right
    outsider = not actor.admin and not actor.teams
    if (right is Right.ADMIN and not actor.admin) or (right is not Right.ANYONE and outsider):
        raise NotPermitted(None, None, Right.ADMIN if right is Right.ADMIN else Right.MEMBER)
    if len(call.numbers) > AT_ONCE:
        raise TooManyTickets(None, AT_ONCE)
