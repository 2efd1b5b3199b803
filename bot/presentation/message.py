"""A message as Matrix takes it, and documents cut to its size limit by measuring."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from bot.presentation.document import (
    Block,
    Bold,
    BulletList,
    Code,
    Document,
    Inline,
    Italic,
    Marked,
    Outside,
    Paragraph,
    Preformatted,
    Quote,
    Sections,
    Span,
    Table,
)
from bot.presentation.outside import clip
from bot.presentation.writing import to_html, to_plain

SIZE_LIMIT: Final = 44 * 1024
"""Bytes of a content in JSON. Events end at 64 KiB (client-server API, "Size limits"), envelope included;
encrypted the content is a third larger."""

_READABLE: Final = 200
"""Characters to which long texts are cut before a list loses its last items."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: text, HTML, and the user ids of those whom it is to notify."""

    body: str
    formatted_body: str
    mentions: tuple[str, ...] = ()
    notice: bool = False

    def content(self) -> dict[str, object]:
        """Content of an ``m.room.message`` event; ``m.mentions`` is there even if it names nobody."""
        return {
            "msgtype": "m.notice" if self.notice else "m.text",
            "body": self.body,
            "format": "org.matrix.custom.html",
            "formatted_body": self.formatted_body,
            "m.mentions": {"user_ids": list(self.mentions)} if self.mentions else {},
        }


def image_content(caption: Message, filename: str) -> dict[str, object]:
    """Content of a picture but for its file, with a caption ("m.room.message msgtypes", "Media captions")."""
    return {**caption.content(), "msgtype": "m.image", "filename": filename}


def edit_content(message: Message, original_event_id: str) -> dict[str, object]:
    """Content that replaces an earlier message and notifies nobody (module "Event replacements")."""
    new_content = replace(message, mentions=()).content()
    return {
        "msgtype": new_content["msgtype"],
        "body": f"* {message.body}",
        "m.mentions": {},
        "m.new_content": new_content,
        "m.relates_to": {"rel_type": "m.replace", "event_id": original_event_id},
    }


def size(content: dict[str, object]) -> int:
    """Bytes of a content as canonical JSON counts them."""
    return len(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def fit(
    document: Document,
    *,
    mentions: tuple[str, ...] = (),
    notice: bool = False,
    limit: int = SIZE_LIMIT,
) -> Message:
    """Render a document so that its content stays within ``limit`` bytes.

    Long texts are cut first, then lists lose items from their end, then texts are cut to nothing; last, those
    at the end of ``mentions`` are not notified.

    :raises ValueError: our own words alone are too long.
    """

    def rendered(part: Document) -> Message:
        return Message(to_plain(part), to_html(part), mentions, notice)

    def fits(part: Document) -> bool:
        return size(rendered(part).content()) <= limit

    # Nothing of that length could fit, whatever it consists of; without it the search below stays cheap.
    document = _cut(document, 4 * limit, limit)
    if fits(document):
        return rendered(document)
    most = _longest(document)
    stages: tuple[tuple[int, Callable[[int], Document]], ...] = (
        (most.text - _READABLE, lambda saved: _cut(document, most.text - saved, most.items)),
        (most.items, lambda saved: _cut(document, _READABLE, most.items - saved)),
        (_READABLE, lambda saved: _cut(document, _READABLE - saved, 0)),
    )
    for highest, cut in stages:
        part = _least_cut(highest, cut, fits)
        if part is not None:
            return rendered(part)
    if mentions:
        return fit(document, mentions=mentions[: len(mentions) // 2], notice=notice, limit=limit)
    raise ValueError("the message is too long and has nothing left to cut")


def _least_cut(
    highest: int, cut: Callable[[int], Document], fits: Callable[[Document], bool]
) -> Document | None:
    """The document that keeps most of those that fit; ``None`` if none does.

    The search comes from the small side in doubling steps, so that nothing much beyond the limit is rendered.
    """
    if highest < 0 or not fits(cut(highest)):
        return None
    kept, beyond = 0, 1
    while beyond <= highest and fits(cut(highest - beyond)):
        kept, beyond = beyond, 2 * beyond
    beyond = min(beyond, highest + 1)
    while beyond - kept > 1:
        middle = (kept + beyond) // 2
        if fits(cut(highest - middle)):
            kept = middle
        else:
            beyond = middle
    return cut(highest - kept)


@dataclass(frozen=True, slots=True)
class _Longest:
    text: int = 0
    items: int = 0

    def __or__(self, other: "_Longest") -> "_Longest":
        return _Longest(max(self.text, other.text), max(self.items, other.items))


def _longest(document: Document) -> _Longest:
    """Length of the longest text and the longest list."""
    longest = _Longest()
    for block in document:
        match block:
            case Quote(text) | Preformatted(text):
                longest |= _Longest(text=len(text))
            case Paragraph(lines):
                longest |= _longest_inline(Span(lines))
            case BulletList(items):
                longest |= _Longest(items=len(items)) | _longest_inline(Span(items))
            case Table(rows):
                cells = tuple(cell for row in rows for cell in row)
                longest |= _Longest(items=len(rows)) | _longest_inline(Span(cells))
            case Sections(items):
                longest |= _Longest(items=len(items))
                for item in items:
                    longest |= _longest(item)
    return longest


def _longest_inline(inline: Inline) -> _Longest:
    match inline:
        case Outside(text) | Marked(text):
            return _Longest(text=len(text))
        case Bold(content) | Italic(content) | Code(content):
            return _longest_inline(content)
        case Span(parts):
            longest = _Longest()
            for part in parts:
                longest |= _longest_inline(part)
            return longest
        case _:
            return _Longest()


def _cut(document: Document, text: int, items: int) -> Document:
    """The document with at most so many characters in each text and so many items in each list."""
    return tuple(_cut_block(block, text, items) for block in document)


def _cut_block(block: Block, text: int, items: int) -> Block:
    match block:
        case Quote(content):
            return block if len(content) <= text else Quote(clip(content, text))
        case Preformatted(content):
            return block if len(content) <= text else Preformatted(clip(content, text))
        case Paragraph():
            return _cut_paragraph(block, text)
        case BulletList(rows):
            kept = tuple(_cut_inline(row, text) for row in rows[:items])
            return replace(block, items=kept, hidden=block.hidden + len(rows) - len(kept))
        case Table(rows):
            left = tuple(tuple(_cut_inline(cell, text) for cell in row) for row in rows[:items])
            return replace(block, rows=left, hidden=block.hidden + len(rows) - len(left))
        case Sections(sections):
            pieces = tuple(tuple(_cut_piece(piece, text) for piece in each) for each in sections[:items])
            return replace(block, items=pieces, hidden=block.hidden + len(sections) - len(pieces))


def _cut_piece(piece: Paragraph | Quote, text: int) -> Paragraph | Quote:
    if isinstance(piece, Paragraph):
        return _cut_paragraph(piece, text)
    return piece if len(piece.text) <= text else Quote(clip(piece.text, text))


def _cut_paragraph(paragraph: Paragraph, text: int) -> Paragraph:
    return Paragraph(tuple(_cut_inline(line, text) for line in paragraph.lines))


def _cut_inline(inline: Inline, text: int) -> Inline:
    match inline:
        case Outside(content):
            return inline if len(content) <= text else Outside(clip(content, text))
        case Marked(content):
            return inline if len(content) <= text else replace(inline, text=clip(content, text))
        case Bold(content) | Italic(content):
            return replace(inline, content=_cut_inline(content, text))
        case Code(Outside(content)):
            return inline if len(content) <= text else Code(Outside(clip(content, text)))
        case Span(parts):
            return Span(tuple(_cut_inline(part, text) for part in parts))
        case _:
            return inline
