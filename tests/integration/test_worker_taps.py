"""Taps and prompts through the worker: confirmations, further pages, and what only one person may answer."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.commands.declarations import build_registry
from bot.commands.executor import Content, Problem
from bot.commands.handlers import View
from bot.commands.hearing import Identity
from bot.commands.worker import Worker
from bot.domain.errors import NothingMore, NotPermitted, NotYourPrompt, PromptOver, Refusal, TakenBy
from bot.domain.words import Action, Status, Team
from bot.services.jobs import Clear, Send
from bot.services.list_views import ListView
from bot.services.reception import Batch, ReceivedEvent, receive, waiting
from bot.services.status import Program
from bot.services.views import ConfirmView, Person, PromptClosed
from tests.integration.desk_data import ANNA, BEN, BOT, DORA, FREIBURG, HOME, START, Desk, desk_on


class Speaker:
    """Keeps what is to be said instead of wording it."""

    def __init__(self) -> None:
        self.said: list[Any] = []
        self.addressed: list[Person | None] = []

    def answer(self, view: View, _team: Team) -> Content:
        self.said.append(view)
        return {"body": type(view).__name__}

    def media(self, _view: object, _team: Team) -> None:
        return None

    def edit(self, view: View, _team: Team, event_id: str) -> Content:
        self.said.append(view)
        return {"body": "edit", "m.relates_to": {"rel_type": "m.replace", "event_id": event_id}}

    def problem(
        self, error: Problem, _team: Team, _people: Mapping[str, str], to: Person | None = None
    ) -> Content:
        self.said.append(error)
        self.addressed.append(to)
        return {"body": type(error).__name__}

    def outcome(
        self, done: tuple[int, ...], refused: tuple[Refusal, ...], _team: Team, _people: Mapping[str, str]
    ) -> Content:
        self.said.append((done, refused))
        return {"body": "outcome"}


class Chat:
    """People who write and tap, and the worker that handles it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.speaker = Speaker()
        registry = build_registry(Program("1", START, "sqlite"), "!")
        self.worker = Worker(desk.units, registry, self.speaker, Identity(BOT, ("bot",), "!"))
        self.count = 0

    async def say(self, who: str, body: str, room: str | None = None) -> str:
        """A message, handled and answered; its event id."""
        return await self._send(who, room or HOME[who], {"msgtype": "m.text", "body": body})

    async def tap(self, who: str, event_id: str, key: str, sent_at: datetime | None = None) -> str:
        """A reaction, handled and answered."""
        return await self.tap_in(who, event_id, key, HOME[who], sent_at)

    async def tap_in(
        self, who: str, event_id: str, key: str, room: str, sent_at: datetime | None = None
    ) -> str:
        """The same in another room than that of the person's team."""
        content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": event_id, "key": key}}
        return await self._send(who, room, content, event_id, sent_at)

    async def _send(
        self,
        who: str,
        room: str,
        content: dict[str, Any],
        tapped: str | None = None,
        sent_at: datetime | None = None,
    ) -> str:
        self.count += 1
        event = ReceivedEvent(
            f"$said{self.count}", room, who, content, sent_at or self.desk.clock.now, tapped=tapped
        )
        batch = Batch(f"t{self.count}", events=(event,))
        await self.desk.units.run(lambda unit: receive(unit, batch))
        await self.handle()
        return event.event_id

    async def handle(self) -> None:
        """Handle what came in, twice: the second time as after a crash, which must change nothing."""
        for incoming in await self.desk.units.look(waiting):
            await self.worker.handle(incoming)
            before = await self.desk.rows()
            await self.worker.handle(incoming)
            assert await self.desk.rows() == before
        self.jobs = await self.desk.deliver()

    def untapped(self) -> list[str]:
        """Members' reactions that were taken away in the last round."""
        return [each for job in self.jobs if isinstance(job, Clear) for _room, each in job.events]

    def prompt(self) -> str:
        """Event id of the question that was asked last."""
        events = self.desk.homeserver.events.items()
        return [event for event, job in events if (job.content or {}).get("body") == "ConfirmView"][-1]

    def listed(self) -> str:
        """Event id of the last list."""
        events = self.desk.homeserver.events.items()
        return [event for event, job in events if (job.content or {}).get("body") == "ListView"][-1]

    def card(self, number: int) -> str:
        """Event id of a ticket's card."""
        return next(iter(self.desk.homeserver.cards(number)))


@pytest.fixture
async def chat(sqlite_database: str) -> AsyncIterator[Chat]:
    async with desk_on(sqlite_database) as desk:
        yield Chat(desk)


async def deleted(chat: Chat) -> int:
    """A deleted ticket, whose card is in its room."""
    number = await chat.desk.open()
    await chat.desk.deliver()
    await chat.desk.do(Action.DELETE, number, DORA)
    await chat.desk.deliver()
    return number


def fail_for(number: int, one: Any) -> Any:
    """Carries out all but one of the tickets, where the process dies."""

    def broken(occasion: Any, call: Any, handler: Any, which: int, *more: Any) -> Any:
        if which == number:
            raise OSError("crash")
        return one(occasion, call, handler, which, *more)

    return broken


async def status(chat: Chat, number: int) -> str:
    return (await chat.desk.ticket(number)).status


# Cards


async def test_a_tap_is_the_command_and_is_taken_away(chat: Chat) -> None:
    number = await chat.desk.open()
    await chat.desk.deliver()
    tap = await chat.tap(ANNA, chat.card(number), "🙋🏽‍♀️")
    ticket = await chat.desk.ticket(number)
    assert (ticket.status, ticket.assignee) == (Status.IN_PROGRESS, ANNA)
    assert chat.untapped() == [tap]
    assert chat.speaker.said == []


async def test_a_refused_tap_is_answered_in_the_thread_and_by_name(chat: Chat) -> None:
    number = await chat.desk.open()
    await chat.desk.deliver()
    card = chat.card(number)
    await chat.tap(ANNA, card, "🙋")
    tap = await chat.tap(BEN, card, "🙋")
    assert [type(each) for each in chat.speaker.said] == [TakenBy]
    assert chat.speaker.addressed == [Person(BEN, "Ben")]
    (answer,) = [job for job in chat.jobs if isinstance(job, Send)]
    assert (answer.content or {})["m.relates_to"] == {
        "rel_type": "m.thread", "event_id": card, "is_falling_back": True,
        "m.in_reply_to": {"event_id": card},
    }  # fmt: skip
    assert chat.untapped() == [tap]


async def test_other_reactions_are_peoples_own(chat: Chat) -> None:
    number = await chat.desk.open()
    await chat.desk.deliver()
    await chat.tap(ANNA, chat.card(number), "❤️")
    assert (chat.untapped(), chat.speaker.said) == ([], [])
    assert await status(chat, number) == Status.OPEN


async def test_a_tap_in_a_room_that_strangers_read_does_nothing(chat: Chat) -> None:
    number = await chat.desk.open()
    await chat.desk.deliver()
    await chat.desk.update(FREIBURG, history_visibility="world_readable")
    await chat.tap(ANNA, chat.card(number), "✅")
    assert await status(chat, number) == Status.OPEN
    assert chat.speaker.said == []


# Confirmations


async def test_a_purge_waits_for_its_confirmation(chat: Chat) -> None:
    number = await deleted(chat)
    command = await chat.say(DORA, f"!purge {number}")
    assert chat.speaker.said[-1] == ConfirmView(
        "purge", (number,), Person(DORA, "Dora"), chat.desk.clock.now + timedelta(minutes=5)
    )
    assert chat.desk.homeserver.on(chat.prompt()) == ["✅", "❌"]
    assert await status(chat, number) == Status.DELETED
    prompt = chat.prompt()
    tap = await chat.tap(DORA, prompt, "✅")
    rows = await chat.desk.rows()
    assert [row["number"] for row in rows["purged"]] == [number]
    assert rows["tickets"] == []
    assert tap in chat.untapped()
    # The ✅ goes to the command, as for every other.
    relations = [(job.content or {}).get("m.relates_to", {}) for job in chat.jobs if isinstance(job, Send)]
    assert {"rel_type": "m.annotation", "event_id": command, "key": "✅"} in relations


async def test_a_no_leaves_everything(chat: Chat) -> None:
    number = await deleted(chat)
    await chat.say(DORA, f"!purge {number}")
    prompt = chat.prompt()
    await chat.tap(DORA, prompt, "❌")
    assert chat.speaker.said[-1] == PromptClosed("purge", (number,), Person(DORA, "Dora"), confirmed=False)
    assert chat.desk.homeserver.on(prompt) == []
    await chat.tap(DORA, prompt, "✅")
    assert await status(chat, number) == Status.DELETED


async def test_only_the_person_who_was_asked_confirms(chat: Chat) -> None:
    numbers = [await chat.desk.open() for _ in range(6)]
    await chat.say(ANNA, f"!close {' '.join(map(str, numbers))}")
    prompt = chat.prompt()
    await chat.tap(BEN, prompt, "✅")
    assert NotYourPrompt(None, ANNA) in chat.speaker.said
    assert {await status(chat, number) for number in numbers} == {Status.OPEN}
    await chat.tap(ANNA, prompt, "✅")
    assert {await status(chat, number) for number in numbers} == {Status.CLOSED}
    assert chat.speaker.said[-1] == PromptClosed(
        "close", tuple(numbers), Person(ANNA, "Anna"), confirmed=True
    )
    assert chat.desk.homeserver.on(prompt) == []


async def test_five_at_once_need_no_confirmation(chat: Chat) -> None:
    numbers = [await chat.desk.open() for _ in range(5)]
    await chat.say(ANNA, f"!close {' '.join(map(str, numbers))}")
    assert chat.speaker.said == []
    assert {await status(chat, number) for number in numbers} == {Status.CLOSED}


async def test_one_delete_needs_none_and_two_do(chat: Chat) -> None:
    first, second, third = [await chat.desk.open() for _ in range(3)]
    await chat.say(DORA, f"!delete {first}")
    assert await status(chat, first) == Status.DELETED
    await chat.say(DORA, f"!delete {second} {third}")
    assert await status(chat, second) == Status.OPEN
    await chat.tap(DORA, chat.prompt(), "✅")
    assert await status(chat, third) == Status.DELETED


async def test_what_would_be_refused_is_not_asked_about(chat: Chat) -> None:
    number = await chat.desk.open()
    await chat.say(DORA, f"!purge {number} 4711")
    assert {type(each) for each in chat.speaker.said} == {tuple}
    assert (await chat.desk.rows())["prompts"] == []
    gone = await deleted(chat)
    await chat.say(DORA, f"!purge {number} {gone}")
    assert isinstance(chat.speaker.said[-1], ConfirmView)


async def test_after_five_minutes_it_is_too_late(chat: Chat) -> None:
    number = await deleted(chat)
    await chat.say(DORA, f"!purge {number}")
    prompt = chat.prompt()
    chat.desk.clock.advance(minutes=5, seconds=1)
    await chat.desk.deliver()
    assert chat.desk.homeserver.on(prompt) == []
    await chat.tap(DORA, prompt, "✅")
    assert isinstance(chat.speaker.said[-1], PromptOver)
    assert await status(chat, number) == Status.DELETED


async def test_a_tap_in_time_counts_however_late_it_is_handled(chat: Chat) -> None:
    number = await deleted(chat)
    await chat.say(DORA, f"!purge {number}")
    prompt, tapped_at = chat.prompt(), chat.desk.clock.now + timedelta(minutes=4)
    chat.desk.clock.advance(hours=2)
    await chat.tap(DORA, prompt, "✅", sent_at=tapped_at)
    assert [row["number"] for row in (await chat.desk.rows())["purged"]] == [number]


async def test_who_is_no_admin_any_more_cannot_confirm(chat: Chat) -> None:
    number = await deleted(chat)
    await chat.say(DORA, f"!purge {number}")
    prompt = chat.prompt()
    await chat.desk.update("!admins:example.org", members={DORA: None})
    await chat.tap(DORA, prompt, "✅")
    assert (await chat.desk.rows())["purged"] == []


async def test_a_crash_between_two_purges_loses_none(chat: Chat) -> None:
    first, second = await deleted(chat), await deleted(chat)
    await chat.say(DORA, f"!purge {first} {second}")
    prompt = chat.prompt()
    one = chat.worker._executor._one
    chat.worker._executor._one = fail_for(second, one)  # type: ignore[method-assign]
    with pytest.raises(OSError, match="crash"):
        await chat.tap(DORA, prompt, "✅")
    assert [row["number"] for row in (await chat.desk.rows())["purged"]] == [first]
    chat.worker._executor._one = one  # type: ignore[method-assign]
    await chat.handle()
    assert [row["number"] for row in (await chat.desk.rows())["purged"]] == [first, second]


# Further pages


async def test_pages_follow_one_another(chat: Chat) -> None:
    for _ in range(25):
        await chat.desk.open()
    await chat.desk.deliver()
    await chat.say(ANNA, "!list")
    first = chat.listed()
    assert chat.desk.homeserver.on(first) == ["▶️"]
    await chat.tap(BEN, first, "▶️")
    assert chat.desk.homeserver.on(first) == []
    # The one who tapped goes on; the one who asked has nothing left here.
    await chat.say(ANNA, "!more")
    assert isinstance(chat.speaker.said[-1], NothingMore)
    await chat.say(BEN, "!more")
    pages = {each.page: each for each in chat.speaker.said if isinstance(each, ListView)}
    shown = [line.number for page in pages.values() for line in page.lines]
    assert shown == sorted(shown)
    assert len(set(shown)) == 25
    assert [page.next_page for page in pages.values()] == [1, 2, None]


async def test_ones_own_list_goes_on_for_oneself_only(chat: Chat) -> None:
    for _ in range(11):
        await chat.desk.do(Action.TAKE, await chat.desk.open(), ANNA)
    await chat.desk.deliver()
    for line in ("!mine", "!list mine"):
        await chat.say(ANNA, line)
        await chat.tap(BEN, chat.listed(), "▶️")
        assert isinstance(chat.speaker.said[-1], NotYourPrompt)
        await chat.say(ANNA, "!more")
        page = [each for each in chat.speaker.said if isinstance(each, ListView)][-1]
        assert (page.page, len(page.lines)) == (1, 1)


async def test_more_does_not_go_back_to_an_older_list(chat: Chat) -> None:
    for _ in range(11):
        await chat.desk.open()
    await chat.desk.deliver()
    await chat.say(ANNA, "!list")
    await chat.say(ANNA, "!mine")
    await chat.say(ANNA, "!more")
    assert isinstance(chat.speaker.said[-1], NothingMore)
    assert {each.page for each in chat.speaker.said if isinstance(each, ListView)} == {0}


async def test_a_page_shows_what_its_room_may_show_when_it_is_asked_for(chat: Chat) -> None:
    for _ in range(11):
        await chat.desk.open()
    await chat.desk.deliver()
    await chat.say(ANNA, "!list")
    first = chat.listed()
    await chat.desk.update(FREIBURG, members={BEN: None})
    said = len(chat.speaker.said)
    await chat.tap(BEN, first, "▶️")
    assert {type(each) for each in chat.speaker.said[said:]} == {NotPermitted}


async def test_an_old_list_is_over(chat: Chat) -> None:
    for _ in range(11):
        await chat.desk.open()
    await chat.desk.deliver()
    await chat.say(ANNA, "!list")
    first = chat.listed()
    chat.desk.clock.advance(hours=1, seconds=1)
    await chat.desk.deliver()
    assert chat.desk.homeserver.on(first) == []
    await chat.tap(ANNA, first, "▶️")
    assert isinstance(chat.speaker.said[-1], PromptOver)


async def test_a_search_that_is_gone_on_with_is_found_by_a_purge_of_what_it_showed_then(chat: Chat) -> None:
    numbers = [await chat.desk.open(name="Rumpelstilz") for _ in range(11)]
    await chat.desk.deliver()
    command = await chat.say(ANNA, "!search Rumpelstilz")
    await chat.say(ANNA, "!more")
    posted = (await chat.desk.rows())["posted_tickets"]
    assert {row["number"] for row in posted if row["event_id"] == command} >= {numbers[-1]}


async def test_more_without_a_list_says_so(chat: Chat) -> None:
    await chat.say(ANNA, "!more")
    assert isinstance(chat.speaker.said[-1], NothingMore)
