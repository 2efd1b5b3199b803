"""Looking at one ticket: its card, everything about it, its history. Nothing here writes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.domain.errors import UnknownTicket
from bot.domain.words import Action, Intake, MessageKind, RoomKind, State, Status, Team, statuses_of
from bot.services import changes, people
from bot.services.people import Caller, People
from bot.services.unit import Unit
from bot.services.views import (
    AttachmentView,
    CardView,
    HistoryLine,
    HistoryView,
    MessageView,
    NamedTicket,
    TaskView,
    TicketView,
)
from storage import conversation, listing, mutes, posted, tickets
from storage.models import HistoryEntry, Task, Ticket, TicketMessage

EXCERPT: Final = 300
HISTORY_PAGE: Final = 20
"""Entries of a page; each is one short line."""
_MESSAGES: Final = 20
_OTHERS: Final = 5
"""So many other tickets of the same person a card names."""
_WORDY: Final = frozenset({Action.NOTE.value, Action.TASK_ADD.value, Action.TASK_DONE.value})
"""History entries that tell the words of the rows they name."""


def card_view(unit: Unit, number: int) -> CardView | None:
    """The ticket as its card shows it now. A deleted one is hidden: its card keeps the number alone."""
    ticket = tickets.get(unit.session, number)
    if ticket is None:
        return None
    return _card(unit, ticket, hidden=ticket.status == Status.DELETED.value)


def _card(unit: Unit, ticket: Ticket, *, hidden: bool = False) -> CardView:
    number = changes.number_of(ticket)
    requester = tickets.requester_of(unit.session, ticket)
    first = tickets.first_message(unit.session, ticket)
    counts = tickets.counts_of(unit.session, number)
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
        assignee=people.optional_person(unit, ticket.assignee, ticket.team),
        waiting_since=ticket.waiting_since if ticket.status == Status.WAITING.value else None,
        need=ticket.need if ticket.status == Status.WAITING.value else None,
        close_reason=ticket.close_reason if ticket.status == Status.CLOSED.value else None,
        follows=ticket.follows,
        diverted_from=ticket.diverted_from,
        tasks_done=counts.tasks_done,
        tasks_all=counts.tasks,
        attachments=0 if hidden else counts.files,
        merged_into=_merged_into(unit, ticket),
        merged_here=_named(unit, ticket, conversation.merged_here(unit.session, number)),
        others=_others(unit, ticket),
    )


def _others(unit: Unit, ticket: Ticket) -> tuple[NamedTicket, ...]:
    """The same person's further tickets, as far as this ticket's room knows them."""
    if Status(ticket.status) not in statuses_of(State.OPEN):
        return ()
    shown = frozenset(Status) - {Status.DELETED}
    found = conversation.others_of(unit.session, ticket, {ticket.team}, _OTHERS, shown)
    return _named(unit, ticket, found)


def _merged_into(unit: Unit, ticket: Ticket) -> NamedTicket | None:
    into = None if ticket.merged_into is None else tickets.get(unit.session, ticket.merged_into)
    return None if into is None else _named(unit, ticket, [into])[0]


def _named(unit: Unit, ticket: Ticket, others: Sequence[Ticket]) -> tuple[NamedTicket, ...]:
    """Others with their cards; another team's card is nowhere that this room's members could follow."""
    found = []
    for each in others:
        number = changes.number_of(each)
        card = posted.card(unit.session, number) if each.team == ticket.team else None
        where = (card.room_id, card.event_id) if card else (None, None)
        found.append(NamedTicket(number, Status(each.status), *where))
    return tuple(found)


def _excerpt(text: str) -> str:
    return text if len(text) <= EXCERPT else text[: EXCERPT - 1].rstrip() + "…"


def visible(unit: Unit, number: int, caller: Caller) -> Ticket:
    """The ticket, if it may be shown to this person in this room.

    :raises UnknownTicket: it may not, or does not exist: the same answer.
    """
    ticket = tickets.get(unit.session, number)
    if ticket is None or not caller.place.scope.shows(ticket.team):
        raise UnknownTicket(number)
    if not caller.actor.belongs_to(ticket.team):
        raise UnknownTicket(number)
    if ticket.status == Status.DELETED.value and not caller.actor.admin:
        raise UnknownTicket(number)
    return ticket


def ticket_view(unit: Unit, number: int, caller: Caller) -> TicketView:
    """Everything about a ticket, with the requester's contact.

    :raises UnknownTicket: see :func:`visible`.
    """
    ticket = visible(unit, number, caller)
    requester = tickets.requester_of(unit.session, ticket)
    rows = tickets.messages(unit.session, number, _MESSAGES)
    tasks = tickets.tasks(unit.session, number)
    card = posted.card(unit.session, number)
    # Who muted what is nobody else's matter: a room with others in it does not tell.
    alone = caller.place.kind is RoomKind.DIRECT
    return TicketView(
        card=_card(unit, ticket),
        email=requester.email if requester else None,
        phone=requester.phone if requester else None,
        region=ticket.region,
        opened_at=ticket.opened_at,
        intake=Intake(ticket.intake),
        messages=message_views(unit, rows, ticket.team),
        tasks=task_views(tasks),
        purge_at=ticket.purge_at,
        hidden=tickets.message_count(unit.session, number, tuple(MessageKind)) - len(rows),
        card_room=card.room_id if card else None,
        card_event=card.event_id if card else None,
        muted=alone and caller.actor.user_id in mutes.of(unit.session, number),
    )


def task_views(tasks: Sequence[Task]) -> tuple[TaskView, ...]:
    """Tasks as they are shown."""
    return tuple(TaskView(task.position, task.text, task.done_at is not None) for task in tasks)


def message_views(unit: Unit, rows: Sequence[TicketMessage], team: Team) -> tuple[MessageView, ...]:
    """Messages with their files' names."""
    files: dict[int, list[AttachmentView]] = {}
    ids = [row.id for row in rows if row.id is not None]
    for message_id, name, media_type, size, kept in tickets.attachments(unit.session, ids):
        files.setdefault(message_id, []).append(AttachmentView(name, media_type, size, kept))
    known = people.people(unit, (row.author for row in rows))
    return tuple(
        MessageView(
            text=row.text,
            intake=Intake(row.intake),
            at=row.at,
            author=known.person(row.author, team),
            attachments=tuple(files.get(row.id or 0, ())),
            extra=tuple((row.extra or {}).items()),
            kind=MessageKind(row.kind),
            sender=row.sender,
        )
        for row in rows
    )


def history_view(unit: Unit, number: int, caller: Caller, page: int = 0) -> HistoryView:
    """A page of what happened to a ticket.

    :raises UnknownTicket: see :func:`visible`.
    """
    ticket = visible(unit, number, caller)
    before = page * HISTORY_PAGE
    found = listing.history(unit.session, number, before, HISTORY_PAGE)
    card = posted.card(unit.session, number)
    return HistoryView(
        number,
        history_lines(unit, found.rows, ticket.team),
        card_room=card.room_id if card else None,
        card_event=card.event_id if card else None,
        page=page,
        next_page=page + 1 if found.more else None,
        before=before,
        total=found.total,
        beyond=found.beyond,
    )


def history_lines(unit: Unit, entries: Sequence[HistoryEntry], team: Team) -> tuple[HistoryLine, ...]:
    """History entries with the people's names, and the words of what is still there."""
    texts = conversation.texts(unit.session, [entry for entry in entries if entry.action in _WORDY])
    known = people.people(unit, (person for entry in entries for person in _people_in(entry)))
    return tuple(_history_line(entry, known, team, texts) for entry in entries)


def _people_in(entry: HistoryEntry) -> tuple[str | None, str | None, str | None]:
    before, after = entry.before or {}, entry.after or {}
    return entry.who, before.get("assignee"), after.get("assignee")


def _history_line(
    entry: HistoryEntry, known: People, team: Team, texts: Mapping[str, Mapping[int, tuple[str, datetime]]]
) -> HistoryLine:
    who, from_assignee, to_assignee = _people_in(entry)
    detail = entry.detail or {}
    words = [
        text
        for table, found in texts.items()
        for row_id in detail.get(table, ())
        if entry.action in _WORDY and row_id in found
        for text, written in (found[row_id],)
        if text and written <= entry.at
    ]
    return HistoryLine(
        at=entry.at,
        action=Action(entry.action),
        who=known.person(who, team),
        from_status=Status(entry.from_status) if entry.from_status else None,
        to_status=Status(entry.to_status),
        note=entry.note or ", ".join(words) or None,
        from_assignee=known.person(from_assignee, team),
        to_assignee=known.person(to_assignee, team),
        from_team=(entry.before or {}).get("team"),
        to_team=(entry.after or {}).get("team"),
        other=detail.get("other"),
    )
