"""What a mail says: Markdown in both halves, templates, and headers that nobody can write into."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.mail import LOOP_HEADER, LetterKind, as_markdown, message_id, signed_number, trimmed
from bot.mail.compose import Composer, Sender
from bot.mail.errors import NoSuchMailbox, TemplateBroken
from bot.mail.markup import to_html, to_plain
from bot.mail.templates import Templates
from bot.services.letter_views import Letter

KEY = b"k" * 32
NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
REPLY = Letter(
    id=1,
    kind=LetterKind.REPLY,
    number=42,
    mail_id=message_id(KEY, 42, "0" * 16, "example.org"),
    to="kim@example.net",
    name="Kim Doe",
    subject="Laptop für die Ausbildung",
    team="freiburg",
    language="de",
    at=NOW,
    text="Hallo Kim,\n\n**Freitag** passt.",
    member="Anna",
    references=("<one@example.net>", "<two@example.net>"),
    loop_mark="mark",
)
ACK = replace(REPLY, kind=LetterKind.ACKNOWLEDGEMENT, member=None, text="buy now http://evil.example")
SENDER = Sender("help@example.org", "Computertruhe", signature="Computertruhe e.V.\nFreiburg")


def composer(folder: Path | None = None) -> Composer:
    return Composer(Templates(folder, ("freiburg",)), SENDER, {}, lambda _team: "Freiburg")


def read(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=policy.default)


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content())


@pytest.mark.parametrize(
    ("markdown", "plain", "html"),
    [
        ("**a** *b* `c`", "a b c", "<p><strong>a</strong> <em>b</em> <code>c</code></p>"),
        ("one\ntwo", "one\ntwo", "<p>one<br>\ntwo</p>"),
        ("- a\n- b\n  c", "- a\n- b\n  c", "<ul>\n<li>a</li>\n<li>b<br>\nc</li>\n</ul>"),
        ("3. a\n4. b", "3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("> a\n>\n> b", "> a\n>\n> b", "<blockquote>\n<p>a</p>\n<p>b</p>\n</blockquote>"),
        (
            "[us](https://example.org)",
            "us (https://example.org)",
            '<p><a href="https://example.org" rel="noopener noreferrer">us</a></p>',
        ),
        ("[x](javascript:alert)", "[x](javascript:alert)", "<p>[x](javascript:alert)</p>"),
        ("<script>x</script>", "<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>"),
        ("![p](https://example.org/p)", "!p (https://example.org/p)", None),
    ],
)
def test_both_halves_of_markdown(markdown: str, plain: str, html: str | None) -> None:
    assert to_plain(markdown) == plain
    if html is not None:
        assert to_html(markdown) == html
    assert "<img" not in to_html(markdown)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zs", "Zl", "Zp", "Cs"])))
@example("1. a")
@example("# [a](b) *c* _d_ <e> &amp; \\ `f`")
def test_words_of_others_read_as_they_were_written(words: str) -> None:
    assert to_plain(f"a{as_markdown(words)}z") == f"a{words}z"


def test_a_reply_has_the_members_words_name_and_the_signature() -> None:
    mail = composer().compose(REPLY)
    message = read(mail.content)
    assert (mail.sender, mail.to) == ("help@example.org", "kim@example.net")
    assert str(message["From"]) == '"Anna, Computertruhe" <help@example.org>'
    assert str(message["To"]) == "Kim Doe <kim@example.net>"
    assert message["Subject"] == "Re: Laptop für die Ausbildung [#42]"
    assert message["Message-ID"] == REPLY.mail_id
    assert message["In-Reply-To"] == "<two@example.net>"
    assert message["References"] == "<one@example.net> <two@example.net>"
    assert message[LOOP_HEADER] == "mark"
    assert message["Auto-Submitted"] is None
    plain = part(message, "plain").replace("\r\n", "\n")
    assert plain == "Hallo Kim,\n\nFreitag passt.\n\nAnna\n\n-- \nComputertruhe e.V.\nFreiburg\n"
    assert "<strong>Freitag</strong>" in part(message, "html")
    assert "<p>-- <br>Computertruhe e.V.<br>Freiburg</p>" in part(message, "html")
    assert max(len(line) for line in mail.content.split(b"\r\n")) < 998


def test_an_acknowledgement_is_automatic_and_repeats_nothing_of_the_request() -> None:
    mail = composer().compose(replace(ACK, status_link="https://help.example.org/s/abc_def"))
    message = read(mail.content)
    assert mail.sender == ""
    assert message["Auto-Submitted"] == "auto-replied"
    assert message[LOOP_HEADER] == "mark"
    assert "[#42]" in message["Subject"]
    whole = part(message, "plain") + part(message, "html") + str(message["Subject"]) + str(message["To"])
    assert "https://help.example.org/s/abc_def" in part(message, "plain")
    for said in ("evil", "Kim", "Laptop"):
        assert said not in whole
    english = read(composer().compose(replace(ACK, language="en")).content)
    assert english["Subject"] == "Your request has arrived [#42]"


HOSTILE = [
    "x\r\nBcc: all@example.org",
    "x\nBcc: all@example.org",
    "=?utf-8?q?x=0D=0ABcc:_all@example.org?=",
    "=?utf-8?b?eA0KQmNjOiBhbGxAZXhhbXBsZS5vcmc=?=",
    '"x" <all@example.org>, y',
    "\x00\x0b\x0c\u2028\x85Bcc: all@example.org",
    "é" * 400,
]


@pytest.mark.parametrize("words", HOSTILE)
def test_nobody_writes_into_the_headers(words: str) -> None:
    """Neither by line breaks nor by encoded words that would become some."""
    letter = replace(REPLY, subject=words, name=words, member=words, references=(words, "<a@b>"))
    mail = composer().compose(letter)
    message = read(mail.content)
    assert [name for name in message if name.lower() in ("bcc", "cc")] == []
    assert [address.addr_spec for address in message["To"].addresses] == ["kim@example.net"]
    assert [address.addr_spec for address in message["From"].addresses] == ["help@example.org"]
    assert message["References"] == "<a@b>"
    assert str(message["Subject"]).endswith("[#42]")


@pytest.mark.parametrize(
    "address", ["", "kim", "kim@", "@example.net", "kim@exa mple.net", "kim\r\n@b.c", "k@.d"]
)
def test_what_cannot_be_an_address_is_refused(address: str) -> None:
    with pytest.raises(NoSuchMailbox):
        composer().compose(replace(REPLY, to=address))


def test_addresses_of_other_scripts() -> None:
    mail = composer().compose(replace(REPLY, to="kim@bücher.example"))
    assert (mail.to, mail.utf8) == ("kim@xn--bcher-kva.example", False)
    assert composer().compose(replace(REPLY, to="kïm@example.net")).utf8


def test_long_message_ids_stay_whole() -> None:
    ids = tuple(f"<{'x' * 200}{n}@example.net>" for n in range(10))
    message = read(composer().compose(replace(REPLY, references=ids)).content)
    assert str(message["References"]).split() == list(ids)
    assert message["In-Reply-To"] == ids[-1]


def test_references_are_trimmed_to_the_first_four_and_the_last_six() -> None:
    ids = [f"<{n}@example.net>" for n in range(20)]
    assert trimmed(ids) == (*ids[:4], *ids[-6:])
    assert trimmed([*ids[:10], ids[0]]) == tuple(ids[:10])


def test_only_own_message_ids_lead_to_a_ticket() -> None:
    own = message_id(KEY, 42, "0123456789abcdef", "example.org")
    assert signed_number(KEY, own) == 42
    assert signed_number(KEY, own.strip("<>")) == 42
    assert signed_number(b"x" * 32, own) is None
    assert signed_number(KEY, own.replace(".42.", ".43.")) is None
    assert signed_number(KEY, "<42@example.org>") is None


def _folder(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        file = tmp_path / name.replace("__", "/").replace("_", ".")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def test_templates_by_team_and_language(tmp_path: Path) -> None:
    folder = _folder(
        tmp_path,
        reply_de_txt="Subject: Antwort\n\n{{ text }}\n\nan {{ name }}",
        freiburg__reply_de_txt="Subject: {{ subject }} ({{ team }})\n\n{{ text }}",
    )
    letter = replace(REPLY, name="*K*im", subject="a *b*")
    assert composer(folder).write(letter).subject == "a *b* (Freiburg) [#42]"
    other = composer(folder).write(replace(letter, team="berlin"))
    assert other.subject == "Antwort [#42]"
    assert "an *K*im" in other.plain
    assert composer(folder).write(replace(letter, language="en")).subject == "Re: a *b* [#42]"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("no subject", 1),
        ("Subject: x\nbody without an empty line", 1),
        ("Subject: x\n\nfine\n{% if %}", 4),
        ("Subject: x\n\n{{ nothing_of_this_name }}", None),
        ("Subject: x\n\n{{ name.__class__.__mro__ }}", None),
        ("Subject: x\n\n{{ 1 / 0 }}", None),
    ],
)
def test_a_broken_template_is_told_with_its_place(tmp_path: Path, text: str, line: int | None) -> None:
    folder = _folder(tmp_path, reply_de_txt=text)
    with pytest.raises(TemplateBroken) as caught:
        composer(folder).write(REPLY)
    assert caught.value.file == folder / "reply.de.txt"
    assert caught.value.line == line


@settings(max_examples=50, deadline=None)
@given(st.text(), st.text(), st.text())
def test_whatever_is_typed_becomes_a_mail(text: str, name: str, subject: str) -> None:
    values: dict[str, Any] = {"text": text, "name": name, "subject": subject}
    try:
        for value in values.values():
            value.encode()
    except UnicodeEncodeError:
        return  # halves of characters are replaced where text comes in
    message = read(composer().compose(replace(REPLY, **values)).content)
    assert part(message, "html").rstrip().endswith("</body></html>")
