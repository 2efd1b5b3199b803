"""Searching tickets by the words in subject, messages and the requester's name. Nothing here writes."""

from collections.abc import Sequence
from typing import Final

from bot.domain.errors import NotPermitted
from bot.domain.finding import Query, read_query
from bot.domain.words import Right, Status
from bot.services.list_views import HitView, SearchView
from bot.services.lists import LISTED, PAGE, line_views, shows_teams
from bot.services.people import Caller
from bot.services.unit import Unit
from storage import finding, listing

_MESSAGES: Final = 20
"""Latest messages of a ticket in which an excerpt is looked for."""
_AHEAD: Final = 40
_EXCERPT: Final = 140
"""Characters of an excerpt, and how many of them stand before the place that was found."""


def search_tickets(
    unit: Unit, typed: str, caller: Caller, *, everything: bool = False, page: int = 0
) -> SearchView:
    """A page of what a search finds in the room's scope, the best first and then the newest.

    Archived tickets are found with ``everything`` only, deleted ones never. Of very many hits the newest
    are ranked.

    :raises NotPermitted: everything is for admins.
    """
    if everything and not caller.actor.admin:
        raise NotPermitted(None, None, Right.ADMIN)
    query, scope = read_query(typed), caller.place.scope
    statuses = LISTED if everything else LISTED - {Status.ARCHIVED}
    found = finding.find(unit.session, query, scope, statuses, listing.COUNTED + 1)
    ranked = sorted(
        ((query.rank(subject, name), number, name) for number, subject, name in found[: listing.COUNTED]),
        reverse=True,
    )
    before = page * PAGE
    shown = [(number, name) for _rank, number, name in ranked[before : before + PAGE]]
    return SearchView(
        query,
        _hits(unit, query, shown),
        show_team=shows_teams(scope),
        page=page,
        next_page=page + 1 if len(ranked) > before + PAGE else None,
        before=before,
        total=len(ranked),
        beyond=len(found) > listing.COUNTED,
    )


def _hits(unit: Unit, query: Query, found: Sequence[tuple[int, str]]) -> tuple[HitView, ...]:
    numbers = [number for number, _name in found]
    rows = listing.by_number(unit.session, numbers)
    texts = listing.texts(unit.session, numbers, _MESSAGES)
    lines = line_views(unit, [rows[number] for number in numbers])
    hits = []
    for line, (number, name) in zip(lines, found, strict=True):
        left = query.missing_in(line.subject)
        named = name if left.terms and left.places(name) else None
        left = left.missing_in(name)
        hits.append(HitView(line, named, excerpt(left, texts.get(number, ()))))
    return tuple(hits)


def excerpt(query: Query, texts: Sequence[str]) -> str | None:
    """A piece of the first text in which any of the query is found, around the place."""
    if not query.terms:
        return None
    for text in texts:
        places = query.places(text)
        if places:
            return _around(text, places[0][0])
    return None


def _around(text: str, at: int) -> str:
    """A piece of the text around a place, beginning and ending between words where it can."""
    start = max(at - _AHEAD, 0)
    if start:
        gap = text.find(" ", start, at)
        start = gap + 1 if gap >= 0 else start
    end = start + _EXCERPT
    if end < len(text):
        gap = text.rfind(" ", at + 1, end)
        end = gap if gap > at else end
    piece = " ".join(text[start:end].split())
    return ("…" if start else "") + piece + ("…" if end < len(text) else "")
