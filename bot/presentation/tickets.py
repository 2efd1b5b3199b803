"""Answers about one ticket: everything about it, its history, and that it was opened."""

from bot.domain.words import Action
from bot.presentation.cards import SUBJECT_LIMIT, card_document
from bot.presentation.document import (
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
from bot.presentation.words import HISTORY, INTAKE_WORDS
from bot.presentation.world import Setting, numeral, pill
from bot.services.views import AttachmentView, HistoryLine, HistoryView, MessageView, OpenedView, TicketView


def render_ticket(view: TicketView, setting: Setting) -> Message:
    """Everything about a ticket; the newest message comes first, so that it is the last to be cut."""
    gettext = setting.language.gettext
    card = card_document(view.card, setting)[:1]
    sections = tuple(message_pieces(message, setting) for message in reversed(view.messages))
    tasks = tuple(joined(" ", [Text("☑️" if done else "⬜"), clip(name, 200)]) for name, done in view.tasks)
    task_blocks = (paragraph(Bold(Text(gettext("Tasks")))), BulletList(tasks, setting.language.more))
    message_blocks = (
        paragraph(Bold(Text(gettext("Messages, newest first")))),
        Sections(sections, setting.language.more),
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


def message_pieces(message: MessageView, setting: Setting) -> tuple[Paragraph | Quote, ...]:
    """One message: when and how it came, its text, its fields and files."""
    head: list[Inline] = [
        setting.moment(message.at),
        Text(setting.language.gettext(INTAKE_WORDS[message.intake])),
    ]
    if message.author is not None:
        head.append(pill(message.author))
    rest: list[Inline] = [joined(": ", [clip(name, 80), value]) for name, value in message.extra]
    rest += [attachment_line(each, setting) for each in message.attachments]
    text = [Quote(message.text)] if message.text.strip() else []
    return (paragraph(Italic(joined(" · ", head))), *text, *([Paragraph(tuple(rest))] if rest else []))


def attachment_line(attachment: AttachmentView, setting: Setting) -> Inline:
    """Name and size of a file."""
    size = Text(setting.language.file_size(attachment.size))
    return sentence("📎 {name} ({size})", name=clip(attachment.name, 120), size=size)


def render_history(view: HistoryView, setting: Setting) -> Message:
    """A ticket's history, oldest first."""
    title = sentence(setting.language.gettext("History of {number}"), number=numeral(view.number))
    items = tuple(history_line(line, setting) for line in view.lines)
    return fit((paragraph(Bold(title)), BulletList(items, setting.language.more)), notice=True)


def history_line(line: HistoryLine, setting: Setting) -> Inline:
    """When, who, what; and the note that was left with it."""
    gettext = setting.language.gettext
    told = sentence(
        gettext(HISTORY[line.action]),
        who=_who(line, setting),
        from_person=setting.doer(line.from_assignee),
        to_person=setting.doer(line.to_assignee),
        from_team=setting.team(line.from_team),
        to_team=setting.team(line.to_team),
    )
    parts: list[Inline] = [Text(setting.language.datetime(line.at, setting.zone, year=True)), told]
    if line.from_status is not None and line.from_status is not line.to_status:
        parts.append(joined(" → ", [setting.status(line.from_status), setting.status(line.to_status)]))
    if line.note:
        parts.append(sentence(gettext("“{text}”"), text=clip(line.note, 500)))
    return joined(" · ", parts)


def _who(line: HistoryLine, setting: Setting) -> Inline:
    outside = {Action.OPEN, Action.MESSAGE, Action.WITHDRAW}
    if line.who is None and line.action in outside:
        return Text(setting.language.gettext("requester"))
    return setting.doer(line.who)


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
