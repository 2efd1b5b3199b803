"""Forms with files, whatever is sent as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.request import NewAttachment
from bot.intake.uploads import Form, MalformedForm, read_form

TYPE = "multipart/form-data; boundary=xyz"


def part(head: str, content: bytes = b"x") -> bytes:
    """One part of a body."""
    return b"--xyz\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def named(name: str, content: bytes = b"x") -> bytes:
    """A field."""
    return part(f'Content-Disposition: form-data; name="{name}"', content)


def file(name: str, content: bytes = b"x", media_type: str = "image/png") -> bytes:
    """A chosen file."""
    where = f'form-data; name="attachments"; filename="{name}"'
    return part(f"Content-Disposition: {where}\r\nContent-Type: {media_type}", content)


END = b"--xyz--\r\n"


def test_fields_and_files_are_read() -> None:
    body = (
        named("message", "Grüße\r\n--xy".encode())
        + file("Foto ä.png", b"\r\n--xyzz\x00")
        + file("", b"")
        + END
    )
    assert read_form(TYPE, body) == Form(
        {"message": "Grüße\r\n--xy"}, [NewAttachment("Foto ä.png", "image/png", b"\r\n--xyzz\x00")]
    )


def test_names_and_types_are_made_harmless() -> None:
    body = (
        file(r"C:\Temp\..\a.png", media_type="text/html; charset=utf-8")
        + file("../../etc/passwd\u202e", media_type="<script>")
        + part("Content-Disposition: form-data; name=a; filename=")
        + END
    )
    assert [(each.name, each.media_type) for each in read_form(TYPE, body).files] == [
        ("a.png", "text/html"),
        ("passwd", "application/octet-stream"),
        ("file", "application/octet-stream"),
    ]


def test_the_first_of_two_counts_and_other_encodings_are_text() -> None:
    assert read_form(TYPE, named("a", b"1") + named("a", b"2") + named("b", b"\xff") + END).fields == {
        "a": "1",
        "b": "\ufffd",
    }


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("", named("a") + END),
        ("text/plain", named("a") + END),
        ("multipart/form-data", named("a") + END),
        ("multipart/mixed; boundary=xyz", named("a") + END),
        ("multipart/form-data; boundary=" + "y" * 300, named("a") + END),
        (TYPE, b""),
        (TYPE, named("a")),
        (TYPE, named("a")[:-4]),
        (TYPE, b"a=1&b=2"),
        (TYPE, part("X: y") + END),
        (TYPE, part("Content-Disposition: form-data") + END),
        (TYPE, part('Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: zip') + END),
        (
            TYPE,
            part('Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64', b"!") + END,
        ),
        (TYPE, part("".join(f"X-{n}: y\r\n" for n in range(20)) + 'Content-Disposition: x; name="a"') + END),
        (TYPE, part(f'Content-Disposition: form-data; name="{"a" * 9000}"') + END),
        (TYPE, b"".join(named(f"{n}") for n in range(30)) + END),
    ],
)
def test_what_is_no_form_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(MalformedForm):
        read_form(content_type, body)


PIECES = st.sampled_from(
    [
        *(b"--xyz", b"--xyz--", b"\r\n", b"\n", b"\r", b'"', b":", b"=", b"\xff", b"\x00", b" "),
        *(b"Content-Disposition: form-data; name=", b"; filename="),
        *(b"Content-Transfer-Encoding: quoted-printable", b"base64"),
    ]
)


@given(st.lists(PIECES | st.binary(max_size=5), max_size=40).map(b"".join))
def test_whatever_is_sent_is_read_or_refused(body: bytes) -> None:
    try:
        form = read_form(TYPE, b"--xyz\r\n" + body)
    except MalformedForm:
        return
    assert all(isinstance(text, str) for text in form.fields.values())
