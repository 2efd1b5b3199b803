"""Who reads and writes in encrypted rooms: a :class:`~tests.people.Human` with keys of their own."""
# ruff: noqa: ASYNC109 - a test says how long it waits

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import aiohttp

from bot.demo.homeserver import Account, Homeserver
from tests.other_client.node import prepared
from tests.people import History, Human, id_of
from tests.timeline import Event

_ANSWER: Final = 30.0
_LOOK: Final = 0.1
_LINE_LIMIT: Final = 64 * 1024**2
_ENCRYPTED: Final = "m.room.encryption"


class ClientFailed(Exception):
    """The client raised; the text is its own."""


@dataclass(frozen=True, slots=True)
class Device:
    """What a client knows of another person's device."""

    signed_by_owner: bool
    """By the owner's self-signing key, whoever that is."""
    cross_signing_verified: bool
    """The owner was verified, too."""
    verified: bool


class Clients:
    """The Node process, in which each of the people has a client; leaving the context ends all of them."""

    def __init__(self, server: Homeserver, log: Path) -> None:
        self._server = server
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._count = 0

    async def __aenter__(self) -> Self:
        """:raises NoNode: there is none to be had."""
        node, script = await asyncio.to_thread(prepared)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                str(node), str(script),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log, limit=_LINE_LIMIT,
            )  # fmt: skip
        self._reader = asyncio.create_task(self._read())
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._reader is not None
        assert self._session is not None
        await self._session.close()
        self._process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reader

    async def __call__(self, name: str, *, display_name: str | None = None) -> "SecretHuman":
        """Register ``name-<random>`` and start a client for them."""
        localpart, password = f"{name}-{secrets.token_hex(4)}", secrets.token_hex(8)
        account = await self._server.register(localpart, password, display_name or name.title())
        return await self.at_a_client(account, password)

    async def at_a_client(self, account: Account, password: str) -> "SecretHuman":
        """Start a client for an account; its device may not have had keys before."""
        assert self._session is not None
        person = SecretHuman(self._session, self._server, account, self)
        login = {
            "homeserver": self._server.url, "user_id": account.user_id, "device_id": account.device_id,
            "access_token": account.access_token, "password": password,
        }  # fmt: skip
        await self.ask(account.device_id, "start", **login)
        return person

    async def ask(self, who: str, do: str, **how: Any) -> Any:
        """Have one of the clients do something; what it answers.

        :raises ClientFailed: it could not.
        """
        assert self._process is not None
        assert self._process.stdin is not None
        self._count += 1
        number = self._count
        self._answers[number] = asyncio.get_running_loop().create_future()
        request = {"id": number, "who": who, "do": do, "with": how}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        try:
            async with asyncio.timeout(_ANSWER):
                answer = await self._answers[number]
        except TimeoutError as error:
            raise ClientFailed(f"{do}: no answer. {self._complaints()}") from error
        finally:
            del self._answers[number]
        if "error" in answer:
            raise ClientFailed(f"{do}: {answer['error']}\n{self._complaints()}")
        return answer["result"]

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            answer = json.loads(line)
            waiting = self._answers.get(answer["id"])
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_result({"error": "the process ended"})

    def _complaints(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]


class SecretHuman(Human):
    """A person at such a client: sends encrypted where the room is, and sees what they can read."""

    def __init__(
        self, session: aiohttp.ClientSession, server: Homeserver, account: Account, clients: Clients
    ) -> None:
        super().__init__(session, server, account)
        self._clients = clients

    @property
    def device_id(self) -> str:
        """Of the client's device."""
        return self._account.device_id

    def fresh(self) -> Human:
        """A client that has seen nothing yet would need a login of its own: :meth:`Clients.at_a_client`."""
        raise NotImplementedError

    async def send(self, room: str, event_type: str, content: Mapping[str, Any]) -> str:
        """Sends any event, encrypted if the room is; returns its id."""
        return str(await self._ask("send", room=room, type=event_type, content=content))

    async def until_encrypted(self, room: str) -> None:
        """Until the client knows that the room is encrypted."""
        await self.wait_for(room, lambda event: event.type == _ENCRYPTED, description="encryption")

    async def timeline(self, room: str) -> list[Event]:
        """What the client has of the room, decrypted, oldest first: all since it joined, and 500 before."""
        return [Event.read(raw) for raw in await self.raw_timeline(room)]

    async def raw_timeline(self, room: str) -> list[dict[str, Any]]:
        """The same as the client tells it.

        ``encrypted`` tells whether it was, ``unreadable`` why it could not be decrypted, ``shield`` what the
        client would warn of (its ``EventShieldReason``), ``wire`` the content as the homeserver knows it.
        """
        return [
            {**each, "unsigned": each["unsigned"] or {}} for each in await self._ask("timeline", room=room)
        ]

    async def stop(self) -> None:
        """Go offline, and forget all keys."""
        await self._ask("stop")

    # Trust

    async def devices_of(self, other: "Human | str") -> dict[str, Device]:
        """The other's devices by id; both are in an encrypted room together."""
        trust = await self._trust(other)
        return {device: Device(**known) for device, known in trust["devices"].items()}

    async def has_verified(self, other: "Human | str") -> bool:
        """Whether this person's cross-signing says that the other is who they are."""
        return bool((await self._trust(other))["verified"])

    async def until_verified(self, other: "Human | str", timeout: float = 10) -> None:
        """Until the homeserver has told this client of its own signature."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    if await self.has_verified(other):
                        return
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            raise AssertionError(f"within {timeout:g} s not verified: {id_of(other)}") from None

    async def has_cross_signing(self, other: "Human | str") -> bool:
        """Whether the other has cross-signing keys."""
        return bool((await self._trust(other))["has_cross_signing"])

    async def exclude_unsigned_devices(self) -> None:
        """From now on share keys with no device that its owner did not sign, and read nothing from it."""
        await self._ask("isolate")

    async def set_up_cross_signing(self) -> None:
        """Make keys for this person, and sign the client's device."""
        await self._ask("bootstrap_cross_signing")

    # Verification by emoji: one at a time

    async def ask_to_verify(
        self, other: "Human | str", *, room: str | None = None, device: str | None = None
    ) -> None:
        """Ask the other person in a direct chat, or one of their devices."""
        await self._ask("ask_to_verify", user=id_of(other), room=room, device=device)

    async def verification(self) -> dict[str, Any] | None:
        """How the last one stands: ``phase``, ``emoji`` (pairs with their names), ``code`` if cancelled."""
        found: dict[str, Any] | None = await self._ask("verification")
        return found

    async def until_verification(self, timeout: float = 10, **wanted: Any) -> dict[str, Any]:
        """Wait until it stands so, as ``phase="Ready"``; ``emoji=True`` waits for any."""
        found: dict[str, Any] | None = None
        try:
            async with asyncio.timeout(timeout):
                while True:
                    found = await self.verification()
                    if found and all(_fits(found[key], value) for key, value in wanted.items()):
                        return found
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            raise AssertionError(f"within {timeout:g} s not {wanted}: {found}") from None

    async def start_emoji(self) -> None:
        """Begin to compare emoji, once the other is ready."""
        await self._ask("start_emoji")

    async def accept_verification(self) -> None:
        """Say yes to the other's request."""
        await self._ask("accept")

    async def emoji_match(self) -> None:
        """Say that the emoji are the same on both sides."""
        await self._ask("emoji_match")

    async def emoji_differ(self) -> None:
        """Say that they are not."""
        await self._ask("emoji_differ")

    async def cancel_verification(self) -> None:
        """End it."""
        await self._ask("cancel")

    async def _ask(self, do: str, **how: Any) -> Any:
        return await self._clients.ask(self._account.device_id, do, **how)

    async def _trust(self, other: "Human | str") -> dict[str, Any]:
        found: dict[str, Any] = await self._ask("trust", user=id_of(other))
        return found

    async def _watch(self, room: str) -> AsyncGenerator[Sequence[Event], None]:
        while True:
            yield await self.timeline(room)
            await asyncio.sleep(_LOOK)

    async def _caught_up(self, room: str) -> History:
        return History("", await self.timeline(room))


def _fits(found: Any, wanted: Any) -> bool:
    return bool(found) if wanted is True else bool(found == wanted)
