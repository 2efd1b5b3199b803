"""From bytes to a mail, over the corpus of ``tests/mails``."""

import re
import time

import pytest

from bot.domain.incoming import MailKind
from bot.intake.email.quotes import own_words
from bot.intake.email.reading import Limits, Unreadable, read_mail
from bot.intake.email.winmail import NotWinmail, unpack
from tests.mail_data import LIMITS, mail, names, raw

DEEP = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (i, i) for i in range(100))
SENT = "sent.9@desk.example"


def test_a_plain_one() -> None:
    read = mail("plain")
    assert (read.sender, read.name) == ("maria@example.org", "Maria Muster")
    assert read.subject == "Laptop für die Ausbildung"
    assert read.message_id == "first.1@mail.example.org"
    assert read.text.startswith("Guten Tag,\n\nich beginne")
    assert read.text.endswith("- gern gebraucht\n\nViele Grüße\nMaria")
    assert read.original is not None
    assert read.original.endswith("Tel. 0761 000000")
    assert read.recipients == ("hilfe+freiburg@desk.example",)
    assert read.kind is MailKind.PERSONAL


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "reply_thunderbird",
            "Ja, Freitag passt mir gut, ich komme gegen elf und bringe meinen Ausweis mit.",
        ),
        ("reply_gmail", "Danke, das passt 😀"),
        ("reply_outlook", "Hallo,\n\nFreitag geht leider nicht. Montag?\n\nGrüße\nToni"),
        ("reply_gmx_html", "Ja, ich komme.\nBis dann!"),
        ("reply_french", "Oui, vendredi."),
    ],
)
def test_only_what_is_new_is_shown(name: str, text: str) -> None:
    read = mail(name)
    assert read.text == text
    assert read.original is not None
    assert "passt" in read.original.lower()
    assert read.references[0] == SENT
    assert read.kind is MailKind.PERSONAL


def test_the_nearest_reference_comes_first() -> None:
    assert mail("reply_thunderbird").references == (SENT, "sent.8@desk.example", "first.1@mail.example.org")


def test_answers_between_quoted_lines_stay() -> None:
    read = mail("reply_inline")
    assert read.text.startswith("Am 12.11.26 um 18:20 schrieb Hilfe:\n> Mit Netzteil?\nJa, bitte.")
    assert read.text.endswith("Nein, lieber Montag.")


@pytest.mark.parametrize(
    "text",
    [
        "Am Montag schrieb mir Anna:\nEs war gut. Und ich wollte fragen, ob",
        "Ich habe:\nVon: Lenovo\nAn: Bord\nBetreff: Alter",
        "> nur ein Zitat",
        "- ein Laptop\n- eine Maus\n\nDanke, dass es Sie gibt",
        "--\nnur eine Signatur",
        "Zahlen:\n-- \n" + "\n".join(f"Zeile {index}" for index in range(30)),
    ],
)
def test_nothing_else_is_cut(text: str) -> None:
    assert own_words(text) == text


@pytest.mark.parametrize("between", ["\n\n", "\n"])
@pytest.mark.parametrize("words", ["Am Freitag geht es nicht. Montag?", "On Friday I cannot.\nOn Monday?"])
def test_words_that_begin_like_an_introduction_are_no_part_of_it(words: str, between: str) -> None:
    text = f"{words}{between}Am 28.11.2026 um 01:16 schrieb hilfe@desk.example:\n> Freitag?"
    assert own_words(text) == words


def test_what_is_forwarded_stays_whole() -> None:
    read = mail("forwarded")
    assert read.forwarded
    assert read.text.endswith("Laptop für meine Tochter.")
    assert "sam@example.org" in read.text


def test_of_a_mail_that_is_only_passed_on_the_inner_text_is_shown() -> None:
    read = mail("forwarded_as_file")
    assert read.text == "Hallo, ich bräuchte einen Laptop."
    assert [file.name for file in read.attachments] == ["Anfrage.eml"]
    assert b"inner.1@example.org" in read.attachments[0].data


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ooo_outlook_de", MailKind.AUTOMATIC),
        ("ooo_gmail_en", MailKind.AUTOMATIC),
        ("ooo_sieve_fr", MailKind.AUTOMATIC),
        ("read_receipt", MailKind.AUTOMATIC),
        ("mailing_list", MailKind.AUTOMATIC),
        ("bounce_delayed", MailKind.AUTOMATIC),
        ("bounce_postfix", MailKind.BOUNCE),
        ("bounce_exchange", MailKind.BOUNCE),
        ("bounce_gmail", MailKind.BOUNCE),
        ("bounce_exim_old", MailKind.BOUNCE),
        ("forwarded", MailKind.PERSONAL),
        ("nested", MailKind.PERSONAL),
    ],
)
def test_programs_are_told_from_people(name: str, kind: MailKind) -> None:
    assert mail(name).kind is kind


@pytest.mark.parametrize(
    ("added", "kind"),
    [
        (b"Return-Path: <postmaster@example.org>\n", MailKind.PERSONAL),
        (b"Return-Path: <other@example.org>\n", MailKind.BOUNCE),
        (b"", MailKind.BOUNCE),
        (b"Return-Path: <>\n", MailKind.BOUNCE),
        (b"Return-Path: <>\nAuto-Submitted: auto-replied\n", MailKind.AUTOMATIC),
    ],
)
def test_an_address_alone_makes_no_bounce_sure(added: bytes, kind: MailKind) -> None:
    data = raw("reply_thunderbird").replace(b"maria@example.org", b"postmaster@example.org")
    data = re.sub(rb"(?m)^Return-Path:.*\n", b"", data)
    read = read_mail(added + data, LIMITS)
    assert read.sender == "postmaster@example.org"
    assert read.kind is kind
    assert (read.bounce and read.bounce.certain) == (False if kind is MailKind.BOUNCE else None)


@pytest.mark.parametrize(
    ("name", "recipient", "status", "reason"),
    [
        ("bounce_postfix", "gone@example.org", "5.1.1", "User unknown"),
        ("bounce_exchange", "gone@example.com", "5.1.10", "RecipientNotFound"),
        ("bounce_gmail", "gone@gmail.example", "5.1.1", "does not exist"),
        ("bounce_exim_old", "gone@example.org", None, ""),
    ],
)
def test_a_bounce_tells_what_was_not_delivered(
    name: str, recipient: str, status: str | None, reason: str
) -> None:
    bounce = mail(name).bounce
    assert bounce is not None
    assert bounce.about[0] == SENT
    assert bounce.certain
    assert (bounce.recipient, bounce.status) == (recipient, status)
    assert reason in bounce.reason


@pytest.mark.parametrize(
    ("name", "subject", "text"),
    [
        ("charset_koi8", "Ноутбук", "Здравствуйте, нужен ноутбук."),
        ("charset_gb2312", "电脑", "你好，需要一台電腦。"),
        ("charset_utf16", "Sechzehn", "Grüße aus der Zukunft"),
        ("charset_lies", "Grüße ohne Kodierung", "Größe: fünf Zoll"),
        ("raw_latin1_subject", "Größe", "Hallo"),
        ("iso2022jp", "パソコン", "お願いします。"),
    ],
)
def test_odd_charsets(name: str, subject: str, text: str) -> None:
    read = mail(name)
    assert (read.subject, read.text) == (subject, text)


def test_names_in_odd_charsets() -> None:
    assert mail("iso2022jp").name == "山田"
    assert mail("raw_latin1_subject").name == "Jürgen"
    assert mail("reply_outlook").name == "Moe, Toni"


def test_parts_within_parts() -> None:
    read = mail("nested")
    assert read.text == "Im Anhang die Fotos.\n\nGesendet vom Verteiler der Schule."
    assert [file.name for file in read.attachments] == ["Gerät vorn.jpg", "Übersicht.pdf"]
    assert read.attachments[1].data == b"%PDF-1.4"


def test_what_outlook_packs() -> None:
    read = mail("winmail")
    assert read.text == "Im Anhang das Gerät."
    assert [(file.name, file.data[-4:]) for file in read.attachments] == [
        ("Gerätefoto von vorn.jpg", b"JFIF")
    ]


def test_an_empty_one() -> None:
    read = mail("empty")
    assert (read.subject, read.text, read.name) == ("", "", "kim@example.net")


def test_html_where_the_plain_text_is_empty() -> None:
    assert mail("html_only_empty_plain").text == "Gerät Laptop\n\n<b> @room https://evil.example"


def test_headers_cannot_be_injected() -> None:
    read = mail("header_injection")
    assert read.subject == "Hallo Bcc: victim@example.org Falscher Text"
    for value in (read.subject, read.name, read.sender or "", *read.references, read.message_id):
        assert not re.search(r"[\r\n]", value)
    assert read.references == ("ok@example.net",)


def test_without_a_message_id_it_gets_one_of_its_content() -> None:
    read = mail("no_message_id")
    assert read.message_id == read.derived_id
    again = read_mail(b"Received: from elsewhere\r\n" + raw("no_message_id").replace(b"\n", b"\r\n"), LIMITS)
    assert again.message_id == read.message_id
    other = read_mail(raw("no_message_id").replace(b"Keine", b"Eine"), LIMITS)
    assert other.message_id != read.message_id


def test_broken_headers_do_not_lose_the_text() -> None:
    read = mail("broken_headers")
    assert "Trotzdem da: " in read.text
    assert "Rest" in read.subject
    assert read.message_id


def test_files_over_the_limits_are_named_and_left_out() -> None:
    read = mail("nested", Limits(max_attachment=7, max_attachments=1))
    assert [file.name for file in read.attachments] == ["Gerät vorn.jpg"]
    assert [(file.name, file.size) for file in read.left_out] == [("Übersicht.pdf", 8)]


def test_twenty_megabytes() -> None:
    head = raw("plain").partition(b"MIME-Version")[0]
    body = b'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\nGross\n--b\n'
    file = (
        b"Content-Type: video/mp4; name=film.mp4\nContent-Transfer-Encoding: base64\n\n"
        + (b"A" * 76 + b"\n") * 350_000
    )
    began = time.perf_counter()
    read = read_mail(head + body + file + b"--b--\n", LIMITS)
    assert read.text == "Gross"
    assert [(each.name, each.size) for each in read.left_out] == [("film.mp4", 350_000 * 57)]
    assert time.perf_counter() - began < 60


@pytest.mark.parametrize("name", names())
def test_every_mail_is_harmless_to_store(name: str) -> None:
    read = mail(name)
    for text in (read.text, read.original or "", read.subject, read.name):
        text.encode()
        assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", text)
    assert len(read.message_id) <= 250


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no mail at all",
        b"\x00\xff" * 1000,
        b"From: a@b.example\n" + DEEP,
        b"From: a@b.example\n" + DEEP + b"\n" * 1_000_000,
        b"From: a@b.example\n\n" + b"\r" * 2_000_000,
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=x" + b"; a=b" * 200_000 + b"\n\n",
        b"From: a@b.example\nContent-Type: text/plain" + b";\r\n a=b" * 2_000 + b"\n\n",
        b"From: a@b.example\n\n" + b'\rcontent-disposition: x; "' + b";" * 15_000,
        b"From: a@b.example\n" + b"Content-Type: a/b; c=d; e=f; g=h; i=j; k=l\n" * 4_900 * 20,
        b"From: a@b.example\n" + b"X: y\n" * 5_001 + b"\n",
    ],
    ids=[
        "empty", "words", "bytes", "deep", "long", "returns", "parameters", "folded", "in a part", "headers",
        "lines",
    ],
)  # fmt: skip
def test_what_is_no_mail_is_told(data: bytes) -> None:
    began = time.perf_counter()
    with pytest.raises(Unreadable):
        read_mail(data, LIMITS)
    assert time.perf_counter() - began < 20


def test_very_many_addresses_do_not_take_long() -> None:
    many = (
        b"From: a@b.example\n" + 3 * (b"To: " + b"p@q.example," * 5_250 + b"\n") + b"Cc: x@y.example\n\nHi\n"
    )
    began = time.perf_counter()
    assert read_mail(many, LIMITS).recipients == ("p@q.example",)
    cut = b"From: a@b.example\nTo: " + b"<>," * 21_840 + b"last@example.community\n\nHi\n"
    assert read_mail(cut, LIMITS).recipients == ()
    assert time.perf_counter() - began < 20


def test_a_mail_within_comes_out_as_it_was() -> None:
    inner = b"From: b@c.example\r\nSubject: " + b"a\r\n " * 50_000 + b"\xe4\r\nTo: x\r\n\r\nHallo\r\n"
    head = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n"
    began = time.perf_counter()
    [file] = read_mail(b"From: a@b.example\n" + head + inner + b"\n--b--\n", LIMITS).attachments
    assert file.data == inner
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize(
    "text",
    [
        "Am " + " schrieb " * 20_000,
        "> a\nb\n" * 30_000,
        "On 12.11.2026\n" * 14_000,
        "Von: x\n" * 28_000,
        "\n" * 200_000,
        "-" * 200_000,
        "Sent from my " * 15_000,
        "--\n" * 60_000,
        "a<b@" * 50_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    began = time.perf_counter()
    own_words(text)
    own_words(text, marked=False)
    assert time.perf_counter() - began < 5


def test_broken_winmail_is_kept_as_a_file() -> None:
    data = raw("winmail")
    with pytest.raises(NotWinmail):
        unpack(b"\x78\x9f\x3e\x22\x01\x00" + b"\x01\x06\x90\x08\x00\xff\xff\xff\xff")
    read = read_mail(data.replace(b"eJ8+I", b"eJ8+J"), LIMITS)
    assert [file.name for file in read.attachments] == ["winmail.dat"]
