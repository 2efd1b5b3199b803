"""The scripted round's mails: one becomes a ticket, is answered, and the answer to that opens it again."""

from collections.abc import Iterator
from typing import Final

import aiohttp

from bot.demo import cards
from bot.demo.cast import MAILS, MailSample
from bot.demo.errors import PostFailed
from bot.demo.letters import Letter
from bot.demo.play import Play
from bot.demo.room_view import Shown

_TIMEOUT: Final = aiohttp.ClientTimeout(total=20)


class Correspondence(Play):
    """What team and requester write to each other."""

    async def correspond(self) -> None:
        """Plays it.

        :raises DemoError: it cannot go on.
        """
        leyla, post = MAILS[0], self.stage.post
        await post.write(leyla)
        number = await self.from_mail(f"a mail from {leyla.name} is a card in Freiburg's room", leyla)
        await self.done("Anna takes it", await self.speak("anna", "freiburg", f"!take {number}"))
        words = "Ja, gern. Passt **Freitag** um 15 Uhr?"
        reply = await self.speak("anna", "freiburg", f"!reply {words}", number, posts=1)
        await self.done("she answers by mail, from the thread", reply)
        await self.until(
            f"{leyla.name} has that mail, in one conversation with hers",
            lambda: any("Passt Freitag um 15 Uhr?" in each.text for each in self._replies(number)),
        )
        await self.until(
            "the thread says that it was sent",
            lambda: any("Passt Freitag" in told.body and "✅" in told.body for told in self._thread(number)),
        )
        await self.done("Ben closes it", await self.speak("ben", "freiburg", f"!close {number} Termin steht"))
        await post.answer(number, "Am Freitag geht es leider nicht. Montag?")
        await self.until(
            "her answer comes into the thread, without its quote, and rings for Anna",
            lambda: any(map(self._rings_with_answer, self._thread(number))),
        )
        await self.card("and opens the ticket again", number, "🟢", "Offen")
        await self._look_at_page(number)

    async def from_mail(self, name: str, sample: MailSample) -> int:
        """Expects that a mail becomes a ticket of its region's team; its number."""
        room, bot = sample.region, self.stage.bot_user

        def found() -> int | None:
            told = (each for each in self.stage.post.letters if each.automatic and each.to == sample.email)
            number = next((each.number for each in told if each.number not in (None, *self.filed)), None)
            there = number and cards.card_says(self.view(room), bot, number, sample.subject)
            return number if there else None

        await self.until(name, lambda: found() is not None)
        number = found()
        if number is None:
            raise PostFailed(f"The mail of {sample.name} did not become a ticket.")
        self.filed[number] = room
        return number

    async def _look_at_page(self, number: int) -> None:
        """Mail scanners open links: that must do nothing."""
        links = [each.link for each in self.stage.post.letters if each.automatic and each.number == number]
        if not links or links[0] is None:
            raise PostFailed(f"The acknowledgement of #{number} has no link.")
        before = self._looks(number)
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as browser:
            page = await _opened(browser, links[0])
            asking = await _opened(browser, f"{links[0]}/withdraw")
        self.verdict.note(
            "the link in the acknowledgement leads to the page with all of it",
            all(words in page for words in (f"#{number}", "Montag?", "15 Uhr")),
        )
        # What the pages did, if they did anything, is done before this.
        asked = await self.speak("ben", "freiburg", f"!show {number}")
        await self.answer("Ben still finds it", asked, f"#{number}")
        unchanged = self._looks(number) == before and f"#{number}" in asking
        self.verdict.note("opening it, and the page to withdraw, changes nothing", unchanged)

    def _rings_with_answer(self, told: Shown) -> bool:
        words = "Montag?" in told.body and "Passt Freitag" not in told.body
        return words and self.stage.people["anna"].user_id in told.mentions

    def _replies(self, number: int) -> Iterator[Letter]:
        """Mails to the requester that answer theirs."""
        mails = [each for each in self.stage.post.letters if each.number == number]
        written = {each.mail_id for each in self.stage.post.letters if not each.outgoing}
        return (each for each in mails if not each.automatic and written.intersection(each.references))

    def _thread(self, number: int) -> list[Shown]:
        (card,) = self.cards(self.filed[number], number)
        return [each for each in self.view(self.filed[number]).messages if each.thread == card.event_id]

    def _looks(self, number: int) -> tuple[str, ...]:
        (card,) = self.cards(self.filed[number], number)
        return (card.body, *(each.event_id for each in self._thread(number)))


async def _opened(browser: aiohttp.ClientSession, address: str) -> str:
    async with browser.get(address) as response:
        return await response.text() if response.status == 200 else ""
