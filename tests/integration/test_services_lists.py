"""Which tickets each list names, in which order, page by page, and how little the database is asked."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from bot.commands.declarations import build_registry
from bot.commands.handlers import Ask, Handler
from bot.commands.parser import Call, Context, parse
from bot.domain.errors import NameKind, NotPermitted, UnknownName, UnknownTicket
from bot.domain.request import InvalidFields
from bot.domain.words import EVERYTHING, Action, Actor, Intake, RoomKind, Scope, Status
from bot.services import arrivals, lists
from bot.services.arrivals import NewMessage
from bot.services.list_views import ListKind, ListView, NextView
from bot.services.lists import PAGE, Wanted
from bot.services.people import Caller, Place
from bot.services.reads import HISTORY_PAGE
from bot.services.status import Program
from bot.services.unit import Unit
from bot.services.views import HistoryView, TicketView
from storage import listing
from tests.integration.desk_data import ANNA, BEN, BERLIN, CARLA, DORA, FREIBURG, Desk, desk_on
from tests.integration.many_tickets import fill

REGISTRY = build_registry(Program("0", datetime(2026, 1, 1, tzinfo=UTC), "sqlite"), "!")


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


async def ask(desk: Desk, line: str, by: str = ANNA, room: str | None = None, page: int = 0) -> Any:
    """What a command line is answered with."""
    call: Call[Handler] | None = parse(line, REGISTRY, "!", Context())
    assert call is not None
    handler, caller = call.command.handler, await desk.caller(by, room)
    assert isinstance(handler, Ask)
    return await desk.units.look(lambda unit: handler.run(unit, replace(call, page=page), caller))


async def said_by_ben(desk: Desk, number: int) -> None:
    """Ben writes down a message."""
    message = NewMessage("Hello", Intake.CHAT, BEN)
    await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))


async def numbers(desk: Desk, line: str, by: str = ANNA, room: str | None = None) -> list[int]:
    """The tickets that a list names, in order."""
    view = await ask(desk, line, by, room)
    assert isinstance(view, ListView)
    return [each.number for each in view.lines]


async def one_of_each(desk: Desk) -> dict[str, int]:
    """A ticket of each status in Freiburg, a minute apart, by status."""
    made = {}
    for status in Status:
        made[status.value] = await desk.open(subject=status.value)
        desk.clock.advance(minutes=1)
    await desk.do(Action.TAKE, made["in_progress"])
    await desk.do(Action.WAIT, made["waiting"], note="a mouse")
    await desk.do(Action.CLOSE, made["closed"])
    await desk.do(Action.SPAM, made["spam"])
    await desk.do(Action.CLOSE, made["archived"])
    await desk.do(Action.ARCHIVE, made["archived"], DORA)
    await desk.do(Action.DELETE, made["deleted"], DORA)
    return made


async def test_each_word_lists_what_it_says(desk: Desk) -> None:
    made = await one_of_each(desk)
    under_way = [made["open"], made["in_progress"], made["waiting"]]
    for line in ("!list", "!list open", "!liste Offen", "!list offene"):
        assert await numbers(desk, line) == under_way
    for line in ("!mine", "!list mine", "!liste meine", "!meine"):
        assert await numbers(desk, line) == [made["in_progress"]]
        assert await numbers(desk, line, BEN) == []
    for line in ("!waitlist", "!list waiting", "!liste Warteliste", "!warteliste"):
        assert await numbers(desk, line) == [made["waiting"]]


async def test_all_is_for_admins_newest_first_and_without_the_deleted(desk: Desk) -> None:
    made = await one_of_each(desk)
    wanted = [made[name] for name in ("archived", "spam", "closed", "waiting", "in_progress", "open")]
    assert await numbers(desk, "!list --all", DORA) == wanted
    assert await numbers(desk, "!list --all", DORA, FREIBURG) == wanted
    assert await numbers(desk, "!list --all", DORA, BERLIN) == []
    assert await numbers(desk, "!list waiting --all", DORA) == [made["waiting"]]
    assert (await ask(desk, "!list --all", DORA)).kind is ListKind.ALL
    for line in ("!list --all", "!list mine --all", "!search x --all"):
        with pytest.raises(NotPermitted):
            await ask(desk, line.replace("x --all", "--all x"))


async def test_all_of_ones_own(desk: Desk) -> None:
    mine, closed, _other = [await desk.open() for _ in range(3)]
    for number in (mine, closed):
        await desk.do(Action.TAKE, number, DORA, room=FREIBURG)
    await desk.do(Action.CLOSE, closed, DORA, room=FREIBURG)
    assert await numbers(desk, "!list mine --all", DORA) == [closed, mine]
    assert await numbers(desk, "!list mine", DORA) == [mine]


async def test_a_topic_in_any_language(desk: Desk) -> None:
    request, other = await desk.open(), await desk.open(topic="other")
    for line in ("!list spendenanfrage", "!liste Spendenanfrage", "!list --topic Spendenanfrage"):
        view = await ask(desk, line)
        assert [each.number for each in view.lines] == [request]
        assert (view.kind, view.topic) == (ListKind.OPEN, "donation_request")
    assert await numbers(desk, "!list mine --topic other") == []
    await desk.do(Action.TAKE, other)
    assert await numbers(desk, "!list mine --topic other") == [other]


@pytest.mark.parametrize(
    ("typed", "near"),
    [("meien", "meine"), ("wartelste", "warteliste"), ("spendenanfrag", "donation_request")],
)
async def test_a_wrong_word_is_told_what_there_is(desk: Desk, typed: str, near: str) -> None:
    with pytest.raises(UnknownName) as caught:
        await ask(desk, f"!list {typed}")
    assert caught.value.kind is NameKind.LIST
    assert caught.value.near == (near,)
    assert caught.value.known == ("open", "mine", "waiting", "donation_request", "other")
    with pytest.raises(UnknownName) as caught:
        await ask(desk, f"!list --topic {typed}x")
    assert caught.value.kind is NameKind.TOPIC


async def test_an_age_lists_what_lies_still_longest_first(desk: Desk) -> None:
    first, second = await desk.open(), await desk.open()
    desk.clock.advance(days=7)
    third = await desk.open()
    await desk.do(Action.TAKE, first)
    desk.clock.advance(days=7)
    assert await numbers(desk, "!list --age 8") == [second]
    assert await numbers(desk, "!list --age 7") == [second, first, third]
    assert await numbers(desk, "!list --age 2w") == [second]
    assert await numbers(desk, "!list --age 15") == []
    await desk.do(Action.WAIT, third)
    desk.clock.advance(days=3)
    assert await numbers(desk, "!list waiting --age 3") == [third]
    assert await numbers(desk, "!list waiting --age 4") == []
    assert (await ask(desk, "!list --age 2w")).age == 14


@pytest.mark.parametrize("typed", ["x", "-1", "1.5", "99999", "5 days", "9" * 5000, "٣"])
async def test_an_age_that_is_none_is_told_so(desk: Desk, typed: str) -> None:
    with pytest.raises(InvalidFields):
        await ask(desk, f"!list --age={typed.partition(' ')[0]}{'y' if ' ' in typed else ''}")


async def test_pages_say_where_they_stand(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [await desk.open() for _ in range(2 * PAGE + 1)]
    pages = [await ask(desk, "!list", page=page) for page in range(4)]
    assert [each.number for page in pages for each in page.lines] == made
    assert [(each.page, each.before, each.next_page, each.total, each.beyond) for each in pages] == [
        (0, 0, 1, 2 * PAGE + 1, False),
        (1, PAGE, 2, 2 * PAGE + 1, False),
        (2, 2 * PAGE, None, 2 * PAGE + 1, False),
        (3, 3 * PAGE, None, 2 * PAGE + 1, False),
    ]
    monkeypatch.setattr(listing, "COUNTED", 2 * PAGE)
    page = await ask(desk, "!list")
    assert (page.total, page.beyond, page.next_page) == (2 * PAGE, True, 1)
    assert (await ask(desk, "!list", page=10**9)).lines == ()


async def test_a_long_history_has_pages(desk: Desk) -> None:
    number = await desk.open()
    for _message in range(HISTORY_PAGE):
        await said_by_ben(desk, number)
    first, second = [await ask(desk, f"!history {number}", page=page) for page in range(2)]
    assert isinstance(first, HistoryView)
    assert [each.action for each in first.lines] == [Action.OPEN] + [Action.MESSAGE] * (HISTORY_PAGE - 1)
    assert (first.next_page, first.total) == (1, HISTORY_PAGE + 1)
    assert (len(second.lines), second.before, second.next_page) == (1, HISTORY_PAGE, None)
    shown = await ask(desk, f"!show {number}")
    assert isinstance(shown, TicketView)
    assert (len(shown.messages), shown.hidden) == (20, 1)
    with pytest.raises(UnknownTicket):
        await ask(desk, f"!history {number}", CARLA)


async def test_next_is_the_oldest_that_nobody_has(desk: Desk) -> None:
    assert await ask(desk, "!next") == NextView()
    taken, assigned, free, later = [await desk.open() for _ in range(4)]
    theirs = await desk.open(region="berlin")
    await desk.do(Action.TAKE, taken)
    await desk.do(Action.ASSIGN, assigned, person=BEN)
    await desk.deliver()
    view = await ask(desk, "!next")
    assert view.card.number == view.line.number == free
    assert (view.line.card_room, view.line.card_event) == (FREIBURG, next(iter(desk.homeserver.cards(free))))
    await desk.do(Action.WAIT, free)
    desk.clock.advance(hours=1)
    await desk.do(Action.WAIT, later)
    view = await ask(desk, "!nächstes")
    # All have somebody but those on the waiting list: the head of that.
    assert (view.card.number, view.line.status) == (free, Status.WAITING)
    assert (await ask(desk, "!next", CARLA)).card.number == theirs
    assert (await ask(desk, "!next", DORA)).card.number == theirs


async def test_a_name_is_that_of_the_tickets_own_room(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number)
    await desk.update(FREIBURG, members={ANNA: "Anna F."})
    await desk.update(BERLIN, members={ANNA: "Anna B."})
    for by in (ANNA, DORA):
        (line,) = (await ask(desk, "!list", by)).lines
        assert line.assignee.name == "Anna F."
    await desk.update(FREIBURG, members={ANNA: None})
    (line,) = (await ask(desk, "!list", DORA)).lines
    assert line.assignee.name == "Anna B."


@contextmanager
def listening(desk: Desk) -> Iterator[list[tuple[str, Any]]]:
    """Collects the queries that the database is given, with their values."""
    said: list[tuple[str, Any]] = []

    def listen(*execution: Any) -> None:
        if execution[2].lstrip().startswith("SELECT"):
            said.append(execution[2:4])

    event.listen(desk.database.engine, "before_cursor_execute", listen)
    yield said
    event.remove(desk.database.engine, "before_cursor_execute", listen)


async def test_a_longer_page_asks_no_more_of_the_database(desk: Desk) -> None:
    number = await desk.open()
    seen: list[dict[str, int]] = []
    for _round in range(4):
        counted = {}
        for line in ("!list", "!search laptop", f"!history {number}", f"!show {number}"):
            with listening(desk) as said:
                await ask(desk, line)
            counted[line] = len(said)
        seen.append(counted)
        for _ticket in range(PAGE - 1):
            other = await desk.open()
            await desk.do(Action.TAKE, other, BEN)
            await desk.do(Action.TAKE, number)
            await desk.do(Action.RELEASE, number)
            await said_by_ben(desk, number)
        await desk.deliver()
    # At first the page is not full yet, and names nobody.
    assert seen[2] == seen[3]


async def test_every_list_uses_an_index_among_ten_thousand(desk: Desk) -> None:
    with desk.database.engine.begin() as connection:
        fill(connection, 10_000, index=False)
    kinds = (
        Wanted(), Wanted(topic="other"), Wanted(age=3), Wanted(ListKind.MINE), Wanted(ListKind.WAITING),
        Wanted(everything=True), Wanted(ListKind.MINE, everything=True),
    )  # fmt: skip
    scopes = (Scope(frozenset({"freiburg"})), Scope(frozenset({None, "berlin"})), EVERYTHING)
    asked: list[tuple[str, Any]] = []
    for scope in scopes:
        caller = Caller(Actor(DORA, admin=True), Place("!room:x", RoomKind.DIRECT, scope))
        with listening(desk) as said, desk.database.read() as session:
            unit = Unit(session, desk.units.policy, desk.clock.now)
            for wanted in kinds:
                lists.list_tickets(unit, wanted, caller, 1)
            lists.next_ticket(unit, scope)
        asked += [(query, values) for query, values in said if "FROM tickets" in query]
    assert len(asked) > len(kinds) * len(scopes)
    with desk.database.engine.connect() as connection:
        for query, values in asked:
            plan = _plan(connection, query, values)
            assert not re.search(r"SCAN tickets(?! USING)|Seq Scan on tickets", plan), f"{query}\n{plan}"


def _plan(connection: Connection, query: str, values: Any) -> str:
    """How the database answers; PostgreSQL reads a small table whole unless it is told not to."""
    explain = "EXPLAIN QUERY PLAN"
    if connection.dialect.name != "sqlite":
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN"
    return "\n".join(
        " ".join(map(str, row)) for row in connection.exec_driver_sql(f"{explain} {query}", values)
    )
