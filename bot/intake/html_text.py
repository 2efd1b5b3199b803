"""HTML from outside as text that can be read."""

import html
import re
from typing import Final

import nh3

_SPACES: Final = re.compile(r"\s+")
# No "<" inside a tag: else an endless row of opened tags takes quadratic time.
_BREAK: Final = re.compile(r"<br\b[^<>]*>", re.IGNORECASE)
_ITEM: Final = re.compile(r"<li\b[^<>]*>", re.IGNORECASE)
_ROW_END: Final = re.compile(r"</(?:tr|dt|dd|option)\s*>", re.IGNORECASE)
_CELL_END: Final = re.compile(r"</t[dh]\s*>", re.IGNORECASE)
_BLOCK_END: Final = re.compile(
    r"</?(?:p|div|h[1-6]|ul|ol|dl|table|blockquote|pre|section|article|header|footer|form|hr)\b[^<>]*>",
    re.IGNORECASE,
)
_UNSEEN: Final = {"script", "style", "title", "head", "noscript", "template"}


def html_to_text(source: str) -> str:
    """Plain text: blocks become paragraphs, ``<br>`` a new line, list items begin with a dash."""
    text = _SPACES.sub(" ", source)
    text = _BREAK.sub("\n", text)
    text = _ITEM.sub("\n- ", text)
    text = _CELL_END.sub(" ", text)
    text = _ROW_END.sub("\n", text)
    text = _BLOCK_END.sub("\n\n", text)
    text = html.unescape(nh3.clean(text, tags=set(), clean_content_tags=_UNSEEN))
    lines = "\n".join(" ".join(line.split()) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()
