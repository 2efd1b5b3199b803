"""What holds for everything that the bot ever did in a desk's rooms, whatever a test played there."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from tests.desk import Desk
from tests.timeline import Event, shown

_BOTH: Final = ("!message", "!nachricht")
"""Commands that may be acknowledged and answered: the message to an archived ticket opened another."""


async def breaches(desk: Desk) -> list[str]:
    """All breaches of the house rules in the configured rooms and in the log."""
    found: list[str] = []
    said: set[str] = set()
    for key in desk.rooms:
        events = await desk.viewer(key).timeline(desk.rooms[key])
        found += [f"{key}: {breach}" for breach in _breaches_of_room(desk, events)]
        said |= {
            line for event in events if event.type == "m.room.message" for line in event.body.splitlines()
        }
    return found + _breaches_of_log(desk, said)


def _breaches_of_log(desk: Desk, said: Collection[str]) -> list[str]:
    """``said``: every line that stands in the rooms, as people write requesters' words there, too."""
    log = desk.bot.log
    words = [word for word in desk.filed if len(word) > 2 and word in log]
    words += [line for line in said if " " in line and len(line) > 7 and line in log]
    marks = [mark for mark in ("Traceback", '"level": "error"', "command_fault") if mark in log]
    return [f"the log holds {each!r}" for each in (*words, *marks)]


def _breaches_of_room(desk: Desk, events: Sequence[Event]) -> list[str]:
    own = [event for event in events if event.sender == desk.account.user_id and not event.redacted]
    messages = [event for event in own if event.type == "m.room.message"]
    found = [f"no m.mentions: {event.body!r}" for event in messages if not _tells_mentions(event.content)]
    cards = Counter(seen.body.split()[1] for seen in shown(events) if desk.is_card(seen))
    found += [f"{count} cards of {number}" for number, count in cards.items() if count > 1]
    return found + _answered_twice(events, own)


def _tells_mentions(content: Mapping[str, object]) -> bool:
    """Specification, "User and room mentions": without ``m.mentions`` clients search the text for names."""
    inner = content.get("m.new_content", content)
    return (
        isinstance(content.get("m.mentions"), dict)
        and isinstance(inner, dict)
        and isinstance(inner.get("m.mentions"), dict)
    )


def answered_by(event: Event, commands: Collection[str]) -> str | None:
    """The command that a message of the bot answers; a question before it is carried out is no answer yet.

    In a thread every message "replies" to the last one there, for clients that know no threads; what tells
    somebody something of its own accord mentions them.
    """
    command = event.in_reply_to
    if command is None or command not in commands or event.related == command:
        return None
    mentions = event.content.get("m.mentions")
    threaded = event.relation.get("rel_type") == "m.thread"
    return None if (threaded and mentions) or event.body.startswith("Really ") else command


def _answered_twice(events: Sequence[Event], own: Sequence[Event]) -> list[str]:
    """A command gets ✅ or one answer, not both and nothing twice."""
    said = {event.event_id for event in own}
    bodies = {event.event_id: event.body for event in events if event.event_id not in said}
    answers: defaultdict[str, list[str]] = defaultdict(list)
    for event in own:
        if event.type == "m.reaction":
            if event.related in bodies:
                answers[event.related].append("✅")
        elif command := answered_by(event, bodies):
            answers[command].append(event.body)
    return [
        f"{bodies.get(command)!r} was answered by {told}"
        for command, told in answers.items()
        if len(told) > 1 and not bodies.get(command, "").startswith(_BOTH)
    ]
