"""Whatever answers in the homeserver's place: a value of the right kind or a MatrixError, and soon."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.matrix.client import Login, MatrixClient
from bot.matrix.errors import MatrixError
from tests.fuzz.cases import cases
from tests.fuzz.rubbish import VALUES, Raw, written
from tests.integration.desk_data import BOT, FREIBURG

CALLS: Final[dict[str, Callable[[MatrixClient], Awaitable[Any]]]] = {
    "start": lambda client: client.start(),
    "sync": lambda client: client.sync("t1", 0, {}),
    "upload": lambda client: client.upload(b"x", "text/plain", "a.txt"),
    "send": lambda client: client.send(FREIBURG, "m.reaction", {}, "tx"),
    "redact": lambda client: client.redact(FREIBURG, "$event", "tx"),
    "join": lambda client: client.join(FREIBURG),
    "leave": lambda client: client.leave(FREIBURG),
    "resolve": lambda client: client.resolve("#room:example.org"),
    "state": lambda client: client.state(FREIBURG),
    "page_back": lambda client: client.page_back(FREIBURG, "t1", None, {}),
    "own_reaction": lambda client: client.own_reaction(FREIBURG, "$event", "✅"),
    "log_out": lambda client: client.log_out(),
}
KEYS: Final = (
    "event_id", "room_id", "user_id", "device_id", "content_uri", "next_batch", "chunk", "end", "errcode",
    "error", "retry_after_ms", "soft_logout", "servers",
)  # fmt: skip
RIGHT: Final = {
    "event_id": "$event", "room_id": FREIBURG, "user_id": BOT, "device_id": "DEVICE", "next_batch": "t2",
    "content_uri": "mxc://example.org/a", "servers": ["example.org"], "chunk": [],
}  # fmt: skip
CODES: Final = st.sampled_from(
    ["M_FORBIDDEN", "M_LIMIT_EXCEEDED", "M_UNKNOWN_TOKEN", "M_UNKNOWN", "M_DUPLICATE_ANNOTATION", "x" * 9_000]
)
REACTION: Final = {
    "sender": BOT, "event_id": "$r", "content": {"m.relates_to": {"key": "✅"}}
}  # fmt: skip
OBJECTS: Final = st.dictionaries(
    st.sampled_from(KEYS), VALUES | CODES | st.lists(st.just(REACTION) | VALUES, max_size=3), max_size=4
).flatmap(lambda odd: st.sampled_from([odd, {**RIGHT, **odd}]))
BODIES: Final = st.one_of(
    OBJECTS.map(lambda value: written(value).encode()),
    VALUES.map(lambda value: written(value).encode()),
    st.sampled_from([Raw("NaN"), Raw('{"retry_after_ms":NaN}')]).map(lambda raw: raw.text.encode()),
    st.binary(max_size=60),
    OBJECTS.map(lambda value: b'{"a":"\xff\xfe", ' + written(value).encode()[1:]),
    OBJECTS.map(lambda value: written(value).encode("utf-16")),
    OBJECTS.map(lambda value: written(value).encode()[:-1]),
)
TYPES: Final = st.sampled_from(
    ["application/json", "application/json; charset=utf-16", "application/json; charset=no-such",
     "text/html; charset=utf-8", "application/json; charset=\xff", "", "multipart/mixed"]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back, byte by byte."""

    status: int
    media_type: str
    body: bytes
    encoding: str = ""
    length: int | None = None
    """The length that is claimed; none: the connection's end ends it."""
    raw: bytes | None = None
    """Instead of HTTP."""

    def bytes(self) -> bytes:
        """All of it."""
        if self.raw is not None:
            return self.raw
        lines = [f"HTTP/1.1 {self.status} X", f"Content-Type: {self.media_type}", "Connection: close"]
        lines += [f"Content-Encoding: {self.encoding}"] if self.encoding else []
        lines += [f"Content-Length: {self.length}"] if self.length is not None else []
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Mostly HTTP with something odd in it."""
    if draw(st.integers(0, 19)) == 0:
        return Answer(200, "", b"", raw=draw(st.binary(max_size=100)))
    body = draw(BODIES)
    status = draw(
        st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 408, 413, 429, 500, 502, 599])
    )
    encoding = draw(st.sampled_from(["", "", "", "", "gzip", "deflate", "rubbish"]))
    if encoding == "gzip" and draw(st.booleans()):
        body = gzip.compress(body)
    length = draw(st.sampled_from([None, len(body), len(body), len(body) + 5, max(0, len(body) - 1)]))
    return Answer(status, draw(TYPES), body, encoding, length)


class Impostor:
    """Answers every request with the same bytes."""

    def __init__(self) -> None:
        self.answer = b""
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self.answer)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def impostor() -> AsyncIterator[Impostor]:
    """A server in the homeserver's place."""
    running = Impostor()
    server = await asyncio.start_server(running.handle, "127.0.0.1", 0)
    async with server:
        running.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield running


@pytest.fixture(scope="session")
async def place() -> AsyncIterator[tuple[Impostor, MatrixClient]]:
    """One impostor and one client for many cases."""
    async with impostor() as running:
        client = MatrixClient(Login(running.url, BOT, access_token="t"))
        try:
            yield running, client
        finally:
            await client.close()


def is_fit(found: Any) -> bool:
    """Whether a result can be kept as what it is: ids on both databases."""
    match found:
        case str():
            return 0 < len(found.encode()) <= 1_000 and "\0" not in found
        case dict() | list() | None:
            return True
        case (list() as chunk, end):
            return all(isinstance(each, dict) for each in chunk) and (end is None or isinstance(end, str))
    return False


@pytest.mark.parametrize("name", CALLS)
@cases(30, 0.01)
@given(answer=answers())
async def test_any_answer_is_read_or_is_an_error(
    place: tuple[Impostor, MatrixClient], name: str, answer: Answer
) -> None:
    running, client = place
    running.answer = answer.bytes()
    found: Any = None
    problem = ""
    async with asyncio.timeout(10):
        try:
            found = await CALLS[name](client)
        except MatrixError as error:
            problem = repr(error)
    assert len(problem) < 300, "an error's text goes to the log"
    assert is_fit(found), found
