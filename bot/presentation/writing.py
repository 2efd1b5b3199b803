"""Writes a document as plain text and as HTML; text is escaped in one place.

The HTML has no tags but those that the Matrix specification allows for ``org.matrix.custom.html``
(client-server API, "m.room.message msgtypes").
"""

import html
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Final, assert_never
from urllib.parse import quote

from bot.presentation.document import (
    NO_BREAK,
    Block,
    Bold,
    BulletList,
    Code,
    Document,
    Inline,
    Italic,
    Link,
    Marked,
    Outside,
    Paragraph,
    Pill,
    Preformatted,
    Quote,
    Sections,
    Span,
    Table,
    Text,
)
from bot.presentation.outside import clip, defuse, defuse_exactly, defuse_lines

_NUMBER: Final = re.compile(r"#\d+")
_NAME_LIMIT: Final = 80
"""Characters of a display name; Matrix sets no limit but that of the event."""


# --- plain text ---


def to_plain(document: Document) -> str:
    """Readable text of the document, for ``body``."""
    if not document:
        return ""
    pieces = [_plain_block(document[0])]
    for before, block in pairwise(document):
        apart = isinstance(before, Paragraph | BulletList | Table | Sections) and isinstance(block, Paragraph)
        pieces += ["\n\n" if apart else "\n", _plain_block(block)]
    return "".join(pieces)


def _plain_block(block: Block) -> str:
    match block:
        case Paragraph(lines):
            return "\n".join(map(_plain, lines))
        case Quote(text):
            return "\n".join(f"> {line}".rstrip() for line in defuse_lines(text).split("\n"))
        case Preformatted(text):
            return defuse_exactly(text)
        case BulletList(items, more, hidden, start):
            marks = ["•"] * len(items) if start is None else [f"{start + n}." for n in range(len(items))]
            told = [f"{mark} {_plain(item)}" for mark, item in zip(marks, items, strict=True)]
            return "\n".join(told + ([more(hidden)] if hidden else []))
        case Table(rows, more, hidden):
            told = [" · ".join(map(_plain, row)) for row in rows]
            return "\n".join(told + ([more(hidden)] if hidden else []))
        case Sections(items, more, hidden):
            return "\n\n".join([to_plain(item) for item in items] + ([more(hidden)] if hidden else []))
        case _:
            assert_never(block)


def _plain(inline: Inline) -> str:
    match inline:
        case Text(text):
            return text.replace(NO_BREAK, " ")
        case Outside(text) | Marked(text):
            return defuse(text)
        case Span(parts):
            return "".join(map(_plain, parts))
        case Bold(content) | Italic(content) | Code(content):
            return _plain(content)
        case Link(text, url):
            return text if _NUMBER.fullmatch(text) else f"{text} ({url})"
        case Pill():
            return _pill_name(inline)
        case _:
            assert_never(inline)


def _pill_name(pill: Pill) -> str:
    return defuse(clip(pill.name, _NAME_LIMIT) or clip(pill.user_id, _NAME_LIMIT))


# --- HTML ---


def _escape(text: str) -> str:
    """The one place where text becomes HTML, within elements and attributes alike."""
    return html.escape(text, quote=True)


def to_html(document: Document) -> str:
    """HTML of the document, for ``formatted_body``."""
    return "".join(map(_html_block, document))


def _html_block(block: Block) -> str:
    match block:
        case Paragraph(lines):
            return f"<p>{'<br>'.join(map(_html, lines))}</p>"
        case Quote(text):
            return f"<blockquote>{_escape(defuse_lines(text)).replace(chr(10), '<br>')}</blockquote>"
        case Preformatted(text):
            return f"<pre><code>{_escape(defuse_exactly(text))}</code></pre>"
        case BulletList(items, more, hidden, start):
            rows = "".join(f"<li>{_html(item)}</li>" for item in items)
            opening, closing = ("<ul>", "</ul>") if start is None else (f'<ol start="{start}">', "</ol>")
            return (f"{opening}{rows}{closing}" if rows else "") + _html_more(more, hidden)
        case Table(cells, more, hidden):
            rows = "".join(map(_html_row, cells))
            return (f"<table><tbody>{rows}</tbody></table>" if rows else "") + _html_more(more, hidden)
        case Sections(items, more, hidden):
            return "".join(map(to_html, items)) + _html_more(more, hidden)
        case _:
            assert_never(block)


def _html_row(cells: tuple[Inline, ...]) -> str:
    """Some clients drop the tags of a table: the spaces keep its cells apart, the break its rows.

    Where tables are shown, neither takes any room.
    """
    *others, last = map(_html, cells)
    return f"<tr>{''.join(f'<td>{cell} </td>' for cell in others)}<td>{last}<br></td></tr>"


def _html_more(more: Callable[[int], str], hidden: int) -> str:
    return f"<p>{_escape(more(hidden))}</p>" if hidden else ""


def _html(inline: Inline) -> str:
    match inline:
        case Text(text):
            return _escape(text)
        case Outside(text):
            return _escape(defuse(text))
        case Marked(text, places):
            return _html_marked(defuse(text), places)
        case Span(parts):
            return "".join(map(_html, parts))
        case Bold(content):
            return f"<strong>{_html(content)}</strong>"
        case Italic(content):
            return f"<em>{_html(content)}</em>"
        case Code(content):
            return f"<code>{_html(content)}</code>"
        case Link(text, url):
            return f'<a href="{_escape(url)}">{_escape(text)}</a>'
        case Pill(user_id):
            url = "https://matrix.to/#/" + quote(user_id, safe="@:", errors="replace")
            return f'<a href="{_escape(url)}">{_escape(_pill_name(inline))}</a>'
        case _:
            assert_never(inline)


def _html_marked(text: str, places: Callable[[str], tuple[tuple[int, int], ...]]) -> str:
    """The text, made harmless as a whole before it is taken apart."""
    html, at = "", 0
    for start, end in places(text):
        html += f"{_escape(text[at:start])}<strong>{_escape(text[start:end])}</strong>"
        at = end
    return html + _escape(text[at:])
