"""Is everything alive, and is anything stuck: first whether anybody need do something, then what."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from bot.domain.words import MOST_COUNTED, Status
from bot.presentation.document import (
    Block,
    Bold,
    BulletList,
    Code,
    Inline,
    Outside,
    Text,
    Value,
    joined,
    paragraph,
    sentence,
)
from bot.presentation.message import Message, fit
from bot.presentation.rooms import room_problems
from bot.presentation.words import KINDS
from bot.presentation.world import Setting, numeral
from bot.services.views import RoomStatus, SetAside, StatusView

_OLD: Final = timedelta(minutes=5)
_DEAF: Final = timedelta(minutes=2)
_DATABASES: Final[Mapping[str, str]] = MappingProxyType({"sqlite": "SQLite", "postgresql": "PostgreSQL"})
_TOO_LARGE: Final = "M_TOO_LARGE"
_FAULT: Final = "internal"


def render_status(view: StatusView, setting: Setting, now: datetime) -> Message:
    """The verdict, the bot's own state, the queues, the tickets by status, what is set aside, the rooms."""
    gettext = setting.language.gettext
    title = joined(" ", [setting.names.bot, Text(view.version)])
    verdict = (
        gettext("⚠️ Please look at what is marked below")
        if _wants_help(view, now)
        else gettext("✅ Everything is well")
    )
    return fit(
        (
            paragraph(Bold(title), Bold(Text(verdict))),
            paragraph(*_life(view, setting, now), *_queues(view, setting), *_posts(view, setting, now)),
            *_aside(view, setting, now),
            *_rooms(view, setting),
        ),
        notice=True,
    )


def _is_deaf(view: StatusView, now: datetime) -> bool:
    return view.last_sync_at is None or now - view.last_sync_at > _DEAF


def _is_late(view: StatusView) -> bool:
    return view.outbox_oldest is not None and view.outbox_oldest > _OLD


def _wants_help(view: StatusView, now: datetime) -> bool:
    rooms = any(room.problems for room in view.rooms)
    return bool(rooms or view.outbox_held or view.outbox_failed or _is_late(view) or _is_deaf(view, now))


def _marked(line: Inline, *, trouble: bool) -> Inline:
    return joined(" ", [Text("⚠️"), line]) if trouble else line


def _life(view: StatusView, setting: Setting, now: datetime) -> list[Inline]:
    language = setting.language
    synced = (
        Text(language.gettext("never"))
        if view.last_sync_at is None
        else Text(language.when(view.last_sync_at, now, setting.zone))
    )
    return [
        sentence(
            language.gettext("Running {age} (since {date})"),
            # Nothing runs "just now".
            age=Text(language.age(view.started_at, max(now, view.started_at + timedelta(minutes=1)))),
            date=setting.moment(view.started_at),
        ),
        _marked(
            sentence(language.gettext("Last word from the homeserver: {date}"), date=synced),
            trouble=_is_deaf(view, now),
        ),
        sentence(
            language.gettext("Database: {database}, schema {schema}"),
            database=_DATABASES.get(view.database, view.database),
            schema=view.schema,
        ),
    ]


def _queues(view: StatusView, setting: Setting) -> list[Inline]:
    """What waits."""
    language = setting.language
    if not view.inbox_waiting and not view.outbox_waiting:
        return [Text(language.gettext("Nothing waits."))]
    template = language.gettext("Waiting: commands {inbox}, messages {outbox}")
    lines: list[Inline] = [sentence(template, inbox=view.inbox_waiting, outbox=view.outbox_waiting)]
    if view.outbox_oldest is not None and view.outbox_oldest >= timedelta(minutes=1):
        oldest = language.gettext("The oldest of it has been waiting {age}")
        age = Text(language.lasting(view.outbox_oldest))
        lines.append(_marked(sentence(oldest, age=age), trouble=_is_late(view)))
    return lines


def _posts(view: StatusView, setting: Setting, now: datetime) -> list[Inline]:
    language = setting.language
    lines = [_tickets(view, setting)]
    if view.digest_at is not None:
        date = Text(language.when(view.digest_at, now, setting.zone))
        lines.append(sentence(language.gettext("Last digest: {date}"), date=date))
    if view.reminders:
        told = language.gettext("Posted silently, a reminder follows: {count}")
        lines.append(sentence(told, count=view.reminders))
    return lines


def _counted(count: int) -> int | Text:
    return count if count <= MOST_COUNTED else Text(f"{MOST_COUNTED}+")


def _tickets(view: StatusView, setting: Setting) -> Inline:
    counts = [
        joined(" ", [setting.mark(status), setting.status(status), _counted(view.tickets[status])])
        for status in Status
        if view.tickets.get(status)
    ]
    return joined(" · ", counts or [Text(setting.language.gettext("No tickets yet"))])


def _aside(view: StatusView, setting: Setting, now: datetime) -> list[Block]:
    language = setting.language
    blocks: list[Block] = []
    if view.outbox_held:
        held = language.ngettext(
            "⚠️ {count} message is held back for a room that I cannot use. I send it once that is mended.",
            "⚠️ {count} messages are held back for rooms that I cannot use. I send them once that is mended.",
            view.outbox_held,
        )
        blocks.append(paragraph(sentence(held, count=view.outbox_held)))
    if view.outbox_failed:
        head = language.ngettext(
            "⚠️ {count} message could not be sent, and I have set it aside:",
            "⚠️ {count} messages could not be sent, and I have set them aside. The latest:",
            view.outbox_failed,
        )
        lines = tuple(_line(each, setting, now) for each in view.set_aside)
        blocks += [
            paragraph(sentence(head, count=view.outbox_failed)),
            BulletList(lines, language.more),
            paragraph(*_advice(view, setting)),
        ]
    return blocks


def _line(each: SetAside, setting: Setting, now: datetime) -> Inline:
    language = setting.language
    what: list[Value] = [
        Text(language.when(each.at, now, setting.zone)),
        Text(language.gettext(KINDS[each.kind])) if each.kind in KINDS else each.kind,
    ]
    what += [numeral(each.number)] if each.number is not None else []
    what.append(setting.room(each.room) if each.room else Text(language.gettext("another room")))
    return joined(" · ", [*what, Code(Outside(each.reason))])


def _advice(view: StatusView, setting: Setting) -> list[Inline]:
    """What to do about what is set aside, by the reasons."""
    gettext = setting.language.gettext
    faults = [each for each in view.set_aside if each.reason.startswith(_FAULT)]
    refused = [each for each in view.set_aside if each not in faults and each.reason != _TOO_LARGE]
    lines: list[Inline] = []
    if refused:
        check = sentence(
            gettext("Let me write in the room; {check} on my machine says what is missing."),
            check=Code(Text("tickettruhe check")),
        )
        lines.append(check)
    if any(each.reason == _TOO_LARGE for each in view.set_aside):
        lines.append(Text(gettext("What was too large stays unsent.")))
    if faults:
        lines.append(Text(gettext("“internal” is a fault of mine: tell those who look after me.")))
    again = gettext("A ticket's card comes with its next change, for example after {note}.")
    card = next((each for each in view.set_aside if each.kind == "card" and each.number), None)
    if card is not None:
        lines.append(sentence(again, note=setting.command(f"note {card.number} …")))
    return lines


def _rooms(view: StatusView, setting: Setting) -> list[Block]:
    """Those that cannot be used, each with what to do; of the others only how many."""
    language = setting.language
    bad = tuple(_room(room, setting) for room in view.rooms if room.problems)
    good = len(view.rooms) - len(bad)
    if not bad:
        return [paragraph(sentence(language.gettext("Rooms: all {count} in order"), count=good))]
    rest = language.ngettext("The other room is in order.", "The other {count} rooms are in order.", good)
    return [
        paragraph(Bold(Text(language.gettext("Rooms that I cannot use")))),
        BulletList(bad, language.more),
        *([paragraph(sentence(rest, count=good))] if good else []),
    ]


def _room(room: RoomStatus, setting: Setting) -> Inline:
    problems = room_problems(room.problems, setting)
    name = Bold(joined("", [setting.room(room.name), Text(":")]))
    return joined(" ", [Text("⚠️"), name, *problems])
