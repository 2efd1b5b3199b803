"""What a command does once it is understood: find the words, call one use case, return its result."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.commands.parser import Call
from bot.domain.errors import NameKind, NotHere
from bot.domain.request import Checker, check_request
from bot.domain.words import Action, Intake
from bot.services import intake, moves, mutes, purge, reads
from bot.services.intake import NewMessage
from bot.services.moves import Wish
from bot.services.people import Caller
from bot.services.status import Program, status_view
from bot.services.unit import Unit
from bot.services.views import OpenedView

View = object
"""One of the frozen views; the presentation knows how to show each."""


@dataclass(frozen=True, slots=True)
class Act:
    """Does something to one ticket; called for each number, each in its own commit.

    Success is acknowledged by ✅; a returned view is shown as well.
    """

    run: Callable[[Unit, int, "Call[Any]", Caller], Awaitable[View | None]]


@dataclass(frozen=True, slots=True)
class Ask:
    """Answers with a view."""

    run: Callable[[Unit, "Call[Any]", Caller], Awaitable[View]]


Handler = Act | Ask


def move(action: Action) -> Act:
    """A handler for an action of the lifecycle's table."""

    async def run(unit: Unit, number: int, call: Call[Any], caller: Caller) -> None:
        words = call.words
        wish = Wish(
            note=words.get("need") or words.get("reason"),
            person=words.get("person"),
            team=words.get("team"),
            topic=words.get("topic"),
        )
        await moves.move(unit, action, number, caller, wish)

    return Act(run)


async def _take(unit: Unit, number: int, call: Call[Any], caller: Caller) -> None:
    action = Action.STEAL if "--force" in call.options else Action.TAKE
    await moves.move(unit, action, number, caller)


async def _purge(unit: Unit, number: int, _call: Call[Any], caller: Caller) -> None:
    await purge.purge(unit, number, caller)


async def _mute(unit: Unit, number: int, _call: Call[Any], caller: Caller) -> None:
    await mutes.mute(unit, number, caller)


async def _unmute(unit: Unit, number: int, _call: Call[Any], caller: Caller) -> None:
    await mutes.unmute(unit, number, caller)


async def _message(unit: Unit, number: int, call: Call[Any], caller: Caller) -> View | None:
    await reads.visible(unit, number, caller)
    check = Checker()
    text = check.text("message", call.words["text"], required=True)
    check.finish()
    message = NewMessage(text, Intake.CHAT, caller.actor.user_id, caller.cause)
    arrived = await intake.add_message(unit, number, message)
    if arrived.follows is None:
        return None
    return OpenedView(arrived.number, arrived.team, arrived.follows)


async def _new(unit: Unit, call: Call[Any], caller: Caller) -> View:
    subject, _, text = call.words["text"].partition("\n")
    fields: dict[str, object] = {
        name: value
        for name in ("name", "email", "phone")
        if isinstance(value := call.options.get(f"--{name}"), str)
    }
    fields = {"name": "–", "subject": subject, "message": text.strip() or subject, **fields}
    for name, kind in (("region", NameKind.REGION), ("topic", NameKind.TOPIC)):
        if isinstance(typed := call.options.get(f"--{name}"), str):
            fields[name] = unit.policy.key_of(kind, typed)
    request = check_request(fields, Intake.CHAT, email_required=False)
    accepted = await intake.open_ticket(
        unit, request, author=caller.actor.user_id, cause=caller.cause, team=caller.place.team
    )
    team = unit.policy.regions.get(request.region) if request.region else caller.place.team
    return OpenedView(accepted.number, team)


async def _show(unit: Unit, call: Call[Any], caller: Caller) -> View:
    return await reads.ticket_view(unit, call.numbers[0], caller)


async def _history(unit: Unit, call: Call[Any], caller: Caller) -> View:
    return await reads.history_view(unit, call.numbers[0], caller)


async def _list(unit: Unit, _call: Call[Any], caller: Caller) -> View:
    return await reads.list_open(unit, caller.place.scope)


async def _mine(unit: Unit, _call: Call[Any], caller: Caller) -> View:
    return await reads.list_mine(unit, caller.place.scope, caller.actor)


async def _waitlist(unit: Unit, _call: Call[Any], caller: Caller) -> View:
    return await reads.list_waiting(unit, caller.place.scope)


def status(program: Program) -> Ask:
    """A handler that tells how the running program does; it speaks of all teams."""

    async def run(unit: Unit, call: Call[Any], caller: Caller) -> View:
        if not caller.place.scope.everything:
            raise NotHere(None, call.command.name)
        return await status_view(unit, program)

    return Ask(run)


TAKE = Act(_take)
PURGE = Act(_purge)
MUTE = Act(_mute)
UNMUTE = Act(_unmute)
MESSAGE = Act(_message)
NEW = Ask(_new)
SHOW = Ask(_show)
HISTORY = Ask(_history)
LIST = Ask(_list)
MINE = Ask(_mine)
WAITLIST = Ask(_waitlist)
