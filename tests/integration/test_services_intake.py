"""Tickets and messages coming in."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.domain.errors import UnknownTicket
from bot.domain.request import NewAttachment
from bot.domain.words import Action, Intake
from bot.services import alerts, arrivals, intake
from bot.services.arrivals import Arrived, NewMessage
from bot.services.intake import Accepted, KeyReused, RetryKey
from bot.services.unit import Unit
from bot.services.views import MessageAlert
from tests.integration.desk_data import (
    ADMINS,
    ANNA,
    BEN,
    CARLA,
    DORA,
    FREIBURG,
    Desk,
    desk_on,
    request,
    room_of,
)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


async def arrive(
    desk: Desk, number: int, text: str = "Any news?", key: RetryKey | None = None, **fields: str
) -> Arrived:
    """A requester's message arrives."""
    message = NewMessage(text, Intake.HTTP, **fields)  # type: ignore[arg-type]
    return await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message, key=key))


async def mentioned(desk: Desk) -> list[list[str]]:
    """Who is told of messages that arrived, if they are sent now."""
    rows = await desk.alerts("message")

    def load(unit: Unit) -> list[list[str]]:
        views = [alerts.load(unit, row) for row in rows]
        return [[each.user_id for each in view.mentions] for view in views if isinstance(view, MessageAlert)]

    return await desk.units.look(load)


async def test_the_region_decides_the_team(desk: Desk) -> None:
    """Unknown and empty regions lead to triage."""
    regions = {
        "freiburg": "freiburg", "breisgau": "freiburg", "berlin": "berlin", "elsewhere": None,
        "atlantis": None, "": None, None: None,
    }  # fmt: skip
    for region, team in regions.items():
        number = await desk.open(region=region)
        ticket = await desk.ticket(number)
        assert (ticket.team, ticket.region, ticket.status) == (team, region, "open")
        await desk.deliver()
        assert list(desk.homeserver.cards(number).values()) == [room_of(team)]


async def test_an_unknown_topic_becomes_the_default(desk: Desk) -> None:
    topics = {"other": "other", "nonsense": "donation_request", None: "donation_request"}
    for wanted, topic in topics.items():
        assert (await desk.ticket(await desk.open(topic=wanted))).topic == topic


async def test_all_of_a_request_is_kept(desk: Desk) -> None:
    file = NewAttachment("scan.pdf", "application/pdf", b"\x00\xff%PDF")
    number = await desk.open(attachments=(file,), extra={"Device": "Laptop"}, text="Zeile 1\nZeile 2 🙂")
    rows = await desk.rows()
    assert rows["requesters"] == [
        {"id": 1, "name": "Kim Doe", "email": "kim@example.org", "email_key": "kim@example.org",
         "phone": "0761 123"}
    ]  # fmt: skip
    (message,) = rows["messages"]
    assert (message["number"], message["text"], message["extra"], message["intake"]) == (
        number, "Zeile 1\nZeile 2 🙂", {"Device": "Laptop"}, "http",
    )  # fmt: skip
    (attachment,) = rows["attachments"]
    assert (attachment["name"], attachment["size"], attachment["data"]) == ("scan.pdf", 6, b"\x00\xff%PDF")
    (entry,) = await desk.history(number)
    assert (entry.action, entry.who, entry.to_status, entry.at) == ("open", None, "open", desk.clock.now)


async def test_the_same_requester_is_kept_once(desk: Desk) -> None:
    await desk.open()
    await desk.open(subject="Another")
    await desk.open(phone=None)
    assert [row["phone"] for row in (await desk.rows())["requesters"]] == ["0761 123", None]


async def test_a_repeated_request_gets_the_first_answer(desk: Desk) -> None:
    key = RetryKey("key:1", "abc", intake.fingerprint(b"body"))
    first = await desk.units.run(lambda unit: intake.open_ticket(unit, request(), key=key))
    again = await desk.units.run(lambda unit: intake.open_ticket(unit, request(), key=key))
    assert (first.replayed, again) == (False, Accepted(first.number, replayed=True))
    assert len((await desk.rows())["tickets"]) == 1


async def test_a_retry_key_stands_for_one_request_of_one_client(desk: Desk) -> None:
    key = RetryKey("key:1", "abc", intake.fingerprint(b"body"))
    await desk.units.run(lambda unit: intake.open_ticket(unit, request(), key=key))
    other = RetryKey("key:1", "abc", intake.fingerprint(b"another body"))
    with pytest.raises(KeyReused):
        await desk.units.run(lambda unit: intake.open_ticket(unit, request(), key=other))
    elsewhere = RetryKey("key:2", "abc", intake.fingerprint(b"another body"))
    accepted = await desk.units.run(lambda unit: intake.open_ticket(unit, request(), key=elsewhere))
    assert not accepted.replayed
    assert len((await desk.rows())["tickets"]) == 2


async def test_ten_copies_of_a_request_at_once_become_one_ticket(desk: Desk) -> None:
    key = RetryKey("form", "token", intake.fingerprint(b"body"))
    accepted = await asyncio.gather(
        *(desk.units.run(lambda unit: intake.open_ticket(unit, request(), key=key)) for _ in range(10))
    )
    assert len({each.number for each in accepted}) == 1
    assert sorted(each.replayed for each in accepted) == [False] + [True] * 9
    rows = await desk.rows()
    assert (len(rows["tickets"]), len(rows["messages"]), len(rows["history"])) == (1, 1, 1)
    assert len(await desk.outbox(kind="card")) == 1


async def test_a_command_handled_again_opens_nothing_new(desk: Desk) -> None:
    first = await desk.units.run(
        lambda unit: intake.open_ticket(unit, request(), author=ANNA, cause="$new", team="freiburg")
    )
    again = await desk.units.run(
        lambda unit: intake.open_ticket(unit, request(), author=ANNA, cause="$new", team="freiburg")
    )
    assert again == Accepted(first.number, replayed=True)
    assert (await desk.history(first.number))[0].who == ANNA


ARRIVALS: list[tuple[list[Action], str, bool]] = [
    ([], "open", False),
    ([Action.TAKE], "in_progress", False),
    ([Action.WAIT], "waiting", False),
    ([Action.TAKE, Action.CLOSE], "open", True),
    ([Action.CLOSE], "open", True),
]


async def test_a_message_arrives(desk: Desk) -> None:
    for moves, after, reopened in ARRIVALS:
        number = await desk.open()
        for action in moves:
            await desk.do(action, number)
        before = await desk.ticket(number)
        arrived = await arrive(desk, number)
        assert arrived == Arrived(number, reopened=reopened, team="freiburg")
        ticket = await desk.ticket(number)
        assert (ticket.status, ticket.assignee) == (after, before.assignee)
        assert ticket.waiting_since == before.waiting_since
        alert = (await desk.alerts("message"))[-1].payload or {}
        assert (await mentioned(desk))[-1] == ([ANNA] if Action.TAKE in moves else [ANNA, BEN])
        assert alert["reopened"] == reopened


async def test_who_is_told_is_decided_when_it_can_be_told(desk: Desk) -> None:
    """A message that comes while the room cannot be used still rings for the team afterwards."""
    number = await desk.open()
    await desk.deliver()
    await desk.update(FREIBURG, join_rule="public")
    await arrive(desk, number)
    await desk.update(FREIBURG, join_rule="invite")
    assert await mentioned(desk) == [[ANNA, BEN]]


async def test_a_message_on_spam_is_stored_in_silence(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.SPAM, number)
    await desk.deliver()
    assert await arrive(desk, number, "Buy!") == Arrived(number, team="freiburg")
    assert (await desk.ticket(number)).status == "spam"
    assert [row["text"] for row in (await desk.rows())["messages"]] == ["Hello!", "Buy!"]
    # What waits is the end of the ten minutes in which the mark can be taken back.
    assert [row.kind for row in await desk.outbox(state="waiting")] == ["seed"]


@pytest.mark.parametrize("gone", ["archived", "deleted"])
async def test_a_message_on_a_gone_ticket_opens_one_that_names_it(desk: Desk, gone: str) -> None:
    number = await desk.open(topic="other")
    await desk.do(Action.CLOSE, number)
    await desk.do(Action.ARCHIVE if gone == "archived" else Action.DELETE, number, DORA)
    arrived = await arrive(desk, number, "It broke")
    assert arrived == Arrived(arrived.number, follows=number, team="freiburg")
    assert arrived.number != number
    ticket = await desk.ticket(arrived.number)
    assert (ticket.status, ticket.topic, ticket.team, ticket.follows, ticket.subject) == (
        "open", "other", "freiburg", number, "Laptop wanted",
    )  # fmt: skip
    assert (await desk.ticket(number)).status == gone
    assert len((await desk.rows())["requesters"]) == 1


async def test_a_message_on_an_unknown_number_is_refused(desk: Desk) -> None:
    with pytest.raises(UnknownTicket):
        await arrive(desk, 4711)


async def test_of_an_assignee_who_left_every_member_is_told_instead(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number, BEN)
    await desk.update(FREIBURG, members={BEN: None, CARLA: "Carla"})
    await arrive(desk, number)
    assert await mentioned(desk) == [[ANNA, CARLA]]
    assert (await desk.ticket(number)).assignee == BEN


async def test_the_team_is_told_if_an_admin_from_outside_has_the_ticket(desk: Desk) -> None:
    """A mention reaches nobody who is not in the room."""
    number = await desk.open()
    await desk.do(Action.TAKE, number, DORA)
    await arrive(desk, number)
    assert await mentioned(desk) == [[ANNA, BEN]]


async def test_membership_of_an_admin_room_that_strangers_can_enter_counts_for_nothing(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number, DORA)
    await desk.update(ADMINS, join_rule="public")
    await arrive(desk, number)
    assert (await mentioned(desk))[-1] == [ANNA, BEN]


async def test_who_writes_a_message_down_is_not_told_of_it(desk: Desk) -> None:
    number = await desk.open()
    await arrive(desk, number, author=ANNA)
    assert await mentioned(desk) == [[BEN]]
    assert [entry.who for entry in await desk.history(number)] == [None, ANNA]


async def test_a_message_handled_again_is_kept_once(desk: Desk) -> None:
    number = await desk.open()
    await arrive(desk, number, author=ANNA, cause="$m")
    await arrive(desk, number, author=ANNA, cause="$m")
    assert len((await desk.rows())["messages"]) == 2
    await desk.do(Action.DELETE, number, DORA)
    first = await arrive(desk, number, author=ANNA, cause="$n")
    assert await arrive(desk, number, author=ANNA, cause="$n") == Arrived(first.number, follows=number)
    assert len((await desk.rows())["tickets"]) == 2


async def test_a_message_with_a_retry_key_is_kept_once(desk: Desk) -> None:
    number = await desk.open()
    key = RetryKey("key:1", "m1", intake.fingerprint(b"one"))
    await arrive(desk, number, key=key)
    assert (await arrive(desk, number, key=key)).number == number
    assert len((await desk.rows())["messages"]) == 2
    with pytest.raises(KeyReused):
        await arrive(desk, number, "other", RetryKey("key:1", "m1", intake.fingerprint(b"two")))
