"""The scripted round: what a team does with its tickets in a day, and what the rooms must show for it."""

from collections import Counter

from bot.demo import cards
from bot.demo.cast import LATER, MAILS, SAMPLES
from bot.demo.correspondence import Correspondence
from bot.demo.form import fill_in
from bot.demo.play import Said
from bot.domain import taps

LAPTOP, _, _, SPAM, MONITOR = SAMPLES


class Round(Correspondence):
    """Plays on a stage and tells the verdict what should come of it."""

    async def play(self) -> None:
        """All of it.

        :raises DemoError: the round cannot go on.
        """
        laptop = await self._work()
        spam = await self._spam()
        school = await self._triage()
        await self._admin(spam, laptop)
        await self._conversation()
        await self.correspond()
        await self._kill(laptop, spam, school)

    async def _work(self) -> int:
        number = await fill_in(self.stage.bot.form_url, LAPTOP)
        self.filed[number] = "freiburg"
        await self.card(f"#{number} from the contact form is in Freiburg's room", number, LAPTOP.subject)
        elsewhere = any(self.cards(room, number) for room in ("berlin", "triage", "admin"))
        self.verdict.note(f"#{number} is in no other room", not elsewhere)

        await self.done("Anna takes it", await self.speak("anna", "freiburg", f"!take {number}"))
        await self.card("its card says that Anna works on it", number, "🔵", "In Bearbeitung", "Anna")

        refused = await self.speak("ben", "freiburg", f"!nehmen {number}")
        await self.answer("Ben cannot take it too and is told whose it is", refused, "Anna")

        wait = await self.speak("anna", "freiburg", f"!wait {number} ein Netzteil mit USB-C")
        await self.done("Anna puts it on the waiting list", wait)
        await self.card("its card says what it waits for", number, "⏳", "Warteliste", "USB-C")

        close = await self.speak("ben", "freiburg", f"!close {number} Laptop übergeben")
        await self.done("Ben closes it", close)
        await self.card("its card says how it ended", number, "✅", "Geschlossen", "Laptop übergeben")
        return number

    async def _spam(self) -> int:
        number = await fill_in(self.stage.bot.form_url, SPAM)
        self.filed[number] = "freiburg"
        await self.card(f"#{number} arrives in Freiburg's room", number, "🟢", SPAM.subject)
        await self.until("its card offers what can be done", lambda: self.offers(number, "🙋✅🚫"))
        await self.tap("ben", number, taps.SPAM)
        await self.card("Ben marks it as spam by one tap", number, "🚫")
        await self.until("for ten minutes a tap takes that back", lambda: self.offers(number, taps.UNDO))
        return number

    async def _conversation(self) -> None:
        number = await fill_in(self.stage.bot.form_url, LATER[2])
        self.filed[number] = "freiburg"
        await self.card(f"#{number} arrives in Freiburg's room", number, "🟢", LATER[2].subject)
        await self.tap("anna", number, taps.TAKE)
        await self.card("Anna takes it by one tap", number, "🔵", "Anna")
        added = await self.speak("anna", "freiburg", "!aufgabe neu Netzteil besorgen", number)
        await self.done("she adds a task in its thread, without the number", added)
        refused = await self.speak("anna", "freiburg", "!close", number)
        await self.answer("it cannot be closed before that is done", refused, "Netzteil besorgen")
        await self.done("the task is done", await self.speak("anna", "freiburg", "!task done 1", number))
        await self.card("its card counts the tasks", number, "1/1")
        found = await self.speak("ben", "freiburg", f"!suche {LATER[2].subject.split()[2]}")
        await self.answer("Ben finds it by a word of its subject", found, f"#{number}")
        drawn = await self.speak("dora", "admin", "!stats")
        await self.answer("`!stats` shows a picture, described in words", drawn, "Freiburg", "Berlin")

    async def _triage(self) -> int:
        number = await fill_in(self.stage.bot.form_url, MONITOR)
        self.filed[number] = "triage"
        await self.card(f"#{number} without a region is in the triage room", number, MONITOR.subject)
        transfer = await self.speak("tim", "triage", f"!transfer {number} berlin")
        await self.done("Tim gives it to Berlin", transfer)
        self.filed[number] = "berlin"
        await self.card("it has an English card in Berlin's room", number, "Open", "Donation request")
        await self.until("its card has left the triage room", lambda: not self.cards("triage", number))
        await self.done("Carla takes it", await self.speak("carla", "berlin", f"!take {number}"))
        return number

    async def _admin(self, spam: int, laptop: int) -> None:
        delete = await self.speak("dora", "admin", f"!delete {spam}")
        await self.done("Dora deletes the spam from the admin room", delete)
        await self.card("its card in Freiburg says so", spam, "🗑️")
        shown = self.cards("freiburg", spam)
        self.verdict.note("and hides what it said", all(SPAM.subject not in card.body for card in shown))
        archive = await self.speak("dora", "admin", f"!archive {laptop}")
        await self.done("Dora archives the laptop's ticket", archive)
        await self.card("its card says so", laptop, "📦")

    async def _kill(self, laptop: int, spam: int, school: int) -> None:
        number = await fill_in(self.stage.bot.form_url, LATER[0])
        self.filed[number] = "freiburg"
        before = self._posted()
        last = await self.speak("anna", "freiburg", f"!take {number}")
        await self.stage.bot.kill()
        unheard = await self.speak("carla", "berlin", "!list")
        await self.stage.post.write(MAILS[1])
        await self.stage.bot.start()
        await self.done("a command just before kill -9 is carried out", last)
        await self.card("the ticket of that moment has its card", number, "🔵", "Anna", LATER[0].subject)
        await self.answer("a command to the dead bot is answered after its start", unheard, f"#{school}")
        await self.from_mail("a mail of that time is fetched and has its card", MAILS[1])
        shown = await self.speak("dora", "admin", f"!show {laptop}")
        await self.answer("`!show` still knows the archived ticket", shown, "📦", LAPTOP.name)
        listed = await self.speak("ben", "freiburg", "!list")
        await self.answer("`!list` still knows what is open", listed, f"#{number}", LATER[0].subject)
        silent = await self.speak("ben", "freiburg", f"!show {spam}")
        await self.until("a deleted ticket is shown to nobody in the team", lambda: self._hidden(silent))
        await self.until("each request was acknowledged by mail, once", self._all_acknowledged)
        await self._once_only(before)

    async def _once_only(self, before: dict[str, tuple[str, ...]]) -> None:
        # Time for what should not come: a second card, a second answer.
        await self.stage.watch.until(lambda: not self._all_once(), 1.5)
        self.verdict.note("every card and every answer is there exactly once", self._all_once())
        now = self._posted()
        kept = all(now[room][: len(ids)] == ids for room, ids in before.items())
        self.verdict.note("nothing that was there before is lost", kept)

    def _all_once(self) -> bool:
        bot = self.stage.bot_user
        replies = (
            cards.reactions_to(self.view(said.room), bot, said.event_id) - said.posts for said in self.said
        )
        there = (len(self.cards(room, number)) for number, room in self.filed.items())
        return all(count == 1 for count in (*replies, *there)) and self._all_acknowledged()

    def _all_acknowledged(self) -> bool:
        told = Counter(letter.number for letter in self.stage.post.letters if letter.automatic)
        return told == Counter(dict.fromkeys(self.filed, 1))

    def _posted(self) -> dict[str, tuple[str, ...]]:
        bot = self.stage.bot_user
        return {
            room: tuple(message.event_id for message in self.view(room).messages if message.sender == bot)
            for room in self.stage.rooms
        }

    def _hidden(self, said: Said) -> bool:
        replies = cards.answers(self.view(said.room), self.stage.bot_user, said.event_id)
        return bool(replies) and all(SPAM.subject not in answer.body for answer in replies)
