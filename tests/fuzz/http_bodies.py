"""What broken or hostile clients put into a request: fields of every sort, JSON that is none, multipart."""

import base64
from typing import Any, Final
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

from tests.fuzz.rubbish import NOISE, TEXTS, VALUES, Pairs, mostly, written
from tests.intake_site import REQUEST

MARK: Final = "Zebulon"
"""Stands in whatever a requester might write: it must not turn up in a log."""
URLS: Final = st.builds(
    "data:{}{}{},{}".format,
    st.sampled_from(["", "text/html", "text/plain", "image/png", "/", "text/plain/x", "\0"]),
    st.sampled_from(["", ";charset=utf-8", ";charset=utf-16", ";charset=punycode", ";charset=\0",
    ";a=b" * 9]),
    st.sampled_from(["", ";base64", "; base64", ";BASE64 "]),
    st.sampled_from(["", "====", "QQ==", "Q", "%", "%zz%00", "<b" * 4_000, "<p>a<br>b", "&#xd800;&#0;"])
    | st.binary(max_size=30).map(lambda data: base64.b64encode(data).decode())
    | st.binary(max_size=30).map(quote_from_bytes)
    | TEXTS,
)  # fmt: skip
LONG: Final = st.sampled_from(
    ["x" * 150, "x" * 20_000, "ﷺ" * 20_000, "\0" * 90_000, NOISE * 3, "a b " * 5_000]
)
LINE: Final = (TEXTS | LONG).map(lambda text: f"{MARK} {text}")
FILES: Final = st.lists(
    mostly(st.dictionaries(TEXTS.map(lambda name: MARK + name), mostly(URLS), min_size=1, max_size=1)),
    max_size=4,
)
VALID: Final[dict[str, Any]] = {**REQUEST, "name": MARK, "subject": f"{MARK} 1", "message": f"{MARK} 2"}
FIELDS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "name": LINE,
    "email": st.sampled_from(
        ["a@example.org", f"{MARK}@Example.ORG", "a@b", "@", "a@" + "b" * 300, "ä@münchen.de",
         "a@example.org\r\nBcc: x",
         "a" * 64 + "@" + "b." * 90 + "de", "\0@example.org"]
    ) | LINE,
    "phone": st.sampled_from(["", "1" * 41, "\x1b[31m", "+49"]) | LINE,
    "subject": LINE,
    "message": LINE | URLS,
    "region": st.sampled_from(["freiburg", {"freiburg": "Freiburg"}, {"x": None}, ["a", "b"],
    "x" * 65]) | LINE,
    "topicId": st.sampled_from([10, "10", 11, -1, 10.0, "other", {"10": None}, [], True]),
    "attachments": FILES,
    "alert": VALUES, "autorespond": VALUES, "ip": VALUES, "source": VALUES, "priorityId": VALUES,
}  # fmt: skip
EXTRA: Final = st.dictionaries(
    TEXTS | st.sampled_from(["own", "own\0", "region ", "x" * 64]), VALUES | LINE, max_size=3
)


@st.composite
def objects(draw: st.DrawFn) -> Any:
    """The object of a call: a valid one with something odd in it."""
    fields: dict[str, Any] = dict(VALID)
    for name in draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=3)):
        fields[name] = draw(mostly(FIELDS[name]))
    if draw(st.integers(0, 3)) == 0:
        fields |= draw(EXTRA)
    if draw(st.integers(0, 9)) == 0:
        del fields[draw(st.sampled_from(sorted(fields)))]
    if draw(st.integers(0, 19)) == 0:
        return Pairs((*fields.items(), draw(st.sampled_from(sorted(fields.items(), key=str)))))
    return fields


ENCODINGS: Final = st.sampled_from(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-32", "latin-1", "cp037"])


@st.composite
def json_bodies(draw: st.DrawFn) -> bytes:
    """JSON, or nearly."""
    text = written(draw(mostly(objects())))
    if draw(st.integers(0, 3)) == 0:
        text = draw(
            st.sampled_from(["{}", " {} ", "{},", "[{}]", "{} x", "\0{}", "{}\0", "/* */{}"])
        ).replace("{}", text)
    body = text.encode(draw(ENCODINGS), "replace")
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(body)))
        return (
            body[:at]
            + draw(st.sampled_from([b"", b"\xff", b"\xed\xa0\x80", b"\0", b"\\ud800", b'"']))
            + body[at:]
        )
    return body


MULTIPART: Final = st.sampled_from(
    [
        b"--b\r\nContent-Disposition: form-data; name=name\r\n\r\nZebulon\r\n--b--\r\n",
        b"--b\r\n" * 2_000,
        b"--b\r\nContent-Disposition: form-data; name=" + b"x" * 20_000 + b"\r\n\r\n",
        b"--b\r\nContent-Transfer-Encoding: rubbish\r\n\r\nZebulon",
        b"--b\r\nContent-Encoding: gzip\r\n\r\nZebulon\r\n--b--",
        b"\r\n--\r\n--b--",
    ]
)
BODIES: Final = st.one_of(json_bodies(), json_bodies(), json_bodies(), MULTIPART, st.binary(max_size=80))
VALID_BODIES: Final = st.just(written(VALID).encode())
FORM_FIELDS: Final[dict[str, st.SearchStrategy[str]]] = {
    "name": LINE, "email": st.just("a@example.org") | LINE, "phone": LINE, "subject": LINE, "message": LINE,
    "topic": st.sampled_from(["other", "donation_offer", "none", "", "\0"]),
    "region": st.sampled_from(["", "freiburg", "x", "\0"]),
    "website": st.sampled_from(["", "", "", "http://x"]),
}  # fmt: skip
