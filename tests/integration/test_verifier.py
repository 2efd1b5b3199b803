"""Verifications event by event, on a real database and with the other side played by the same exchange."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from bot.matrix.encryption import verification as module
from bot.matrix.encryption.comparing import METHOD, Comparison, Party
from bot.matrix.encryption.devices import Device
from bot.matrix.encryption.identity import PrivateIdentity, PublicIdentity, Usage, identity_in
from bot.matrix.encryption.machine import RoomEvent
from bot.matrix.encryption.own import Identity
from bot.matrix.encryption.receiving import ToDevice
from bot.matrix.encryption.verification import Verifier
from bot.services import verification
from bot.services.jobs import Send
from bot.services.views import OwnSessionReport
from tests.integration.desk_data import ADMINS, ANNA, BOT, DORA, START, Desk, desk_on

PREFIX = "m.key.verification."
PHONE = "phone key"


@dataclass
class Machine:
    """What a verification wants of the encryption; keeps what is sent to the other side."""

    user_id: str = BOT
    device_id: str = "BOT"
    identity: Identity = field(default_factory=lambda: Identity("curve", "bot key"))
    sent: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    async def say(self, _room_id: str, event_type: str, content: Mapping[str, Any], _tx_id: str) -> str:
        self.sent.append((event_type.removeprefix(PREFIX), content))
        return "$event"

    async def send_plain(self, event_type: str, messages: Mapping[str, Any], _tx_id: str) -> None:
        for devices in messages.values():
            self.sent += [(event_type.removeprefix(PREFIX), content) for content in devices.values()]

    async def devices_of(self, user_id: str) -> list[Device]:
        return [Device(user_id=user_id, device_id="PHONE", curve25519="c", ed25519=PHONE)]

    def said(self) -> list[str]:
        """The kinds of messages, in order."""
        return [kind for kind, _content in self.sent]

    def last(self, kind: str) -> Mapping[str, Any]:
        """The latest message of this kind."""
        return [content for found, content in self.sent if found == kind][-1]


@dataclass
class CrossSigning:
    """The bot's keys, and whom they have signed."""

    keys: PrivateIdentity | None = field(default_factory=lambda: PrivateIdentity.made(BOT))
    signed: list[str] = field(default_factory=list)

    async def sign_person(self, identity: PublicIdentity) -> bool:
        self.signed.append(identity.master)
        return True


@dataclass
class Account:
    """What the homeserver tells of the admin."""

    identity: PublicIdentity | None

    async def identity_of(self, _user_id: str) -> PublicIdentity | None:
        return self.identity


@dataclass
class Table:
    """Both sides of a verification from device to device."""

    desk: Desk
    verifier: Verifier
    machine: Machine
    cross_signing: CrossSigning
    master: str
    """The admin's."""

    def admin(self, transaction: str = "t", device: str = PHONE) -> Comparison:
        """The admin's side of the exchange."""
        me = Party(DORA, "PHONE", {"ed25519:PHONE": device, f"ed25519:{self.master}": self.master})
        keys = self.cross_signing.keys
        assert keys is not None
        bot = {"ed25519:BOT": "bot key", f"ed25519:{keys.public[Usage.MASTER]}": keys.public[Usage.MASTER]}
        return Comparison(me, Party(BOT, "BOT", bot), transaction)

    async def tell(
        self, kind: str, content: Mapping[str, Any], *, by: str = DORA, transaction: str = "t"
    ) -> None:
        """A message from the other side."""
        told = {**content, "transaction_id": transaction}
        await self.verifier.to_device(ToDevice(by, PREFIX + kind, told))

    async def ask(
        self, *, by: str = DORA, transaction: str = "t", at: datetime = START, **change: Any
    ) -> None:
        """A request."""
        stamp = int(at.timestamp() * 1000)
        request = {"from_device": "PHONE", "methods": [METHOD], "timestamp": stamp, **change}
        await self.tell("request", request, by=by, transaction=transaction)

    async def shown(self, transaction: str = "t") -> Comparison:
        """From the request to the emoji; the admin's side."""
        admin = self.admin(transaction)
        await self.ask(transaction=transaction)
        await self.tell("start", admin.start({"transaction_id": transaction}), transaction=transaction)
        await self.tell("key", admin.take_accept(self.machine.last("accept")), transaction=transaction)
        admin.take_key(self.machine.last("key"))
        return admin

    async def decide(self, *, yes: bool) -> None:
        """The admin's word."""
        await self.desk.units.run(lambda unit: verification.decide(unit, "t", yes=yes))
        await self.until(lambda: self.machine.sent[-1][0] in ("mac", "done", "cancel"))

    async def until(self, wanted: Any) -> None:
        """Until the rounds have brought it about."""
        async with asyncio.timeout(10):
            while not wanted():  # noqa: ASYNC110 - what is looked at tells nobody
                await asyncio.sleep(0.01)

    @property
    def code(self) -> object:
        """Why the bot called it off."""
        return self.machine.last("cancel")["code"]

    async def ended(self) -> list[object]:
        """How those that are over were told of, once none is under way."""
        async with asyncio.timeout(10):
            while await self.desk.units.look(verification.running):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        return [(row.payload or {})["end"] for row in await self.desk.alerts("verification_over")]


@asynccontextmanager
async def table_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, known: bool = True
) -> AsyncIterator[Table]:
    """A table whose rounds are quick. :param known: whether the homeserver tells the admin's master key."""
    monkeypatch.setattr(module, "_ROUND", 0.01)
    admin = PrivateIdentity.made(DORA)
    answer = {f"{name}s": {DORA: told} for name, told in admin.to_publish("PHONE", "").items()}
    machine, cross_signing = Machine(), CrossSigning()
    account = Account(identity_in(answer, DORA) if known else None)
    parts: tuple[Any, Any, Any] = (machine, cross_signing, account)
    verifier = Verifier(*parts, desk.units)
    running = asyncio.create_task(verifier.run())
    try:
        yield Table(desk, verifier, machine, cross_signing, admin.public[Usage.MASTER])
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.fixture
async def table(sqlite_database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Table]:
    async with desk_on(sqlite_database) as desk, table_on(desk, monkeypatch) as table:
        yield table


async def test_both_say_yes_and_the_bot_signs(table: Table) -> None:
    admin = await table.shown()
    (question,) = await table.desk.alerts("comparison")
    assert admin.shown is not None
    assert (question.payload or {})["emoji"] == list(admin.shown.emoji)
    assert question.room == "admin"
    await table.tell("mac", admin.mac())
    assert table.machine.said() == ["ready", "accept", "key"], "the bot waits for the admin's word"
    await table.decide(yes=True)
    await table.until(lambda: table.machine.said()[-1] == "done")
    admin.take_mac(table.machine.last("mac"))
    assert len(admin.verified) == 2
    assert table.cross_signing.signed == [table.master]
    assert await table.ended() == ["done"]
    assert await table.desk.units.look(verification.running) == ()


async def test_the_admin_is_first(table: Table) -> None:
    admin = await table.shown()
    await table.decide(yes=True)
    assert table.machine.said()[-1] == "mac"
    assert table.cross_signing.signed == []
    await table.tell("mac", admin.mac())
    assert table.machine.said()[-1] == "done"
    assert table.cross_signing.signed == [table.master]


async def test_an_admin_without_cross_signing_is_verified_but_not_signed(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk_on(sqlite_database) as desk, table_on(desk, monkeypatch, known=False) as table:
        admin = await table.shown()
        await table.decide(yes=True)
        await table.tell("mac", admin.mac())
        assert table.machine.said()[-1] == "done"
        assert table.cross_signing.signed == []


async def test_no_means_no(table: Table) -> None:
    admin = await table.shown()
    await table.tell("mac", admin.mac())
    await table.decide(yes=False)
    assert table.code == "m.mismatched_sas"
    assert await table.ended() == ["different"]
    assert table.cross_signing.signed == []


async def test_another_device_than_the_homeserver_tells(table: Table) -> None:
    admin = await table.shown()
    admin.me = Party(DORA, "PHONE", {"ed25519:PHONE": "other key"})
    await table.tell("mac", admin.mac())
    assert table.code == "m.key_mismatch"
    assert await table.ended() == ["broken"]


async def test_what_is_not_said_in_time_is_over(table: Table) -> None:
    await table.shown()
    table.desk.clock.advance(minutes=11)
    await table.until(lambda: table.machine.said()[-1] == "cancel")
    assert table.code == "m.timeout"
    assert await table.ended() == ["timeout"]


async def test_if_nobody_starts_the_bot_does(table: Table) -> None:
    await table.ask()
    table.desk.clock.advance(seconds=11)
    await table.until(lambda: table.machine.said()[-1] == "start")
    admin = table.admin()
    accept = admin.take_start(table.machine.last("start"))
    assert accept is not None
    await table.tell("accept", accept)
    key = admin.take_key(table.machine.last("key"))
    assert key is not None
    await table.tell("key", key)
    (running,) = await table.desk.units.look(verification.running)
    assert admin.shown is not None
    assert running.emoji == admin.shown.emoji


async def test_one_at_a_time_per_person(table: Table) -> None:
    await table.shown()
    await table.ask(transaction="t2")
    assert table.machine.last("cancel")["transaction_id"] == "t"
    assert table.machine.last("ready")["transaction_id"] == "t2"
    (running,) = await table.desk.units.look(verification.running)
    assert running.transaction == "t2"


async def test_the_other_side_calls_it_off(table: Table) -> None:
    await table.shown()
    await table.tell("cancel", {"code": "m.user", "reason": "no"})
    assert await table.ended() == ["cancelled"]
    assert "cancel" not in table.machine.said()
    before = len(table.machine.sent)
    await table.tell("mac", {"mac": {}, "keys": ""})
    assert len(table.machine.sent) == before


async def test_who_is_no_admin_is_told_no_and_strangers_nothing(table: Table) -> None:
    for transaction in ("t1", "t2"):
        await table.ask(by=ANNA, transaction=transaction)
    assert table.machine.said() == ["cancel"], "not for each request"
    assert table.code == "m.user"
    await table.ask(by="@eve:example.org")
    assert table.machine.said() == ["cancel"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"methods": ["m.qr_code.scan.v1"]}, ["cancel"]),
        ({"methods": None}, ["cancel"]),
        ({"from_device": "UNKNOWN"}, ["cancel"]),
        ({"from_device": 7}, []),
        ({"timestamp": 0}, []),
        ({"timestamp": "now"}, []),
        ({"timestamp": int(START.timestamp() + 3600) * 1000}, []),
    ],
)
async def test_requests_that_lead_nowhere(table: Table, change: dict[str, Any], said: list[str]) -> None:
    await table.ask(**change)
    assert table.machine.said() == said


async def test_another_session_of_the_bots_account_is_told_no_and_the_admins_are_told_once(
    table: Table,
) -> None:
    """A stolen token must not become the bot; nor can it flood the admin room."""
    for transaction, device in (("a", "THIEF"), ("b", "OTHER")):
        await table.ask(by=BOT, transaction=transaction, from_device=device)
        told = table.machine.last("cancel")
        assert (told["transaction_id"], told["code"]) == (transaction, "m.user")
    (alert,) = await table.desk.alerts("own_session")
    assert (alert.payload, alert.room) == ({"what": "own_session", "device": "THIEF"}, "admin")
    shown = [job.view for job in await table.desk.deliver() if isinstance(job, Send)]
    assert shown == [OwnSessionReport("THIEF")]
    # What the bot's own device says comes back to it, and the rest of an exchange is not answered at all.
    await table.ask(by=BOT, transaction="c", from_device=table.machine.device_id)
    await table.tell("start", {"from_device": "THIEF"}, by=BOT, transaction="a")
    assert table.machine.said() == ["cancel", "cancel"]
    assert await table.desk.units.look(verification.running) == ()


async def test_nobody_else_speaks_in_a_verification(table: Table) -> None:
    admin = await table.shown()
    before = len(table.machine.sent)
    await table.tell("cancel", {"code": "m.user"}, by=ANNA)
    relation = {"rel_type": "m.reference", "event_id": "t"}
    event = RoomEvent(
        ADMINS,
        "$e",
        DORA,
        f"{PREFIX}cancel",
        {"code": "m.user", "m.relates_to": relation},
        START,
        encrypted=False,
    )
    await table.verifier.in_room(event)
    await table.tell("start", {**admin.start({}), "from_device": "OTHER"}, transaction="t2")
    assert len(table.machine.sent) == before
    assert len(await table.desk.units.look(verification.running)) == 1


async def test_in_a_room_only_the_direct_chat_counts(table: Table) -> None:
    request = {"msgtype": f"{PREFIX}request", "to": BOT, "from_device": "PHONE", "methods": [METHOD]}
    event = RoomEvent(ADMINS, "$ask", DORA, "m.room.message", request, START, encrypted=True)
    await table.verifier.in_room(event)
    assert table.machine.said() == ["cancel"]
    assert table.machine.last("cancel")["m.relates_to"] == {"rel_type": "m.reference", "event_id": "$ask"}


async def test_what_the_last_run_left_is_called_off(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk_on(sqlite_database) as desk:
        async with table_on(desk, monkeypatch) as table:
            await table.shown()
        async with table_on(desk, monkeypatch) as table:
            await table.until(lambda: table.machine.sent)
            assert table.code == "m.user"
            assert await table.ended() == ["restart"]
            assert await desk.units.look(verification.running) == ()
