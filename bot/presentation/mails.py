"""Mails that came in: the files that came along, and what could not be read."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.domain.marks import N_
from bot.presentation.document import Bold, Code, Outside, Text, paragraph, sentence
from bot.presentation.message import Message, fit
from bot.presentation.tickets import attachment_line
from bot.presentation.world import Setting
from bot.services.views import FilePost, MailAside, MailsUnmarked

_REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "too_large": N_("It is larger than what I take."),
        "unreadable": N_("I cannot read it."),
        "fault": N_("Something went wrong with it on my side; the log says what."),
    }
)


def render_file(post: FilePost, setting: Setting) -> Message:
    """What stands for a file where the room cannot show it."""
    return fit((paragraph(attachment_line(post.file, setting)),), notice=True)


def render_aside(view: MailAside, setting: Setting) -> Message:
    """Which mail it is, why it is no ticket, and where to find it."""
    gettext = setting.language.gettext
    box = Code(Outside(view.mailbox))
    head = sentence(gettext("⚠️ A mail that came to {mailbox} is no ticket."), mailbox=box)
    reason = Text(gettext(_REASONS[view.reason]))
    where = (
        sentence(
            gettext("It is kept whole: {command}"), command=Code(Text(f"tickettruhe mails {view.kept_id}"))
        )
        if view.here
        else Text(
            gettext("It lies whole in the mailbox, in the folder for such mails. Please look at it there.")
        )
    )
    size = sentence(gettext("Size: {size}"), size=Text(setting.language.file_size(view.size)))
    return fit((paragraph(Bold(head), reason, size, where),))


def render_unmarked(view: MailsUnmarked, setting: Setting) -> Message:
    """That nothing is lost, and which rights are missing."""
    gettext = setting.language.gettext
    told = gettext("⚠️ The mail server does not let me mark or move the mails in {mailbox} that I received.")
    head = sentence(told, mailbox=Code(Outside(view.mailbox)))
    reason = [sentence(gettext("It says: {reason}"), reason=Code(Outside(view.code)))] if view.code else []
    advice = gettext(
        "None is lost, none comes twice, and new ones come in. Please let my account mark mails there as "
        "read, delete them, and write into the folders for them; or look whether the mailbox is full. I try "
        "again with the next connection."
    )
    return fit((paragraph(Bold(head), *reason, Text(advice)),))
