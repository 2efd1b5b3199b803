"""What `help` tells: all commands that somebody may use here, one of them, or what the statuses mean."""

from collections.abc import Mapping
from typing import Any, Final

from bot.commands.spec import Command, Registry, fold
from bot.domain.errors import NameKind, UnknownName
from bot.domain.lifecycle import RULES
from bot.domain.words import Action, Right, RoomKind, Status
from bot.services.people import Caller
from bot.services.views import HelpView, StatusesView

STATUSES: Final = ("statuses", "ablauf")
"""What one asks `help` for to have the statuses explained: in English and in German."""
_ALSO_STATUSES: Final = frozenset({*STATUSES, "lifecycle", "status", "stati"})


def explain(registry: Registry[Any], prefix: str, asked: str, caller: Caller) -> HelpView | StatusesView:
    """The answer to `help`, with or without a word.

    :raises UnknownName: the word is no command and nothing else that is explained.
    """
    word = asked.removeprefix(prefix)
    bare = caller.place.kind is RoomKind.DIRECT
    visible = tuple(each for each in registry if is_for(each, caller))
    if not word:
        return HelpView(tuple(each.view(prefix) for each in visible), bare=bare)
    found = registry.described(word)
    if fold(word) in _ALSO_STATUSES and not set(found) & set(visible):
        return statuses()
    if not found:
        raise UnknownName(None, NameKind.COMMAND, word, near=registry.suggest(word.partition(" ")[0]))
    return HelpView(tuple(each.view(prefix) for each in found), detailed=True, bare=bare)


def german_names(registry: Registry[Any]) -> Mapping[str, str]:
    """What help calls things in German: commands, and what it explains beside them."""
    return {command.name: command.german for command in registry} | dict([STATUSES])


def is_for(command: Command[Any], caller: Caller) -> bool:
    """Whether a person could use a command in this place at all; of tickets the rules decide."""
    actor = caller.actor
    if command.right is Right.ANYONE:
        return True
    if command.right is Right.ADMIN and not actor.admin:
        return False
    return (actor.admin or bool(actor.teams)) and (command.everywhere or caller.place.scope.everything)


def statuses() -> StatusesView:
    """Every status with the moves that lead on from it, as the lifecycle's table has them."""
    return StatusesView(tuple((status, _moves_from(status)) for status in Status))


def _moves_from(status: Status) -> tuple[Action, ...]:
    left = _ONLY_ADMINS if status in (Status.ARCHIVED, Status.DELETED) else _MOVES
    return tuple(action for action in left if status in RULES[action].sources)


_MOVES: Final = (Action.TAKE, Action.RELEASE, Action.WAIT, Action.CLOSE, Action.SPAM, Action.REOPEN)
_ONLY_ADMINS: Final = (Action.RESTORE, Action.PURGE)
