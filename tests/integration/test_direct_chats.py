"""Every command in a direct chat, of everybody who may have one: the worker on a real database."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.commands.hearing import Identity
from bot.commands.spec import Command, Kind
from bot.commands.worker import Worker
from bot.domain.errors import NotPermitted, Refusal, UnknownName, UnknownTicket, UsageError, WhichTeam
from bot.domain.words import Action, Right, Team
from bot.services import reception
from bot.services.list_views import ListView
from bot.services.reception import Batch, ReceivedEvent
from bot.services.views import CommandFailed, OpenedView, Person, TalkView
from tests.integration.desk_data import ANNA, BERLIN, BOT, CARLA, DORA, FREIBURG, START, Desk, desk_on
from tests.unit.real_commands import REGISTRY

DIRECT = "!direct:example.org"
WORDS = {"person": "Ben", "team": "berlin", "topic": "other", "command": "take", "task": "1", "what": "mine"}


@dataclass
class Speaker:
    """Keeps what it was to say, and in whose language."""

    said: list[object] = field(default_factory=list)
    teams: list[Team] = field(default_factory=list)

    def answer(self, view: object, team: Team) -> Mapping[str, Any]:
        return self._keep(view, team)

    def media(self, _view: object, _team: Team) -> None:
        return None

    def edit(self, view: object, team: Team, event_id: str) -> Mapping[str, Any]:
        return self._keep(view, team)

    def problem(
        self, error: object, team: Team, people: Mapping[str, str], to: Person | None = None
    ) -> Mapping[str, Any]:
        return self._keep(error, team)

    def outcome(
        self, done: tuple[int, ...], refused: tuple[Refusal, ...], team: Team, people: Mapping[str, str]
    ) -> Mapping[str, Any]:
        return self._keep(refused, team)

    def _keep(self, what: object, team: Team) -> Mapping[str, Any]:
        self.said.append(what)
        self.teams.append(team)
        return {"body": type(what).__name__}


@dataclass
class Chat:
    """A direct chat of one person with the bot."""

    desk: Desk
    person: str
    speaker: Speaker = field(default_factory=Speaker)
    events: int = 0

    async def says(self, body: str) -> list[object]:
        """What comes of a line: views and errors, or ✅."""
        self.events += 1
        event_id = f"${self.person}{self.events}"
        content = {"msgtype": "m.text", "body": body}
        event = ReceivedEvent(event_id, DIRECT, self.person, content, START)
        await self.desk.units.run(lambda unit: reception.receive(unit, Batch("t", events=(event,))))
        worker = Worker(self.desk.units, REGISTRY, self.speaker, Identity(BOT, ("Tickettruhe",), "!"))
        before = len(self.speaker.said)
        for incoming in await self.desk.units.look(reception.waiting):
            await worker.handle(incoming)
        assert await self.desk.units.look(reception.waiting) == ()
        done = [
            "✅"
            for row in await self.desk.outbox(kind="reaction")
            if (row.payload or {})["content"]["m.relates_to"]["event_id"] == event_id
        ]
        return [*self.speaker.said[before:], *done]


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


async def chat(desk: Desk, person: str = ANNA) -> Chat:
    """A new one, greeted already."""
    await desk.update(
        DIRECT, membership="join", members={BOT: "", person: person[1:].partition(":")[0].title()}
    )
    await desk.deliver()
    return Chat(desk, person)


def line_of(command: Command[Any], number: int) -> str:
    """The command with all that it needs, without the prefix."""
    words = [command.german]
    for parameter in command.parameters:
        if parameter is command.numbers:
            words += [str(number), *(["1"] if parameter.kind is Kind.PAIR else [])]
        else:
            words.append("some words" if parameter.kind is Kind.TEXT else WORDS.get(parameter.name, "x"))
    return " ".join(words)


def is_answer(results: list[object]) -> bool:
    """Whether a command was understood and one thing came of it, no fault of the bot."""
    return len(results) == 1 and not isinstance(results[0], UsageError | CommandFailed | NotPermitted)


async def results_of_all(
    own: Chat, *, region: str = "freiburg", taken: bool = False
) -> dict[str, list[object]]:
    """What came of each command, each with a ticket of its own."""
    results = {}
    for command in REGISTRY:
        number = await own.desk.open(region=region)
        if taken:
            await own.desk.do(Action.TAKE, number)
        results[command.name] = await own.says(line_of(command, number))
    return results


def names(*rights: Right) -> set[str]:
    """Names of the commands for these."""
    return {command.name for command in REGISTRY if command.right in rights}


async def test_members_use_every_command_of_theirs(desk: Desk) -> None:
    own = await chat(desk)
    results = await results_of_all(own, taken=True)
    refused = {name for name, (first, *_) in results.items() if isinstance(first, NotPermitted)}
    assert refused == names(Right.ADMIN)
    assert {name for name, each in results.items() if not is_answer(each)} == refused
    assert set(own.speaker.teams) == {"freiburg"}, "in the language of their team"


async def test_admins_use_every_command_on_all_tickets(desk: Desk) -> None:
    results = await results_of_all(await chat(desk, DORA), region="berlin")
    assert {name: each for name, each in results.items() if not is_answer(each)} == {}
    assert [name for name, (first, *_) in results.items() if isinstance(first, UnknownTicket)] == []


async def test_who_left_the_team_uses_none_but_help(desk: Desk) -> None:
    own = await chat(desk)
    await desk.update(FREIBURG, members={ANNA: None})
    results = await results_of_all(own)
    refused = {name for name, each in results.items() if [type(one) for one in each] == [NotPermitted]}
    assert set(results) - refused == names(Right.ANYONE)


async def test_of_another_teams_ticket_nothing_is_known(desk: Desk) -> None:
    results = await results_of_all(await chat(desk), region="berlin")
    about_tickets = {command.name for command in REGISTRY if command.numbers}
    unknown = {name for name, each in results.items() if [type(one) for one in each] == [UnknownTicket]}
    assert unknown == about_tickets - names(Right.ADMIN)


async def test_new_goes_to_the_only_team(desk: Desk) -> None:
    assert await (await chat(desk)).says("neu A laptop") == [OpenedView(1, "freiburg")]


async def test_new_of_somebody_in_several_teams_asks(desk: Desk) -> None:
    await desk.update(BERLIN, members={ANNA: "Anna"})
    own = await chat(desk)
    (asked,) = await own.says("new A laptop")
    assert isinstance(asked, WhichTeam)
    assert asked.teams == ("berlin", "freiburg")
    assert await own.says("new --team Berlin A laptop") == [OpenedView(1, "berlin")]
    assert await own.says("new --team freiburg A laptop") == [OpenedView(2, "freiburg")]
    assert await own.says("new --team none A laptop") == [OpenedView(3, None)]
    assert isinstance((await own.says("new --team Atlantis A laptop"))[0], UnknownName)
    (listed,) = await own.says("liste")
    assert isinstance(listed, ListView)
    assert (listed.total, listed.show_team) == (2, True)


async def test_new_of_an_admin_without_a_team_asks_for_one_of_all(desk: Desk) -> None:
    (asked,) = await (await chat(desk, DORA)).says("new A laptop")
    assert isinstance(asked, WhichTeam)
    assert asked.teams == ("berlin", "freiburg", None)


async def test_talk_is_answered_now_and_then_and_not_kept(desk: Desk) -> None:
    own = await chat(desk)
    assert await own.says("Thank you!") == []
    desk.clock.advance(minutes=10)
    assert await own.says("And how are you?") == [TalkView()]
    assert await own.says("Well?") == []
    assert [row["content"] for row in (await desk.rows())["inbox"]] == [None, None, None]


async def test_talk_in_a_team_room_is_not_answered(desk: Desk) -> None:
    content = {"msgtype": "m.text", "body": "mine"}
    event = ReceivedEvent("$talk", FREIBURG, CARLA, content, START)
    await desk.units.run(lambda unit: reception.receive(unit, Batch("t", events=(event,))))
    speaker = Speaker()
    worker = Worker(desk.units, REGISTRY, speaker, Identity(BOT, (), "!"))
    (incoming,) = await desk.units.look(reception.waiting)
    await worker.handle(incoming)
    assert speaker.said == []
    assert not worker.concerns(content, private=False)
    assert worker.concerns(content, private=True)
