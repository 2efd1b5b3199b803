"""The edge to the homeserver: what one room or one answer does wrong stops nothing else.

Against the real homeserver, or a small one of the test's own where Synapse cannot be made to answer so.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.demo.homeserver import Homeserver
from bot.matrix import sync
from bot.matrix.carrier import Carrier
from bot.matrix.client import TX_KEY, Login, MatrixClient
from bot.matrix.courier import Courier
from bot.matrix.encryption.machine import Machine
from bot.matrix.encryption.sealing import Sealer
from bot.matrix.errors import (
    AlreadyThere,
    MatrixError,
    RateLimited,
    Refused,
    TokenRejected,
    Unreachable,
)
from bot.matrix.events import FIRST_SYNC_FILTER, SYNC_FILTER, Reader, unlike_any
from bot.matrix.media import Uploader
from bot.matrix.pace import Pace
from bot.matrix.rooms import Doorkeeper
from bot.matrix.sync import SyncLoop
from bot.matrix.transport import Transport
from bot.services import invitations, outcomes, people, reception
from bot.services.jobs import Seed, Send
from bot.services.media import File, NoFile
from bot.services.seeds import Plan
from bot.services.unit import Policy, Signals, Unit, Units
from storage import outbox, posted, rooms
from storage.database import Database
from storage.outbox import Kind, Priority
from tests.integration.desk_data import ANNA, BOT, FREIBURG, POLICY, START, Clock, bare_database
from tests.people import Crowd, Human

JSON = dict[str, Any] | list[Any]


@dataclass
class Bot:
    """The parts of a bot that speak with the homeserver, and its database."""

    client: MatrixClient
    database: Database
    units: Units
    machine: Machine
    reader: Reader = field(init=False)

    def __post_init__(self) -> None:
        self.reader = Reader(
            self.client.user_id, lambda content, *, private: str(content.get("body")).startswith("!")
        )

    def doorkeeper(self, **wanted: str) -> Doorkeeper:
        """One for these rooms: key → address."""
        return Doorkeeper(self.client, self.units, wanted)

    async def sync_until(self, wanted: Callable[[], Awaitable[bool]]) -> None:
        """Sync until the database says so; nothing but the sync is done."""
        done = asyncio.Event()

        async def synced() -> None:
            if await wanted():
                done.set()

        loop = SyncLoop(self.client, self.units, self.reader, self.machine, lambda: None, synced)
        async with asyncio.timeout(20):
            running = asyncio.create_task(loop.run())
            waiting = asyncio.create_task(done.wait())
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
            running.cancel()
            if not done.is_set():
                await running
        await asyncio.gather(running, return_exceptions=True)

    async def pending(self) -> list[str]:
        """Rooms with an invitation that was not answered."""
        return [each.room_id for each in await self.units.look(invitations.pending)]

    async def is_in(self, room_id: str) -> bool:
        """As far as the database knows."""
        return room_id in await self.units.look(reception.joined_rooms)


@asynccontextmanager
async def bot_at(url: str, user_id: str, token: str, database_url: str) -> AsyncIterator[Bot]:
    """A bot, logged in."""
    client = MatrixClient(Login(url, user_id, access_token=token))
    async with bare_database(database_url) as database:
        policy = Policy(user_id, {"other": False}, "other", teams={"freiburg": "Freiburg"})
        try:
            await client.start()
            units = Units(database, policy)
            yield Bot(client, database, units, await Machine.started(client, units, Sealer("secret")))
        finally:
            await client.close()


@pytest.fixture
async def bot(homeserver: Homeserver, sqlite_database: str) -> AsyncIterator[Bot]:
    """On the real homeserver."""
    account = await homeserver.register(f"bot-{secrets.token_hex(4)}", secrets.token_hex(8), "Bot")
    async with bot_at(homeserver.url, account.user_id, account.access_token, sqlite_database) as bot:
        yield bot


@pytest.fixture
async def anna(people: Crowd) -> Human:
    return await people("anna")


@asynccontextmanager
async def fake(answer: Callable[[web.Request], tuple[int, JSON]]) -> AsyncIterator[str]:
    """A homeserver that knows the bot and answers everything else like this; its URL."""

    async def handle(request: web.Request) -> web.Response:
        if request.path.endswith("/whoami"):
            return web.json_response({"user_id": BOT, "device_id": "DEVICE"})
        status, body = answer(request)
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def no_file(_source: Mapping[str, Any]) -> File:
    """There is nothing to upload."""
    raise NoFile("none")


# Errors

ERRORS: list[tuple[int, JSON, MatrixError]] = [
    (404, {"errcode": "M_UNKNOWN"}, Refused("M_UNKNOWN")),
    (400, {"errcode": "M_UNKNOWN"}, Refused("M_UNKNOWN")),
    (404, {"errcode": "M_UNRECOGNIZED"}, Refused("M_UNRECOGNIZED")),
    (403, {"errcode": "M_FORBIDDEN"}, Refused("M_FORBIDDEN")),
    (403, {"errcode": "M_\0"}, Unreachable("HTTP 403")),
    (403, {"errcode": "M" * 101}, Unreachable("HTTP 403")),
    (413, {}, Refused("M_TOO_LARGE")),
    (400, {"errcode": "M_DUPLICATE_ANNOTATION"}, AlreadyThere("M_DUPLICATE_ANNOTATION")),
    (401, {"errcode": "M_UNKNOWN_TOKEN"}, TokenRejected("M_UNKNOWN_TOKEN")),
    (403, {"errcode": "M_RESOURCE_LIMIT_EXCEEDED"}, Unreachable("M_RESOURCE_LIMIT_EXCEEDED")),
    (401, {"errcode": "M_USER_LOCKED", "soft_logout": True}, Unreachable("M_USER_LOCKED")),
    (403, {"errcode": "M_USER_SUSPENDED"}, Unreachable("M_USER_SUSPENDED")),
    (403, {"errcode": "M_CONSENT_NOT_GIVEN"}, Unreachable("M_CONSENT_NOT_GIVEN")),
    (408, {"errcode": "M_UNKNOWN"}, Unreachable("HTTP 408")),
    (404, {}, Unreachable("HTTP 404")),
    (502, {"errcode": "M_UNKNOWN"}, Unreachable("HTTP 502")),
    (429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1500}, RateLimited(1.5)),
    (429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1e300}, RateLimited(3600)),
    (429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": -7}, RateLimited(0.5)),
]


@pytest.mark.parametrize(("status", "body", "expected"), ERRORS)
async def test_what_is_final_and_what_passes(status: int, body: JSON, expected: MatrixError) -> None:
    async with fake(lambda _request: (status, body)) as url:
        client = MatrixClient(Login(url, BOT, access_token="t"))
        try:
            await client.start()
            for request in (
                lambda: client.send(FREIBURG, "m.reaction", {}, "tx"),
                lambda: client.page_back(FREIBURG, None, None, {}),
            ):
                with pytest.raises(MatrixError) as raised:
                    await request()
                assert (type(raised.value), raised.value) == (type(expected), expected)
        finally:
            await client.close()


@asynccontextmanager
async def raw(answers: list[bytes]) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that gives these answers in turn, each to a whole request, an empty one by hanging up; its URL
    and the bodies that it got. One connection lives as long as it is answered.
    """
    bodies: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while answers:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(
                    (int(line[16:]) for line in head.splitlines() if line.startswith("Content-Length: ")), 0
                )
                bodies.append(await reader.readexactly(length))
                answer = answers.pop(0)
                writer.write(answer)
                await writer.drain()
                if not answer:
                    break
        except asyncio.IncompleteReadError:
            pass  # the other side hung up
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", bodies


def http(status: int, body: JSON) -> bytes:
    """An answer as it comes over the line."""
    text = json.dumps(body).encode()
    return b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        status,
        len(text),
        text,
    )


async def failure_of(url: str, transport: Transport | None = None) -> MatrixError:
    """How a request with a body fails there."""
    used = transport or Transport(url, BOT)
    try:
        with pytest.raises(MatrixError) as raised:
            await used.ask("PUT", "/send", {"body": "hello"})
    finally:
        await used.close()
    return raised.value


async def test_what_was_refused_a_connection_cannot_have_arrived(unused_tcp_port: int) -> None:
    error = await failure_of(f"http://127.0.0.1:{unused_tcp_port}")
    assert error == Unreachable("ClientConnectorError", may_have_arrived=False)


async def test_what_was_read_and_not_answered_may_have_arrived() -> None:
    async with raw([b""]) as (url, bodies):
        error = await failure_of(url)
    assert error == Unreachable("ServerDisconnectedError", may_have_arrived=True)
    assert bodies == [b'{"body": "hello"}']


@pytest.mark.parametrize("status", [403, 429])
async def test_a_no_to_the_second_try_says_nothing_of_the_first(status: int) -> None:
    no = http(status, {"errcode": "M_LIMIT_EXCEEDED" if status == 429 else "M_FORBIDDEN"})
    async with raw([http(200, {}), b"", no]) as (url, bodies):
        transport = Transport(url, BOT)
        await transport.ask("PUT", "/send", {"body": "hello"})
        error = await failure_of(url, transport)
    assert error == Unreachable(f"HTTP {status}", may_have_arrived=True)
    assert len(bodies) == 3


async def test_a_no_to_a_question_that_was_asked_twice_is_a_no() -> None:
    """Nothing of it can have arrived that would matter."""
    async with raw([http(200, {}), b"", http(404, {"errcode": "M_NOT_FOUND"})]) as (url, bodies):
        transport = Transport(url, BOT)
        await transport.ask("GET", "/account_data")
        with pytest.raises(Refused, match="M_NOT_FOUND"):
            await transport.ask("GET", "/account_data")
        await transport.close()
    assert len(bodies) == 3


async def test_a_no_behind_a_redirection_is_a_no() -> None:
    moved = http(308, {}).replace(b"Content-Type", b"Location: /there\r\nContent-Type")
    async with raw([moved, http(403, {"errcode": "M_FORBIDDEN"})]) as (url, bodies):
        error = await failure_of(url)
    assert error == Refused("M_FORBIDDEN")
    assert len(bodies) == 2


async def test_rooms_and_events_that_do_not_exist_are_refused_for_good(bot: Bot, anna: Human) -> None:
    for address in ("!typo:localhost", "!typo", "#typo:localhost"):
        with pytest.raises(Refused):
            await bot.client.join(address)
    room = await anna.create_room("Freiburg", invite=[bot.client.user_id])
    await bot.client.join(room)
    for relation in ("m.thread", "m.replace"):
        content = {"body": "x", "msgtype": "m.text", "m.new_content": {"body": "x", "msgtype": "m.text"}}
        content["m.relates_to"] = {"rel_type": relation, "event_id": "$nowhere"}
        with pytest.raises(Refused):
            await bot.client.send(room, "m.room.message", content, secrets.token_hex(8))


async def test_a_reaction_that_stands_there_already_is_told_apart(bot: Bot, anna: Human) -> None:
    room = await anna.create_room("Freiburg", invite=[bot.client.user_id])
    await bot.client.join(room)
    said = await anna.say(room, "!take 1")
    content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": said, "key": "✅"}}
    await bot.client.send(room, "m.reaction", content, "first")
    with pytest.raises(AlreadyThere):
        await bot.client.send(room, "m.reaction", content, "second")


# Rooms and invitations


async def test_a_wrong_room_keeps_no_other_from_being_joined(
    bot: Bot, anna: Human, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.matrix.rooms._FIRST_PAUSE", 0.0)
    room = await anna.create_room("Freiburg", invite=[bot.client.user_id])
    later = await anna.create_room("Later")
    doorkeeper = bot.doorkeeper(
        typo="!typo:localhost", bare="!typo", alias="#typo:localhost", triage=later, team=room
    )
    await doorkeeper.settle()
    assert await anna.members(room) == {anna.user_id, bot.client.user_id}
    assert await anna.members(later) == {anna.user_id}
    await anna.send_state(later, "m.room.join_rules", {"join_rule": "public"})
    await doorkeeper.retry()
    assert bot.client.user_id in await anna.members(later)


async def test_a_homeserver_that_does_not_answer_for_a_room_keeps_no_other_waiting(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alias of yesterday holds on, and is looked up again; less and less often while it is in vain."""
    monkeypatch.setattr("bot.matrix.rooms._FIRST_PAUSE", 0.01)
    joined: list[str] = []
    looked_up: list[float] = []

    def answer(request: web.Request) -> tuple[int, JSON]:
        if "/directory/" in request.path:
            looked_up.append(asyncio.get_running_loop().time())
            return 502, {}
        joined.append(request.path.rpartition("/")[2])
        return 200, {"room_id": joined[-1]}

    async with fake(answer) as url, bot_at(url, BOT, "t", sqlite_database) as bot:
        yesterday = {"admin": ("#admin:example.org", "!yesterday:example.org")}
        await bot.units.run(lambda unit: reception.configure_rooms(unit, yesterday))
        doorkeeper = bot.doorkeeper(admin="#admin:example.org", triage="!triage:example.org")
        await doorkeeper.settle()
        assert joined == ["!triage:example.org"]
        assert await bot.units.look(lambda unit: reception.is_configured(unit, "!yesterday:example.org"))
        while len(looked_up) < 5:
            await doorkeeper.retry()
            await asyncio.sleep(0.001)
    gaps = [after - before for before, after in pairwise(looked_up)]
    assert [gap >= 0.01 * 2**index for index, gap in enumerate(gaps)] == [True] * 4


async def test_an_invitation_outlives_the_process(bot: Bot, anna: Human) -> None:
    """The sync that brought it is committed and comes no more: the database still has it to be answered."""
    team = await anna.create_room("Freiburg", invite=[bot.client.user_id])
    await bot.doorkeeper(**{"team:freiburg": team}).settle()
    await bot.sync_until(lambda: bot.is_in(team))
    direct = await anna.direct_chat_with(bot.client.user_id)

    async def invited() -> bool:
        return await bot.pending() == [direct]

    await bot.sync_until(invited)

    await bot.doorkeeper(**{"team:freiburg": team}).answer_invitations()

    assert bot.client.user_id in await anna.members(direct)
    await bot.sync_until(lambda: bot.is_in(direct))
    assert await bot.pending() == []


async def test_declined_and_withdrawn_invitations_are_over(bot: Bot, anna: Human, people: Crowd) -> None:
    olga, me = await people("olga"), bot.client.user_id
    team = await anna.create_room("Freiburg", invite=[me])
    doorkeeper = bot.doorkeeper(**{"team:freiburg": team})
    await doorkeeper.settle()
    await bot.sync_until(lambda: bot.is_in(team))
    declined = {await olga.direct_chat_with(me), await anna.create_room("Group", invite=[me])}
    withdrawn = await anna.create_room("", invite=[me], is_direct=True)

    async def all_invited() -> bool:
        return set(await bot.pending()) == {*declined, withdrawn}

    await bot.sync_until(all_invited)
    await anna.kick(withdrawn, me)

    await doorkeeper.answer_invitations()

    async def none_left() -> bool:
        return await bot.pending() == []

    await bot.sync_until(none_left)
    assert [room for room in (*declined, withdrawn) if await bot.is_in(room)] == []
    await doorkeeper.answer_invitations()


async def test_an_invitation_that_cannot_be_answered_now_waits(sqlite_database: str) -> None:
    status = 503
    own = {"type": "m.room.member", "state_key": BOT, "sender": ANNA, "content": {"membership": "invite"}}
    invite = {FREIBURG: {"invite_state": {"events": [own]}}}

    def answer(request: web.Request) -> tuple[int, JSON]:
        if request.path.endswith("/sync"):
            return 200, {"next_batch": "t1", "rooms": {"invite": invite}}
        return status, {"errcode": "M_FORBIDDEN"}

    async with fake(answer) as url, bot_at(url, BOT, "t", sqlite_database) as bot:

        async def invited() -> bool:
            return await bot.pending() == [FREIBURG]

        await bot.sync_until(invited)
        doorkeeper = bot.doorkeeper()
        await doorkeeper.answer_invitations()
        assert await bot.pending() == [FREIBURG]
        status = 403
        await doorkeeper.answer_invitations()
        assert await bot.pending() == []


# The sync


async def test_names_and_texts_with_nul_are_kept_on_both_databases(
    homeserver: Homeserver, anna: Human, database_url: str
) -> None:
    account = await homeserver.register(f"bot-{secrets.token_hex(4)}", secrets.token_hex(8), "Bot")
    await anna.call("PUT", "profile", anna.user_id, "displayname", body={"displayname": "An\0na"})
    room = await anna.create_room("Frei\0burg", invite=[account.user_id])
    async with bot_at(homeserver.url, account.user_id, account.access_token, database_url) as bot:
        await bot.doorkeeper(**{"team:freiburg": room}).settle()
        await anna.say(room, "!note 1 a\0b", formatted="<b>\0</b>")

        async def received() -> bool:
            return bool(await bot.units.look(reception.waiting))

        await bot.sync_until(received)
        (incoming,) = await bot.units.look(reception.waiting)
        assert incoming.content["body"] == "!note 1 a\ufffdb"
        members = await bot.units.look(lambda unit: people.members_of(unit, "freiburg"))
        assert members == {anna.user_id: "An\ufffdna"}


def said(event_id: str, moment: int, sender: str = ANNA, **content: Any) -> JSON:
    return {
        "type": "m.room.message", "event_id": event_id, "sender": sender, "origin_server_ts": moment,
        "content": {"body": "!take 1", **content},
    }  # fmt: skip


async def test_a_room_whose_history_is_refused_stalls_no_other(sqlite_database: str) -> None:
    """What it did tell comes, and the events of all rooms are in the order of their times."""
    good, bad = "!good:example.org", "!bad:example.org"

    def answer(request: web.Request) -> tuple[int, JSON]:
        if request.path.endswith("/state"):
            return 200, []
        if not request.path.endswith("/sync"):
            page = {"chunk": [said("$missed", 1)], "start": "p"}
            return (200, page) if good in request.path else (403, {"errcode": "M_FORBIDDEN"})
        if "since" not in request.query:
            return 200, {"next_batch": "t1", "rooms": {"join": {good: {}, bad: {}}}}
        cut = {"limited": True, "prev_batch": "p"}
        rooms = {
            good: {"timeline": {**cut, "events": [said("$2", 2), said("$4", 4)]}},
            bad: {"timeline": {**cut, "events": [said("$3", 3), said("$5", 5)]}},
        }
        return 200, {"next_batch": "t2", "rooms": {"join": rooms}}

    async with fake(answer) as url, bot_at(url, BOT, "t", sqlite_database) as bot:

        async def received() -> bool:
            return bool(await bot.units.look(reception.waiting))

        await bot.sync_until(received)
        incoming = await bot.units.look(reception.waiting)
        assert [each.event_id for each in incoming] == ["$missed", "$2", "$3", "$4", "$5"]


async def test_no_run_begins_with_a_request_that_was_answered_before(sqlite_database: str) -> None:
    """A homeserver that repeats its answer would hide from a restored bot what it has said since."""
    asked: list[Mapping[str, str]] = []

    def answer(request: web.Request) -> tuple[int, JSON]:
        if request.path.endswith("/sync"):
            asked.append(dict(request.query))
        return 200, {"next_batch": "t"}

    begun = []
    async with fake(answer) as url, bot_at(url, BOT, "t", sqlite_database) as bot:

        async def twice() -> bool:
            return len(asked) > 1

        for _run in range(3):
            asked.clear()
            await bot.sync_until(twice)
            begun.append(asked[0])
            assert (asked[0]["timeout"], json.loads(asked[1]["filter"])) == ("0", SYNC_FILTER)
    assert len({json.dumps(query) for query in begun}) == len(begun)


async def test_the_homeserver_tells_anew_who_asks_unlike_any(bot: Bot, anna: Human) -> None:
    room = await anna.create_room("talk", invite=[bot.client.user_id])
    await bot.client.join(room)
    first = await bot.client.sync(None, 0, unlike_any(FIRST_SYNC_FILTER))
    asked, unlike = unlike_any(SYNC_FILTER), unlike_any(SYNC_FILTER)

    async def told(wanted: Mapping[str, Any]) -> list[str]:
        answer = await bot.client.sync(first["next_batch"], 0, wanted)
        return [each["event_id"] for each in answer["rooms"]["join"][room]["timeline"]["events"]]

    one = await anna.say(room, "!list")
    assert await told(asked) == [one]
    two = await anna.say(room, "!mine")
    assert await told(asked) == [one], "so that is what it must not be asked"
    assert await told(unlike) == [one, two]


@pytest.mark.parametrize(("messages", "comes_in"), [(4, False), (1, True)])
async def test_while_the_bot_posts_its_own_messages_do_not_keep_the_homeserver_busy(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch, messages: int, *, comes_in: bool
) -> None:
    """Each sync costs the homeserver as much as a message. And the bot, while requests come in."""
    monkeypatch.setattr(Signals, "much_comes_in", lambda _signals: comes_in)
    room, syncs = "!room:example.org", 0

    def answer(request: web.Request) -> tuple[int, JSON]:
        nonlocal syncs
        if not request.path.endswith("/sync"):
            return 200, []
        syncs += 1
        own = [said(f"${syncs}-{each}", 1, BOT, **{TX_KEY: f"{syncs}-{each}"}) for each in range(messages)]
        return 200, {"next_batch": f"t{syncs}", "rooms": {"join": {room: {"timeline": {"events": own}}}}}

    async with fake(answer) as url, bot_at(url, BOT, "t", sqlite_database) as bot:
        wanted = {"team:freiburg": ("#freiburg:example.org", room)}
        await bot.units.run(lambda unit: reception.configure_rooms(unit, wanted))
        begin = asyncio.get_running_loop().time()

        async def enough() -> bool:
            return syncs == 6

        await bot.sync_until(enough)
        # The first two tell of the room, too.
        assert asyncio.get_running_loop().time() - begin > 3 * sync._WHILE_POSTING


async def test_who_left_while_the_bot_wrote_has_left(sqlite_database: str) -> None:
    """The room's history forks then, and the sync tells the state before one of the two events."""
    room, eve = "!room:example.org", "@eve:example.org"

    def member(user_id: str, membership: str) -> JSON:
        content = {"membership": membership}
        return {
            "type": "m.room.member", "state_key": user_id, "sender": user_id, "event_id": f"${user_id}",
            "content": content,
        }  # fmt: skip

    steps = {
        None: {"state": {"events": [member(BOT, "join"), member(eve, "join")]}},
        "t1": {"timeline": {"events": [member(eve, "leave")]}},
        "t2": {"state": {"events": [member(eve, "join")]}, "timeline": {"events": [said("$one", 1)]}},
    }

    def answer(request: web.Request) -> tuple[int, JSON]:
        if request.path.endswith("/state"):
            return 200, [member(BOT, "join"), member(eve, "leave")]
        since = request.query.get("since")
        if since not in steps:
            return 200, {"next_batch": since}
        token = f"t{1 if since is None else int(since[1:]) + 1}"
        return 200, {"next_batch": token, "rooms": {"join": {room: steps[since]}}}

    async with fake(answer) as url, bot_at(url, BOT, "t", sqlite_database) as bot:

        async def received() -> bool:
            return bool(await bot.units.look(reception.waiting))

        await bot.sync_until(received)
        assert set(await bot.units.look(lambda unit: rooms.members(unit.session, room))) == {BOT}


# The courier


def carrier_of(bot: Bot) -> Carrier:
    """Sends empty messages, and no files."""
    uploader = Uploader(bot.client, bot.machine, bot.units, no_file)
    return Carrier(bot.client, bot.machine, bot.units, lambda _send: {}, uploader, Pace())


async def test_one_odd_time_does_not_end_the_search_for_what_was_sent(sqlite_database: str) -> None:
    """And somebody else's copy of the transaction id is not taken for it."""
    now = int(START.timestamp() * 1000)
    copy = said("$copy", now, ANNA, **{TX_KEY: "tx"})
    pages = {
        "": ([said("$1", now), said("$odd", 0), copy], "2"),
        "2": ([said("$mine", now, BOT, **{TX_KEY: "tx"})], None),
    }

    def answer(request: web.Request) -> tuple[int, JSON]:
        chunk, end = pages[request.query.get("from", "")]
        return 200, json.loads(json.dumps({"chunk": chunk, **({"end": end} if end else {})}))

    async with fake(answer) as url, bot_at(url, BOT, "t", sqlite_database) as bot:
        carrier = carrier_of(bot)
        job = Send(1, "card", "tx", FREIBURG, "m.room.message", START - timedelta(hours=1))
        assert await carrier.already_there(job) == "$mine"


@pytest.mark.parametrize("found", [True, False])
async def test_a_card_that_is_found_in_the_room_may_be_an_older_one(
    sqlite_database: str, *, found: bool
) -> None:
    now = int(START.timestamp() * 1000)
    told = []

    def answer(_request: web.Request) -> tuple[int, JSON]:
        there = [said("$mine", now, BOT, **{TX_KEY: "tx"})] if found else []
        return 200, {"chunk": there, "event_id": "$new"}

    def noted(_unit: Unit, *_what: object, older: bool) -> None:
        told.append(older)

    async with fake(answer) as url, bot_at(url, BOT, "t", sqlite_database) as bot:
        carrier = carrier_of(bot)
        job = Send(1, "card", "tx", FREIBURG, "m.room.message", START, search_first=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(outcomes, "sent", noted)
            await carrier.bring(job)
    assert told == [found]


async def test_a_reaction_whose_answer_was_lost_is_not_taken_for_another(sqlite_database: str) -> None:
    """The next round has less to do, and the same place in it means another emoji."""
    sent: dict[str, str] = {}

    def answer(request: web.Request) -> tuple[int, JSON]:
        return 200, {"event_id": sent.setdefault(request.path, f"${len(sent)}")}

    async with fake(answer) as url, bot_at(url, BOT, "t", sqlite_database) as bot:
        carrier = carrier_of(bot)
        for emoji in (("🙋", "⏳"), ("⏳", "✅")):
            await carrier.bring(Seed(1, "seed", "tx", Plan(FREIBURG, "$card", emoji, (), ())))
        with bot.database.read() as session:
            assert posted.seeds_on(session, "$card") == {"🙋": "$0", "⏳": "$1", "✅": "$2"}


async def test_the_courier_notices_that_its_clock_was_set_back(sqlite_database: str) -> None:
    async with fake(lambda _request: (200, {})) as url, bot_at(url, BOT, "t", sqlite_database) as bot:
        clock = Clock()
        units = Units(bot.database, POLICY, clock)
        courier = Courier(
            bot.client,
            bot.machine,
            units,
            lambda _send: {},
            Uploader(bot.client, bot.machine, units, no_file),
        )
        for hours in (2, -1):
            clock.advance(hours=hours)
            await units.run(
                lambda unit: outbox.put(unit.session, Kind.CARD, Priority.CARD, unit.now, number=1)
            )
            await courier._follow_clock()
        with bot.database.read() as session:
            rows = outbox.due(session, clock(), ())
        assert len(rows) == 1
        assert rows[0].next_attempt_at == clock()
