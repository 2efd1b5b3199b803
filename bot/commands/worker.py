"""The way of a command: from the inbox through parser, rights and one use case to the outbox."""

import asyncio
from collections.abc import Mapping
from typing import Final

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars

from bot.commands import accounts, text
from bot.commands.accounts import Settled
from bot.commands.executor import Executor, Speaker, by_command, caller_for
from bot.commands.handlers import Act, Ask, Handler, More
from bot.commands.hearing import Hearing, Identity
from bot.commands.parser import Call, Context, parse
from bot.commands.prompting import confirmation, needs_confirmation, restored
from bot.commands.quick import Quick, Situation
from bot.commands.rights import check_call
from bot.commands.spec import Registry
from bot.commands.tapping import Tapper
from bot.domain.errors import NothingMore, Refusal, UsageError
from bot.domain.words import RoomKind
from bot.logs import place_of
from bot.meters import UNKNOWN, Outcome
from bot.services import answers, greetings, people, prompts, reception
from bot.services.people import Caller
from bot.services.prompts import PromptKind
from bot.services.reception import Incoming
from bot.services.restoring import RepeatedUnits
from bot.services.threads import tickets_shown_by
from bot.services.unit import DatabaseUnavailable, Unit, Units
from bot.services.views import CommandFailed, ConfirmView
from bot.waiting import called

_LOG = structlog.get_logger(__name__)
_ATTEMPTS: Final = 3
_PAUSE: Final = 1.0
_IDLE: Final = 30.0


class Worker:
    """Handles the inbox, one event after the other."""

    def __init__(
        self, units: Units, registry: Registry[Handler], speaker: Speaker, identity: Identity
    ) -> None:
        self._units = units
        self._registry = registry
        self._speaker = speaker
        self._identity = identity
        self._prefix = identity.prefix
        self._hearing = Hearing(registry, identity)
        self._executor = Executor(units, speaker)
        self._tapper = Tapper(units, registry, self._executor)
        self._quick = Quick(self._executor, self._following, self._understood)
        self.turned_at: float | None = None
        """The loop's time at which it came round last; ``None`` before the first time."""

    def concerns(self, content: Mapping[str, object], *, private: bool) -> bool:
        """Whether a message's content is meant for the bot; all others are not kept."""
        return self._hearing.concerns(content, private=private)

    async def run(self) -> None:
        """Handle what comes in, until cancelled. A passing fault of the database is waited out."""
        ready = self._units.signals.inbox
        woken = False
        while True:
            self.turned_at = asyncio.get_running_loop().time()
            ready.clear()
            try:
                busy = await self.turn(woken=woken)
            except DatabaseUnavailable:
                _LOG.warning("database_unavailable", doing="inbox")
                await asyncio.sleep(_PAUSE)
                busy = True
            woken = False
            if not busy:
                await called(ready, _IDLE)
                woken = ready.is_set()

    async def turn(self, *, woken: bool) -> bool:
        """Handle the next command or tap, if there is one; says whether there was.

        One who was ``woken`` knows that there is: it is looked for where it can be done at once.

        :raises DatabaseUnavailable: for now; it is still to be handled.
        """
        if woken and (done := await self._done_at_once()) is not None:
            return done
        following = await self._units.look(self._following)
        if following is None:
            return False
        await self._handle_or_report(*following)
        return True

    async def _done_at_once(self) -> bool | None:
        """The short way: says whether there was anything; ``None``: it failed, and nothing was done."""
        try:
            found = await self._units.run(self._quick)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - nothing was done: it comes again where faults are told
            _LOG.warning("short_way_failed", error=type(error).__name__, place=place_of(error))
            return None
        if found is None:
            return False
        if found.done is None:
            await self._handle_or_report(found.incoming, found.situation)
        else:
            self._settle(found.incoming, *found.done)
        return True

    def _following(self, unit: Unit) -> tuple[Incoming, Situation | None] | None:
        """The next command or tap, and at once its situation: a look less before somebody is answered.

        One at a time, in the order in which they came: one that has to be tried again is not overtaken.
        """
        for incoming in reception.waiting(unit, limit=1):
            try:
                return incoming, None if incoming.is_tap else self._situation(unit, incoming)
            except Exception:  # noqa: BLE001 - whatever it is comes again where it is told whose it is
                return incoming, None
        return None

    async def _handle_or_report(self, incoming: Incoming, situation: Situation | None) -> None:
        with bound_contextvars(event_id=incoming.event_id, command=UNKNOWN):
            try:
                await self.handle(incoming, situation)
            except DatabaseUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is must not stop the others' commands
                await self._after_fault(incoming, error)

    async def _after_fault(self, incoming: Incoming, error: Exception) -> None:
        """Try a few times; then say in the room that the command was not done, and go on."""
        attempts = await self._units.run(lambda unit: reception.tried_in_vain(unit, incoming))
        # The traceback tells the place; the error's text could hold a requester's words.
        _LOG.error("command_fault", error=type(error).__name__, attempt=attempts, place=place_of(error))
        if attempts < _ATTEMPTS:
            await asyncio.sleep(_PAUSE)
            return

        def give_up(unit: Unit) -> None:
            if reception.handled(unit, incoming):
                content = self._speaker.answer(CommandFailed(incoming.event_id), None)
                spot = answers.spot_of(incoming)
                answers.answer(unit, spot, content, (), person=incoming.sender)

        await self._units.run(give_up)
        self._settle(incoming, get_contextvars()["command"], Settled(Outcome.FAILED))

    async def handle(self, incoming: Incoming, situation: Situation | None = None) -> None:
        """Do one command or tap. Run again after a crash, it finishes what is left and answers once."""
        if incoming.again is None:
            await self.do(incoming, situation)
            return
        # It was done and answered before the database was restored.
        units = RepeatedUnits(self._units, incoming.sent_at)
        await Worker(units, self._registry, self._speaker, self._identity).do(incoming)

    async def do(self, incoming: Incoming, situation: Situation | None = None) -> None:
        """Do one command or tap with this worker's units."""
        if incoming.is_tap:
            if (result := await self._tapper.handle(incoming)) is not None:
                self._settle(incoming, *result)
            return
        if situation is None:
            situation = await self._units.look(lambda unit: self._situation(unit, incoming))
        caller, context = situation
        if caller.place.kind is RoomKind.FOREIGN:
            await self._units.run(lambda unit: reception.handled(unit, incoming))
            return
        try:
            call = self._understood(incoming, caller, context)
        except UsageError as error:
            refused = await self._executor.refuse(by_command(incoming), error)
            self._settle(incoming, self._meant(error), refused)
            return
        if call is None:
            await self._talk(incoming, caller)
            return
        bind_contextvars(command=call.command.name)
        self._settle(incoming, call.command.name, await self._carry_out(incoming, call, caller))

    def _settle(self, incoming: Incoming, name: str, what: Settled) -> None:
        accounts.enter(self._units.meters, incoming, name, what)

    def _meant(self, error: UsageError) -> str:
        """The command whose form was not kept to."""
        usages = {command.usage(self._prefix): command.name for command in self._registry}
        return usages.get(error.usage, UNKNOWN)

    async def _carry_out(self, incoming: Incoming, call: Call[Handler], caller: Caller) -> Settled:
        try:
            check_call(call, caller)
        except Refusal as error:
            return await self._executor.refuse(by_command(incoming), error)
        match call.command.handler:
            case Ask() as handler:
                return await self._executor.ask(by_command(incoming), call, handler)
            case Act() as handler:
                return await self._act(incoming, call, handler)
            case More():
                return await self._more(incoming)

    async def _act(self, incoming: Incoming, call: Call[Handler], handler: Act) -> Settled:
        occasion = by_command(incoming)
        confirmed = incoming.again is not None and bool(incoming.again.get("done"))
        if (
            needs_confirmation(call)
            and not confirmed
            and not await self._executor.would_all_be_refused(occasion, call, handler)
        ):
            await self._ask_first(incoming, call)
            return Settled(Outcome.ASKED, call.numbers)
        return await self._executor.act(occasion, call, handler)

    async def _ask_first(self, incoming: Incoming, call: Call[Handler]) -> None:
        """A command that hurts is done once the same person confirms it."""

        def work(unit: Unit) -> None:
            caller = caller_for(unit, incoming)
            person = people.person(unit, incoming.sender, caller.place.team)
            until = prompts.expires_at(PromptKind.CONFIRM, unit.now)
            view = ConfirmView(call.command.name, call.numbers, person, until)
            content = self._speaker.answer(view, caller.place.team)
            if reception.handled(unit, incoming):
                answers.answer(
                    unit, answers.spot_of(incoming), content, call.numbers,
                    person=incoming.sender, prompt=confirmation(call),
                )  # fmt: skip

        await self._units.run(work)

    async def _more(self, incoming: Incoming) -> Settled:
        """Go on with the list that this person asked for last in this room."""
        room_id, person = incoming.room_id, incoming.sender
        prompt = await self._units.look(lambda unit: prompts.last_page(unit, room_id, person))
        call = None if prompt is None else restored(prompt.payload, self._registry)
        if call is None or not isinstance(call.command.handler, Ask):
            return await self._executor.refuse(by_command(incoming), NothingMore(None))
        return await self._executor.ask(by_command(incoming, prompt), call, call.command.handler)

    def _situation(self, unit: Unit, incoming: Incoming) -> Situation:
        caller = caller_for(unit, incoming)
        event = text.context_event(incoming.content)
        shown = tickets_shown_by(unit, event.reply_to, event.root)
        return caller, Context(shown)

    def _understood(self, incoming: Incoming, caller: Caller, context: Context) -> Call[Handler] | None:
        private = caller.place.kind is RoomKind.DIRECT
        line = self._hearing.command(incoming.content, private=private)
        return None if line is None else parse(line, self._registry, self._prefix, context)

    async def _talk(self, incoming: Incoming, caller: Caller) -> None:
        """What is no command: in a direct chat it is answered now and then."""
        if caller.place.kind is RoomKind.DIRECT:
            await self._executor.tell(by_command(incoming), greetings.answer_to_talk)
        else:
            await self._units.run(lambda unit: reception.handled(unit, incoming))
