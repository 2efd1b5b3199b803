"""What a command does once it is understood: find the words, call one use case, return its result."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bot.commands.parser import Call
from bot.domain.errors import NameKind, NotHere, WhichTeam
from bot.domain.request import Checker, check_request
from bot.domain.words import TRIAGE, Action, Intake, RoomKind, Team
from bot.services import (
    arrivals,
    canned,
    intake,
    letters,
    merging,
    moves,
    mutes,
    notes,
    purge,
    reads,
    relocation,
    stats,
    tasks,
)
from bot.services.arrivals import NewMessage
from bot.services.moves import Wish
from bot.services.people import Caller
from bot.services.status import Program, status_view
from bot.services.unit import Unit
from bot.services.views import ForwardedView, OpenedView

View = object
"""One of the frozen views; the presentation knows how to show each."""


@dataclass(frozen=True, slots=True)
class Act:
    """Does something to one ticket; called for each number, each in its own commit.

    Success is acknowledged by ✅; a returned view is shown as well. ``together``: the numbers are one thing
    to act on, so it is called once, for the first of them.
    """

    run: Callable[[Unit, int, "Call[Any]", Caller], View | None]
    together: bool = False
    later: bool = False
    """✅ comes from whatever brings it to its end, and not with the command."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Answers with a view."""

    run: Callable[[Unit, "Call[Any]", Caller], View]


@dataclass(frozen=True, slots=True)
class More:
    """Shows the next page of the person's last list; the worker knows which that was."""


Handler = Act | Ask | More


def move(action: Action) -> Act:
    """A handler for an action of the lifecycle's table."""

    def run(unit: Unit, number: int, call: Call[Any], caller: Caller) -> None:
        words = call.words
        wish = Wish(
            note=words.get("need") or words.get("reason"),
            person=words.get("person"),
            team=words.get("team"),
            topic=words.get("topic"),
        )
        moves.move(unit, action, number, caller, wish)

    return Act(run)


def _take(unit: Unit, number: int, call: Call[Any], caller: Caller) -> None:
    action = Action.STEAL if "--force" in call.options else Action.TAKE
    moves.move(unit, action, number, caller)


def _purge(unit: Unit, number: int, _call: Call[Any], caller: Caller) -> None:
    purge.purge(unit, number, caller)


def _mute(unit: Unit, number: int, _call: Call[Any], caller: Caller) -> None:
    mutes.mute(unit, number, caller)


def _unmute(unit: Unit, number: int, _call: Call[Any], caller: Caller) -> None:
    mutes.unmute(unit, number, caller)


def _message(unit: Unit, number: int, call: Call[Any], caller: Caller) -> View | None:
    reads.visible(unit, number, caller)
    check = Checker()
    text = check.text("message", call.words["text"], required=True)
    check.finish()
    message = NewMessage(text, Intake.CHAT, caller.actor.user_id, caller.cause)
    arrived = arrivals.receive_message(unit, number, message)
    if arrived.follows is None:
        return None if arrived.number == number else ForwardedView(number, arrived.number)
    return OpenedView(arrived.number, arrived.team, arrived.follows)


def _note(unit: Unit, number: int, call: Call[Any], caller: Caller) -> None:
    notes.note(unit, number, call.words["text"], caller)


def _reply(unit: Unit, number: int, call: Call[Any], caller: Caller) -> View | None:
    text = call.words["text"]
    if text.strip() == canned.MARK:
        return canned.offered(unit, number, caller)
    if text.startswith(canned.MARK):
        text = canned.chosen(unit, number, text, caller)
    then = next((action for option, action in _THEN.items() if option in call.options), None)
    letters.reply(unit, number, text, caller, then)
    return None


_THEN: Final = {"--wait": Action.WAIT, "--close": Action.CLOSE}
"""What a reply may do besides."""


def _task_add(unit: Unit, number: int, call: Call[Any], caller: Caller) -> None:
    tasks.add(unit, number, call.words["text"], caller)


def _task_done(unit: Unit, number: int, call: Call[Any], caller: Caller) -> None:
    tasks.done(unit, number, [int(each) for each in call.words["task"].split()], caller)


def _task_list(unit: Unit, call: Call[Any], caller: Caller) -> View:
    return tasks.tasks_view(unit, call.numbers[0], caller)


def _merge(unit: Unit, number: int, call: Call[Any], caller: Caller) -> None:
    merging.merge(unit, number, call.numbers[1], caller, force="--force" in call.options)


def _new(unit: Unit, call: Call[Any], caller: Caller) -> View:
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
    team = unit.policy.regions.get(request.region) if request.region else _team_of_new(unit, call, caller)
    accepted = intake.open_ticket(unit, request, author=caller.actor.user_id, cause=caller.cause, team=team)
    return OpenedView(accepted.number, team)


def _team_of_new(unit: Unit, call: Call[Any], caller: Caller) -> Team:
    """The team that was named, or the room's; in a direct chat the person's only one.

    :raises WhichTeam: there are several, or none.
    """
    if isinstance(typed := call.options.get("--team"), str):
        return moves.team_called(unit, typed)
    if caller.place.kind is not RoomKind.DIRECT:
        return caller.place.team
    if len(caller.actor.teams) == 1:
        return next(iter(caller.actor.teams))
    own = caller.actor.teams or frozenset({*unit.policy.teams, TRIAGE})
    raise WhichTeam(None, tuple(sorted(own, key=lambda team: (team is None, team or ""))))


def _stats(unit: Unit, call: Call[Any], caller: Caller) -> View:
    return stats.stats_view(unit, caller.place, picture="--text" not in call.options)


def _upgrade(unit: Unit, call: Call[Any], caller: Caller) -> View:
    if not caller.place.scope.everything:
        raise NotHere(None, call.command.name)
    name = relocation.key_called(unit, call.words["room"])
    return relocation.follow(unit, name, caller.actor.user_id)


def status(program: Program) -> Ask:
    """A handler that tells how the running program does; it speaks of all teams."""

    def run(unit: Unit, call: Call[Any], caller: Caller) -> View:
        if not caller.place.scope.everything:
            raise NotHere(None, call.command.name)
        return status_view(unit, program)

    return Ask(run)


TAKE = Act(_take)
PURGE = Act(_purge)
MUTE = Act(_mute)
UNMUTE = Act(_unmute)
MESSAGE = Act(_message)
NOTE = Act(_note)
REPLY = Act(_reply, later=True)
TASK_ADD = Act(_task_add)
TASK_DONE = Act(_task_done)
TASK_LIST = Ask(_task_list)
MERGE = Act(_merge, together=True)
NEW = Ask(_new)
STATS = Ask(_stats)
UPGRADE = Ask(_upgrade)
