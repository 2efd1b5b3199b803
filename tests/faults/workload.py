"""Requests, commands, taps, edits and redactions by several people at once, from a seed."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import aiohttp

from tests.desk import Desk
from tests.faults.commands import (
    Wanted,
    a_command_in_a_thread,
    a_members_command,
    a_token,
    an_admins_command,
)
from tests.faults.log import Log, Remark, Request, Said
from tests.people import Human, MatrixRefusal
from tests.timeline import Shown

_PATIENCE: Final = 120.0
_LAST_CARDS: Final = 8


class Patient(Human):
    """Asks the same again until the homeserver answers, as clients do; the transaction id makes that safe."""

    async def call(
        self,
        method: str,
        *path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        """As :meth:`Human.call`."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                try:
                    return await super().call(method, *path, body=body, query=query)
                except (aiohttp.ClientError, ConnectionError, TimeoutError, ValueError):
                    await asyncio.sleep(0.2)


class Workload:
    """Everybody at once, until told to stop. Each client has dice of its own."""

    def __init__(self, desk: Desk, log: Log, seed: object, pace: float = 1.0) -> None:
        """:param pace: all pauses are multiplied by it."""
        self._desk = desk
        self._log = log
        self._seed = seed
        self._pace = pace
        self._answered: set[str] = set()
        self._stop = asyncio.Event()
        self.going = asyncio.Event()
        """Cleared while nobody is to begin anything."""
        self.going.set()

    def stop(self) -> None:
        """Let everybody finish what they are at."""
        self._stop.set()
        self.going.set()

    async def run(self) -> None:
        """All clients, until :meth:`stop`."""
        async with asyncio.TaskGroup() as group:
            for name, act, pause in (
                ("website", self._file_with_key, 1.2),
                ("script", self._file_once, 2.5),
                ("portal", self._remark, 3.0),
                ("anna", self._member("anna", "freiburg"), 0.7),
                ("ben", self._member("ben", "freiburg"), 0.9),
                ("carla", self._member("carla", "berlin"), 1.2),
                ("dora", self._administer, 4.0),
                ("ben's phone", self._tapper("ben", "freiburg"), 1.0),
                ("anna's phone", self._tapper("anna", "freiburg"), 1.6),
            ):
                group.create_task(self._repeat(act, random.Random(f"{self._seed} {name}"), pause), name=name)

    async def _repeat(
        self, act: Callable[[random.Random], Awaitable[None]], dice: random.Random, pause: float
    ) -> None:
        while not self._stop.is_set():
            await self.going.wait()
            await act(dice)
            await asyncio.sleep(dice.uniform(0.2, 1.8) * pause * self._pace)

    # Intake

    async def _file_with_key(self, dice: random.Random) -> None:
        """A website that retries until it has an answer, as after a time-out."""
        request = self._request(dice, key=f"{dice.getrandbits(64):x}")
        async with asyncio.timeout(_PATIENCE):
            while request.number is None:
                await self._file(request)
                await asyncio.sleep(0.1)

    async def _file_once(self, dice: random.Random) -> None:
        """A script that asks once and does not care."""
        await self._file(self._request(dice, key=None))

    def _request(self, dice: random.Random, key: str | None) -> Request:
        region = dice.choice(("freiburg", "freiburg", "freiburg", "berlin"))
        request = Request(f"Request {dice.getrandbits(48):x}", key, region)
        self._log.requests.append(request)
        return request

    async def _file(self, request: Request) -> None:
        body = {
            "name": f"Kim {request.subject[8:]}", "email": f"{request.subject[8:]}@example.org",
            "subject": request.subject, "message": f"Hello from {request.subject}", "region": request.region,
        }  # fmt: skip
        self._log.words |= {body["name"], body["email"], body["subject"], body["message"]}
        answer = await self._posted("/api/tickets.json", body, request.key)
        if answer is not None:
            request.number = int(answer)

    async def _remark(self, dice: random.Random) -> None:
        """A portal that passes on what a requester adds, and retries."""
        if not self._log.numbers:
            return
        remark = Remark(a_token(dice), dice.choice(self._log.numbers[-20:]))
        self._log.remarks.append(remark)
        self._log.words.add(remark.token)
        path = f"/api/tickets/{remark.number}/messages"
        async with asyncio.timeout(_PATIENCE):
            while not remark.accepted:
                answer = await self._posted(path, {"message": f"And also {remark.token}"}, remark.token)
                remark.accepted = answer is not None
                await asyncio.sleep(0.1)

    async def _posted(self, path: str, body: Mapping[str, str], key: str | None) -> str | None:
        """The text of a 201; ``None`` where there was no answer, or one that says to come again."""
        try:
            status, text = await self._desk.post(path, body, **({"Idempotency-Key": key} if key else {}))
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            return None
        if status == 201:
            return text
        if status != 503:
            self._log.mishaps.append(f"the intake answered {status} {text!r} to a good request")
        return None

    # Members

    def _member(self, name: str, room: str) -> Callable[[random.Random], Awaitable[None]]:
        async def act(dice: random.Random) -> None:
            person = self._desk.person(name)
            (deed,) = dice.choices(deeds, (20, 4, 3, 2, 2, 1))
            await deed(person, room, dice)

        deeds = (self._command, self._in_thread, self._answer, self._chat, self._edit, self._redact)
        return act

    async def _chat(self, person: Human, room: str, _dice: random.Random) -> None:
        self._log.chatter.add(await person.say(self._desk.rooms[room], "Who is in today?"))

    async def _command(self, person: Human, room: str, dice: random.Random) -> None:
        numbers = self._log.numbers
        if numbers:
            await self._say(person, room, a_members_command(dice, numbers))

    async def _say(self, person: Human, room: str, wanted: Wanted, thread: str | None = None) -> None:
        event_id = await person.say(self._desk.rooms[room], wanted.text, thread=thread)
        self._log.commands[event_id] = Said(
            event_id, room, person.user_id, wanted.verb, wanted.text, wanted.numbers, wanted.token, thread
        )

    async def _in_thread(self, person: Human, room: str, dice: random.Random) -> None:
        cards = await self._cards(person, room)
        if cards:
            card = dice.choice(cards[-_LAST_CARDS:])
            await self._say(person, room, a_command_in_a_thread(dice, _number(card)), card.event_id)

    async def _answer(self, person: Human, room: str, dice: random.Random) -> None:
        """Tap yes or no under a question that this person was asked."""
        for seen in await person.sees(self._desk.rooms[room]):
            asked = self._log.commands.get(seen.reply_to or "")
            if asked is None or asked.sender != person.user_id or asked.event_id in self._answered:
                continue
            if self._desk.is_from_bot(seen) and seen.body.startswith("Really "):
                self._answered.add(asked.event_id)
                key = "✅" if dice.random() < 0.7 else "❌"
                tap = await person.react(self._desk.rooms[room], seen.event_id, key)
                self._log.yes_and_no[tap] = asked.event_id
                return

    async def _administer(self, dice: random.Random) -> None:
        if len(self._log.numbers) > _LAST_CARDS:
            old = self._log.numbers[:-_LAST_CARDS]
            await self._say(self._desk.person("dora"), "admin", an_admins_command(dice, old))

    async def _cards(self, person: Human, room: str) -> list[Shown]:
        return [each for each in await person.sees(self._desk.rooms[room]) if self._desk.is_card(each)]

    async def _edit(self, person: Human, room: str, dice: random.Random) -> None:
        """Change an own message into a command: a command is what was said first."""
        own = [each.event_id for each in self._log.commands.values() if each.sender == person.user_id]
        if own and self._log.numbers:
            number = dice.choice(self._log.numbers)
            edit = await person.edit(
                self._desk.rooms[room], dice.choice(own[-5:]), f"!close {number} by edit"
            )
            self._log.edits.add(edit)

    async def _redact(self, person: Human, room: str, dice: random.Random) -> None:
        """Take back what was just said: it may be done already or not."""
        own = [each.event_id for each in self._log.commands.values() if each.sender == person.user_id]
        if own:
            taken_back = dice.choice(own[-2:])
            self._log.redacted.add(taken_back)
            await person.redact(self._desk.rooms[room], taken_back)

    def _tapper(self, name: str, room: str) -> Callable[[random.Random], Awaitable[None]]:
        async def tap(dice: random.Random) -> None:
            person, room_id = self._desk.person(name), self._desk.rooms[room]
            cards = await self._cards(person, room)
            if not cards:
                return
            card, key = dice.choice(cards[-_LAST_CARDS:]), dice.choice("🙋⏳✅🚫")
            with suppress(MatrixRefusal):  # the same tap of the same person still stands there
                event_id = await person.react(room_id, card.event_id, key)
                self._log.taps[event_id] = _number(card)
                if dice.random() < 0.1:
                    self._log.redacted.add(event_id)
                    await person.redact(room_id, event_id)

        return tap


def _number(card: Shown) -> int:
    return int(card.body.split()[1].removeprefix("#"))
