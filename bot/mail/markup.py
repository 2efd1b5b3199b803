"""Markdown as members write it, made into the two halves of a mail: plain text and HTML.

Markup of HTML is shown as it was typed, and pictures are not loaded from anywhere.
"""

from typing import Final

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.domain.mail import as_markdown

_PARSER: Final = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable("image")
_TAGS: Final = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
    "strong", "ul",
}  # fmt: skip
_ATTRIBUTES: Final = {"a": {"href"}, "ol": {"start"}}
_SCHEMES: Final = {"http", "https", "mailto", "tel"}


class Markdown(str):
    """Text that is Markdown already: what is put into a template as it stands."""

    __slots__ = ()


def escaped(text: str) -> Markdown:
    """Text of others, so that it reads in Markdown as it was written (CommonMark, 2.4)."""
    return Markdown(as_markdown(text))


def to_html(markdown: str) -> str:
    """HTML of harmless elements alone."""
    import nh3  # at its first use: a bot without mail does without its megabyte

    rendered = _PARSER.render(markdown)
    return nh3.clean(rendered, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES).strip()


def to_plain(markdown: str) -> str:
    """Text that reads well without markup."""
    return _block(SyntaxTreeNode(_PARSER.parse(markdown))).strip()


def _block(node: SyntaxTreeNode) -> str:
    match node.type:
        case "bullet_list":
            return "\n".join(_item("- ", item) for item in node.children)
        case "ordered_list":
            first = int(node.attrs.get("start", 1))
            return "\n".join(_item(f"{n}. ", item) for n, item in enumerate(node.children, first))
        case "list_item":
            return "\n".join(map(_block, node.children))
        case "blockquote":
            return _indented("> ", "> ", "\n\n".join(map(_block, node.children)))
        case "fence" | "code_block":
            return node.content.rstrip("\n")
        case "hr":
            return "* * *"
        case "inline":
            return "".join(map(_inline, node.children))
        case "root":
            return "\n\n".join(map(_block, node.children))
        case _:  # paragraphs and headings
            return "".join(map(_block, node.children))


def _item(mark: str, item: SyntaxTreeNode) -> str:
    return _indented(mark, " " * len(mark), _block(item))


def _indented(first: str, others: str, text: str) -> str:
    head, *rest = text.split("\n")
    return "\n".join([first + head, *(f"{others}{line}".rstrip() for line in rest)])


def _inline(node: SyntaxTreeNode) -> str:
    if node.type in ("softbreak", "hardbreak"):
        return "\n"
    if node.type != "link":
        return "".join(map(_inline, node.children)) if node.children else node.content
    shown, url = "".join(map(_inline, node.children)), str(node.attrs.get("href", ""))
    bare = url.removeprefix("mailto:").removeprefix("tel:")
    return shown if shown in (url, bare) else f"{shown} ({bare})"
