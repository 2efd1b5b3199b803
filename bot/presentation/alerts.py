"""What the bot says of its own accord. Whoever must act is mentioned."""

from functools import singledispatch

from bot.domain.words import Action, MessageKind
from bot.presentation import rooms, verification
from bot.presentation.cards import SUBJECT_LIMIT
from bot.presentation.digests import render_digest
from bot.presentation.document import (
    Block,
    Bold,
    BulletList,
    Code,
    Inline,
    Outside,
    Paragraph,
    Text,
    Value,
    joined,
    paragraph,
    sentence,
)
from bot.presentation.greetings import render_greeting
from bot.presentation.letters import render_mail_server, render_post, render_undelivered
from bot.presentation.mails import render_aside, render_file, render_unmarked
from bot.presentation.message import Message, fit
from bot.presentation.outside import clip
from bot.presentation.reminders import render_reminder, render_who
from bot.presentation.tickets import history_line, message_pieces
from bot.presentation.words import GOT, LOST, LOST_OTHERWISE
from bot.presentation.world import Setting, card_link, numeral, numerals, pill
from bot.services.letter_views import MailServerReport, ReplyPost, UndeliveredAlert
from bot.services.views import (
    AssignmentAlert,
    CommandFailed,
    Comparison,
    CrossSigningReport,
    DeliveryReport,
    DigestView,
    FilePost,
    Greeting,
    MailAside,
    MailsUnmarked,
    MessageAlert,
    MovedAway,
    NowhereReport,
    OwnSessionReport,
    PurgeReport,
    QuietReminder,
    RestoredReport,
    RoomMoved,
    RoomMoveQuestion,
    RoomMoveRejected,
    RoomMoveShutOut,
    RoomReport,
    TransferSummary,
    Unreadable,
    VerificationOver,
    WithdrawalAlert,
)


@singledispatch
def render_alert(alert: object, setting: Setting) -> Message:
    """An alert in words.

    :raises NotImplementedError: the alert's class has no words yet.
    """
    raise NotImplementedError(type(alert).__name__)


@render_alert.register
def _(alert: MessageAlert, setting: Setting) -> Message:
    gettext = setting.language.gettext
    if alert.message.kind is MessageKind.AUTOMATIC:
        template = gettext("🤖 An automatic mail came for {number}.")
    elif alert.reopened:
        template = gettext("📨 {requester} wrote, and {number} is open again.")
    else:
        template = gettext("📨 {requester} wrote on {number}.")
    requester = clip(alert.message.sender or alert.requester, SUBJECT_LIMIT) or Text(gettext("requester"))
    head: list[Inline] = [sentence(template, requester=requester, number=numeral(alert.number))]
    if alert.mentions:
        head.append(render_who(alert.mentions, setting))
    mentions = tuple(person.user_id for person in alert.mentions)
    document = (paragraph(*head), *message_pieces(alert.message, setting))
    # Whom it was for has muted it, or wrote it down: it stands in the thread and rings for nobody.
    return fit(document, mentions=mentions, notice=not mentions)


@render_alert.register
def _(alert: WithdrawalAlert, setting: Setting) -> Message:
    gettext = setting.language.gettext
    requester = clip(alert.requester, SUBJECT_LIMIT) or Text(gettext("requester"))
    withdrawn = gettext("📪 {requester} withdrew {number}: nothing is left to do for it.")
    head: list[Inline] = [sentence(withdrawn, requester=requester, number=numeral(alert.number))]
    if alert.mentions:
        head.append(render_who(alert.mentions, setting))
    mentions = tuple(person.user_id for person in alert.mentions)
    return fit((paragraph(*head),), mentions=mentions, notice=not mentions)


@render_alert.register
def _(alert: AssignmentAlert, setting: Setting) -> Message:
    fields: dict[str, Value] = {
        "person": pill(alert.person),
        "number": numeral(alert.number),
        "who": setting.doer(alert.by),
    }
    return fit((_assignment(alert, fields, setting),), mentions=(alert.person.user_id,))


def _assignment(alert: AssignmentAlert, fields: dict[str, Value], setting: Setting) -> Paragraph:
    gettext = setting.language.gettext
    if not alert.given:
        lost = sentence(gettext("{person}, {number} is no longer yours:"), **fields)
        return paragraph(
            joined(" ", [lost, sentence(gettext(LOST.get(alert.action, LOST_OTHERWISE)), **fields)])
        )
    if alert.action is not Action.ASSIGN:
        back = sentence(gettext("{person}, {number} is yours again:"), **fields)
        return paragraph(
            joined(" ", [back, sentence(gettext(GOT.get(alert.action, LOST_OTHERWISE)), **fields)])
        )
    given = sentence(gettext("{person}, {number} is yours: {who} assigned it to you."), **fields)
    begin = gettext("When you begin with it: {command}")
    return paragraph(joined(" ", [given, sentence(begin, command=setting.action(Action.TAKE, alert.number))]))


@render_alert.register
def _(alert: TransferSummary, setting: Setting) -> Message:
    language = setting.language
    came = sentence(
        language.gettext("{who} transferred {number} from {team} to you on {date}."),
        who=setting.doer(alert.by),
        number=numeral(alert.number),
        team=setting.team(alert.from_team),
        date=setting.moment(alert.at),
    )
    count = language.ngettext(
        "It has {count} message so far; {show} shows it.",
        "It has {count} messages so far; {show} shows them.",
        alert.messages,
    )
    show = setting.command(f"show {alert.number}")
    history = tuple(history_line(line, setting) for line in alert.history)
    return fit(
        (
            paragraph(came, sentence(count, count=alert.messages, show=show)),
            BulletList(history, language.more),
        ),
        notice=True,
    )


@render_alert.register
def _(alert: MovedAway, setting: Setting) -> Message:
    moved = sentence(
        setting.language.gettext("{number} is now with {team}; {who} transferred it."),
        number=numeral(alert.number),
        team=setting.team(alert.to_team),
        who=setting.doer(alert.by),
    )
    return fit((paragraph(moved),), notice=True)


render_alert.register(RoomReport, rooms.render_report)
render_alert.register(NowhereReport, rooms.render_nowhere)
render_alert.register(RoomMoveQuestion, rooms.render_question)
render_alert.register(RoomMoveRejected, rooms.render_rejected)
render_alert.register(RoomMoveShutOut, rooms.render_shut_out)
render_alert.register(RoomMoved, rooms.render_moved)
render_alert.register(Comparison, verification.render_comparison)
render_alert.register(VerificationOver, verification.render_over)
render_alert.register(CrossSigningReport, verification.render_trouble)
render_alert.register(OwnSessionReport, verification.render_own_session)


@render_alert.register
def _(alert: DeliveryReport, setting: Setting) -> Message:
    gettext = setting.language.gettext
    fields: dict[str, Value] = {
        "kind": Code(Outside(alert.kind)),
        "room": setting.room(alert.room_name),
        "reason": Code(Outside(alert.reason)),
    }
    template = (
        gettext("⚠️ A new ticket's card could not be sent to the room {room}: {reason}. It went to triage.")
        if alert.diverted
        else gettext(
            "⚠️ Something ({kind}) could not be sent to the room {room}: {reason}. I have set it aside."
        )
    )
    head = sentence(template, **fields)
    lines: list[Inline] = [Bold(head)]
    if alert.numbers:
        lines.append(sentence(gettext("It is about {numbers}."), numbers=numerals(alert.numbers[:100])))
    advice = gettext("Check whether I may write in that room; {status} shows what is set aside.")
    return fit((paragraph(*lines, sentence(advice, status=setting.command("status"))),))


@render_alert.register
def _(alert: PurgeReport, setting: Setting) -> Message:
    ngettext = setting.language.ngettext
    done = ngettext(
        "{number} is purged: {count} message in the rooms was removed.",
        "{number} is purged: {count} messages in the rooms were removed.",
        alert.redacted,
    )
    lines = [sentence(done, number=numeral(alert.number), count=alert.redacted)]
    if alert.failed:
        left = ngettext(
            "⚠️ {count} message could not be removed. Please remove it by hand.",
            "⚠️ {count} messages could not be removed. Please remove them by hand.",
            alert.failed,
        )
        lines.append(sentence(left, count=alert.failed))
        right = setting.language.gettext(
            "For the next time: give me the right to remove messages in the rooms."
        )
        lines.append(sentence(right))
    return fit((paragraph(*lines),), notice=not alert.failed)


@render_alert.register
def _(alert: RestoredReport, setting: Setting) -> Message:
    gettext = setting.language.gettext
    since = setting.moment(alert.since) if alert.since else Text("–")
    head = sentence(gettext("⚠️ My database was restored from a backup; it ended on {date}."), date=since)
    done = gettext(
        "I have done the commands that were given since then once more. What came by form or website since "
        "then, and what was tapped, is lost."
    )
    pieces: list[Block] = [paragraph(Bold(head), Text(done))]
    if alert.lost:
        lost = gettext("Of these tickets only the cards are left. Please file them again with {new}:")
        cards = joined(", ", [card_link(each.number, each.room_id, each.event_id) for each in alert.lost])
        hidden = _hidden(alert.lost_total - len(alert.lost), setting)
        pieces.append(paragraph(sentence(lost, new=setting.command("new")), cards, *hidden))
    if alert.doubtful:
        doubtful = gettext("These cards show again what I know. Please look whether it is true:")
        hidden = _hidden(alert.doubtful_total - len(alert.doubtful), setting)
        pieces.append(paragraph(Text(doubtful), numerals(alert.doubtful), *hidden))
    going_on = gettext("New tickets get numbers above {number}, so that none is given twice.")
    pieces.append(paragraph(sentence(going_on, number=numeral(alert.highest))))
    return fit(tuple(pieces))


def _hidden(count: int, setting: Setting) -> tuple[Inline, ...]:
    return (Text(setting.language.more(count)),) if count else ()


@render_alert.register
def _(alert: Unreadable, setting: Setting) -> Message:
    gettext = setting.language.gettext
    told = gettext("I cannot read this message: your app has not given me the key to it.")
    why = (
        gettext(
            "It gives none to devices that are not verified. Allow that in its security settings, or verify "
            "me there, and write again."
        )
        if alert.distrusted
        else gettext(
            "If it was meant for me: I have asked your app for the key, and do what you wrote if it comes "
            "within a day. To be quicker, delete the message and write it again."
        )
    )
    return fit((paragraph(Text(told), Text(why)),), notice=True)


@render_alert.register
def _(alert: CommandFailed, setting: Setting) -> Message:
    gettext = setting.language.gettext
    told = sentence(
        gettext("Sorry, that went wrong on my side, and nothing was changed. Please try again."),
    )
    advice = sentence(
        gettext("If it happens again, give the admins this id, so that they find it in the log: {id}"),
        id=Code(Outside(alert.event_id)),
    )
    return fit((paragraph(told, advice),), notice=True)


render_alert.register(ReplyPost, render_post)
render_alert.register(UndeliveredAlert, render_undelivered)
render_alert.register(MailServerReport, render_mail_server)
render_alert.register(FilePost, render_file)
render_alert.register(MailAside, render_aside)
render_alert.register(MailsUnmarked, render_unmarked)


@render_alert.register
def _(alert: DigestView, setting: Setting) -> Message:
    return render_digest(alert, setting)


@render_alert.register
def _(alert: Greeting, setting: Setting) -> Message:
    return render_greeting(alert, setting)


@render_alert.register
def _(alert: QuietReminder, setting: Setting) -> Message:
    return render_reminder(alert, setting)
