"""A ticket's tasks as a list."""

from bot.presentation.document import Bold, BulletList, Inline, Text, joined, paragraph, sentence
from bot.presentation.message import Message, fit
from bot.presentation.outside import clip
from bot.presentation.world import Setting, numeral
from bot.services.views import TasksView, TaskView


def render_tasks(view: TasksView, setting: Setting) -> Message:
    """The tasks with their numbers, or how to add one."""
    gettext = setting.language.gettext
    number = numeral(view.number)
    if not view.tasks:
        how = setting.command(f"task add {view.number} <{gettext('text')}>")
        none = sentence(gettext("{number} has no tasks. Add one: {command}"), number=number, command=how)
        return fit((paragraph(none),), notice=True)
    done = Text(f"{sum(task.done for task in view.tasks)}/{len(view.tasks)}")
    title = sentence(gettext("Tasks of {number}: {done}"), number=number, done=done)
    rows = BulletList(task_lines(view.tasks), setting.language.more)
    return fit((paragraph(Bold(title)), rows), notice=True)


def task_lines(tasks: tuple[TaskView, ...]) -> tuple[Inline, ...]:
    """One line per task: whether it is done, its number, what it is."""
    return tuple(
        joined(" ", [Text("☑️" if task.done else "⬜"), Text(f"{task.position}."), clip(task.text, 200)])
        for task in tasks
    )
