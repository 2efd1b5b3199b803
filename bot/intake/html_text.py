"""HTML from outside as text that can be read."""

import html
import re
from typing import Final

_SPACES: Final = re.compile(r"\s+")
# What shows nothing, and tags with their attributes, as HTML reads them. Each match goes on to its end, or to
# that of the text: whatever stands there, nothing is read twice.
_MARKUP: Final = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<unseen>script|style)\b.*?(?:</(?P=unseen)\b[^>]*+(?:>|\Z)|\Z)"
    r"|<(?P<tag>/?[a-z][^\s/>]*+)(?:[^>=]++|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?+)*+(?:>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_BREAK: Final = re.compile(r"<br>", re.IGNORECASE)
_ITEM: Final = re.compile(r"<li>", re.IGNORECASE)
_ROW_END: Final = re.compile(r"</(?:tr|dt|dd|option)>", re.IGNORECASE)
_CELL_END: Final = re.compile(r"</t[dh]>", re.IGNORECASE)
_BLOCK_END: Final = re.compile(
    r"</?(?:p|div|h[1-6]|ul|ol|dl|table|blockquote|pre|section|article|header|footer|form|hr)>",
    re.IGNORECASE,
)
_UNSEEN: Final = {"title", "head", "noscript", "template"}

_FORMATTING: Final = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
)
"""An HTML parser compares each open one of these with all others: thousands take half a minute."""


def _bare(found: re.Match[str]) -> str:
    """A tag without its attributes; nothing of what makes no difference to the text."""
    tag = found["tag"] or ""
    return f"<{tag}>" if tag and tag.removeprefix("/").lower() not in _FORMATTING else ""


def html_to_text(source: str) -> str:
    """Plain text: blocks become paragraphs, ``<br>`` a new line, list items begin with a dash."""
    import nh3  # at its first use: a bot without mail does without its megabyte

    text = _SPACES.sub(" ", _MARKUP.sub(_bare, source))
    text = _BREAK.sub("\n", text)
    text = _ITEM.sub("\n- ", text)
    text = _CELL_END.sub(" ", text)
    text = _ROW_END.sub("\n", text)
    text = _BLOCK_END.sub("\n\n", text)
    text = html.unescape(nh3.clean(text, tags=set(), clean_content_tags=_UNSEEN))
    lines = "\n".join(" ".join(line.split()) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()
