"""What the scripted rounds do and look at: people say and tap, and the rooms show something for it."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.demo import cards
from bot.demo.room_view import RoomView, Shown
from bot.demo.stage import Stage
from bot.demo.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Said:
    """A command that was sent."""

    room: str
    event_id: str
    posts: int = 0
    """How many messages it brings forth that answer it, beside its ✅."""


class Play:
    """On a stage, before a verdict."""

    def __init__(self, stage: Stage, verdict: Verdict) -> None:
        self.stage = stage
        self.verdict = verdict
        self.said: list[Said] = []
        self.filed: dict[int, str] = {}
        """Ticket → the room of its card."""

    async def tap(self, person: str, number: int, key: str) -> None:
        """Tap a reaction on a ticket's card."""
        room = self.filed[number]
        (card,) = self.cards(room, number)
        await self.stage.people[person].tap(self.stage.rooms[room], card.event_id, key)

    def offers(self, number: int, keys: str) -> bool:
        """Whether a ticket's card offers these reactions and no others."""
        bot = self.stage.bot_user
        (card,) = self.cards(self.filed[number], number)
        return "".join(key for key, who in card.reactions.items() if bot in who) == keys

    async def speak(
        self, person: str, room: str, line: str, number: int | None = None, *, posts: int = 0
    ) -> Said:
        """Say a line in a room, or in the thread of a ticket there."""
        thread = next((card.event_id for card in self.cards(room, number)), None) if number else None
        event_id = await self.stage.people[person].say(self.stage.rooms[room], line, thread)
        said = Said(room, event_id, posts)
        self.said.append(said)
        return said

    async def card(self, name: str, number: int, *words: str) -> None:
        """Expect that a ticket has one card, with these words."""
        room = self.filed[number]
        await self.until(name, lambda: cards.card_says(self.view(room), self.stage.bot_user, number, *words))

    async def done(self, name: str, said: Said) -> None:
        """Expect ✅ on a command, and nothing that answers it but what it brings forth."""
        bot = self.stage.bot_user
        await self.until(
            f"{name} (✅)", lambda: cards.done(self.view(said.room), bot, said.event_id, said.posts)
        )

    async def answer(self, name: str, said: Said, *words: str) -> None:
        """Expect an answer to a command, with these words."""
        await self.until(
            name,
            lambda: cards.answered(self.view(said.room), self.stage.bot_user, said.event_id, *words),
        )

    async def until(self, name: str, holds: Callable[[], bool]) -> None:
        """Expect anything else."""
        await self.verdict.expect(name, holds)

    def cards(self, room: str, number: int) -> list[Shown]:
        """A ticket's cards in a room."""
        return list(cards.cards(self.view(room), self.stage.bot_user, number))

    def view(self, room: str) -> RoomView:
        """The room with that key."""
        return self.stage.watch.view(room)
