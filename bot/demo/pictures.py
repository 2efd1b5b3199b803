"""Rooms as text for the terminal: what just happened, and how a whole room looks."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

from bot.demo.cast import ROOMS, SETTINGS
from bot.demo.letters import Letter
from bot.demo.room_view import Change, Happening, RoomView, Shown

_COLOURS: Final = dict(zip(ROOMS, ("cyan", "magenta", "yellow", "green"), strict=True))
_ROOM_WIDTH: Final = max(len(room.name) for room in ROOMS.values())
_MAIL: Final = "Mail"
_MAIL_COLOUR: Final = "blue"
_QUOTED_CELLS: Final = 40
_EDIT_LINES: Final = 2
_ZONE: Final = ZoneInfo(SETTINGS["timezone"])
"""That of the cards, so that the times beside them agree."""


class Pictures:
    """Draws for one terminal."""

    def __init__(self, console: Console, name_of: Callable[[str], str]) -> None:
        """:param name_of: user id → what people call them."""
        self._console = console
        self._name_of = name_of

    def change(self, room: str, change: Change) -> Text:
        """What just happened in a room. Of an edit only the first lines: the rest is seldom new."""
        return self._of_room(room, change.at, "\n".join(self._told(change)), change.by)

    def letter(self, letter: Letter) -> Text:
        """A mail that has just been sent. Of what the bot sends by itself the subject is enough."""
        lines = [] if letter.automatic else clean(letter.text).splitlines()
        told = [_headline(letter), *(f"  {line}" for line in lines)]
        return self._in_column(_MAIL, _MAIL_COLOUR, letter.at, "\n".join(told), _way(letter))

    def letters(self, letters: Sequence[Letter]) -> RenderableType:
        """All mails, one line each."""
        rows = [Text(f"{letter.at.astimezone(_ZONE):%H:%M} {_headline(letter)}") for letter in letters]
        for row in rows:
            row.truncate(self._console.width - 1, overflow="ellipsis")
        return Text("\n").join([_mail_title("Mails"), *(rows or [Text("(none yet)", style="dim")])])

    def room(self, room: str, view: RoomView) -> RenderableType:
        """The whole room as it looks now."""
        title = Text(f" {ROOMS[room].name} ", style=f"bold reverse {_COLOURS[room]}")
        lines = [self._message(room, view, message) for message in view.messages]
        return Text("\n").join([title, *(lines or [Text("(nothing yet)", style="dim")])])

    def _told(self, change: Change) -> Iterator[str]:
        name, lines = self._name_of(change.by), clean(change.message.body).splitlines()
        match change.kind:
            case Happening.MESSAGE:
                yield from _spoken(f"{name}{' (in the thread)' if change.message.thread else ''}", lines)
            case Happening.EDIT:
                yield from _spoken(f"{name} ✎", lines[:_EDIT_LINES])
            case Happening.REACTION:
                yield f"{name}: {clean(change.key)} on “{_shortened(lines[0] if lines else '')}”"
            case Happening.REMOVAL:
                yield f"{name} removed a message"

    def _message(self, room: str, view: RoomView, message: Shown) -> Text:
        marks = [mark for mark, is_so in (("edited", message.edited),) if is_so]
        answered = view.message(message.answers) if message.answers and not message.thread else None
        if message.thread:
            marks.insert(0, "in the thread")
        elif answered is not None:
            first = clean(answered.body).partition("\n")[0]
            marks.insert(0, f"answers “{_shortened(first)}”")
        name = self._name_of(message.sender) + (f" ({', '.join(marks)})" if marks else "")
        lines = ["(removed)"] if message.removed else clean(message.body).splitlines()
        told = [*_spoken(name, lines), *(f"  [{tap}]" for tap in self._taps(message))]
        return self._of_room(room, message.at, "\n".join(told), message.sender)

    def _taps(self, message: Shown) -> Iterator[str]:
        """What somebody put on somebody else's message, then what the sender offers."""
        offered = [key for key, who in message.reactions.items() if message.sender in who]
        for key, who in message.reactions.items():
            others = [person for person in who if person != message.sender]
            if others:
                yield f"{clean(key)} {', '.join(map(self._name_of, others))}"
        if offered:
            yield f"tap: {clean(' '.join(offered))}"

    def _of_room(self, room: str, at: datetime, told: str, by: str) -> Text:
        return self._in_column(ROOMS[room].name, _COLOURS[room], at, told, self._name_of(by))

    def _in_column(self, place: str, colour: str, at: datetime, told: str, name: str) -> Text:
        """The text to the right of time and place, wrapped to the terminal; the name in it is bold."""
        head = f"{at.astimezone(_ZONE):%H:%M} {place:<{_ROOM_WIDTH}} │ "
        rest = " " * (cell_len(head) - 2) + "│ "
        width = max(self._console.width - cell_len(head) - 1, 20)
        rows = [row for line in told.split("\n") for row in _wrapped(Text(line), width, self._console)] or [
            Text()
        ]
        if rows[0].plain.startswith(name):
            rows[0].stylize("bold", 0, len(name))
        return Text("\n").join(
            Text.assemble((rest if index else head, colour), row) for index, row in enumerate(rows)
        )


def whole_letter(letter: Letter) -> RenderableType:
    """A mail as a mail program shows it: to the left edge, so that its link can be clicked."""
    headers = [Text(clean(f"{name}: {value}"), style="dim") for name, value in letter.headers]
    return Text("\n").join([_mail_title(f"Mail {letter.place}"), *headers, Text(), Text(clean(letter.text))])


def _mail_title(title: str) -> Text:
    return Text(f" {title} ", style=f"bold reverse {_MAIL_COLOUR}")


def _headline(letter: Letter) -> str:
    """Its number, from whom or to whom, and about what; the help desk's own address says nothing new."""
    return f"{_way(letter)}: {clean(letter.subject)}"


def _way(letter: Letter) -> str:
    who = f"to {letter.to}" if letter.outgoing else f"from {letter.sender}"
    return clean(f"✉ {letter.place} {who}")


def clean(text: str) -> str:
    """Without characters that would steer the terminal: chat is text from outside."""
    return "".join(sign if sign == "\n" or unicodedata.category(sign) != "Cc" else "�" for sign in text)


def _spoken(name: str, lines: list[str]) -> Iterator[str]:
    if len(lines) == 1:
        yield f"{name}: {lines[0]}"
        return
    yield f"{name}:"
    yield from (f"  {line}" for line in lines)


def _wrapped(line: Text, width: int, console: Console) -> list[Text]:
    indent = len(line.plain) - len(line.plain.lstrip(" "))
    rows = Text(line.plain[indent:]).wrap(console, width - indent)
    for row in rows:
        row.rstrip()
        row.pad_left(indent)
    return list(rows)


def _shortened(text: str) -> str:
    short = Text(text)
    short.truncate(_QUOTED_CELLS, overflow="ellipsis")
    return short.plain
