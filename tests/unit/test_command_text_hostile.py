"""Events made to do harm: wrong types, deep nesting, markup that is expensive to read."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.text import ThreadContext, context_event
from tests.unit.test_command_text import ANNA, PILL, in_reply, message, read, related

UNFINISHED = [
    "<a ",
    "<a\n",
    "<a <",
    "<br ",
    "<x a=",
    '<a href="',
    "<![x[",
    "<!--",
    "<!x",
    "<?",
    "</",
    "&#",
    "<script></",
]


@pytest.mark.parametrize("piece", [*UNFINISHED, "<b>", "<div>", "<a b='>", "\n", "&lt;"])
@pytest.mark.parametrize("end", ["", ">"])
def test_hostile_markup_takes_little_time(piece: str, end: str) -> None:
    html = f"!note 42 {ANNA}" + piece * (16_000 // len(piece)) + end
    start = time.perf_counter()
    line = read(message("!plain", html))
    assert time.perf_counter() - start < 0.5  # the parser alone takes seconds for some of these
    assert line is not None
    assert line.startswith("!note 42 @anna:example.org")


@pytest.mark.parametrize(
    "body", ["!x" + "\n" * 60_000, "Tickettruhe" + " " * 60_000 + "x", "> <@a\n" * 10_000, "!" * 70_000]
)
def test_huge_bodies_take_little_time(body: str) -> None:
    start = time.perf_counter()
    read(related(body, in_reply()))
    assert time.perf_counter() - start < 0.5


def test_what_no_homeserver_lets_through_is_no_command() -> None:
    assert read(message("!note 42 " + "x" * 65_000)) is not None
    assert read(message("!note 42 " + "x" * 66_000)) is None


def test_deep_nesting() -> None:
    deep: object = "$x"
    for _ in range(5_000):
        deep = {"m.relates_to": deep, "m.in_reply_to": deep, "event_id": deep}
    assert context_event({"m.relates_to": deep}) == ThreadContext()
    assert read(related("!take 42", deep)) == "!take 42"
    assert read(message("!plain", "<div>" * 3_000 + f"!note {ANNA}")) == "!note @anna:example.org"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["m.text", "m.thread", "m.replace", "org.matrix.custom.html", "$x", "!take 42", ANNA, PILL]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text() | st.sampled_from(["event_id", "rel_type", "m.in_reply_to"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
MARKUP = st.lists(
    st.sampled_from(
        [
            *UNFINISHED,
            ANNA,
            PILL,
            "!take ",
            "42",
            "</a>",
            "<a href=",
            ">",
            "<li>",
            "<pre>",
            "</pre>",
            "&#xd800;",
        ]
    )
    | st.text(max_size=5)
).map("".join)
CONTENT = st.fixed_dictionaries(
    {},
    optional={
        "msgtype": st.just("m.text") | JSON,
        "body": st.text() | MARKUP | JSON,
        "format": st.just("org.matrix.custom.html") | JSON,
        "formatted_body": MARKUP | JSON,
        "m.relates_to": JSON,
    },
)


@given(content=CONTENT, names=st.lists(st.text(max_size=5)).map(tuple))
def test_any_content_is_read_or_ignored(content: dict[str, object], names: tuple[str, ...]) -> None:
    line = read(content, ("Tickettruhe", *names))
    assert line is None or (line.startswith("!") and line[1].isalpha())
    if line is not None:
        line.encode()  # no lone surrogates: neither database would take them
    for event_id in (context_event(content).root, context_event(content).reply_to):
        assert event_id is None or event_id.startswith("$")
