"""Is everything alive, and is anything stuck."""

from datetime import datetime, timedelta

from bot.domain.words import Status
from bot.presentation.document import Bold, BulletList, Inline, Text, joined, paragraph, sentence
from bot.presentation.message import Message, fit
from bot.presentation.rooms import room_problems
from bot.presentation.world import Setting
from bot.services.views import RoomStatus, StatusView


def render_status(view: StatusView, setting: Setting, now: datetime) -> Message:
    """The bot's own state, the queues, the tickets by status, and the rooms."""
    gettext = setting.language.gettext
    title = joined(" ", [setting.names.bot, Text(view.version)])
    rooms = tuple(_room(room, setting) for room in view.rooms)
    return fit(
        (
            paragraph(
                Bold(title), *_life(view, setting, now), *_queues(view, setting), _tickets(view, setting)
            ),
            paragraph(Bold(Text(gettext("Rooms")))),
            BulletList(rooms, setting.language.more),
        ),
        notice=True,
    )


def _life(view: StatusView, setting: Setting, now: datetime) -> list[Inline]:
    language = setting.language
    synced = (
        Text(language.gettext("never"))
        if view.last_sync_at is None
        else Text(language.when(view.last_sync_at, now, setting.zone))
    )
    return [
        sentence(
            language.gettext("Running {age} ({date}), database: {database}"),
            # Nothing runs "just now".
            age=Text(language.age(view.started_at, max(now, view.started_at + timedelta(minutes=1)))),
            date=setting.moment(view.started_at),
            database=view.database,
        ),
        sentence(language.gettext("Last word from the homeserver: {date}"), date=synced),
    ]


def _queues(view: StatusView, setting: Setting) -> list[Inline]:
    """What waits; the lines about trouble stand there only if there is some."""
    language = setting.language
    template = language.gettext("To be handled: {inbox}, to be sent: {outbox}")
    lines: list[Inline] = [sentence(template, inbox=view.inbox_waiting, outbox=view.outbox_waiting)]
    if view.outbox_oldest is not None:
        age = str(int(view.outbox_oldest.total_seconds() // 60))
        oldest = language.gettext("The oldest of it has waited for {minutes} min")
        lines.append(sentence(oldest, minutes=Text(age)))
    if view.outbox_held:
        held = language.gettext("⚠️ {count} held back for rooms that I cannot use")
        lines.append(sentence(held, count=view.outbox_held))
    if view.outbox_failed:
        failed = language.gettext("⚠️ {count} set aside because they could not be sent")
        lines.append(sentence(failed, count=view.outbox_failed))
    return lines


def _tickets(view: StatusView, setting: Setting) -> Inline:
    counts = [
        joined(" ", [setting.mark(status), setting.status(status), view.tickets[status]])
        for status in Status
        if view.tickets.get(status)
    ]
    return joined(" · ", counts or [Text(setting.language.gettext("No tickets yet"))])


def _room(room: RoomStatus, setting: Setting) -> Inline:
    problems = room_problems(room.problems, setting)
    return joined(" ", [Text("⚠️" if problems else "✅"), setting.room(room.name), *problems])
