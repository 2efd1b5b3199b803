"""Looking at tickets: cards, lists, one ticket whole, its history. Nothing here writes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_
from sqlmodel import col

from bot.domain.errors import UnknownTicket
from bot.domain.words import Action, Actor, Intake, MessageKind, Scope, State, Status, Team, statuses_of
from bot.services import changes, people
from bot.services.people import Caller
from bot.services.unit import Unit
from bot.services.views import (
    AttachmentView,
    CardView,
    HistoryLine,
    HistoryView,
    LineView,
    ListView,
    MessageView,
    NamedTicket,
    TaskView,
    TicketView,
)
from storage import conversation, posted, tickets
from storage.models import HistoryEntry, Requester, Task, Ticket, TicketMessage

EXCERPT: Final = 300
PAGE: Final = 20
_MESSAGES: Final = 20
_UNDER_WAY: Final = (Status.OPEN, Status.IN_PROGRESS, Status.WAITING)
_OTHERS: Final = 5
"""So many other tickets of the same person a card names."""
_WORDY: Final = frozenset({Action.NOTE.value, Action.TASK_ADD.value, Action.TASK_DONE.value})
"""History entries that tell the words of the rows they name."""


async def card_view(unit: Unit, number: int) -> CardView | None:
    """The ticket as its card shows it now. A deleted one is hidden: its card keeps the number alone."""
    ticket = await tickets.get(unit.session, number)
    if ticket is None:
        return None
    return await _card(unit, ticket, hidden=ticket.status == Status.DELETED.value)


async def _card(unit: Unit, ticket: Ticket, *, hidden: bool = False) -> CardView:
    number = changes.number_of(ticket)
    requester = await unit.session.get(Requester, ticket.requester_id)
    first = await tickets.first_message(unit.session, ticket)
    tasks = await tickets.tasks(unit.session, number)
    return CardView(
        number=number,
        version=ticket.version,
        status=Status(ticket.status),
        topic=ticket.topic,
        team=ticket.team,
        subject="" if hidden else ticket.subject,
        requester="" if hidden or requester is None else requester.name,
        excerpt="" if hidden or first is None else _excerpt(first.text),
        changed_at=ticket.changed_at,
        assignee=await people.optional_person(unit, ticket.assignee, ticket.team),
        waiting_since=ticket.waiting_since if ticket.status == Status.WAITING.value else None,
        need=ticket.need if ticket.status == Status.WAITING.value else None,
        close_reason=ticket.close_reason if ticket.status == Status.CLOSED.value else None,
        follows=ticket.follows,
        tasks_done=sum(task.done_at is not None for task in tasks),
        tasks_all=len(tasks),
        attachments=0 if hidden else await tickets.attachment_count(unit.session, number),
        merged_into=await _merged_into(unit, ticket),
        merged_here=await _named(unit, ticket, await conversation.merged_here(unit.session, number)),
        others=await _others(unit, ticket),
    )


async def _others(unit: Unit, ticket: Ticket) -> tuple[NamedTicket, ...]:
    """The same person's further tickets, as far as this ticket's room knows them."""
    if Status(ticket.status) not in statuses_of(State.OPEN):
        return ()
    shown = frozenset(Status) - {Status.DELETED}
    found = await conversation.others_of(unit.session, ticket, {ticket.team}, _OTHERS, shown)
    return await _named(unit, ticket, found)


async def _merged_into(unit: Unit, ticket: Ticket) -> NamedTicket | None:
    into = None if ticket.merged_into is None else await tickets.get(unit.session, ticket.merged_into)
    return None if into is None else (await _named(unit, ticket, [into]))[0]


async def _named(unit: Unit, ticket: Ticket, others: Sequence[Ticket]) -> tuple[NamedTicket, ...]:
    """Others with their cards; another team's card is nowhere that this room's members could follow."""
    found = []
    for each in others:
        number = changes.number_of(each)
        card = await posted.card(unit.session, number) if each.team == ticket.team else None
        where = (card.room_id, card.event_id) if card else (None, None)
        found.append(NamedTicket(number, Status(each.status), *where))
    return tuple(found)


def _excerpt(text: str) -> str:
    return text if len(text) <= EXCERPT else text[: EXCERPT - 1].rstrip() + "…"


async def line_view(unit: Unit, ticket: Ticket) -> LineView:
    """The ticket as one line of a list."""
    number = changes.number_of(ticket)
    card = await posted.card(unit.session, number)
    return LineView(
        number=number,
        status=Status(ticket.status),
        topic=ticket.topic,
        team=ticket.team,
        subject=ticket.subject,
        opened_at=ticket.opened_at,
        changed_at=ticket.changed_at,
        assignee=await people.optional_person(unit, ticket.assignee, ticket.team),
        waiting_since=ticket.waiting_since,
        need=ticket.need,
        card_room=card.room_id if card else None,
        card_event=card.event_id if card else None,
    )


async def _list(
    unit: Unit, kind: str, scope: Scope, condition: ColumnElement[bool], order: ColumnElement[Any]
) -> ListView:
    rows, total = await tickets.page(unit.session, and_(tickets.in_scope(scope), condition), order, PAGE)
    lines = tuple([await line_view(unit, row) for row in rows])
    return ListView(kind, lines, total, show_team=scope.everything or len(scope.teams) > 1)


async def list_open(unit: Unit, scope: Scope) -> ListView:
    """Everything under way, oldest first."""
    return await _list(unit, "open", scope, tickets.with_status(*_UNDER_WAY), col(Ticket.opened_at).asc())


async def list_mine(unit: Unit, scope: Scope, actor: Actor) -> ListView:
    """What the person is responsible for, longest untouched first."""
    condition = and_(col(Ticket.assignee) == actor.user_id, tickets.with_status(*_UNDER_WAY))
    return await _list(unit, "mine", scope, condition, col(Ticket.changed_at).asc())


async def list_waiting(unit: Unit, scope: Scope) -> ListView:
    """The waiting list, oldest first."""
    return await _list(
        unit, "waitlist", scope, tickets.with_status(Status.WAITING), col(Ticket.waiting_since).asc()
    )


async def visible(unit: Unit, number: int, caller: Caller) -> Ticket:
    """The ticket, if it may be shown to this person in this room.

    :raises UnknownTicket: it may not, or does not exist: the same answer.
    """
    ticket = await tickets.get(unit.session, number)
    if ticket is None or not caller.place.scope.shows(ticket.team):
        raise UnknownTicket(number)
    if not caller.actor.belongs_to(ticket.team):
        raise UnknownTicket(number)
    if ticket.status == Status.DELETED.value and not caller.actor.admin:
        raise UnknownTicket(number)
    return ticket


async def ticket_view(unit: Unit, number: int, caller: Caller) -> TicketView:
    """Everything about a ticket, with the requester's contact.

    :raises UnknownTicket: see :func:`visible`.
    """
    ticket = await visible(unit, number, caller)
    requester = await unit.session.get(Requester, ticket.requester_id)
    rows = await tickets.messages(unit.session, number, _MESSAGES)
    tasks = await tickets.tasks(unit.session, number)
    return TicketView(
        card=await _card(unit, ticket),
        email=requester.email if requester else None,
        phone=requester.phone if requester else None,
        region=ticket.region,
        opened_at=ticket.opened_at,
        intake=Intake(ticket.intake),
        messages=await message_views(unit, rows, ticket.team),
        tasks=task_views(tasks),
        purge_at=ticket.purge_at,
    )


def task_views(tasks: Sequence[Task]) -> tuple[TaskView, ...]:
    """Tasks as they are shown."""
    return tuple(TaskView(task.position, task.text, task.done_at is not None) for task in tasks)


async def message_views(unit: Unit, rows: Sequence[TicketMessage], team: Team) -> tuple[MessageView, ...]:
    """Messages with their files' names."""
    files: dict[int, list[AttachmentView]] = {}
    ids = [row.id for row in rows if row.id is not None]
    for message_id, name, media_type, size in await tickets.attachments(unit.session, ids):
        files.setdefault(message_id, []).append(AttachmentView(name, media_type, size))
    return tuple(
        [
            MessageView(
                text=row.text,
                intake=Intake(row.intake),
                at=row.at,
                author=await people.optional_person(unit, row.author, team),
                attachments=tuple(files.get(row.id or 0, ())),
                extra=tuple((row.extra or {}).items()),
                kind=MessageKind(row.kind),
            )
            for row in rows
        ]
    )


async def history_view(unit: Unit, number: int, caller: Caller) -> HistoryView:
    """What happened to a ticket.

    :raises UnknownTicket: see :func:`visible`.
    """
    ticket = await visible(unit, number, caller)
    entries = await tickets.history(unit.session, number)
    return HistoryView(number, await history_lines(unit, entries, ticket.team))


async def history_lines(unit: Unit, entries: Sequence[HistoryEntry], team: Team) -> tuple[HistoryLine, ...]:
    """History entries with the people's names, and the words of what is still there."""
    texts = await conversation.texts(unit.session, [entry for entry in entries if entry.action in _WORDY])
    return tuple([await _history_line(unit, entry, team, texts) for entry in entries])


async def _history_line(
    unit: Unit, entry: HistoryEntry, team: Team, texts: Mapping[str, Mapping[int, str]]
) -> HistoryLine:
    before, after, detail = entry.before or {}, entry.after or {}, entry.detail or {}
    words = [
        text
        for table, found in texts.items()
        for row_id in detail.get(table, ())
        if entry.action in _WORDY and (text := found.get(row_id))
    ]
    return HistoryLine(
        at=entry.at,
        action=Action(entry.action),
        who=await people.optional_person(unit, entry.who, team),
        from_status=Status(entry.from_status) if entry.from_status else None,
        to_status=Status(entry.to_status),
        note=entry.note or ", ".join(words) or None,
        from_assignee=await people.optional_person(unit, before.get("assignee"), team),
        to_assignee=await people.optional_person(unit, after.get("assignee"), team),
        from_team=before.get("team"),
        to_team=after.get("team"),
        other=detail.get("other"),
    )
