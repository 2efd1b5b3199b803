"""A ticket's card: the one message that shows it, edited in place whenever it changes."""

from typing import Final

from bot.domain.words import STATE_OF, State, Status
from bot.presentation.document import (
    Bold,
    Document,
    Inline,
    Quote,
    Span,
    Text,
    joined,
    paragraph,
    sentence,
    span,
)
from bot.presentation.message import Message, fit
from bot.presentation.outside import clip
from bot.presentation.world import Setting, card_link, numeral, pill
from bot.services.views import CardView, NamedTicket

EXCERPT_LIMIT: Final = 300
SUBJECT_LIMIT: Final = 200
"""Visible characters; the same limits as the intake's, kept here for tickets that came another way."""


def render_card(view: CardView, setting: Setting) -> Message:
    """The card as it stands; ``m.text``, so that a new one rings.

    A deleted ticket is hidden at once, so nothing from outside stays on its card.
    """
    return fit(_hidden(view, setting) if view.status is Status.DELETED else card_document(view, setting))


def _hidden(view: CardView, setting: Setting) -> Document:
    head = span(setting.mark(view.status), Text(" "), Bold(numeral(view.number)))
    return (paragraph(head, joined(" · ", [setting.status(view.status), setting.moment(view.changed_at)])),)


def card_document(view: CardView, setting: Setting, number: Inline | None = None) -> Document:
    """The card's lines, with ``number`` for its number, such as a link to the card.

    Times are absolute: a card that nobody edits must not lie.
    """
    lines = [title(view, setting, number), _standing(view, setting), *_extras(view, setting)]
    excerpt = clip(view.excerpt, EXCERPT_LIMIT)
    return (paragraph(*lines), *([Quote(excerpt)] if excerpt else []))


def title(view: CardView, setting: Setting, number: Inline | None = None) -> Span:
    """Emoji, number and subject."""
    head = span(number or numeral(view.number), Text(" · "), clip(view.subject, SUBJECT_LIMIT))
    return span(setting.mark(view.status), Text(" "), Bold(head))


def _standing(view: CardView, setting: Setting) -> Span:
    parts: list[Inline | str] = [
        setting.status(view.status),
        setting.topic(view.topic),
        setting.team(view.team),
    ]
    if view.assignee is not None:
        parts.append(pill(view.assignee))
    return joined(" · ", [*parts, setting.moment(view.changed_at)])


def _extras(view: CardView, setting: Setting) -> list[Inline]:
    """What not every ticket has: its wait, the reason of its end, tasks, files, what it continues."""
    gettext = setting.language.gettext
    lines: list[Inline] = []
    if view.diverted_from is not None:
        lines += _diverted(view, view.diverted_from, setting)
    if view.status is Status.WAITING:
        lines += _wait(view, setting)
    if view.status is Status.CLOSED and view.close_reason:
        reason = clip(view.close_reason, EXCERPT_LIMIT)
        lines.append(sentence(gettext("Reason: {reason}"), reason=reason))
    small: list[Inline] = []
    if view.tasks_all:
        done = Text(f"{view.tasks_done}/{view.tasks_all}")
        small.append(sentence(gettext("☑️ Tasks {done}"), done=done))
    if view.attachments:
        small.append(Text(f"📎 {view.attachments}"))
    if view.follows is not None:
        small.append(sentence(gettext("continues {number}"), number=numeral(view.follows)))
    if view.merged_into is not None:
        small.append(sentence(gettext("merged into {number}"), number=_link(view.merged_into)))
    if view.merged_here:
        numbers = joined(", ", map(_link, view.merged_here))
        small.append(sentence(gettext("merged with {numbers}"), numbers=numbers))
    if small:
        lines.append(joined(" · ", small))
    return [*lines, *_others(view, setting)]


def _diverted(view: CardView, team: str, setting: Setting) -> list[Inline]:
    """Why it is in triage, in words that stay true once the room takes it."""
    gettext = setting.language.gettext
    why = gettext("⚠️ It is for {team}, but I could not write in their room.")
    back = gettext("Once that is put right: {command}")
    command = setting.command(f"transfer {view.number} {team}")
    return [sentence(why, team=setting.team(team)), sentence(back, command=command)]


def _others(view: CardView, setting: Setting) -> list[Inline]:
    """The same person's further tickets; where two are under way, how to join them."""
    gettext = setting.language.gettext
    if not view.others:
        return []
    named = [span(_link(each), Text(" ("), setting.status(each.status), Text(")")) for each in view.others]
    lines: list[Inline] = [sentence(gettext("Also from this person: {tickets}"), tickets=joined(", ", named))]
    under_way = [each.number for each in view.others if STATE_OF[each.status] is State.OPEN]
    if under_way:
        command = setting.command(f"merge {view.number} {under_way[0]}")
        lines.append(sentence(gettext("The same matter? {command} joins them."), command=command))
    return lines


def _link(ticket: NamedTicket) -> Inline:
    return card_link(ticket.number, ticket.card_room, ticket.card_event)


def _wait(view: CardView, setting: Setting) -> list[Inline]:
    language = setting.language
    lines: list[Inline] = []
    if view.waiting_since is not None:
        since = language.date(view.waiting_since.astimezone(setting.zone).date())
        lines.append(sentence(language.gettext("Waiting since {date}"), date=Text(since)))
    if view.need:
        lines.append(sentence(language.gettext("Needed: {need}"), need=clip(view.need, EXCERPT_LIMIT)))
    return lines
