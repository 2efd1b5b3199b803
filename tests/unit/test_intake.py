"""The parts of the intake that need no server."""

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from ipaddress import IPv6Address, ip_network
from pathlib import Path
from time import process_time

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from bot.intake import addresses
from bot.intake.data_url import MalformedDataUrl, parse_data_url
from bot.intake.form_token import FormTokens
from bot.intake.html_text import html_to_text
from bot.intake.throttle import Throttle

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.1"], "192.0.2.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1", "fd00::2"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["198.51.100.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["<script>"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        (None, ["198.51.100.1"], "None"),
    ],
)
def test_only_trusted_proxies_tell_the_client(peer: str | None, forwarded: list[str], client: str) -> None:
    assert str(addresses.client_address(peer, forwarded, PROXIES)) == client


@given(header=st.text(max_size=80))
def test_no_header_breaks_the_client_address(header: str) -> None:
    assert addresses.client_address("10.0.0.1", [header], PROXIES) is not None


def test_a_household_is_an_ipv6_network() -> None:
    assert addresses.household(IPv6Address("2001:db8:1:2:3::4")) == "2001:db8:1:2::/64"
    assert addresses.household(addresses.parse_address("192.0.2.1")) == "192.0.2.1"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plain &lt;b&gt; &amp; text", "plain <b> & text"),
        ("<p>one</p>\n<p>two<br/>three</p>", "one\n\ntwo\nthree"),
        ("<ul><li>a</li><li>b</li></ul>end", "- a\n- b\n\nend"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<style>p{}</style><title>t</title>seen<!-- not <p> seen -->", "seen"),
        ("<img src=x onerror=alert(1)>after", "after"),
        ("a < b", "a < b"),
        ("<b>bold</b> and <A HREF='x>y'>link</A>", "bold and link"),
        ('<p title="a > b" class=it\'s>one</p><p a="x">two', "one\n\ntwo"),
        ('<script>if (a<b) x="</p>"</script>seen', "seen"),
        ("<style>a>b{}</style ><script src=x", ""),
        ('one<!-- <p a=" -->two', "onetwo"),
        ("<p a='never closed>lost</p>", ""),
    ],
)
def test_html_becomes_readable(source: str, text: str) -> None:
    assert html_to_text(source) == text


@pytest.mark.parametrize(
    "piece",
    ["<br", "<p ", "<div>", "<li>", "<!--", "</td", "&#", "<a href='", "<b><i>", "<b a={}>", "<i {}><p>",
     "<b a<{}>", '<b a="{}', "<u {}=''", "<b {} ", "<script>", "<font a='>'{}>"],
)  # fmt: skip
def test_no_html_takes_long(piece: str) -> None:
    """The text of an API's call may have so much markup, and nothing else goes on while it is read."""
    source = "".join(piece.format(index) for index in range(200_000 // len(piece)))
    began = process_time()
    html_to_text(source)
    assert process_time() - began < 3  # a quadratic step takes half a minute here


@given(source=st.text(alphabet="<>/!-&#;brpdiv \n=\"'", max_size=60))
def test_no_html_breaks_it(source: str) -> None:
    assert "\n\n\n" not in html_to_text(source)


@pytest.mark.parametrize(
    ("text", "media_type", "charset", "data"),
    [
        ("data:,a%20b", "text/plain", None, b"a b"),
        ("data:text/plain;charset=utf-8,%C3%BC", "text/plain", "utf-8", "ü".encode()),
        ("data:image/png;base64,aGk", "image/png", None, b"hi"),
        ("data:image/png;base64,aG k=\n", "image/png", None, b"hi"),
        ("data:image/png;base64,aGk%3D", "image/png", None, b"hi"),
        ('DATA:Text/HTML;charset="utf-8";BASE64,aGk=', "text/html", "utf-8", b"hi"),
        ("data:application/pdf;name=a.pdf;base64,aGk=", "application/pdf", None, b"hi"),
        ("data:,\ud800", "text/plain", None, b"?"),
    ],
)
def test_data_urls(text: str, media_type: str, charset: str | None, data: bytes) -> None:
    url = parse_data_url(text)
    assert url is not None
    assert (url.media_type, url.charset, url.data()) == (media_type, charset, data)
    assert url.least_size <= len(data) + 2


@pytest.mark.parametrize(
    "text", ["", "data:", "data:text", "data: a, b", "data:a/b;c,d", "http://x", "data:é/b,"]
)
def test_what_is_no_data_url(text: str) -> None:
    assert parse_data_url(text) is None


@pytest.mark.parametrize(
    "text", ["data:;base64,a", "data:;base64,a*b=", "data:;charset=rot13,abc", "data:;charset=idna,a"]
)
def test_data_urls_that_cannot_be_read(text: str) -> None:
    url = parse_data_url(text)
    assert url is not None
    with pytest.raises(MalformedDataUrl):
        url.text()


@given(data=st.binary(max_size=60))
def test_tokens_are_known_again_and_only_those(data: bytes) -> None:
    tokens = FormTokens(b"k" * 32)
    token = tokens.issue(NOW)
    known = tokens.read(token.text)
    assert known is not None
    assert (known.id, known.issued_at) == (token.id, NOW)
    assert FormTokens(b"j" * 32).read(token.text) is None
    assert tokens.read(data.decode("latin-1")) is None


def test_tokens_last_a_day() -> None:
    token = FormTokens(b"k" * 32).issue(NOW)
    assert not token.expired(NOW + timedelta(hours=24))
    assert token.expired(NOW + timedelta(hours=24, seconds=1))


def test_the_window_slides() -> None:
    throttle = Throttle(2, timedelta(minutes=10))
    assert throttle.admit("a", "1", NOW) is None
    assert throttle.admit("a", "2", NOW + timedelta(minutes=5)) is None
    assert throttle.admit("a", "3", NOW + timedelta(minutes=6)) == timedelta(minutes=4)
    assert throttle.admit("a", "2", NOW + timedelta(minutes=6)) is None
    assert throttle.admit("b", "3", NOW + timedelta(minutes=6)) is None
    assert throttle.admit("a", "3", NOW + timedelta(minutes=10)) is None
    assert throttle.admit("a", "4", NOW + timedelta(minutes=10)) == timedelta(minutes=5)


def test_the_throttle_forgets_the_oldest_addresses() -> None:
    throttle = Throttle(1, timedelta(days=1))
    for number in range(10_001):
        throttle.admit(str(number), "x", NOW)
    assert throttle.admit("10000", "y", NOW) is not None
    assert throttle.admit("0", "y", NOW) is None


def test_the_german_catalog_has_each_text_of_the_form_and_no_other() -> None:
    folder = Path(str(files("bot.intake")))
    methods = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
    used = {
        message if isinstance(message, str) else message[0]
        for _, _, message, _, _ in extract_from_dir(
            folder, methods, keywords={"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
        )
    }
    po = files("bot").joinpath("locale", "de", "LC_MESSAGES", "form.po")
    with po.open("rb") as file:
        catalog = read_po(file, locale="de")
    known = {
        message.id if isinstance(message.id, str) else message.id[0] for message in catalog if message.id
    }
    assert used == known
    assert len(used) > 30
    assert [error for message in catalog for error in message.check(catalog)] == []
    assert all(message.string and "fuzzy" not in message.flags for message in catalog if message.id)
