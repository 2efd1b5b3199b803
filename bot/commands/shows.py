"""Which tickets an answer names: a purge must find every event that did."""

import re
from functools import singledispatch
from typing import Final

from bot.domain.errors import MergedInto, NotSamePerson, Refusal, UsageError
from bot.services.letter_views import CannedView
from bot.services.list_views import ListView, NextView, SearchView
from bot.services.views import (
    ConfirmView,
    ForwardedView,
    HistoryView,
    OpenedView,
    TasksView,
    TicketView,
)

_NUMBER: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
_LARGEST: Final = 2**31 - 1


@singledispatch
def shown_by(_result: object) -> frozenset[int]:
    """Numbers of the tickets that a view or an error names."""
    return frozenset()


@shown_by.register
def _(view: ListView) -> frozenset[int]:
    return frozenset(line.number for line in view.lines)


@shown_by.register
def _(view: SearchView) -> frozenset[int]:
    return view.numbers


@shown_by.register
def _(view: NextView) -> frozenset[int]:
    return frozenset() if view.card is None else view.card.numbers


@shown_by.register
def _(view: TicketView) -> frozenset[int]:
    return view.card.numbers


@shown_by.register
def _(view: HistoryView) -> frozenset[int]:
    return frozenset({view.number, *(line.other for line in view.lines if line.other is not None)})


@shown_by.register
def _(view: TasksView) -> frozenset[int]:
    return frozenset({view.number})


@shown_by.register
def _(view: CannedView) -> frozenset[int]:
    return frozenset({view.number})


@shown_by.register
def _(view: ForwardedView) -> frozenset[int]:
    return frozenset({view.number, view.to})


@shown_by.register
def _(view: OpenedView) -> frozenset[int]:
    return frozenset({view.number, view.follows or view.number})


@shown_by.register
def _(view: ConfirmView) -> frozenset[int]:
    return frozenset(view.numbers)


@shown_by.register
def _(error: Refusal) -> frozenset[int]:
    return frozenset() if error.number is None else frozenset({error.number})


@shown_by.register
def _(error: MergedInto) -> frozenset[int]:
    return frozenset({error.number or error.target, error.target})


@shown_by.register
def _(error: NotSamePerson) -> frozenset[int]:
    return frozenset({error.number or error.other, error.other})


@shown_by.register
def _(error: UsageError) -> frozenset[int]:
    # It quotes the line, which may hold a requester's words beside the number.
    return frozenset(number for found in _NUMBER.findall(error.line) if (number := int(found)) <= _LARGEST)
