"""Refusals in words: each says why, and what would work instead."""

from collections.abc import Mapping, Sequence
from functools import singledispatch
from types import MappingProxyType
from typing import Final

from bot.domain.errors import (
    MailNotSetUp,
    MergedInto,
    NoCannedAnswer,
    NoMailAddress,
    NoSuccessor,
    NotAllowedFrom,
    NotAMember,
    NotHere,
    NothingMore,
    NothingToUndo,
    NotPermitted,
    NotSamePerson,
    NotYourPrompt,
    NoWaitlist,
    OpenTasks,
    PromptOver,
    Refusal,
    TakenBy,
    TooManyTickets,
    UndoProblem,
    UnknownName,
    UnknownTask,
    UnknownTicket,
    WhichTeam,
)
from bot.domain.marks import N_
from bot.domain.words import Action, Right
from bot.presentation import conversations, letters
from bot.presentation.choices import unknown_name
from bot.presentation.document import BulletList, Inline, Text, Value, joined, paragraph, sentence, span
from bot.presentation.message import Message, fit
from bot.presentation.words import DOING
from bot.presentation.world import Setting, numeral, numerals, pill
from bot.services.views import Person

_NAME_LIMIT: Final = 80


def render_refusal(refusal: Refusal, setting: Setting, to: Person | None = None) -> Message:
    """One refusal as a notice, addressed to somebody if it is a reply to nothing that they wrote."""
    lines = refusal_lines(refusal, setting)
    if to is None:
        return fit((paragraph(*lines),), notice=True)
    lines[0] = span(pill(to), Text(": "), lines[0])
    return fit((paragraph(*lines),), mentions=(to.user_id,), notice=True)


def render_outcome(done: Sequence[int], refused: Sequence[Refusal], setting: Setting) -> Message:
    """What became of a command over several numbers, in one notice."""
    gettext = setting.language.gettext
    head = []
    if done:
        head.append(sentence(gettext("✅ Done: {numbers}"), numbers=numerals(done)))
    if refused:
        head.append(sentence(gettext("❌ Not done:")))
    rows = tuple(joined(" ", refusal_lines(each, setting)) for each in refused)
    return fit((paragraph(*head), BulletList(rows, setting.language.more)), notice=True)


def _ticket(refusal: Refusal, setting: Setting) -> Text:
    """The ticket's number, or the mere word where there is none."""
    return Text(setting.language.gettext("ticket")) if refusal.number is None else numeral(refusal.number)


@singledispatch
def refusal_lines(refusal: Refusal, setting: Setting) -> list[Inline]:
    """The refusal's sentences: first why, then what would work.

    :raises NotImplementedError: the refusal's class has no words yet.
    """
    raise NotImplementedError(type(refusal).__name__)


@refusal_lines.register
def _(refusal: UnknownTicket, setting: Setting) -> list[Inline]:
    gettext = setting.language.gettext
    return [
        sentence(gettext("I do not know {number} here."), number=_ticket(refusal, setting)),
        sentence(
            gettext("{list} shows those that I know here."),
            list=setting.command("list"),
        ),
    ]


@refusal_lines.register
def _(refusal: NotAllowedFrom, setting: Setting) -> list[Inline]:
    gettext = setting.language.gettext
    why = sentence(
        gettext("{number} cannot be {done} now, its status is “{status}”."),
        number=_ticket(refusal, setting),
        done=Text(gettext(DOING[refusal.action])),
        status=setting.status(refusal.status),
    )
    commands = [setting.action(action, refusal.number) for action in refusal.possible]
    if not commands:
        return [why, Text(gettext("There is nothing that you could do with it at the moment; ask an admin."))]
    return [why, sentence(gettext("Possible: {commands}"), commands=joined(", ", commands))]


_WHOSE: Final[Mapping[Right, str]] = MappingProxyType(
    {
        Right.MEMBER: N_("Only members of its team may do that; ask one of them."),
        Right.ASSIGNEE: N_("Only the person who has the ticket, or an admin, may do that."),
        Right.SAME_PERSON: N_("Only the person who made the change may undo it."),
        Right.ADMIN: N_("Only admins may do that; ask one of them."),
        Right.REQUESTER: N_("Only the requester can do that."),
        Right.ANYONE: N_("Ask an admin."),
    }
)


@refusal_lines.register
def _(refusal: NotPermitted, setting: Setting) -> list[Inline]:
    gettext = setting.language.gettext
    if refusal.number is None or refusal.action is None:
        if refusal.right is Right.MEMBER:
            return [Text(gettext("Only members of a team may do that. Ask to be invited into its room."))]
        lines: list[Inline] = [Text(gettext("You may not do that."))]
    else:
        what = Text(gettext(DOING[refusal.action]))
        template = gettext("{number} cannot be {done} by you.")
        lines = [sentence(template, number=_ticket(refusal, setting), done=what)]
    if refusal.right is Right.ASSIGNEE and refusal.assignee is not None:
        whose = sentence(gettext("{person} has it."), person=setting.user(refusal.assignee))
        lines.append(whose)
    return [*lines, Text(gettext(_WHOSE[refusal.right]))]


@refusal_lines.register
def _(refusal: TakenBy, setting: Setting) -> list[Inline]:
    gettext = setting.language.gettext
    return [
        sentence(
            gettext("{person} has {number} ({status})."),
            person=setting.user(refusal.assignee),
            number=_ticket(refusal, setting),
            status=setting.status(refusal.status),
        ),
        sentence(
            gettext("If you have agreed on it: {command}"),
            command=setting.action(Action.STEAL, refusal.number),
        ),
    ]


refusal_lines.register(OpenTasks, conversations.open_tasks)
refusal_lines.register(UnknownTask, conversations.unknown_task)
refusal_lines.register(MergedInto, conversations.merged_into)
refusal_lines.register(NotSamePerson, conversations.not_same_person)
refusal_lines.register(MailNotSetUp, letters.not_set_up)
refusal_lines.register(NoMailAddress, letters.no_address)
refusal_lines.register(NoCannedAnswer, letters.no_canned)


@refusal_lines.register
def _(refusal: NoWaitlist, setting: Setting) -> list[Inline]:
    gettext = setting.language.gettext
    return [
        sentence(
            gettext("{number} cannot wait: the topic “{topic}” has no waiting list."),
            number=_ticket(refusal, setting),
            topic=setting.topic(refusal.topic),
        ),
        sentence(
            gettext("If the topic is wrong: {command}"), command=setting.action(Action.TOPIC, refusal.number)
        ),
    ]


@refusal_lines.register
def _(refusal: NotAMember, setting: Setting) -> list[Inline]:
    gettext = setting.language.gettext
    return [
        sentence(
            gettext("{person} is not in the room of {team}, so {number} cannot be assigned there."),
            person=setting.user(refusal.user_id),
            team=setting.team(refusal.team),
            number=_ticket(refusal, setting),
        ),
        sentence(
            gettext("Invite the person, or give the ticket to their team: {command}"),
            command=setting.action(Action.TRANSFER, refusal.number),
        ),
    ]


@refusal_lines.register
def _(refusal: NothingToUndo, setting: Setting) -> list[Inline]:
    gettext = setting.language.gettext
    fields: dict[str, Value] = {
        "number": _ticket(refusal, setting),
        "person": setting.user(refusal.last_by) if refusal.last_by else Text(setting.names.bot),
    }
    why = {
        UndoProblem.NOTHING: gettext("The last thing that happened to {number} cannot be undone."),
        UndoProblem.OPENED: gettext("Writing down {number} cannot be undone."),
        UndoProblem.PURGED: gettext("{number} is purged, which cannot be undone."),
        UndoProblem.SINCE: gettext(
            "Something has happened since to the ticket that {number} was merged with."
        ),
        UndoProblem.OTHERS: gettext("The last change of {number} was {person}'s; only they can undo it."),
        UndoProblem.SENT: gettext("What happened to {number} last was a mail, which nothing gets back."),
        UndoProblem.TOO_OLD: gettext("Your last change of {number} is older than 10 minutes."),
    }[refusal.problem]
    lines: list[Inline] = [sentence(why, **fields)]
    if refusal.last_at is not None:
        lines.append(sentence(gettext("It was on {date}."), date=setting.moment(refusal.last_at)))
    if refusal.problem is UndoProblem.PURGED:
        again = sentence(gettext("If it is still needed, write it down again: {new}"), new=_new(setting))
        return [*lines, again]
    if refusal.problem is UndoProblem.OPENED:
        away = [setting.action(action, refusal.number) for action in (Action.CLOSE, Action.SPAM)]
        return [*lines, sentence(gettext("Instead: {commands}"), commands=joined(", ", away))]
    shown = setting.command(f"show {refusal.number}")
    return [*lines, sentence(gettext("{show} tells how it stands; change it from there."), show=shown)]


def _new(setting: Setting) -> Inline:
    return setting.command(f"new <{setting.language.gettext('text')}>")


@refusal_lines.register
def _(refusal: UnknownName, setting: Setting) -> list[Inline]:
    return unknown_name(refusal, setting)


@refusal_lines.register
def _(refusal: WhichTeam, setting: Setting) -> list[Inline]:
    gettext = setting.language.gettext
    names = joined(", ", [setting.team(team) for team in refusal.teams])
    return [
        Text(gettext("For which team is it?")),
        sentence(gettext("There are: {names}"), names=names),
        sentence(gettext("Write it like this: {usage}"), usage=setting.usage("new --team <team> <text>")),
    ]


@refusal_lines.register
def _(refusal: NotHere, setting: Setting) -> list[Inline]:
    gettext = setting.language.gettext
    return [
        sentence(gettext("{command} cannot be answered here."), command=setting.command(refusal.command)),
        Text(gettext("Ask it in the admin room, or as an admin in a direct chat with me.")),
    ]


@refusal_lines.register
def _(refusal: NoSuccessor, setting: Setting) -> list[Inline]:
    why = setting.language.gettext("The room {name} was not upgraded, so there is none to move into.")
    return [sentence(why, name=setting.room(refusal.name))]


@refusal_lines.register
def _(refusal: TooManyTickets, setting: Setting) -> list[Inline]:
    ngettext = setting.language.ngettext
    why = ngettext(
        "One command takes {count} ticket at most; send several commands.",
        "One command takes {count} tickets at most; send several commands.",
        refusal.limit,
    )
    return [sentence(why, count=refusal.limit)]


@refusal_lines.register
def _(refusal: NotYourPrompt, setting: Setting) -> list[Inline]:
    only = setting.language.gettext("Only {person}, who gave the command, can go on with it.")
    return [sentence(only, person=setting.user(refusal.person))]


@refusal_lines.register
def _(refusal: PromptOver, setting: Setting) -> list[Inline]:
    gettext = setting.language.gettext
    return [Text(gettext("That was too late, so nothing was done. Just give the command again."))]


@refusal_lines.register
def _(refusal: NothingMore, setting: Setting) -> list[Inline]:
    gettext = setting.language.gettext
    over = sentence(
        gettext("There is nothing more to show. {list} begins anew."), list=setting.command("list")
    )
    return [over]
