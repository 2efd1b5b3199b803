"""The way of a tap: from the inbox through the card or prompt that was tapped to the same use cases."""

from typing import Any

from structlog.contextvars import bind_contextvars

from bot.commands.accounts import DONE, REFUSED, Settled, settled
from bot.commands.executor import Executor, by_tap, caller_for
from bot.commands.handlers import Act, Ask, Handler
from bot.commands.parser import Call
from bot.commands.prompting import is_personal, restored
from bot.commands.rights import check_call
from bot.commands.spec import Registry
from bot.domain import taps as words
from bot.domain.errors import NotPermitted, NotYourPrompt, PromptOver, Refusal
from bot.domain.words import Action, Right, RoomKind
from bot.meters import Outcome
from bot.services import answers, people, prompts, reception, relocation, taps, verification
from bot.services.answers import Spot
from bot.services.prompts import PromptKind, PromptView
from bot.services.reception import Incoming
from bot.services.taps import TappedCard
from bot.services.unit import Unit, Units
from bot.services.views import RoomMoveAnswered


def key_of(incoming: Incoming) -> str:
    """The emoji of a tap, without what clients vary; empty if it is none."""
    relation: Any = incoming.content.get("m.relates_to")
    key = relation.get("key") if isinstance(relation, dict) else None
    return words.canonical(key) if isinstance(key, str) else ""


class Tapper:
    """Handles members' reactions on the bot's cards and prompts."""

    def __init__(self, units: Units, registry: Registry[Handler], executor: Executor) -> None:
        self._units = units
        self._registry = registry
        self._executor = executor

    async def handle(self, incoming: Incoming) -> tuple[str, Settled] | None:
        """Do what one tap asks for; gives its name and what came of it.

        Any other reaction is people's own and stays.
        """
        relation: Any = incoming.content.get("m.relates_to", {})
        event_id, key = relation.get("event_id", ""), key_of(incoming)
        tapped = await self._units.look(lambda unit: taps.find(unit, event_id))
        match tapped:
            case TappedCard() if key in words.CARD:
                spot = Spot(incoming.room_id, tapped.latest, tapped.event_id)
                name = words.CARD[key].value
                work = self._move(incoming, words.CARD[key], tapped.number, spot)
            case PromptView() if key in tapped.keys and tapped.room_id == incoming.room_id:
                name = _name(key, tapped)
                work = self._prompt(incoming, key, tapped)
            case _:
                await self._units.run(lambda unit: reception.handled(unit, incoming))
                return None
        bind_contextvars(command=name)
        what = await work
        return None if what is None else (name, what)

    async def _move(
        self,
        incoming: Incoming,
        action: Action,
        number: int,
        spot: Spot,
        prompt: PromptView | None = None,
    ) -> Settled | None:
        def work(unit: Unit) -> Settled | None:
            caller = caller_for(unit, incoming)
            if caller.place.kind is RoomKind.FOREIGN:
                reception.handled(unit, incoming)
                return None
            refusal: Refusal | None = None
            try:
                taps.tap(unit, action, number, caller)
            except Refusal as error:
                # The rules refuse before anything is written: the unit is still clean.
                refusal = error
            if not reception.handled(unit, incoming):
                return None
            answers.untap(unit, incoming)
            if refusal is not None:
                self._refuse(unit, incoming, refusal, spot, [number])
            elif prompt is not None:
                prompts.done(unit, prompt.id)
            return settled({number: refusal}, (Refusal,))

        return await self._units.run(work)

    def _refuse(self, unit: Unit, incoming: Incoming, refusal: Refusal, spot: Spot, shows: list[int]) -> None:
        """Say why in the thread, and to whom: a tap is no message that could be replied to."""
        caller = people.caller_of(unit, incoming.sender, incoming.room_id)
        team = caller.place.team
        to = people.person(unit, incoming.sender, team)
        content = self._executor.problem(unit, refusal, team, to)
        answers.answer(unit, spot, content, shows, person=incoming.sender)

    # --- prompts ---

    async def _prompt(self, incoming: Incoming, key: str, prompt: PromptView) -> Settled | None:
        if prompt.kind is PromptKind.TICKET:
            spot = Spot(incoming.room_id, prompt.event_id or "", prompt.thread)
            return await self._move(incoming, words.CARD[key], prompt.payload["number"], spot, prompt)
        if prompt.done:
            await self._ignore(incoming)  # two tapped at once, and the other was first
            return None
        if prompt.kind is PromptKind.ROOM:
            return await self._decide_move(incoming, key, prompt)
        if prompt.kind is PromptKind.COMPARE:
            return await self._compare(incoming, key, prompt)
        refusal = _refusal(incoming, prompt)
        call = restored(prompt.payload, self._registry)
        if refusal is None and call is None:
            refusal = PromptOver(None)
        if refusal is not None:
            return await self._decline(incoming, prompt, refusal)
        if key == words.CANCEL:
            return await self._cancel(incoming, prompt)
        assert call is not None  # noqa: S101 - for the type checker, it would have been refused
        return await self._carry_out(incoming, prompt, call)

    async def _decide_move(self, incoming: Incoming, key: str, prompt: PromptView) -> Settled:
        """Any admin may say whether the bot moves into the room that replaces an upgraded one."""
        old_room_id, new_room_id, name = (prompt.payload[each] for each in ("old", "new", "name"))
        yes = key == words.CONFIRM

        def work(unit: Unit) -> Settled:
            caller = caller_for(unit, incoming)
            refusal: Refusal | None = None
            if not caller.actor.admin:
                refusal = NotPermitted(None, None, Right.ADMIN)
            elif not relocation.is_asked(unit, old_room_id, new_room_id):
                refusal = PromptOver(None)
            if not reception.handled(unit, incoming):
                return DONE
            answers.untap(unit, incoming)
            if refusal is not None:
                spot = Spot(incoming.room_id, prompt.event_id or "", prompt.thread)
                self._refuse(unit, incoming, refusal, spot, [])
                return REFUSED
            relocation.decide(unit, old_room_id, incoming.sender, yes=yes)
            person = people.person(unit, incoming.sender)
            view = RoomMoveAnswered(name, new_room_id, person, yes)
            self._executor.replace(unit, prompt, view, caller.place.team)
            return DONE

        return await self._units.run(work)

    async def _compare(self, incoming: Incoming, key: str, prompt: PromptView) -> Settled:
        """The admin who verifies the bot says whether both sides show the same."""

        def work(unit: Unit) -> Settled:
            if not reception.handled(unit, incoming):
                return DONE
            answers.untap(unit, incoming)
            try:
                if incoming.sender != prompt.person:
                    raise NotYourPrompt(None, prompt.person)
                verification.decide(unit, prompt.payload["transaction"], yes=key == words.CONFIRM)
            except Refusal as refusal:
                spot = Spot(incoming.room_id, prompt.event_id or "", prompt.thread)
                self._refuse(unit, incoming, refusal, spot, [])
                return REFUSED
            return DONE

        return await self._units.run(work)

    async def _carry_out(self, incoming: Incoming, prompt: PromptView, call: Call[Handler]) -> Settled:
        caller = await self._units.look(lambda unit: caller_for(unit, incoming))
        try:
            check_call(call, caller)
        except Refusal as refusal:
            return await self._decline(incoming, prompt, refusal)
        handler = call.command.handler
        if isinstance(handler, Ask):
            return await self._executor.ask(by_tap(incoming, prompt), call, handler)
        assert isinstance(handler, Act)  # noqa: S101 - there is no prompt of the third sort
        return await self._executor.act(by_tap(incoming, prompt), call, handler)

    async def _ignore(self, incoming: Incoming) -> None:
        def work(unit: Unit) -> None:
            if reception.handled(unit, incoming):
                answers.untap(unit, incoming)

        await self._units.run(work)

    async def _decline(self, incoming: Incoming, prompt: PromptView, refusal: Refusal) -> Settled:
        def work(unit: Unit) -> None:
            if reception.handled(unit, incoming):
                answers.untap(unit, incoming)
                spot = Spot(incoming.room_id, prompt.event_id or "", prompt.thread)
                self._refuse(unit, incoming, refusal, spot, list(prompt.shows))

        await self._units.run(work)
        return settled(dict.fromkeys(prompt.shows, refusal), (Refusal,)) if prompt.shows else REFUSED

    async def _cancel(self, incoming: Incoming, prompt: PromptView) -> Settled:
        def work(unit: Unit) -> None:
            if reception.handled(unit, incoming):
                answers.untap(unit, incoming)
                prompts.done(unit, prompt.id)
                self._executor.close_prompt(unit, incoming, prompt, confirmed=False)

        await self._units.run(work)
        return Settled(Outcome.DONE, prompt.shows)


def _name(key: str, prompt: PromptView) -> str:
    """What a tap on a prompt is called."""
    if prompt.kind is PromptKind.TICKET:
        return words.CARD[key].value
    return {words.CANCEL: "cancel", words.CONFIRM: "confirm"}.get(key, "more")


def _refusal(incoming: Incoming, prompt: PromptView) -> Refusal | None:
    """Why this tap does not count; one that was given in time does, however late it is handled."""
    personal = prompt.kind is PromptKind.CONFIRM or is_personal(prompt.payload)
    if personal and incoming.sender != prompt.person:
        return NotYourPrompt(None, prompt.person)
    if not prompt.waits(incoming.sent_at):
        return PromptOver(None)
    return None
