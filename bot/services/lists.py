"""Lists of tickets, page by page. Nothing here writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, and_
from sqlmodel import col

from bot.domain.errors import NotPermitted
from bot.domain.words import Right, Scope, State, Status, statuses_of
from bot.services import changes, people, reads
from bot.services.list_views import ListKind, ListView, NextView
from bot.services.people import Caller
from bot.services.unit import Unit
from bot.services.views import LineView
from storage import listing, tickets
from storage.models import Ticket

PAGE: Final = 10
"""Lines of a page: on a phone each takes two or three lines of text, and a page about one screen."""
_LAST_PAGE: Final = 10_000
"""Further on, a page would only make the database skip rows; nobody pages there."""

UNDER_WAY: Final = statuses_of(State.OPEN)
LISTED: Final = statuses_of(State.OPEN, State.CLOSED, State.ARCHIVED)
"""Deleted tickets are in no list, whoever asks."""

_STATUSES: Final[Mapping[ListKind, frozenset[Status]]] = MappingProxyType(
    {
        ListKind.OPEN: UNDER_WAY,
        ListKind.MINE: UNDER_WAY,
        ListKind.WAITING: frozenset({Status.WAITING}),
    }
)
"""Of the other kinds all that may be listed."""
_EVERYTHING: Final[Mapping[ListKind, ListKind]] = MappingProxyType(
    {ListKind.OPEN: ListKind.ALL, ListKind.MINE: ListKind.ALL_MINE}
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which list somebody asks for. ``age`` is in days; ``everything`` adds what is done, for admins."""

    kind: ListKind = ListKind.OPEN
    topic: str | None = None
    age: int | None = None
    everything: bool = False


def list_tickets(unit: Unit, wanted: Wanted, caller: Caller, page: int = 0) -> ListView:
    """A page of a list, as far as the room may show it.

    :raises NotPermitted: everything is for admins.
    """
    if wanted.everything and not caller.actor.admin:
        raise NotPermitted(None, None, Right.ADMIN)
    kind = _EVERYTHING.get(wanted.kind, wanted.kind) if wanted.everything else wanted.kind
    page = min(page, _LAST_PAGE)
    scope, before = caller.place.scope, page * PAGE
    condition = _condition(unit, kind, wanted, caller)
    order = _order(kind, by_age=wanted.age is not None)
    found = listing.page(unit.session, condition, order, before, PAGE)
    return ListView(
        kind,
        line_views(unit, found.rows),
        topic=wanted.topic,
        age=wanted.age,
        show_team=shows_teams(scope),
        page=page,
        next_page=page + 1 if found.more and page < _LAST_PAGE else None,
        before=before,
        total=found.total,
        beyond=found.beyond,
    )


def shows_teams(scope: Scope) -> bool:
    """Whether tickets of several teams may be listed, so that each line must name its own."""
    return scope.everything or len(scope.teams) > 1


def _condition(unit: Unit, kind: ListKind, wanted: Wanted, caller: Caller) -> ColumnElement[bool]:
    # Said as what it is not: so the newest are read by their numbers, instead of all being found and sorted.
    status = col(Ticket.status) != Status.DELETED.value
    if kind in _STATUSES:
        status = tickets.with_status(*sorted(_STATUSES[kind]))
    parts = [tickets.in_scope(caller.place.scope, status)]
    if kind.own:
        parts.append(col(Ticket.assignee) == caller.actor.user_id)
    if wanted.topic is not None:
        parts.append(col(Ticket.topic) == wanted.topic)
    if wanted.age is not None:
        moment = unit.now - timedelta(days=wanted.age)
        waits = kind is ListKind.WAITING
        parts.append(listing.waits_since(moment) if waits else listing.quiet_since(moment))
    return and_(*parts)


def _order(kind: ListKind, *, by_age: bool) -> tuple[ColumnElement[Any], ...]:
    """What to look at first: what has waited longest; of everything, what is newest."""
    number = col(Ticket.number)
    if kind is ListKind.WAITING:
        return col(Ticket.waiting_since).asc(), number.asc()
    if by_age or kind is ListKind.MINE:
        return col(Ticket.changed_at).asc(), number.asc()
    if kind is ListKind.OPEN:
        return col(Ticket.opened_at).asc(), number.asc()
    return (number.desc(),)


def line_views(unit: Unit, rows: Sequence[Ticket]) -> tuple[LineView, ...]:
    """Tickets as lines of a list; a query for all cards, and one for all names."""
    cards = listing.cards(unit.session, [changes.number_of(row) for row in rows])
    known = people.people(unit, (row.assignee for row in rows))

    def line(ticket: Ticket) -> LineView:
        number = changes.number_of(ticket)
        card = cards.get(number)
        return LineView(
            number=number,
            status=Status(ticket.status),
            topic=ticket.topic,
            team=ticket.team,
            subject=ticket.subject,
            opened_at=ticket.opened_at,
            changed_at=ticket.changed_at,
            assignee=known.person(ticket.assignee, ticket.team),
            waiting_since=ticket.waiting_since,
            need=ticket.need,
            card_room=card.room_id if card else None,
            card_event=card.event_id if card else None,
        )

    return tuple(map(line, rows))


def next_ticket(unit: Unit, scope: Scope) -> NextView:
    """The oldest ticket that nobody has; if all have somebody, the head of the waiting list.

    Nobody has those either, and a quiet moment is the one in which to ask whether there is a device for
    them by now (wiki, "On waiting").
    """
    free = and_(tickets.with_status(Status.OPEN), col(Ticket.assignee).is_(None))
    waits = tickets.with_status(Status.WAITING)
    for condition, order in ((free, col(Ticket.opened_at)), (waits, col(Ticket.waiting_since))):
        found = listing.first(unit.session, and_(tickets.in_scope(scope), condition), order.asc())
        if found is not None:
            (line,) = line_views(unit, (found,))
            return NextView(reads.card_view(unit, line.number), line)
    return NextView()
