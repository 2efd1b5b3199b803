"""The reminder after quiet hours, and how it is said for whom something is."""

from collections.abc import Sequence
from typing import Final

from bot.domain.quiet import What
from bot.domain.words import Status
from bot.presentation.cards import SUBJECT_LIMIT
from bot.presentation.document import Bold, BulletList, Inline, Text, joined, paragraph
from bot.presentation.message import Message, fit
from bot.presentation.outside import clip
from bot.presentation.world import Setting, card_link, pill
from bot.services.views import Person, QuietLine, QuietReminder

_PILLS_SHOWN: Final = 8
"""More people than that are mentioned without being named one by one."""


def render_who(people: Sequence[Person], setting: Setting) -> Inline:
    """Those for whom something is."""
    if len(people) > _PILLS_SHOWN:
        return Text(setting.language.gettext("To all in the team"))
    return joined(", ", map(pill, people))


def render_reminder(view: QuietReminder, setting: Setting) -> Message:
    """What did not ring in quiet hours, one line each; it rings for those whom it still concerns."""
    language = setting.language
    items = tuple(_item(line, setting) for line in view.lines)
    return fit(
        (
            paragraph(Bold(Text(language.gettext("🔔 While it was quiet:")))),
            BulletList(items, language.more, view.total - len(items)),
        ),
        mentions=tuple(person.user_id for person in view.mentions),
    )


def _item(line: QuietLine, setting: Setting) -> Inline:
    ticket = line.ticket
    parts: list[Inline | str] = [card_link(ticket.number, ticket.card_room, ticket.card_event)]
    if line.what is not What.LOST and ticket.status is not Status.DELETED:
        parts.append(clip(ticket.subject, SUBJECT_LIMIT))
    parts.append(Text(_happened(line, setting)))
    if line.people:
        parts.append(render_who(line.people, setting))
    return joined(" · ", parts)


def _happened(line: QuietLine, setting: Setting) -> str:
    gettext, ngettext = setting.language.gettext, setting.language.ngettext
    match line.what:
        case What.CARD:
            return gettext("new ticket")
        case What.MESSAGE:
            return ngettext("{count} new message", "{count} new messages", line.count).format(
                count=line.count
            )
        case What.GIVEN:
            return gettext("yours now")
        case What.LOST:
            return gettext("no longer yours")
        case What.WITHDRAWN:
            return gettext("withdrawn")
