"""Carries out what was understood: one use case, its answer, and the mark in the inbox in one commit."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Protocol

from bot.commands.accounts import DONE, REFUSED, Settled, settled
from bot.commands.handlers import Act, Ask, Handler, View
from bot.commands.parser import Call
from bot.commands.prompting import prompt_after
from bot.commands.shows import shown_by
from bot.domain.errors import Refusal, UsageError
from bot.domain.request import InvalidFields
from bot.domain.words import Team
from bot.meters import Outcome
from bot.services import answers, people, prompts, reception
from bot.services.answers import Spot, spot_of
from bot.services.list_views import SearchView
from bot.services.media import Media
from bot.services.people import Caller
from bot.services.prompts import NewPrompt, PromptView
from bot.services.reception import Incoming
from bot.services.unit import Unit, Units
from bot.services.views import Paged, Person, PromptClosed

Problem = Refusal | UsageError | InvalidFields
_PROBLEMS = (Refusal, InvalidFields)
Content = Mapping[str, Any]
_Result = View | None
"""What came of one ticket: a refusal, a view to show, or simply done."""
_NOTHING_BEFORE: Final[Mapping[int, _Result]] = MappingProxyType({})


class Speaker(Protocol):
    """Renders results in a team's language; handed in by the composition root."""

    def answer(self, view: View, team: Team) -> Content:
        """Message content for a view."""

    def media(self, view: View, team: Team) -> Media | None:
        """What shows a view better than the text alone, if anything does."""

    def edit(self, view: View, team: Team, event_id: str) -> Content:
        """Message content that replaces an earlier answer."""

    def problem(
        self, error: Problem, team: Team, people: Mapping[str, str], to: Person | None = None
    ) -> Content:
        """Message content for a refusal or a usage error. ``people``: user id → name.

        ``to`` is addressed: whoever tapped, and so wrote nothing that the answer could be a reply to.
        """

    def outcome(
        self,
        done: tuple[int, ...],
        refused: tuple[Refusal, ...],
        team: Team,
        people: Mapping[str, str],
    ) -> Content:
        """Message content for several tickets, some of which were refused."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why something is carried out: a command, or a tap on a prompt that stands for one."""

    incoming: Incoming
    spot: Spot
    acknowledged: str
    """The command's event, which gets the ✅ and holds the words."""
    prompt: PromptView | None = None
    """To be closed in the commit of what it asked for."""


def by_command(incoming: Incoming, prompt: PromptView | None = None) -> Occasion:
    """Somebody wrote a command; with ``prompt`` it answers that one."""
    return Occasion(incoming, spot_of(incoming), incoming.event_id, prompt)


def by_tap(incoming: Incoming, prompt: PromptView) -> Occasion:
    """Somebody tapped a prompt: the answer goes to it, the ✅ to the command that it answered."""
    spot = Spot(incoming.room_id, prompt.event_id or "", prompt.thread)
    return Occasion(incoming, spot, prompt.command, prompt)


class Executor:
    """Runs handlers and answers; knows neither how a line is parsed nor how a view looks."""

    def __init__(self, units: Units, speaker: Speaker) -> None:
        self._units = units
        self._speaker = speaker

    async def ask(self, occasion: Occasion, call: Call[Handler], handler: Ask) -> Settled:
        """Answer a question; a list with further pages waits for a tap."""
        refused = await self.tell(
            occasion,
            lambda unit, caller: handler.run(unit, call, caller),
            lambda view: prompt_after(view, call),
        )
        return settled(dict.fromkeys(call.numbers, refused), _PROBLEMS) if call.numbers else _of(refused)

    async def tell(
        self,
        occasion: Occasion,
        find: Callable[[Unit, Caller], View | None],
        prompt_for: Callable[[View], NewPrompt | None] = lambda _view: None,
    ) -> Problem | None:
        """Answer with a view, if there is anything to say; gives the refusal that was told instead."""

        def work(unit: Unit) -> Problem | None:
            caller = caller_for(unit, occasion.incoming)
            result: View | None
            content: Content = {}
            prompt: NewPrompt | None = None
            media: Media | None = None
            try:
                result = find(unit, caller)
                if result is not None:
                    content, prompt = self._speaker.answer(result, caller.place.team), prompt_for(result)
                    media = self._speaker.media(result, caller.place.team)
            except (Refusal, InvalidFields) as error:
                result, content = error, self.problem(unit, error, caller.place.team)
            refused = result if isinstance(result, _PROBLEMS) else None
            if not self.conclude(unit, occasion) or result is None:
                return refused
            if isinstance(result, Paged) and prompt is None and occasion.prompt is None:
                prompts.end_last_page(unit, occasion.spot.room_id, occasion.incoming.sender)
            shows = shown_by(result)
            if isinstance(result, Refusal | InvalidFields | SearchView):
                self._note_words(unit, occasion, shows)
            person = occasion.incoming.sender
            answers.answer(
                unit, occasion.spot, content, shows, person=person, prompt=prompt,
                command=occasion.acknowledged, media=media,
            )  # fmt: skip
            return refused

        return await self._units.run(work)

    async def act(self, occasion: Occasion, call: Call[Handler], handler: Act) -> Settled:
        """Each ticket in its own commit; the last one's also holds the answer."""
        *others, last = acted_on(call, handler)
        results: dict[int, _Result] = {}
        for number in others:
            results[number] = await self._units.run(partial(self._one, occasion, call, handler, number))

        return await self._units.run(
            lambda unit: self.finish(unit, occasion, call, handler, last, before=results)
        )

    def finish(
        self,
        unit: Unit,
        occasion: Occasion,
        call: Call[Handler],
        handler: Act,
        number: int,
        before: Mapping[int, _Result] = _NOTHING_BEFORE,
        caller: Caller | None = None,
    ) -> Settled:
        """The last ticket, with the answer to all of them, in a unit of the caller's.

        ``caller`` is whose occasion it is, if that was asked in this unit.
        """
        results = {**before, number: self._one(occasion, call, handler, number, unit, caller)}
        self._report(unit, occasion, results, later=handler.later)
        return settled(results, _PROBLEMS)

    async def would_all_be_refused(self, occasion: Occasion, call: Call[Handler], handler: Act) -> bool:
        """Whether the command would do nothing at all: then nobody need be asked whether it is meant."""
        for number in acted_on(call, handler):
            result = await self._units.rehearse(partial(self._one, occasion, call, handler, number))
            if not isinstance(result, Refusal | InvalidFields):
                return False
        return True

    def _one(
        self,
        occasion: Occasion,
        call: Call[Handler],
        handler: Act,
        number: int,
        unit: Unit,
        caller: Caller | None = None,
    ) -> _Result:
        try:
            return handler.run(unit, number, call, caller or caller_for(unit, occasion.incoming))
        except (Refusal, InvalidFields) as error:
            # The rules refuse before anything is written: the unit is still clean.
            return error

    def _report(self, unit: Unit, occasion: Occasion, results: Mapping[int, _Result], *, later: bool) -> None:
        if not self.conclude(unit, occasion):
            return
        problems = [each for each in results.values() if isinstance(each, Refusal | InvalidFields)]
        if not problems and not later:
            answers.acknowledge(unit, occasion.spot.room_id, occasion.acknowledged)
        if all(each is None for each in results.values()):
            return
        team = caller_for(unit, occasion.incoming).place.team
        person = occasion.incoming.sender
        if problems:
            shows = {*results, *(number for each in results.values() for number in shown_by(each))}
            self._note_words(unit, occasion, shows)
            content = self._problems(unit, results, team)
            answers.answer(unit, occasion.spot, content, shows, person=person)
        for view in results.values():
            if view is not None and view not in problems:
                content = self._speaker.answer(view, team)
                answers.answer(unit, occasion.spot, content, shown_by(view), person=person)

    def _problems(self, unit: Unit, results: Mapping[int, _Result], team: Team) -> Content:
        problems = [each for each in results.values() if isinstance(each, Refusal | InvalidFields)]
        if len(results) == 1:
            return self.problem(unit, problems[0], team)
        done = tuple(number for number, each in results.items() if each not in problems)
        refused = tuple(each for each in problems if isinstance(each, Refusal))
        return self._speaker.outcome(done, refused, team, _names(unit, refused, team))

    async def refuse(self, occasion: Occasion, error: Problem) -> Settled:
        """Say why something cannot be done; nothing else happens."""

        def work(unit: Unit) -> None:
            caller = caller_for(unit, occasion.incoming)
            content = self.problem(unit, error, caller.place.team)
            if self.conclude(unit, occasion):
                shows = shown_by(error)
                self._note_words(unit, occasion, shows)
                person = occasion.incoming.sender
                answers.answer(unit, occasion.spot, content, shows, person=person)

        await self._units.run(work)
        return _of(error)

    @staticmethod
    def _note_words(unit: Unit, occasion: Occasion, shows: Collection[int]) -> None:
        answers.note_words(unit, occasion.spot.room_id, occasion.acknowledged, shows)

    def conclude(self, unit: Unit, occasion: Occasion) -> bool:
        """Mark what came in as handled and its prompt as answered; says whether it was still waiting."""
        if not reception.handled(unit, occasion.incoming):
            return False
        if occasion.incoming.is_tap:
            answers.untap(unit, occasion.incoming)
        if occasion.prompt is not None:
            prompts.done(unit, occasion.prompt.id)
            if occasion.prompt.kind is prompts.PromptKind.CONFIRM:
                self.close_prompt(unit, occasion.incoming, occasion.prompt, confirmed=True)
        return True

    def close_prompt(self, unit: Unit, incoming: Incoming, prompt: PromptView, *, confirmed: bool) -> None:
        """Let a question say what came of it, so that it does not go on asking."""
        if prompts.is_erased(unit, prompt):
            return
        team = caller_for(unit, incoming).place.team
        person = people.person(unit, incoming.sender, team)
        closed = PromptClosed(prompt.payload["command"], prompt.shows, person, confirmed)
        self.replace(unit, prompt, closed, team)

    def replace(self, unit: Unit, prompt: PromptView, view: View, team: Team) -> None:
        """Let a prompt's message say something else."""
        content = self._speaker.edit(view, team, prompt.event_id or "")
        answers.change(unit, prompt.room_id, content, prompt.shows)

    def problem(self, unit: Unit, error: Problem, team: Team, to: Person | None = None) -> Content:
        """Content for a refusal, with the names of those whom it is about."""
        refused = (error,) if isinstance(error, Refusal) else ()
        return self._speaker.problem(error, team, _names(unit, refused, team), to)


def _of(refused: Problem | None) -> Settled:
    """What a command came to that was answered as a whole."""
    match refused:
        case None:
            return DONE
        case UsageError():
            return Settled(Outcome.NOT_UNDERSTOOD)
        case Refusal(number=int() as number):
            return settled({number: refused}, _PROBLEMS)
        case _:
            return REFUSED


def acted_on(call: Call[Handler], handler: Act) -> Sequence[int]:
    """The tickets that a command does one after the other; of those that it does together, the first."""
    return call.numbers[:1] if handler.together else call.numbers


def caller_for(unit: Unit, incoming: Incoming) -> Caller:
    """Who wrote or tapped, with the event as the cause of what they do."""
    return people.caller_of(unit, incoming.sender, incoming.room_id, incoming.event_id)


def _names(unit: Unit, refused: tuple[Refusal, ...], team: Team) -> Mapping[str, str]:
    """Display names of those whom refusals name."""
    ids = {each.named for each in refused if each.named is not None}
    return {user_id: people.person(unit, user_id, team).name for user_id in ids}
