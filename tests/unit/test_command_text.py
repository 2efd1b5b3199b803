"""From message events to command lines: what counts as a command, and that no event can do harm."""

from collections.abc import Mapping

import pytest

from bot.commands.text import ThreadContext, context_event, said
from bot.commands.tokens import is_command

BOT = "@tickettruhe:example.org"
NAMES = ("Tickettruhe", "Ticket", "Ticket Truhe", " ")
ANNA = '<a href="https://matrix.to/#/@anna:example.org">Anna B</a>'
PILL = f'<a href="https://matrix.to/#/{BOT}">Tickettruhe</a>'


def read(content: Mapping[str, object], names: tuple[str, ...] = NAMES) -> str | None:
    """What was said, if it begins as a command does."""
    line = said(content, BOT, names, "!")
    return line if line is not None and is_command(line, "!") else None


def message(body: str, html: str | None = None) -> dict[str, object]:
    formatted = {} if html is None else {"format": "org.matrix.custom.html", "formatted_body": html}
    return {"msgtype": "m.text", "body": body, **formatted}


def related(body: str, relation: object) -> dict[str, object]:
    return message(body) | {"m.relates_to": relation}


def in_reply(event_id: str = "$card") -> dict[str, object]:
    return {"m.in_reply_to": {"event_id": event_id}}


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("!take 42", "!take 42"),
        ("  !take 42 \n", "!take 42"),
        ("!message 42 a\r\nb\rc", "!message 42 a\nb\nc"),
        ("!message 42 \x00\ud800\x1b[1m", "!message 42 \ufffd\ufffd\ufffd[1m"),
        ("Tickettruhe: take 42", "!take 42"),
        ("tickettruhe take 42", None),
        ("@Tickettruhe, take 42", "!take 42"),
        ("Tickettruhe:take 42", "!take 42"),
        ("Tickettruhe : take 42", "!take 42"),
        ("Ticket Truhe: take 42", "!take 42"),
        ("Tickettruhe: !take 42", "!take 42"),
        ("Tickettruhe:\ntake 42", "!take 42"),
        ("@tickettruhe:example.org take 42", "!take 42"),
        ("@tickettruhe:example.org: !take 42", "!take 42"),
        # no commands
        ("", None),
        ("!", None),
        ("!!!", None),
        ("take 42", None),
        ("hello !take 42", None),
        ("Tickettruhe", None),
        ("Tickettruhe:", None),
        ("Tickettruhe!", None),
        ("Tickettruhe: ???", None),
        ("Tickettruhen take 42", None),
        ("@tickettruhe:elsewhere.org take 42", None),
        ("@tickettruhe:example.org:8448 take 42", None),
        ("@tickettruhe:example.orgtake 42", None),
        ("> <@anna:example.org> !take 42", None),
        ("> <@anna:example.org> new ticket\n\n!take 42", None),
    ],
)
def test_plain_bodies(body: str, line: str | None) -> None:
    assert read(message(body)) == line


@pytest.mark.parametrize(
    ("html", "line"),
    [
        (f"!assign 42 {ANNA}", "!assign 42 @anna:example.org"),
        (f"<p>!assign 42 {ANNA}</p>", "!assign 42 @anna:example.org"),
        (f"!assign 42{ANNA}:", "!assign 42 @anna:example.org :"),
        (f"{PILL}: assign 42 {ANNA}", "!assign 42 @anna:example.org"),
        (f"<p>{PILL} !take 42</p>", "!take 42"),
        (f"{PILL}, <b>take</b>&nbsp;#42", "!take #42"),
        ("!assign <a href='https://matrix.to/#/%40anna%3Aexample.org?via=x.org'>A</a>",
         "!assign @anna:example.org"),
        ('!assign <a href="matrix:u/anna:example.org?action=chat">A</a>', "!assign @anna:example.org"),
        ('!assign <A HREF="HTTPS://Matrix.to/#/@anna:[::1]:8448">A<i>nn</i>a</A>',
         "!assign @anna:[::1]:8448"),
        (f"!message 42 a<br/>b<br>{ANNA} &lt;c&gt;", "!message 42 a\nb\n@anna:example.org <c>"),
        (f"<p>!message 42 a\nb</p>\n<p>c {ANNA}</p>", "!message 42 a b\n\nc @anna:example.org"),
        (f"<pre>!message 42 {ANNA}\nb</pre>", "!message 42 @anna:example.org\nb"),
        (f"!note 42 {ANNA}<ul><li>a</li><li>b</li></ul>", "!note 42 @anna:example.org\n\n- a\n\n- b"),
        (f"<mx-reply><blockquote>!close 1 {PILL}</blockquote></mx-reply>!assign 42 {ANNA}",
         "!assign 42 @anna:example.org"),
        (f"!note {ANNA} <script>!evil</script><style>p</style><!-- no --> a<b",
         "!note @anna:example.org <!-- no --> a<b"),
        # The plain body counts where the formatted one links to nobody.
        ("!take 43", "!plain 42"),
        (f"<mx-reply>{ANNA}</mx-reply>!take 43", "!plain 42"),
        (f"<mx-reply>{ANNA} !take 43", "!plain 42"),
        ('!take 43 <a href="https://matrix.to/#/!room:example.org/$event">x</a>', "!plain 42"),
        ('!take 43 <a href="https://matrix.to/#/#alias:example.org">x</a>', "!plain 42"),
        ('!take 43 <a href="https://matrix.to.evil.org/#/@anna:example.org">x</a>', "!plain 42"),
        ('!take 43 <a href="https://matrix.to/#/@an%20na:example.org">x</a>', "!plain 42"),
        ('!take 43 <a href="https://matrix.to/#/@a:' + "b" * 255 + '">x</a>', "!plain 42"),
        ("!take 43 <a href>matrix.to</a>", "!plain 42"),
        (f"!take 43 {ANNA}" + "x" * 20_000, "!plain 42"),
    ],
)  # fmt: skip
def test_formatted_bodies(html: str, line: str) -> None:
    assert read(message("!plain 42", html)) == line


def test_a_formatted_body_of_another_format_is_not_read() -> None:
    content = message("!plain 42", f"!assign 42 {ANNA}") | {"format": "text/x-other"}
    assert read(content) == "!plain 42"


@pytest.mark.parametrize("kind", ["m.notice", "m.emote", "m.image", "m.file", None, 5, ["m.text"]])
def test_only_text_messages_are_commands(kind: object) -> None:
    assert read(message("!take 42") | {"msgtype": kind}) is None


def test_edits_are_no_commands() -> None:
    edit = {"rel_type": "m.replace", "event_id": "$old"}
    content = related("* !take 42", edit) | {"m.new_content": message("!take 42")}
    assert read(content) is None
    assert read(content | {"body": "!take 42"}) is None


@pytest.mark.parametrize(
    "body",
    [
        "> <@anna:example.org> new ticket\n> second line\n\n!take 42",
        "> * <@anna:example.org> waves\n\n!take 42",
        "> <@anna:example.org> !close 1\n!take 42",
        "!take 42",
    ],
)
def test_the_quotation_before_a_reply_is_dropped(body: str) -> None:
    assert read(related(body, in_reply())) == "!take 42"


def test_a_reply_that_only_quotes_a_command_is_none() -> None:
    assert read(related("> <@a:b> !take 42", in_reply())) is None
    assert read(related("> my words\n\n!take 42", in_reply())) is None


@pytest.mark.parametrize(
    ("relation", "context"),
    [
        ({"rel_type": "m.thread", "event_id": "$root", "is_falling_back": True, **in_reply("$last")},
         ThreadContext("$root", None)),
        ({"rel_type": "m.thread", "event_id": "$root", "is_falling_back": False, **in_reply("$card")},
         ThreadContext("$root", "$card")),
        ({"rel_type": "m.thread", "event_id": "$root", **in_reply("$card")}, ThreadContext("$root", "$card")),
        ({"rel_type": "m.thread", "event_id": "$root"}, ThreadContext("$root", None)),
        (in_reply("$card"), ThreadContext(None, "$card")),
        ({"rel_type": "m.annotation", "event_id": "$x", "key": "🙋"}, ThreadContext()),
        ({"rel_type": ["m.thread"], "event_id": "$x"}, ThreadContext()),
        ({"rel_type": "m.thread", "event_id": {"$x": 1}, "m.in_reply_to": "$x"}, ThreadContext()),
        ({"rel_type": "m.thread", "event_id": "no dollar", **in_reply("$\ud800")}, ThreadContext()),
        ({"rel_type": "m.thread", "event_id": "$" + "x" * 255}, ThreadContext()),
        (None, ThreadContext()),
        ([], ThreadContext()),
        ("$x", ThreadContext()),
    ],
)  # fmt: skip
def test_threads_and_replies(relation: object, context: ThreadContext) -> None:
    assert context_event({"m.relates_to": relation}) == context
    assert context_event({}) == ThreadContext()
