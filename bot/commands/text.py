"""From a message event to a command line, and to the thread or message that it answers.

The content of an event is whatever its sender put there: every field may be missing, of another type, or made
to be expensive. Nothing here raises, recurses, or works on more than an event can rightfully hold.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import unquote

_LONGEST_BODY: Final = 65_536
"""The specification's limit of an event is 65,536 bytes; what is longer did not come through a homeserver."""
_LONGEST_HTML: Final = 16_384
# The standard library's parser raises at malformed declarations, which Matrix does not have anyway, and takes
# quadratic time for tags without an end: what begins neither is read as text.
_NO_TAG: Final = re.compile(r"<(?!/?[A-Za-z][^<>]*>)")

_FALLBACK_START: Final = re.compile(r"> (?:\* )?<@")
_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_EVENT_ID: Final = re.compile(r"\$[\x21-\x7e]{1,254}")

# Specification, "matrix.to navigation" and "Matrix URI scheme"; user ids as in appendix "User Identifiers",
# with the historical characters.
_PERSON_LINK: Final = re.compile(r"(?:https?://matrix\.to/#/|matrix:(?P<uri>u)/)(?P<id>[^?]+)", re.IGNORECASE)
_USER_ID: Final = re.compile(r"@[\x21-\x39\x3b-\x7e]+:(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_LONGEST_USER_ID: Final = 255

_BLOCKS: Final = frozenset(
    {"blockquote", "br", "details", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr"}
    | {"li", "ol", "p", "pre", "summary", "table", "tr", "ul"}
)
_SKIPPED: Final = frozenset({"mx-reply", "script", "style"})


@dataclass(frozen=True, slots=True)
class ThreadContext:
    """Event ids of what a message belongs to: its thread's root, and the message that it replies to."""

    root: str | None = None
    reply_to: str | None = None


def context_event(content: Mapping[str, object]) -> ThreadContext:
    """The thread and the genuine reply of a message.

    Clients that know no threads are served by an ``m.in_reply_to`` that is none: ``is_falling_back`` marks it
    (specification, "Fallback for unthreaded clients").
    """
    relation = _mapping(_mapping(content).get("m.relates_to"))
    root = relation.get("event_id") if relation.get("rel_type") == "m.thread" else None
    reply = _mapping(relation.get("m.in_reply_to")).get("event_id")
    if relation.get("is_falling_back") is True:
        reply = None
    return ThreadContext(_event_id(root), _event_id(reply))


def said(content: Mapping[str, object], bot_user: str, bot_names: tuple[str, ...], prefix: str) -> str | None:
    """What somebody said; ``None`` for what is nothing said, as a file, or an edit.

    Only ``m.text``. A mention of the bot at the start stands for the prefix; links to people become their
    user ids.
    """
    content = _mapping(content)
    relation = _mapping(content.get("m.relates_to"))
    if content.get("msgtype") != "m.text" or relation.get("rel_type") == "m.replace":
        return None
    text = _with_people(content)
    if text is None:
        text = _body(content, reply=isinstance(relation.get("m.in_reply_to"), Mapping))
    text = _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return _mention_as_prefix(text, bot_user, bot_names, prefix)


def _mapping(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _event_id(value: object) -> str | None:
    return value if isinstance(value, str) and _EVENT_ID.fullmatch(value) else None


def _text(value: object, limit: int) -> str:
    return value if isinstance(value, str) and len(value) <= limit else ""


def _body(content: Mapping[Any, Any], *, reply: bool) -> str:
    """The plain body, without the quotation that older clients put before a reply."""
    body = _text(content.get("body"), _LONGEST_BODY)
    if not (reply and _FALLBACK_START.match(body)):
        return body
    lines = body.split("\n")
    quoted = next((index for index, line in enumerate(lines) if not line.startswith(">")), len(lines))
    return "\n".join(lines[quoted:])


def _with_people(content: Mapping[Any, Any]) -> str | None:
    """The formatted body as text, if it links to people: the plain body has only their display names."""
    if content.get("format") != "org.matrix.custom.html":
        return None
    html = _text(content.get("formatted_body"), _LONGEST_HTML)
    if "matrix" not in html.casefold():
        return None
    reader = _Reader()
    reader.feed(_NO_TAG.sub("&lt;", html))
    reader.close()
    return reader.text() if reader.people else None


def _person(link: str) -> str | None:
    """The user id that a link leads to."""
    match = _PERSON_LINK.fullmatch(link.strip().partition("?")[0])
    if match is None:
        return None
    user_id = ("@" if match["uri"] else "") + unquote(match["id"])
    return user_id if len(user_id) <= _LONGEST_USER_ID and _USER_ID.fullmatch(user_id) else None


class _Reader(HTMLParser):
    """Formatted body to text: lines for blocks, user ids for links to people, nothing of a quoted reply."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.people = 0
        self._parts: list[str] = []
        self._skipping: str | None = None
        self._in_link = False
        self._preformatted = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._skipping:
            return
        if tag in _SKIPPED:
            self._skipping = tag
        elif tag in _BLOCKS:
            self._parts.append("\n- " if tag == "li" else "\n")
            self._preformatted = self._preformatted or tag == "pre"
        elif tag == "a":
            person = _person(dict(attrs).get("href") or "")
            self._in_link = person is not None
            if person is not None:
                self.people += 1
                self._parts.append(f" {person} ")

    def handle_endtag(self, tag: str) -> None:
        if self._skipping:
            self._skipping = None if tag == self._skipping else self._skipping
        elif tag == "a":
            self._in_link = False
        elif tag in _BLOCKS and tag != "br":
            self._parts.append("\n")
            self._preformatted = self._preformatted and tag != "pre"

    def handle_data(self, data: str) -> None:
        if not (self._skipping or self._in_link):
            self._parts.append(data if self._preformatted else data.replace("\n", " "))

    def text(self) -> str:
        """What was read; spaces count once, and at most one line in a row is empty."""
        lines = (" ".join(line.split()) for line in "".join(self._parts).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _mention_as_prefix(text: str, bot_user: str, bot_names: tuple[str, ...], prefix: str) -> str:
    """``Tickettruhe: take 42`` as ``!take 42``; the same for the bot's user id, with or without the colon.

    A bare name needs the colon, so that talk about the bot is not taken for talk to it.
    """
    names = sorted(filter(None, map(str.strip, bot_names)), key=len, reverse=True)
    # No space is needed after "Tickettruhe:", but "@tickettruhe:elsewhere.org" is somebody else.
    forms = [rf"{re.escape(bot_user)}(?:\s*[:,])?\s+"]
    forms += [rf"@{name}(?:\s*[:,])?\s+|{name}\s*[:,]\s*" for name in map(re.escape, names)]
    mention = re.match("|".join(forms), text, re.IGNORECASE)
    if mention is None:
        return text
    rest = text[mention.end() :]
    return rest if rest.startswith(prefix) else f"{prefix}{rest}"
