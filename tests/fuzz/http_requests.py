"""HTTP requests as broken or hostile clients send them, byte by byte."""

import gzip
import zlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from hypothesis import strategies as st

from tests.fuzz.http_bodies import BODIES, FORM_FIELDS, MARK, VALID_BODIES
from tests.fuzz.rubbish import HOSTILE_TEXTS, TEXTS
from tests.intake_site import CREATE

_BOMB: Final = gzip.compress(b" " * 50_000_000)
_CHUNKED: Final = b"Transfer-Encoding: chunked"


@dataclass(frozen=True, slots=True)
class Framed:
    """A body with the headers that tell where it ends.

    ``readable``: in a way that every server knows. ``ends``: all that was told of is sent.
    """

    headers: tuple[bytes, ...]
    body: bytes
    readable: bool = True
    ends: bool = True


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What is written to the connection.

    ``readable``: the server has to answer, and not only to hang up. ``ends``: it need not wait for more.
    """

    data: bytes
    readable: bool
    ends: bool


@st.composite
def framed(draw: st.DrawFn, body: bytes) -> Framed:
    """The body on its way: whole, compressed, in pieces, cut off, or with lengths that are not true."""
    how = draw(
        st.sampled_from(
            ["length"] * 5 + ["gzip", "deflate", "odd coding", "chunked", "chunked", "cut", "lie"]
        )
    )
    length = b"Content-Length: %d"
    match how:
        case "gzip":
            body = draw(st.sampled_from([gzip.compress(body), gzip.compress(body)[:-3], _BOMB, body]))
            return Framed((length % len(body), b"Content-Encoding: gzip"), body)
        case "deflate":
            body = draw(st.sampled_from([zlib.compress(body), zlib.compress(body)[2:-4], body]))
            return Framed((length % len(body), b"Content-Encoding: deflate"), body)
        case "odd coding":
            coding = draw(
                st.sampled_from([b"br", b"zstd", b"gzip, gzip", b"identity", b"\xff", b"x" * 4_000])
            )
            return Framed((length % len(body), b"Content-Encoding: " + coding), body, readable=False)
        case "chunked":
            return draw(in_chunks(body))
        case "cut":
            missing = draw(st.integers(1, 2**34))
            return Framed((length % (len(body) + missing),), body, readable=False, ends=False)
        case "lie":
            told = draw(
                st.sampled_from([b"-1", b"+5", b"0x10", b"1_0", b"", b"9" * 40, b"5, 5", b"\xd9\xa1", b"a"])
            )
            twice = draw(st.sampled_from([(), (b"Content-Length: 3",), (_CHUNKED,)]))
            return Framed((b"Content-Length: " + told, *twice), body, readable=False, ends=False)
    return Framed((length % len(body),), body)


@st.composite
def in_chunks(draw: st.DrawFn, body: bytes) -> Framed:
    """A chunked body, mostly as it should be."""
    size = draw(st.sampled_from([1 << 20, 1000, 97]))
    pieces = [body[at : at + size] for at in range(0, len(body), size)][:2_000]
    ends = b"0\r\n\r\n"
    odd = draw(
        st.sampled_from(
            ["", "", "", "extension", "size", "no end", "trailer", "long trailer", "line", "coding"]
        )
    )
    match odd:
        case "extension":
            sent = [b"%x;a=%s\r\n%s\r\n" % (len(piece), b"b" * 50, piece) for piece in pieces]
        case "size":
            told = draw(st.sampled_from([b"-1", b"g", b"0x5", b"", b"f" * 40, b"\xff", b"1 "]))
            return Framed((_CHUNKED,), told + b"\r\n" + body, readable=False, ends=False)
        case "line":
            sent = [b"%x\n%s\n" % (len(piece), piece) for piece in pieces]
        case _:
            sent = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    if "trailer" in odd:
        ends = b"0\r\n" + b"A: " + b"b" * (20_000 if "long" in odd else 5) + b"\r\n\r\n"
    header = draw(st.sampled_from([b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: x"]))
    return Framed(
        (header if odd == "coding" else _CHUNKED,),
        b"".join(sent) + (b"" if odd == "no end" else ends),
        readable=odd in ("", "extension"),
        ends=odd not in ("no end", "line", "coding", "long trailer"),
    )


ODD_VALUES: Final = st.sampled_from(
    [
        b"",
        b"\xff\xfe",
        b"\x80",
        MARK.encode(),
        b"x" * 7_000,
        b"a\tb",
        "ü".encode(),
        b"%00",
        b"'\"",
        b"," * 3_000,
    ]
) | st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=30).map(
    lambda text: text.encode("latin-1").strip()
)
ADDRESSES: Final = st.sampled_from(
    [
        b"1.2.3.4",
        b"::1",
        b"fe80::1%\xff",
        b"[::1]:99999",
        b"1.2.3.4:x",
        b"unknown",
        b"999.1.1.1",
        b"::ffff:1.2.3.4",
    ]
)
HEADERS: Final = st.one_of(
    ODD_VALUES.map(lambda value: b"Idempotency-Key: " + value),
    st.integers(0, 30).map(lambda key: b"Idempotency-Key: key%d" % key),
    (ODD_VALUES | ADDRESSES).map(lambda value: b"X-Forwarded-For: " + value),
    ODD_VALUES.map(lambda value: b"Accept-Language: " + value),
    ODD_VALUES.map(lambda value: b"Content-Type: " + value),
    st.sampled_from(
        [b"Content-Type: multipart/form-data; boundary=b", b"Content-Type: multipart/form-data",
         b"Content-Type: /",
         b"Content-Type: application/json; charset=no-such",
         b"Content-Type: application/x-www-form-urlencoded",
         b"Accept-Language: de;q=nan, en;q=1e999, *;q=", b"Expect: rubbish", b"Upgrade: websocket",
         b"Cookie: " + b"a=b;" * 1_000, b"Range: bytes=0-", b"Host: \xff", b"Date: x",
         b"X-HTTP-Method-Override: GET",
         b"If-Modified-Since: x", b"Origin: null", b"Connection: keep-alive", b"TE: trailers"]
    ),
    ODD_VALUES.map(lambda value: b"X-API-Key: " + value),
)  # fmt: skip
BREAKING: Final = st.sampled_from(
    [
        b"no colon",
        b": empty",
        b"A b: c",
        b"A\0: b",
        b"X-A: b\0c",
        b" folded: x",
        b"X: " + b"y" * 100_000,
        b"\xff\xff: 1",
    ]
)
PATHS: Final = st.sampled_from(
    [CREATE] * 8
    + ["/api/http.php/tickets.json"]
    + ["/api/tickets/1/messages"] * 4
    + [
        f"/api/tickets/{number}/messages"
        for number in (0, 2, 999, 10**14, 10**15, "00001", "-1", "1%00", "%31")
    ]
)
ODD_PATHS: Final = st.sampled_from(
    ["/", "//", "/api/tickets/١/messages", "/healthz", "/sent/", "/sent/%00", "/sent/" + "a" * 7_000,
     "/static/../x", "/static/form.css?%ff", "*",
     "/api/tickets.json/", "/api/tickets.json?%ff=%00&" + MARK, "/%ff%fe", "/api/tickets/1/messages/",
     "/sent/a.b.c",
     "http://x/api/tickets.json", "/\ud800", "/metrics", "/readyz", "x", "/" + "a" * 9_000, "/?lang=%00",
     "/#a"]
)  # fmt: skip
METHODS: Final = st.sampled_from(["GET", "HEAD", "PUT", "OPTIONS", "PATCH", "CONNECT", "\0", "post", "BREW"])


@st.composite
def heads(draw: st.DrawFn) -> tuple[bytes, list[bytes], bool]:
    """First line, further headers, and whether the server can be expected to answer them."""
    path, method, version = draw(PATHS), "POST", "HTTP/1.1"
    headers = draw(st.lists(HEADERS, max_size=2))
    match draw(st.sampled_from(["", "", "", "path", "method", "version", "header"])):
        case "path":
            path = draw(ODD_PATHS)
        case "method":
            method = draw(METHODS)
        case "version":
            version = draw(st.sampled_from(["HTTP/1.0", "HTTP/9.9", "", "HTTP/2"]))
        case "header":
            headers.append(draw(BREAKING))
        case _:
            return f"POST {path} HTTP/1.1".encode(), headers, True
    return f"{method} {path} {version}".encode("utf-8", "replace"), headers, False


HEADS: Final = heads()


_SMALL: Final = 50_000


def written(line: bytes, headers: list[bytes], way: Framed, *, readable: bool) -> HttpRequest:
    """The request as bytes. A head that says something twice is refused, and the connection ended with that:
    whoever is still sending a large body then may not see why.
    """
    names = [header.partition(b":")[0].lower() for header in headers]
    clear = len(way.body) < _SMALL or all(names.count(name) < 2 for name in (b"content-type", b"host"))
    data = b"\r\n".join([line, *headers, b"", way.body])
    return HttpRequest(data, readable and way.readable and clear, way.ends)


@st.composite
def api_calls(draw: st.DrawFn, key: str) -> HttpRequest:
    """A call of the API."""
    odd = draw(st.sampled_from(["body"] * 4 + ["way"] * 2 + ["head"] * 3 + ["all"]))
    body = draw(BODIES if odd in ("body", "all") else VALID_BODIES)
    way = draw(framed(body)) if odd in ("way", "all") else Framed((b"Content-Length: %d" % len(body),), body)
    line, headers, readable = (
        draw(HEADS) if odd in ("head", "all") else (b"POST " + CREATE.encode() + b" HTTP/1.1", [], True)
    )
    headers = [
        b"Host: localhost",
        b"Connection: close",
        b"X-API-Key: " + key.encode(),
        *way.headers,
        *headers,
    ]
    return written(line, headers, way, readable=readable)


@st.composite
def form_posts(draw: st.DrawFn, token: str) -> HttpRequest:
    """A form that was sent, by a browser or by something else."""
    entered: dict[str, str] = {
        "name": MARK, "email": "a@example.org", "subject": MARK, "message": MARK, "topic": "other",
        "token": token
    }  # fmt: skip
    for name in draw(st.lists(st.sampled_from(sorted(FORM_FIELDS)), max_size=3)):
        entered[name] = draw(FORM_FIELDS[name])
    if draw(st.integers(0, 5)) == 0:
        entered["token"] = draw(st.sampled_from([token[:-1], token + "A", token.upper(), "", *HOSTILE_TEXTS]))
    pairs = [*entered.items(), *draw(st.lists(st.tuples(TEXTS, TEXTS), max_size=2))]
    body = urlencode(pairs, errors="replace").encode()
    odd = draw(st.integers(0, 9))
    if odd == 0:
        body = draw(
            st.sampled_from(
                [body * 60, body + b"%", body + b"&%ff%00=%zz", body.replace(b"&", b";"), b"=", b"&" * 99]
            )
        )
    elif odd == 1:
        body = draw(BODIES)
    way = draw(framed(body))
    headers = [
        b"Host: x",
        b"Connection: close",
        b"Content-Type: application/x-www-form-urlencoded",
        *way.headers,
    ]
    headers += draw(st.lists(HEADERS, max_size=1))
    return written(b"POST / HTTP/1.1", headers, way, readable=True)
