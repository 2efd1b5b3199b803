"""Rooms in words: what keeps the bot from using one, and what becomes of an upgraded one."""

from typing import Final

from bot.domain.rooms import RoomProblem
from bot.domain.taps import CANCEL, CONFIRM
from bot.presentation.document import (
    Bold,
    BulletList,
    Code,
    Inline,
    Outside,
    Text,
    Value,
    paragraph,
    sentence,
)
from bot.presentation.message import Message, fit
from bot.presentation.words import ROOM_PROBLEMS
from bot.presentation.world import Setting, numeral, numerals, pill
from bot.services.views import (
    NowhereReport,
    RoomMoveAnswered,
    RoomMoveBegun,
    RoomMoved,
    RoomMoveQuestion,
    RoomMoveRejected,
    RoomMoveShutOut,
    RoomReport,
)

_TEAM: Final = "team:"


def _named(name: str, room_id: str, setting: Setting) -> dict[str, Value]:
    return {"name": setting.room(name), "room": Code(Outside(room_id))}


def room_problems(problems: tuple[str, ...], setting: Setting) -> tuple[Inline, ...]:
    """What stands against using a room, each with what to do."""
    return tuple(Text(setting.language.gettext(ROOM_PROBLEMS[RoomProblem(each)])) for each in problems)


def render_report(alert: RoomReport, setting: Setting) -> Message:
    """A configured room cannot be used, or can be again."""
    gettext = setting.language.gettext
    fields = _named(alert.name, alert.room_id, setting)
    if not alert.problems:
        text = sentence(gettext("✅ The room {name} ({room}) can be used again."), **fields)
        return fit((paragraph(text),), notice=True)
    head = sentence(_head(alert, setting), **fields)
    tail = gettext("As soon as that is put right, I go on by myself and send what has waited.")
    reasons = BulletList(room_problems(alert.problems, setting), setting.language.more)
    return fit((paragraph(head), reasons, paragraph(Text(tail))))


def _head(alert: RoomReport, setting: Setting) -> str:
    gettext = setting.language.gettext
    if alert.problems != (RoomProblem.MUTED.value,):
        return gettext(
            "⚠️ I cannot use the room {name} ({room}): no tickets go there and no commands are taken."
        )
    if alert.name.startswith(_TEAM):
        return gettext(
            "⚠️ I may not write in the room {name} ({room}): new tickets go to triage, all else for it waits."
        )
    return gettext("⚠️ I may not write in the room {name} ({room}): what is for it waits.")


def render_nowhere(alert: NowhereReport, setting: Setting) -> Message:
    """A new ticket that no room takes."""
    gettext = setting.language.gettext
    number = numeral(alert.number)
    told = sentence(
        gettext("⚠️ {number} is new and stands in no room: I may not write in the one for triage."),
        number=number,
    )
    lines: list[Inline] = [told]
    if alert.diverted_from is not None:
        whose = gettext("It is for {team}, in whose room I may not write either.")
        lines.append(sentence(whose, team=setting.team(alert.diverted_from)))
    if alert.others:
        lines.append(sentence(gettext("In no room either: {numbers}."), numbers=numerals(alert.others)))
    advice = sentence(
        gettext("{show} tells all about it, {transfer} gives it to a team that I can reach."),
        show=setting.command(f"show {alert.number}"),
        transfer=setting.command(f"transfer {alert.number} <{gettext('team')}>"),
    )
    return fit((paragraph(*lines, advice),))


def render_question(alert: RoomMoveQuestion, setting: Setting) -> Message:
    """Whether to move into the room that replaces an upgraded one."""
    gettext = setting.language.gettext
    fields = _named(alert.name, alert.new_room_id, setting)
    head = sentence(
        gettext("❓ The room {name} was upgraded. Shall I move to the new one, {room}?"), **fields
    )
    what = gettext(
        "Open tickets then get new cards there. In the old room I change nothing more and take no commands."
    )
    how = sentence(
        gettext("Any admin: tap {yes} to let me move or {no} to leave it. {command} does it later, too."),
        yes=Text(CONFIRM),
        no=Text(CANCEL),
        command=_command(alert.name, setting),
    )
    return fit((paragraph(Bold(head), Text(what), how),))


def _command(name: str, setting: Setting) -> Inline:
    return setting.command(f"upgrade {name.removeprefix(_TEAM)}")


def render_rejected(alert: RoomMoveRejected, setting: Setting) -> Message:
    """What claims to replace a room may be anybody's."""
    gettext = setting.language.gettext
    fields = _named(alert.name, alert.new_room_id, setting)
    if alert.serves is not None:
        taken = gettext("⚠️ The room {name} says that {room} replaces it, but that one is {other} already.")
        why = Text(gettext("I do not move there: one room cannot be both."))
        return fit((paragraph(sentence(taken, other=setting.room(alert.serves), **fields), why),))
    head = sentence(
        gettext("⚠️ The room {name} says that {room} replaces it, but that room does not say so."), **fields
    )
    if alert.seen:
        advice = Text(gettext("I do not move there. If it is the right one, put it into the config."))
        return fit((paragraph(head, advice),))
    advice_to_ask = gettext("I do not move there by myself. If it is the right one: {command}")
    return fit((paragraph(head, sentence(advice_to_ask, command=_command(alert.name, setting))),))


def render_shut_out(alert: RoomMoveShutOut, setting: Setting) -> Message:
    """The bot has to be invited first."""
    gettext = setting.language.gettext
    template = gettext("⚠️ The new room {room} of {name} does not let me in. Invite me there, then I move.")
    return fit((paragraph(sentence(template, **_named(alert.name, alert.new_room_id, setting))),))


def render_moved(alert: RoomMoved, setting: Setting) -> Message:
    """From now on the new room counts."""
    gettext = setting.language.gettext
    fields = _named(alert.name, alert.new_room_id, setting)
    moved = sentence(
        gettext("✅ I have moved: {name} is now {room}. {who} decided it."),
        who=setting.doer(alert.by),
        **fields,
    )
    if not alert.outdated:
        return fit((paragraph(moved),), notice=True)
    path = alert.name.replace(_TEAM, "teams.") + ".room" if _TEAM in alert.name else f"rooms.{alert.name}"
    config = sentence(
        gettext("The config still names the old room. I know better, but please write {line} there."),
        line=Code(Outside(f"{path}: {alert.new_room_id}")),
    )
    return fit((paragraph(moved, config),), notice=True)


def render_answered(view: RoomMoveAnswered, setting: Setting) -> Message:
    """The question's place, once it is answered."""
    gettext = setting.language.gettext
    fields = {**_named(view.name, view.new_room_id, setting), "person": pill(view.person)}
    if view.confirmed:
        told = sentence(gettext("✅ {person} lets me move: {name} becomes {room}."), **fields)
        return fit((paragraph(told),), notice=True)
    told = sentence(gettext("❌ {person} decided that {name} does not become {room}."), **fields)
    later = sentence(gettext("If you change your mind: {command}"), command=_command(view.name, setting))
    return fit((paragraph(told, later),), notice=True)


def render_begun(view: RoomMoveBegun, setting: Setting) -> Message:
    """Answer to the command."""
    gettext = setting.language.gettext
    template = gettext("I move: {name} becomes {room}. The admin room is told when I am there.")
    return fit((paragraph(sentence(template, **_named(view.name, view.new_room_id, setting))),), notice=True)
