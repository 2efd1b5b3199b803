"""What goes to a requester by mail, as the team sees it, and what became of it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.domain.errors import MailNotSetUp, NoCannedAnswer, NoMailAddress
from bot.domain.marks import N_
from bot.presentation.cards import SUBJECT_LIMIT
from bot.presentation.document import (
    Bold,
    Code,
    Inline,
    Outside,
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
from bot.presentation.reminders import render_who
from bot.presentation.world import Setting, numeral
from bot.services.letter_views import (
    CannedView,
    LetterKind,
    LetterState,
    MailServerReport,
    ReplyPost,
    UndeliveredAlert,
)

_ADVICE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "5.1": N_("The address may be wrong: {show} tells it. Please reach the requester another way."),
        "5.2": N_("The mailbox takes nothing at the moment. Please try again later, or another way."),
        "5.3": N_("The mail was too large or the server is out of order. Please try again with less."),
        "5.7": N_("The requester's server does not want our mail. Please tell the admins."),
    }
)
"""Begin of an enhanced status code (RFC 3463) → what to do."""
_OTHERWISE: Final = N_("Please reach the requester another way ({show} tells how), or tell the admins.")
_CODE_DIGITS: Final = 3
_NAME_LIMIT: Final = 40


def render_post(post: ReplyPost, setting: Setting) -> Message:
    """An answer as it goes out, below how far it got. Written by a member, it rings for nobody."""
    gettext = setting.language.gettext
    requester = clip(post.letter.name, SUBJECT_LIMIT) or Text(gettext("requester"))
    fields: dict[str, Value] = {"person": setting.doer(post.author), "requester": requester}
    head = sentence(gettext("✉️ {person} to {requester}:"), **fields)
    return fit((paragraph(head, *_fate(post, setting)), Quote(post.shown)), notice=True)


def _fate(post: ReplyPost, setting: Setting) -> list[Inline]:
    gettext = setting.language.gettext
    reason = Code(Outside(post.reason or ""))
    when = setting.moment(post.done_at) if post.done_at else Text("")
    number = post.letter.number
    match post.state:
        case LetterState.WAITING if post.reason:
            late = gettext("⏳ Not sent yet, and tried again and again. The mail server says: {reason}")
            return [sentence(late, reason=reason)]
        case LetterState.WAITING:
            return [Text(gettext("⏳ On its way to the mail server."))]
        case LetterState.SENT:
            return [sentence(gettext("✅ Sent to the requester: {date}"), date=when)]
        case LetterState.FAILED:
            failed = sentence(gettext("❌ Not sent. The mail server says: {reason}"), reason=reason)
            return [Bold(failed), _advice(post.reason or "", number, setting)]
        case LetterState.BOUNCED:
            bounced = sentence(gettext("❌ It could not be delivered and came back: {reason}"), reason=reason)
            return [Bold(bounced), _advice(post.reason or "", number, setting)]


def _advice(reason: str, number: int, setting: Setting) -> Inline:
    words = reason.replace("#", " ").split()
    codes = [word[:_CODE_DIGITS] for word in words if word[:2] in ("4.", "5.")]
    known = next((_ADVICE[code] for code in codes if code in _ADVICE), _OTHERWISE)
    return sentence(setting.language.gettext(known), show=setting.command(f"show {number}"))


def render_undelivered(alert: UndeliveredAlert, setting: Setting) -> Message:
    """Why a mail did not arrive, and what to do; a reply's rings for whoever wrote it."""
    gettext = setting.language.gettext
    fields: dict[str, Value] = {"number": numeral(alert.number), "reason": Code(Outside(alert.reason))}
    if alert.kind is LetterKind.ACKNOWLEDGEMENT:
        template = gettext("⚠️ The confirmation of {number} did not reach the requester: {reason}")
    else:
        template = gettext("⚠️ The answer on {number} did not reach the requester: {reason}")
    lines: list[Inline] = [Bold(sentence(template, **fields)), _advice(alert.reason, alert.number, setting)]
    if alert.mentions:
        lines.append(render_who(alert.mentions, setting))
    mentions = tuple(person.user_id for person in alert.mentions)
    return fit((paragraph(*lines),), mentions=mentions, notice=not mentions)


def render_mail_server(report: MailServerReport, setting: Setting) -> Message:
    """The mail server refuses the bot itself."""
    gettext = setting.language.gettext
    told = gettext("⚠️ The mail server refuses me, so no mail goes out: {reason}")
    advice = gettext(
        "Check user and password in `mail.smtp`, then restart me. Everything waits, and nothing is lost."
    )
    reason = Code(Outside(report.reason))
    return fit((paragraph(Bold(sentence(told, reason=reason)), Text(advice)),))


def render_canned(view: CannedView, setting: Setting) -> Message:
    """The prepared answers that fit a ticket, and how to send one."""
    gettext, number = setting.language.gettext, numeral(view.number)
    if not view.answers:
        none = sentence(gettext("There is no prepared answer that fits {number}."), number=number)
        return fit((paragraph(none),), notice=True)
    title = Bold(sentence(gettext("Prepared answers that fit {number}"), number=number))
    sections = tuple(
        (paragraph(setting.command(f"reply {view.number} @{name}")), Quote(text))
        for name, text in view.answers
    )
    return fit((paragraph(title), Sections(sections, setting.language.more)), notice=True)


def no_canned(refusal: NoCannedAnswer, setting: Setting) -> list[Inline]:
    """No prepared answer is called so, and which there are."""
    gettext, number = setting.language.gettext, refusal.number or 0
    template = gettext("No prepared answer that fits {number} is called {name}.")
    name = Code(Outside(f"@{clip(refusal.name, _NAME_LIMIT)}"))
    why = sentence(template, number=numeral(number), name=name)
    if not refusal.known:
        return [why]
    known = joined(", ", [Code(Text(f"@{each}")) for each in refusal.known])
    command = setting.command(f"reply {number} @")
    return [why, sentence(gettext("There are {known}; {command} shows them."), known=known, command=command)]


def no_address(refusal: NoMailAddress, setting: Setting) -> list[Inline]:
    """The requester left no address, and how else to reach them."""
    gettext, number = setting.language.gettext, refusal.number or 0
    why = sentence(gettext("The requester of {number} left no e-mail address."), number=numeral(number))
    if not refusal.phone:
        return [why]
    show = setting.command(f"show {number}")
    return [why, sentence(gettext("But a phone number: {show} tells it."), show=show)]


def not_set_up(_refusal: MailNotSetUp, setting: Setting) -> list[Inline]:
    """No mail goes out at all."""
    gettext = setting.language.gettext
    return [
        Text(gettext("I cannot send mail: no mail server is set up.")),
        Text(gettext("An admin can change that: `mail.smtp` in the config.")),
    ]
