"""One tree of nodes that is rendered to plain text and to HTML (``writing``).

Text from outside goes into :class:`Outside`, :class:`Marked`, :class:`Quote` or :class:`Preformatted`; these
are defused.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Text:
    """Our own words, translated. A no-break space keeps words together in HTML; plain text has none."""

    text: str


@dataclass(frozen=True, slots=True)
class Outside:
    """Words of somebody else: shown as they are, without any effect."""

    text: str


@dataclass(frozen=True, slots=True)
class Marked:
    """Words of somebody else with places in bold.

    ``places`` finds start and end of each, apart from each other, in the text as it is shown.
    """

    text: str
    places: Callable[[str], tuple[tuple[int, int], ...]]


@dataclass(frozen=True, slots=True)
class Span:
    """Several inline nodes in a row."""

    parts: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Bold:
    """Strong emphasis."""

    content: Inline


@dataclass(frozen=True, slots=True)
class Italic:
    """Emphasis."""

    content: Inline


@dataclass(frozen=True, slots=True)
class Code:
    """Something to type, in a fixed-width font; :class:`Text` in it can be copied as it stands."""

    content: Text | Outside


@dataclass(frozen=True, slots=True)
class Link:
    """A link of ours; in plain text a ticket's number stands alone, anything else with its address."""

    text: str
    url: str

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")):
            raise ValueError("only web links are rendered")


@dataclass(frozen=True, slots=True)
class Pill:
    """A Matrix user. A pill alone notifies nobody: that is what a message's ``mentions`` are for."""

    user_id: str
    name: str


Inline = Text | Outside | Marked | Span | Bold | Italic | Code | Link | Pill


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that belong together."""

    lines: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of somebody else, in their lines."""

    text: str


@dataclass(frozen=True, slots=True)
class Preformatted:
    """Words of somebody else whose columns matter."""

    text: str


@dataclass(frozen=True, slots=True)
class BulletList:
    """A list that may be cut at its end; ``more`` words how many items are not shown."""

    items: tuple[Inline, ...]
    more: Callable[[int], str]
    hidden: int = 0
    start: int | None = None
    """The first one's number, where places count."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of short cells: on a phone, long ones would leave the others no room.

    Cut as a :class:`BulletList`. Clients without tables show the rows as lines.
    """

    rows: tuple[tuple[Inline, ...], ...]
    more: Callable[[int], str]
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class Sections:
    """A list of larger pieces; cut as a :class:`BulletList`."""

    items: tuple[tuple[Paragraph | Quote, ...], ...]
    more: Callable[[int], str]
    hidden: int = 0


Block = Paragraph | Quote | Preformatted | BulletList | Table | Sections
Document = tuple[Block, ...]
Value = Inline | str | int


NO_BREAK: Final = "\N{NO-BREAK SPACE}"


def node(value: Value) -> Inline:
    """A node of the value: bare strings count as text from outside, so that forgetting costs nothing."""
    if isinstance(value, str):
        return Outside(value)
    return Text(str(value)) if isinstance(value, int) else value


def span(*values: Value) -> Span:
    """The values one after the other."""
    return Span(tuple(node(value) for value in values))


def joined(separator: str, values: Iterable[Value]) -> Span:
    """The values with our own separator between them."""
    parts: list[Inline] = []
    for value in values:
        parts += [Text(separator), node(value)] if parts else [node(value)]
    return Span(tuple(parts))


def sentence(template: str, **values: Value) -> Span:
    """Fill the ``{fields}`` of a translated text with nodes.

    :raises KeyError: the text has a field for which there is no value.
    """
    parts: list[Inline] = []
    for literal, name, _spec, _conversion in string.Formatter().parse(template):
        if literal:
            parts.append(Text(literal))
        if name is not None:
            parts.append(node(values[name]))
    return Span(tuple(parts))


def paragraph(*lines: Value) -> Paragraph:
    """A paragraph of these lines."""
    return Paragraph(tuple(node(line) for line in lines))
