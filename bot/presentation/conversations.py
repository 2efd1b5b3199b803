"""Refusals about a ticket's tasks and about merged tickets, in words."""

from typing import Final

from bot.domain.errors import MergedInto, NotSamePerson, OpenTasks, UnknownTask
from bot.presentation.document import Inline, Text, sentence, span
from bot.presentation.outside import clip
from bot.presentation.world import Setting, numeral

_NAME_LIMIT: Final = 80
_TASKS_SHOWN: Final = 20


def open_tasks(refusal: OpenTasks, setting: Setting) -> list[Inline]:
    """Which tasks are open, and how to tick them off."""
    language, number = setting.language, refusal.number or 0
    count = len(refusal.tasks)
    why = language.ngettext(
        "{number} still has {count} open task; do it before you close the ticket:",
        "{number} still has {count} open tasks; do them before you close the ticket:",
        count,
    )
    listed = refusal.tasks[:_TASKS_SHOWN]
    shown = [span(Text(f"⬜ {task.position}. "), clip(task.text, 200)) for task in listed]
    rest = [Text(language.more(count - _TASKS_SHOWN))] if count > _TASKS_SHOWN else []
    # With the sign it is a ticket's number wherever it is typed.
    done = " ".join(["task done", f"#{number}", *(str(task.position) for task in listed)])
    how = sentence(language.gettext("When they are done: {command}"), command=setting.command(done))
    return [sentence(why, number=numeral(number), count=count), *shown, *rest, how]


def unknown_task(refusal: UnknownTask, setting: Setting) -> list[Inline]:
    """There is no such task, and where those are that there are."""
    gettext, number = setting.language.gettext, refusal.number or 0
    position = Text(str(refusal.position))
    why = sentence(gettext("{number} has no task {position}."), number=numeral(number), position=position)
    if not refusal.known:
        return [why]
    command = setting.command(f"task list {number}")
    return [why, sentence(gettext("{command} shows those that it has."), command=command)]


def merged_into(refusal: MergedInto, setting: Setting) -> list[Inline]:
    """Where the conversation goes on."""
    gettext, number = setting.language.gettext, numeral(refusal.number or 0)
    target, show = numeral(refusal.target), setting.command(f"show {refusal.target}")
    return [
        sentence(gettext("{number} was merged into {target}."), number=number, target=target),
        sentence(gettext("Please go on there: {command}"), command=show),
    ]


def not_same_person(refusal: NotSamePerson, setting: Setting) -> list[Inline]:
    """Whose the tickets are, and how to join them all the same."""
    gettext, number = setting.language.gettext, refusal.number or 0
    why = sentence(
        gettext("{number} is from {name}, {other} from {other_name}: they have no address in common."),
        number=numeral(number),
        name=clip(refusal.name, _NAME_LIMIT),
        other=numeral(refusal.other),
        other_name=clip(refusal.other_name, _NAME_LIMIT),
    )
    command = setting.command(f"merge {number} {refusal.other} --force")
    return [why, sentence(gettext("If it is one person nevertheless: {command}"), command=command)]
