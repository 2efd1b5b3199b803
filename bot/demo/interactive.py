"""The demo at the keyboard: type as a member, and see what the rooms make of it."""

import asyncio
import difflib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Final

import aiohttp
from rich.markup import escape
from rich.text import Text

from bot.demo import welcome
from bot.demo.cards import cards
from bot.demo.cast import LATER, PEOPLE, ROOMS, SAMPLES, Request, rooms_of
from bot.demo.errors import DemoError
from bot.demo.form import fill_in
from bot.demo.pictures import Pictures
from bot.demo.room_view import Change, Happening
from bot.demo.stage import Stage
from bot.demo.terminal import Terminal
from bot.domain import taps

_PATIENCE: Final = 60.0
_TAPS: Final = {
    "take": taps.TAKE,
    "wait": taps.WAIT,
    "close": taps.CLOSE,
    "spam": taps.SPAM,
    "undo": taps.UNDO,
}


@dataclass(frozen=True, slots=True)
class Order:
    """Something that the demo itself does, as opposed to the bot."""

    name: str
    parameter: str
    summary: str
    handler: Callable[["Desk", str], Awaitable[None]]


class Desk:
    """Where the person at the keyboard sits: as whom, and in which room."""

    def __init__(
        self, stage: Stage, terminal: Terminal, started: float, orders: Mapping[str, "Order"]
    ) -> None:
        """:param started: on the monotonic clock, for telling how long the first ticket took."""
        self.stage = stage
        self.tell = terminal.print
        self._terminal = terminal
        self._orders = orders
        self._started = started
        self.pictures = Pictures(terminal.console, stage.name_of)
        self._person, self.room = "anna", "freiburg"
        self._later = cycle(LATER)
        self._tasks: set[asyncio.Task[None]] = set()
        self.quitting = False

    async def run(self) -> None:
        """Until the person quits or the input ends."""
        self.tell(welcome.page(self.stage))
        if self.stage.kept:
            await self.show_room("")
        self.stage.watch.on_change = self._happened
        self.stage.post.on_letter = lambda letter: self.tell(self.pictures.letter(letter))
        self._behind(self._watch_bot())
        if not self.stage.kept:
            self._behind(self._file_samples())
        try:
            with self._terminal.reading():
                self._sit()
                while not self.quitting and (line := await self._terminal.line()) is not None:
                    await self._typed(line.strip())
        finally:
            for task in self._tasks:
                task.cancel()

    # What the person does

    async def _typed(self, line: str) -> None:
        try:
            if line.startswith("/"):
                await self._ordered(line)
            elif line:
                await self.stage.people[self._person].say(self.stage.rooms[self.room], line)
        except DemoError as error:
            self.complain(str(error))
        except (aiohttp.ClientError, TimeoutError):
            self.complain("The homeserver does not answer.")

    async def _ordered(self, line: str) -> None:
        self.tell(f"[dim]{escape(line)}[/]")
        name, _, rest = line[1:].partition(" ")
        order = self._orders.get(name.lower())
        if order is None:
            near = difflib.get_close_matches(name.lower(), self._orders, 1)
            hint = f"Did you mean /{near[0]}?" if near else "/help lists what there is."
            self.complain(f"There is no /{name}. {hint} The bot's own commands begin with !, as in !help.")
            return
        await order.handler(self, rest.strip())

    async def be(self, who: str) -> None:
        """Sits down as somebody else, in a room of theirs."""
        who = who.lower()
        if who not in PEOPLE:
            self.complain(f"Who? There are {', '.join(PEOPLE)}.")
            return
        self._person = who
        if who not in ROOMS[self.room].people:
            self.room = rooms_of(who)[0].key
        self._sit()

    async def go(self, where: str) -> None:
        """Goes to another room, if need be as one of its people."""
        found = [key for key, room in ROOMS.items() if where.lower() in (key, room.name.lower())]
        if not found:
            self.complain(f"Where? There are {', '.join(ROOMS)}.")
            return
        self.room = found[0]
        if self._person not in ROOMS[self.room].people:
            self._person = ROOMS[self.room].people[0]
            self.tell(f"[dim]You are {PEOPLE[self._person]} now.[/]")
        self._sit()

    async def list_people(self, _: str) -> None:
        """Who there is."""
        self.tell(welcome.people(self.stage))

    async def list_rooms(self, _: str) -> None:
        """Which rooms there are."""
        self.tell(welcome.rooms())

    async def show_room(self, _: str) -> None:
        """The whole room as a client shows it."""
        self.tell(self.pictures.room(self.room, self.stage.watch.view(self.room)))

    async def show_form(self, _: str) -> None:
        """Where the contact form is."""
        self.tell(Text.assemble("Contact form: ", (self.stage.bot.form_url, "bold underline")))

    async def file_ticket(self, _: str) -> None:
        """Files another request."""
        await self._file(next(self._later))

    async def tap(self, typed: str) -> None:
        """Taps a reaction on a ticket's card, as `1 take`."""
        number, _, what = typed.partition(" ")
        key = _TAPS.get(what.strip().lower(), what.strip())
        card = self._card(number)
        if card is None or key not in _TAPS.values():
            self.complain(f"What on which card? For example: /tap 1 take. There are {', '.join(_TAPS)}.")
            return
        await self.stage.people[self._person].tap(self.stage.rooms[self.room], card, key)

    async def say_in_thread(self, typed: str) -> None:
        """Says something in a ticket's thread, as `1 !note rings twice`."""
        number, _, text = typed.partition(" ")
        card = self._card(number)
        if card is None or not text.strip():
            self.complain("What in which ticket's thread? For example: /in 1 !note rings twice")
            return
        await self.stage.people[self._person].say(self.stage.rooms[self.room], text.strip(), card)

    def _card(self, number: str) -> str | None:
        """The card of a ticket in this room."""
        digits = number.removeprefix("#")
        view = self.stage.watch.view(self.room)
        found = cards(view, self.stage.bot_user, int(digits)) if digits.isascii() and digits.isdigit() else ()
        return next((card.event_id for card in found), None)

    async def kill_bot(self, _: str) -> None:
        """Kill -9."""
        if self.stage.bot.running:
            await self.stage.bot.kill()
            self.tell("[yellow]The bot is dead (kill -9).[/] Type commands all the same, then /start.")
        else:
            self.complain("The bot is dead already. /start starts it again.")

    async def start_bot(self, _: str) -> None:
        """Starts it again."""
        if self.stage.bot.running:
            self.complain("The bot is running. /kill kills it.")
            return
        self.tell("Starting the bot …")
        await self.stage.bot.start()
        self._behind(self._watch_bot())
        self.tell("[green]The bot is back.[/]")

    async def help(self, _: str) -> None:
        """What can be typed."""
        self.tell(welcome.help_page(self._orders.values()))

    async def quit(self, _: str) -> None:
        """Ends the demo."""
        self.quitting = True

    # What happens by itself

    def _happened(self, room: str, change: Change) -> None:
        # What a card offers is no news: it would be four lines a ticket.
        if change.kind is not Happening.REACTION or change.by != change.message.sender:
            self.tell(self.pictures.change(room, change))

    async def _file_samples(self) -> None:
        """Then, below all of them, says what to do now."""
        numbers = [number for sample in SAMPLES if (number := await self._file(sample)) is not None]
        if not numbers:
            return
        if await self.stage.watch.until(lambda: len(self.stage.cards()) >= len(numbers), _PATIENCE):
            took = self.stage.seconds_to_first_card(self._started)
            self.tell(f"\n[green]The first ticket was in its room after {took:.1f} s.[/]")
            self.tell(welcome.first_steps(numbers[0], self.stage.bot.form_url))

    async def _file(self, request: Request) -> int | None:
        try:
            number = await fill_in(self.stage.bot.form_url, request)
        except DemoError as error:
            hint = "" if self.stage.bot.running else " The bot is dead: /start starts it again."
            self.complain(f"{error}{hint}")
            return None
        self.tell(f"[dim]{escape(request.name)} has filled in the contact form: #{number}[/]")
        return number

    async def _watch_bot(self) -> None:
        status = await self.stage.bot.ended()
        # A signal was /kill, or the end of the demo.
        if status >= 0:
            log = self.stage.bot.log_path
            self.complain(f"The bot has ended by itself (exit status {status}). Its log: {log}")

    def _behind(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _sit(self) -> None:
        self._terminal.prompt = f"{PEOPLE[self._person]} in {ROOMS[self.room].name}> "

    def complain(self, what: str) -> None:
        """Tells what cannot be done."""
        self.tell(f"[yellow]{escape(what)}[/]")
