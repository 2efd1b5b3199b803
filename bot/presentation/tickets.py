"""Answers about one ticket: everything about it, its history, and that it was opened."""

from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from types import MappingProxyType
from typing import Final

from bot.domain.words import Action, MessageKind, Status
from bot.presentation.cards import SUBJECT_LIMIT, card_document
from bot.presentation.document import (
    Block,
    Bold,
    BulletList,
    Inline,
    Italic,
    Paragraph,
    Quote,
    Sections,
    Text,
    Value,
    joined,
    paragraph,
    sentence,
)
from bot.presentation.message import Message, fit
from bot.presentation.outside import clip
from bot.presentation.pages import next_page, past_the_end, titled
from bot.presentation.tasks import task_lines
from bot.presentation.words import HISTORY, INTAKE_WORDS
from bot.presentation.world import Setting, card_link, numeral, pill
from bot.services.list_views import NextView
from bot.services.views import (
    AttachmentView,
    ForwardedView,
    HistoryLine,
    HistoryView,
    MessageView,
    OpenedView,
    TicketView,
)


def render_ticket(view: TicketView, setting: Setting) -> Message:
    """Everything about a ticket; the newest message comes first, so that it is the last to be cut."""
    gettext = setting.language.gettext
    link = card_link(view.card.number, view.card_room, view.card_event)
    card = card_document(view.card, setting, link)[:1]
    sections = tuple(message_pieces(message, setting) for message in reversed(view.messages))
    tasks = task_lines(view.tasks)
    task_blocks = (paragraph(Bold(Text(gettext("Tasks")))), BulletList(tasks, setting.language.more))
    message_blocks = (
        paragraph(Bold(Text(gettext("Messages, newest first")))),
        Sections(sections, setting.language.more, view.hidden),
    )
    return fit(
        (
            *card,
            Paragraph(_facts(view, setting)),
            *(task_blocks if tasks else ()),
            *(message_blocks if sections else ()),
        ),
        notice=True,
    )


def _facts(view: TicketView, setting: Setting) -> tuple[Inline, ...]:
    """The requester and how the ticket came in; only what is known."""
    gettext = setting.language.gettext
    region = setting.region(view.region) if view.region else None
    facts: list[Inline] = [
        sentence(template, value=clip(value, SUBJECT_LIMIT))
        for template, value in (
            (gettext("From: {value}"), view.card.requester),
            (gettext("E-mail: {value}"), view.email),
            (gettext("Phone: {value}"), view.phone),
            (gettext("Region: {value}"), region),
        )
        if value
    ]
    came = Text(gettext(INTAKE_WORDS[view.intake]))
    facts.append(
        sentence(gettext("Opened: {date}, {intake}"), date=setting.moment(view.opened_at), intake=came)
    )
    if view.purge_at is not None:
        when = setting.moment(view.purge_at)
        facts.append(sentence(gettext("Will be purged for good on {date}"), date=when))
    if view.muted:
        loud = setting.command(f"unmute {view.card.number}")
        facts.append(sentence(gettext("🔕 You have muted it. To hear of it again: {command}"), command=loud))
    return tuple(facts)


_MARKS: Final[Mapping[MessageKind, str]] = MappingProxyType(
    {MessageKind.NOTE: "📝", MessageKind.REPLY: "✉️", MessageKind.AUTOMATIC: "🤖"}
)
"""What stands before a message that is not the requester's own words."""


def message_pieces(message: MessageView, setting: Setting) -> tuple[Paragraph | Quote, ...]:
    """One message: when and how it came, its text, its fields and files."""
    moment, way = setting.moment(message.at), Text(setting.language.gettext(INTAKE_WORDS[message.intake]))
    mark = _MARKS.get(message.kind)
    head: list[Inline | str] = [moment, way] if mark is None else [joined(" ", [Text(mark), moment])]
    if message.sender is not None:
        head.append(clip(message.sender, SUBJECT_LIMIT))
    if message.author is not None:
        head.append(pill(message.author))
    rest: list[Inline] = [joined(": ", [clip(name, 80), value]) for name, value in message.extra]
    rest += [attachment_line(each, setting) for each in message.attachments]
    text = [Quote(message.text)] if message.text.strip() else []
    return (paragraph(Italic(joined(" · ", head))), *text, *([Paragraph(tuple(rest))] if rest else []))


def attachment_line(attachment: AttachmentView, setting: Setting) -> Inline:
    """Name and size of a file, and where it is not kept."""
    size = Text(setting.language.file_size(attachment.size))
    template = "📎 {name} ({size})"
    if not attachment.kept:
        template = setting.language.gettext("📎 {name} ({size}, too large: not kept)")
    return sentence(template, name=clip(attachment.name, 120), size=size)


def render_history(view: HistoryView, setting: Setting) -> Message:
    """A page of a ticket's history as a timeline, oldest first: the days, and the times of each."""
    number = card_link(view.number, view.card_room, view.card_event)
    title: Inline = sentence(setting.language.gettext("History of {number}"), number=number)
    if view.before or view.next_page is not None:
        title = titled(title, view, len(view.lines), setting)
    blocks: list[Block] = [paragraph(Bold(title))] if view.lines else [past_the_end(setting)]
    for day, lines in groupby(view.lines, lambda line: line.at.astimezone(setting.zone).date()):
        items = tuple(
            joined(" · ", [Text(setting.language.time(line.at, setting.zone)), *_happened(line, setting)])
            for line in lines
        )
        heading = paragraph(Bold(Text(setting.language.date(day))))
        blocks += [heading, BulletList(items, setting.language.more)]
    return fit((*blocks, *next_page(view, setting)), notice=True)


def history_line(line: HistoryLine, setting: Setting) -> Inline:
    """When, who, what; and the note that was left with it."""
    when = Text(setting.language.datetime(line.at, setting.zone, year=True))
    return joined(" · ", [when, *_happened(line, setting)])


def _happened(line: HistoryLine, setting: Setting) -> list[Inline]:
    """Who, what; and the note that was left with it."""
    gettext = setting.language.gettext
    told = sentence(
        gettext(HISTORY[line.action]),
        who=_who(line, setting),
        from_person=setting.doer(line.from_assignee),
        to_person=setting.doer(line.to_assignee),
        from_team=setting.team(line.from_team),
        to_team=setting.team(line.to_team),
        other=numeral(line.other or 0),
    )
    parts: list[Inline] = [told]
    if line.from_status is not None and line.from_status is not line.to_status:
        parts.append(joined(" → ", [setting.status(line.from_status), setting.status(line.to_status)]))
    if line.note:
        parts.append(sentence(gettext("“{text}”"), text=clip(line.note, 500)))
    return parts


def _who(line: HistoryLine, setting: Setting) -> Inline:
    outside = {Action.OPEN, Action.MESSAGE, Action.WITHDRAW}
    if line.who is None and line.action in outside:
        return Text(setting.language.gettext("requester"))
    return setting.doer(line.who)


def render_forwarded(view: ForwardedView, setting: Setting) -> Message:
    """Where a message on a merged ticket went."""
    text = sentence(
        setting.language.gettext("{number} was merged into {target}, so the message is there."),
        number=numeral(view.number),
        target=numeral(view.to),
    )
    return fit((paragraph(text),), notice=True)


def render_opened(view: OpenedView, setting: Setting) -> Message:
    """The new ticket's number and where it went."""
    gettext = setting.language.gettext
    fields: dict[str, Value] = {"number": numeral(view.number), "team": setting.team(view.team)}
    if view.follows is None:
        text = sentence(gettext("{number} is open and in the room of {team}."), **fields)
    else:
        text = sentence(
            gettext("{old} can take no more messages, so {number} continues it in the room of {team}."),
            old=numeral(view.follows),
            **fields,
        )
    return fit((paragraph(text),), notice=True)


def render_next(view: NextView, setting: Setting, now: datetime) -> Message:
    """The ticket to take next and how to take it, or that there is none."""
    language, card, line = setting.language, view.card, view.line
    if card is None or line is None:
        done = language.gettext("Nobody is waiting: everything is taken or done. 🎉")
        return fit((paragraph(Text(done)),), notice=True)
    lines: list[Inline] = []
    if line.status is Status.WAITING:
        head = language.gettext("Every new request has somebody. Longest on the waiting list:")
        how = language.gettext("If there is what it needs: {command}")
    else:
        head = language.gettext("The oldest that nobody has:")
        how = language.gettext("It becomes yours with {command}")
        age = Text(language.age(line.opened_at, now))
        lines.append(sentence(language.gettext("Open {age}"), age=age))
    link = card_link(card.number, line.card_room, line.card_event)
    lines.append(sentence(how, command=setting.action(Action.TAKE, card.number)))
    document = (paragraph(Text(head)), *card_document(card, setting, link), paragraph(*lines))
    return fit(document, notice=True)
