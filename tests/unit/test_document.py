"""The document tree: both renderings say the same, and text from outside has no effect in either."""

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.finding import read_query
from bot.presentation.document import (
    Bold,
    BulletList,
    Code,
    Document,
    Link,
    Marked,
    Outside,
    Paragraph,
    Pill,
    Preformatted,
    Quote,
    Sections,
    Table,
    Text,
    paragraph,
    sentence,
    span,
)
from bot.presentation.message import SIZE_LIMIT, Message, edit_content, fit, size
from bot.presentation.outside import clip, columns, defuse
from bot.presentation.writing import to_html, to_plain

ALLOWED = {
    "p": set(),
    "br": set(),
    "strong": set(),
    "em": set(),
    "code": set(),
    "pre": set(),
    "blockquote": set(),
    "ul": set(),
    "ol": {"start"},
    "li": set(),
    "a": {"href"},
    "table": set(),
    "tbody": set(),
    "tr": set(),
    "td": set(),
}
# A table counts for nothing, as in clients that drop its tags: its cells must stay apart without them.
INLINE = {"a", "strong", "em", "code", "table", "tbody", "tr", "td"}
NASTY = [
    "@room",
    "@anna:example.org",
    "a@b.c.d:example.org",
    "a@room.example",
    "anna@example.org",
    "https://matrix.to/#/@anna:example.org",
    "HTTPS://MATRIX.TO/#/%40anna%3Aexample.org",
    "matrix:u/anna:example.org",
    "#room:example.org",
    "<a href='javascript:alert(1)'>x</a>",
    "<mx-reply>",
    "</blockquote></code></p>",
    "&lt;b&gt;",
    "**bold** [x](https://matrix.to)",
    "\u202e\u2066\u200b\u2060\u200d\ufeff\u00ad",
    "@\u200broom",
    "matrix\u200b.to",
    "\x00\x1b[31m\r\n\u2028\u0085",
    "\ud800",
    "\u3164\u2800",
    "> - • #42 {number}",
    '" onclick="x',
]
hostile = st.lists(
    st.one_of(st.sampled_from(NASTY), st.text(max_size=20), st.characters(codec=None)), max_size=8
).map("".join)


class Seen(HTMLParser):
    """Visible text and elements of some HTML, as a client would find them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.depth: list[str] = []
        self.number = 0
        self.feed(html)
        self.close()
        assert not self.depth, "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "ol":
            self.number = int(dict(attrs).get("start") or 1)
        if tag == "br":
            self.text += "\n"
        else:
            self.depth.append(tag)
            self.text += "" if tag in INLINE else "\n"
        if tag == "li" and "ol" in self.depth:
            self.text += f"{self.number}. "
            self.number += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.depth.pop() == tag
        self.text += "" if tag in INLINE else "\n"

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"comment {data!r}")


def words(text: str) -> list[str]:
    """The text's words line by line, without the signs that stand for quotes, bullets and cells."""
    lines = (
        " ".join(word for word in line.lstrip("> •").split() if word != "·") for line in text.split("\n")
    )
    return [line for line in lines if line]


def check_harmless(text: str) -> None:
    """No mention, permalink, control or format character but our word joiner."""
    assert not re.search(r"@room", text, re.IGNORECASE)
    assert not re.search(r"@(?!\u2060)[^\s@,]*:\w", text)
    assert not re.search(r"#(?!\u2060)[^\s#]+:\w", text)
    assert not re.search(r"matrix\.to|matrix:", text, re.IGNORECASE)
    text.encode()
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\u00ad]", text
    )


def check_html(html: str, own_links: int = 0) -> Seen:
    """Allowed tags and attributes only, and no links but our own."""
    seen = Seen(html)
    for tag, attributes in seen.elements:
        assert set(attributes) <= ALLOWED[tag]
    assert sum(tag == "a" for tag, _ in seen.elements) == own_links
    return seen


def more(count: int) -> str:
    return f"… and {count} more"


def everywhere(text: str) -> Document:
    """The text at each place that takes text from outside."""
    return (
        paragraph(Bold(Outside(text)), sentence("{a} and {b}", a=text, b=Code(Outside(text)))),
        Quote(text),
        Preformatted(text),
        BulletList((span(text), Pill("@anna:example.org", text)), more, 3),
        Table(((span(text), Outside(text)),), more, 3),
        BulletList((span(text), Outside(text)), more, start=11),
        paragraph(Marked(text, read_query(f"{text} a room anna example").places)),
        Sections(((paragraph(text), Quote(text)),), more),
    )


@given(hostile)
@example("".join(NASTY))
@example("anna@example.org*:a@b.c.d:example.org")
def test_outside_text_has_no_effect(text: str) -> None:
    document = everywhere(text)
    plain, html = to_plain(document), to_html(document)
    seen = check_html(html, own_links=1)
    check_harmless(plain)
    check_harmless(seen.text)
    assert [url for tag, at in seen.elements if tag == "a" for url in at.values()] == [
        "https://matrix.to/#/@anna:example.org"
    ]


@given(hostile)
@example("".join(NASTY))
def test_plain_and_html_say_the_same(text: str) -> None:
    document = everywhere(text)
    assert words(to_plain(document)) == words(Seen(to_html(document)).text)


@given(hostile)
def test_newlines_stay_in_quotes_only(text: str) -> None:
    assert "\n" not in to_plain((paragraph(text),))
    assert all(line.startswith(">") for line in to_plain((Quote(text),)).split("\n"))


@given(hostile)
def test_defusing_twice_changes_nothing(text: str) -> None:
    assert defuse(defuse(text)) == defuse(text)


def test_what_is_harmless_stays_as_it_is() -> None:
    text = "Größe: 15″, ja/nein? https://example.org/a?b=1&c=2 · anna@example.org, 🖥️ #42"
    assert to_plain((paragraph(text),)) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@room", "@\u2060room"),
        ("hi @anna:example.org", "hi @\u2060anna:example.org"),
        ("a@b.c.d:example.org", "a@\u2060b.c.d:example.org"),
        ("https://matrix.to/#/x", "https://matrix\u2060.to/#/x"),
        ("a@matrix.to", "a@\u2060matrix\u2060.to"),
        ("matrix:u/anna", "matrix\u2060:u/anna"),
        ("#room:example.org", "#\u2060room:example.org"),
        ("a\nb\t c", "a b c"),
        ("\u202eabc\u202c", "abc"),
    ],
)
def test_defused_forms(text: str, shown: str) -> None:
    assert defuse(text) == shown


@pytest.mark.parametrize(
    "text", [" \n" * 60_000, "a@" * 60_000, "#a:" * 40_000, "a." * 60_000, "\n" * 100_000]
)
@pytest.mark.timeout(10)
def test_long_text_is_defused_quickly(text: str) -> None:
    to_plain((Quote(text), paragraph(text)))


def test_links_and_pills() -> None:
    document = (
        paragraph(Link("#42", "https://matrix.to/#/!r:x/$e"), Link("help", "https://example.org/?a&b")),
        paragraph(Pill('@a"<:x', ""), Pill("@anna:x", "Anna")),
    )
    assert to_plain(document) == '#42\nhelp (https://example.org/?a&b)\n\n@\u2060a"<:x\nAnna'
    assert to_html(document) == (
        '<p><a href="https://matrix.to/#/!r:x/$e">#42</a><br><a href="https://example.org/?a&amp;b">help</a></p>'
        '<p><a href="https://matrix.to/#/@a%22%3C:x">@\u2060a&quot;&lt;:x</a><br>'
        '<a href="https://matrix.to/#/@anna:x">Anna</a></p>'
    )


def test_only_web_links() -> None:
    with pytest.raises(ValueError, match="web links"):
        Link("x", "javascript:alert(1)")


def test_a_template_field_without_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        sentence("{a} {b}", a="x")


@given(hostile, st.integers(0, 30))
def test_clip_keeps_the_limit(text: str, limit: int) -> None:
    assert len(clip(text, limit)) <= max(limit, 1)


def test_columns_counts_what_is_seen() -> None:
    assert columns("ab\u200b") == 2
    assert columns("日本") == 4
    assert columns("e\u0301") == 1


def test_mentions_are_always_sent() -> None:
    assert Message("a", "a").content()["m.mentions"] == {}
    assert Message("a", "a", ("@a:x",), notice=True).content() == {
        "msgtype": "m.notice",
        "body": "a",
        "format": "org.matrix.custom.html",
        "formatted_body": "a",
        "m.mentions": {"user_ids": ["@a:x"]},
    }


def test_an_edit_notifies_nobody() -> None:
    content = edit_content(Message("a", "<p>a</p>", ("@a:x",)), "$original")
    assert content == {
        "msgtype": "m.text",
        "body": "* a",
        "m.mentions": {},
        "m.new_content": Message("a", "<p>a</p>").content(),
        "m.relates_to": {"rel_type": "m.replace", "event_id": "$original"},
    }


LIMIT = 2000


@given(st.sampled_from(['"', "\\", "𝄞", "a", "\n", "<", "\U0001f5d1"]), st.integers(1, 4000))
def test_long_text_is_cut_to_the_limit(character: str, length: int) -> None:
    document = (paragraph(Text("Head")), Quote("x" + character * length + "x"))
    message = fit(document, limit=LIMIT)
    assert size(message.content()) <= LIMIT
    assert message.body.startswith("Head")
    whole = Message(to_plain(document), to_html(document))
    assert (message == whole) is (size(whole.content()) <= LIMIT)
    assert message == whole or message.body.endswith("…")


@given(st.lists(st.integers(0, 150), max_size=60), st.sampled_from(['"', "𝄞", "a"]), st.integers(0, 5))
def test_lists_lose_their_last_lines_and_say_how_many(
    lengths: list[int], character: str, hidden: int
) -> None:
    items = tuple(span(Text(f"<{index}>"), character * length) for index, length in enumerate(lengths))
    message = fit((BulletList(items, more, hidden),), limit=LIMIT)
    assert size(message.content()) <= LIMIT
    shown = message.body.count("•")
    assert [f"<{index}>" in message.body for index in range(len(items))] == [
        i < shown for i in range(len(items))
    ]
    left = len(items) - shown + hidden
    assert (more(left) in message.body) is (left > 0)


def test_the_list_is_cut_as_little_as_possible() -> None:
    items = tuple(span("a" * 100) for _ in range(50))
    shown = fit((BulletList(items, more),), limit=LIMIT).body.count("•")
    kept, next_kept = (BulletList(items[:count], more, 50 - count) for count in (shown, shown + 1))
    assert size(fit((kept,)).content()) <= LIMIT < size(fit((next_kept,)).content())


def test_sections_and_many_mentions_are_cut() -> None:
    sections = tuple((Paragraph((Text(str(n)),)), Quote("🗑️" * 4000)) for n in range(300))
    everybody = tuple(f"@{'a' * 240}{n}:example.org" for n in range(1000))
    message = fit((Sections(sections, more),), mentions=everybody)
    assert size(message.content()) <= SIZE_LIMIT
    assert 0 < len(message.mentions) < 1000
    assert "more" in message.body


def test_own_words_that_are_too_long_are_an_error() -> None:
    with pytest.raises(ValueError, match="nothing left to cut"):
        fit((paragraph(Text("a" * 100)),), limit=100)


@given(hostile)
def test_size_is_that_of_the_json(text: str) -> None:
    content = Message(defuse(text), to_html((Quote(text),))).content()
    assert size(content) == len(
        json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    )
