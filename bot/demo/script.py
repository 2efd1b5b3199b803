"""The scripted round: what a team does with its tickets in a day, and what the rooms must show for it."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.demo import cards
from bot.demo.cast import LATER, SAMPLES
from bot.demo.form import fill_in
from bot.demo.room_view import RoomView, Shown
from bot.demo.stage import Stage
from bot.demo.verdict import Verdict
from bot.domain import taps

LAPTOP, _, _, SPAM, MONITOR = SAMPLES


@dataclass(frozen=True, slots=True)
class Said:
    """A command that was sent."""

    room: str
    event_id: str


class Round:
    """Plays on a stage and tells the verdict what should come of it."""

    def __init__(self, stage: Stage, verdict: Verdict) -> None:
        self._stage = stage
        self._verdict = verdict
        self._said: list[Said] = []
        self._filed: dict[int, str] = {}

    async def play(self) -> None:
        """All of it.

        :raises DemoError: the round cannot go on.
        """
        laptop = await self._work()
        spam = await self._spam()
        school = await self._triage()
        await self._admin(spam, laptop)
        await self._conversation()
        await self._kill(laptop, spam, school)

    async def _work(self) -> int:
        number = await fill_in(self._stage.bot.form_url, LAPTOP)
        self._filed[number] = "freiburg"
        await self._card(f"#{number} from the contact form is in Freiburg's room", number, LAPTOP.subject)
        elsewhere = any(self._cards(room, number) for room in ("berlin", "triage", "admin"))
        self._verdict.note(f"#{number} is in no other room", not elsewhere)

        await self._done("Anna takes it", await self._say("anna", "freiburg", f"!take {number}"))
        await self._card("its card says that Anna works on it", number, "🔵", "In Bearbeitung", "Anna")

        refused = await self._say("ben", "freiburg", f"!nehmen {number}")
        await self._answer("Ben cannot take it too and is told whose it is", refused, "Anna")

        wait = await self._say("anna", "freiburg", f"!wait {number} ein Netzteil mit USB-C")
        await self._done("Anna puts it on the waiting list", wait)
        await self._card("its card says what it waits for", number, "⏳", "Warteliste", "USB-C")

        close = await self._say("ben", "freiburg", f"!close {number} Laptop übergeben")
        await self._done("Ben closes it", close)
        await self._card("its card says how it ended", number, "✅", "Geschlossen", "Laptop übergeben")
        return number

    async def _spam(self) -> int:
        number = await fill_in(self._stage.bot.form_url, SPAM)
        self._filed[number] = "freiburg"
        await self._card(f"#{number} arrives in Freiburg's room", number, "🟢", SPAM.subject)
        await self._until("its card offers what can be done", lambda: self._offers(number, "🙋✅🚫"))
        await self._tap("ben", number, taps.SPAM)
        await self._card("Ben marks it as spam by one tap", number, "🚫")
        await self._until("for ten minutes a tap takes that back", lambda: self._offers(number, taps.UNDO))
        return number

    async def _conversation(self) -> None:
        number = await fill_in(self._stage.bot.form_url, LATER[2])
        self._filed[number] = "freiburg"
        await self._card(f"#{number} arrives in Freiburg's room", number, "🟢", LATER[2].subject)
        await self._tap("anna", number, taps.TAKE)
        await self._card("Anna takes it by one tap", number, "🔵", "Anna")
        added = await self._say("anna", "freiburg", "!aufgabe neu Netzteil besorgen", number)
        await self._done("she adds a task in its thread, without the number", added)
        refused = await self._say("anna", "freiburg", "!close", number)
        await self._answer("it cannot be closed before that is done", refused, "Netzteil besorgen")
        await self._done("the task is done", await self._say("anna", "freiburg", "!task done 1", number))
        await self._card("its card counts the tasks", number, "1/1")
        found = await self._say("ben", "freiburg", f"!suche {LATER[2].subject.split()[2]}")
        await self._answer("Ben finds it by a word of its subject", found, f"#{number}")
        drawn = await self._say("dora", "admin", "!stats")
        await self._answer("`!stats` shows a picture, described in words", drawn, "Freiburg", "Berlin")

    async def _triage(self) -> int:
        number = await fill_in(self._stage.bot.form_url, MONITOR)
        self._filed[number] = "triage"
        await self._card(f"#{number} without a region is in the triage room", number, MONITOR.subject)
        transfer = await self._say("tim", "triage", f"!transfer {number} berlin")
        await self._done("Tim gives it to Berlin", transfer)
        self._filed[number] = "berlin"
        await self._card("it has an English card in Berlin's room", number, "Open", "Donation request")
        await self._until("its card has left the triage room", lambda: not self._cards("triage", number))
        await self._done("Carla takes it", await self._say("carla", "berlin", f"!take {number}"))
        return number

    async def _admin(self, spam: int, laptop: int) -> None:
        delete = await self._say("dora", "admin", f"!delete {spam}")
        await self._done("Dora deletes the spam from the admin room", delete)
        await self._card("its card in Freiburg says so", spam, "🗑️")
        shown = self._cards("freiburg", spam)
        self._verdict.note("and hides what it said", all(SPAM.subject not in card.body for card in shown))
        archive = await self._say("dora", "admin", f"!archive {laptop}")
        await self._done("Dora archives the laptop's ticket", archive)
        await self._card("its card says so", laptop, "📦")

    async def _kill(self, laptop: int, spam: int, school: int) -> None:
        number = await fill_in(self._stage.bot.form_url, LATER[0])
        self._filed[number] = "freiburg"
        before = self._posted()
        last = await self._say("anna", "freiburg", f"!take {number}")
        await self._stage.bot.kill()
        unheard = await self._say("carla", "berlin", "!list")
        await self._stage.bot.start()
        await self._done("a command just before kill -9 is carried out", last)
        await self._card("the ticket of that moment has its card", number, "🔵", "Anna", LATER[0].subject)
        await self._answer("a command to the dead bot is answered after its start", unheard, f"#{school}")
        shown = await self._say("dora", "admin", f"!show {laptop}")
        await self._answer("`!show` still knows the archived ticket", shown, "📦", LAPTOP.name)
        listed = await self._say("ben", "freiburg", "!list")
        await self._answer("`!list` still knows what is open", listed, f"#{number}", LATER[0].subject)
        silent = await self._say("ben", "freiburg", f"!show {spam}")
        await self._until("a deleted ticket is shown to nobody in the team", lambda: self._hidden(silent))
        await self._once_only(before)

    async def _once_only(self, before: dict[str, tuple[str, ...]]) -> None:
        # Time for what should not come: a second card, a second answer.
        await self._stage.watch.until(lambda: not self._all_once(), 1.5)
        self._verdict.note("every card and every answer is there exactly once", self._all_once())
        now = self._posted()
        kept = all(now[room][: len(ids)] == ids for room, ids in before.items())
        self._verdict.note("nothing that was there before is lost", kept)

    def _all_once(self) -> bool:
        bot = self._stage.bot_user
        replies = (cards.reactions_to(self._view(said.room), bot, said.event_id) for said in self._said)
        there = (len(self._cards(room, number)) for number, room in self._filed.items())
        return all(count == 1 for count in (*replies, *there))

    def _posted(self) -> dict[str, tuple[str, ...]]:
        bot = self._stage.bot_user
        return {
            room: tuple(message.event_id for message in self._view(room).messages if message.sender == bot)
            for room in self._stage.rooms
        }

    def _hidden(self, said: Said) -> bool:
        replies = cards.answers(self._view(said.room), self._stage.bot_user, said.event_id)
        return bool(replies) and all(SPAM.subject not in answer.body for answer in replies)

    # Sending and looking

    async def _tap(self, person: str, number: int, key: str) -> None:
        room = self._filed[number]
        (card,) = self._cards(room, number)
        await self._stage.people[person].tap(self._stage.rooms[room], card.event_id, key)

    def _offers(self, number: int, keys: str) -> bool:
        bot = self._stage.bot_user
        (card,) = self._cards(self._filed[number], number)
        return "".join(key for key, who in card.reactions.items() if bot in who) == keys

    async def _say(self, person: str, room: str, line: str, number: int | None = None) -> Said:
        """Say a line in a room, or in the thread of a ticket there."""
        thread = next((card.event_id for card in self._cards(room, number)), None) if number else None
        event_id = await self._stage.people[person].say(self._stage.rooms[room], line, thread)
        said = Said(room, event_id)
        self._said.append(said)
        return said

    async def _card(self, name: str, number: int, *words: str) -> None:
        room = self._filed[number]
        await self._until(
            name, lambda: cards.card_says(self._view(room), self._stage.bot_user, number, *words)
        )

    async def _done(self, name: str, said: Said) -> None:
        await self._until(
            f"{name} (✅)", lambda: cards.done(self._view(said.room), self._stage.bot_user, said.event_id)
        )

    async def _answer(self, name: str, said: Said, *words: str) -> None:
        await self._until(
            name,
            lambda: cards.answered(self._view(said.room), self._stage.bot_user, said.event_id, *words),
        )

    async def _until(self, name: str, holds: Callable[[], bool]) -> None:
        await self._verdict.expect(name, holds)

    def _cards(self, room: str, number: int) -> list[Shown]:
        return list(cards.cards(self._view(room), self._stage.bot_user, number))

    def _view(self, room: str) -> RoomView:
        return self._stage.watch.view(room)
