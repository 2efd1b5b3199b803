"""Handlers of the commands that answer with a list, a search or the next ticket."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from bot.commands.handlers import Ask, View
from bot.commands.parser import Call
from bot.commands.spec import fold, near
from bot.domain.errors import InputProblem, NameKind, UnknownName
from bot.domain.request import Checker
from bot.services import lists, reads, searching
from bot.services.list_views import ListKind
from bot.services.lists import Wanted
from bot.services.people import Caller
from bot.services.unit import Policy, Unit

LIST_WORDS: Final[Mapping[ListKind, tuple[str, ...]]] = MappingProxyType(
    {
        ListKind.OPEN: ("open", "offen", "offene"),
        ListKind.MINE: ("mine", "meine"),
        ListKind.WAITING: ("waiting", "waitlist", "warteliste", "wartend", "wartende"),
    }
)
"""What people call the lists; the first is told where they ask for one that there is not."""

_AGE: Final = re.compile(r"(?P<count>[0-9]{1,4}) ?(?P<unit>[dtw]?)", re.IGNORECASE)
_DAYS: Final = MappingProxyType({"": 1, "d": 1, "t": 1, "w": 7})
"""Units of an age: days, in German "Tage", and weeks."""


def is_mine(what: str) -> bool:
    """Whether a word for a list means one's own tickets."""
    return fold(what) in LIST_WORDS[ListKind.MINE]


def _list(unit: Unit, call: Call[Any], caller: Caller) -> View:
    kind, topic = _which(unit.policy, call.words.get("what", ""))
    if isinstance(typed := call.options.get("--topic"), str):
        topic = unit.policy.key_of(NameKind.TOPIC, typed)
    wanted = Wanted(kind, topic, _age(call), everything="--all" in call.options)
    return lists.list_tickets(unit, wanted, caller, call.page)


def _which(policy: Policy, typed: str) -> tuple[ListKind, str | None]:
    """The list, and the topic if it was that which was named.

    :raises UnknownName: it is neither; tells which there are.
    """
    if not typed:
        return ListKind.OPEN, None
    for kind, words in LIST_WORDS.items():
        if fold(typed) in words:
            return kind, None
    try:
        return ListKind.OPEN, policy.key_of(NameKind.TOPIC, typed)
    except UnknownName as error:
        words = tuple(word for each in LIST_WORDS.values() for word in each)
        nearest = near(typed, words)[:1] + error.near
        known = tuple(each[0] for each in LIST_WORDS.values()) + error.known
        raise UnknownName(None, NameKind.LIST, typed, known, nearest) from error


def _age(call: Call[Any]) -> int | None:
    """The age in days.

    :raises InvalidFields: it is none.
    """
    typed = call.options.get("--age")
    if not isinstance(typed, str):
        return None
    found = _AGE.fullmatch(typed)
    if found is None:
        check = Checker()
        check.refuse("age", InputProblem.NOT_DAYS)
        check.finish()
        raise AssertionError("unreachable")
    return int(found["count"]) * _DAYS[found["unit"].lower()]


def _mine(unit: Unit, call: Call[Any], caller: Caller) -> View:
    return lists.list_tickets(unit, Wanted(ListKind.MINE), caller, call.page)


def _waitlist(unit: Unit, call: Call[Any], caller: Caller) -> View:
    return lists.list_tickets(unit, Wanted(ListKind.WAITING), caller, call.page)


def _next(unit: Unit, _call: Call[Any], caller: Caller) -> View:
    return lists.next_ticket(unit, caller.place.scope)


def _search(unit: Unit, call: Call[Any], caller: Caller) -> View:
    everything = "--all" in call.options
    return searching.search_tickets(unit, call.words["words"], caller, everything=everything, page=call.page)


def _show(unit: Unit, call: Call[Any], caller: Caller) -> View:
    return reads.ticket_view(unit, call.numbers[0], caller)


def _history(unit: Unit, call: Call[Any], caller: Caller) -> View:
    return reads.history_view(unit, call.numbers[0], caller, call.page)


LIST: Final = Ask(_list)
MINE: Final = Ask(_mine)
WAITLIST: Final = Ask(_waitlist)
NEXT: Final = Ask(_next)
SEARCH: Final = Ask(_search)
SHOW: Final = Ask(_show)
HISTORY: Final = Ask(_history)
