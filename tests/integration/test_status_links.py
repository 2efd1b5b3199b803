"""A requester's link and what is behind it: use cases on both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

import pytest

from bot.domain.errors import UnknownTicket
from bot.domain.words import Action, Intake, MessageKind, Status
from bot.services import arrivals, intake, mutes, notes, purge, status_links, status_page, withdrawing
from bot.services.arrivals import NewMessage
from bot.services.jobs import Send
from bot.services.merging import merge
from bot.services.status_links import Proof
from bot.services.status_page import Phase, StatusView
from bot.services.unit import PagePolicy, Unit
from bot.services.views import WithdrawalAlert
from storage.models import TicketMessage
from tests.integration.desk_data import ADMINS, ANNA, BEN, DORA, POLICY, Desk, desk_on, put

LIFETIME: Final = timedelta(days=90)
PAGE: Final = PagePolicy(LIFETIME, "https://help.example.org", frozenset({"freiburg"}))


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url, replace(POLICY, page=PAGE)) as desk:
        yield desk


async def link(desk: Desk, number: int, proof: Proof = Proof.MAIL) -> str:
    """A new link."""
    token = await desk.units.run(lambda unit: status_links.issue(unit, number, proof))
    assert token is not None
    return token


async def seen(desk: Desk, token: str) -> StatusView | None:
    """What is behind a link."""
    return await desk.units.look(lambda unit: status_page.view(unit, token))


async def shown(desk: Desk, token: str) -> StatusView:
    """What is behind a good link."""
    view = await seen(desk, token)
    assert view is not None
    return view


async def message(desk: Desk, number: int, text: str, intake_: Intake = Intake.HTTP, **more: Any) -> None:
    """A message of the requester, or one that somebody wrote down."""
    new = NewMessage(text, intake_, **more)
    await desk.units.run(lambda unit: arrivals.receive_message(unit, number, new))


async def test_a_link_shows_the_conversation_and_nothing_of_the_teams(desk: Desk) -> None:
    number = await desk.open(intake=Intake.FORM, text="Hello!")
    caller = await desk.caller(ANNA)
    await desk.units.run(lambda unit: notes.note(unit, number, "She called twice, strange", caller))
    await message(desk, number, "wrote down: she is blind", Intake.CHAT, author=ANNA)
    await message(desk, number, "And by mail", Intake.EMAIL)
    await message(desk, number, "I am her neighbour", Intake.EMAIL, sender="Max <max@example.org>")
    await message(desk, number, "I am away until Monday", Intake.EMAIL, automatic=True)
    answered = TicketMessage(
        number=number, kind="reply", text="Come on Monday", intake="chat", author=ANNA, at=desk.clock.now
    )
    await put(desk.database, answered)
    view = await shown(desk, await link(desk, number))
    assert (view.number, view.subject, view.phase) == (number, "Laptop wanted", Phase.OPEN)
    assert [(line.text, line.answer) for line in view.lines] == [
        ("Hello!", False),
        ("And by mail", False),
        ("Come on Monday", True),
    ]
    assert (
        view.expires_at - desk.clock.now < LIFETIME < view.expires_at - desk.clock.now + timedelta(seconds=2)
    )
    # The form proves no address: what came by other ways and what we answered went to that alone.
    weaker = await shown(desk, await link(desk, number, Proof.FORM))
    assert [line.text for line in weaker.lines] == ["Hello!"]


async def test_what_a_member_wrote_down_is_not_shown(desk: Desk) -> None:
    number = await desk.open(intake=Intake.CHAT, subject="Angry man")
    view = await shown(desk, await link(desk, number))
    assert view.subject == ""


async def test_a_mail_gets_an_address(desk: Desk) -> None:
    number = await desk.open()
    address = await desk.units.run(lambda unit: status_links.status_link(unit, number))
    assert address is not None
    head, _, token = address.rpartition("/")
    assert head == "https://help.example.org/request"
    assert len(address) < 76  # what mail programs do not break
    assert (await shown(desk, token)).number == number
    for policy in (replace(POLICY, page=None), replace(POLICY, page=replace(PAGE, address=None))):
        desk.units.policy = policy
        assert await desk.units.look(lambda unit: status_links.status_link(unit, number)) is None
    desk.units.policy = replace(POLICY, page=None)
    assert await seen(desk, token) is None


async def test_links_that_are_not_good(desk: Desk) -> None:
    first, second = await desk.open(), await desk.open(name="Somebody else", email="else@example.org")
    good, other = await link(desk, first), await link(desk, second)
    head, issued, mac = good.split("-")
    later = f"{int(issued, 16) + 1:x}"
    forged = [
        "", "x", good[:-1], good + "a", good.upper(), f" {good}", f"{good}\n", "f" + good[1:],
        f"m{second}-{issued}-{mac}", f"{head}-{later}-{mac}", f"{head}-{issued}-{other.split('-')[2]}",
        f"m999999999999-{issued}-{mac}", f"m99999999999999999999-{issued}-{mac}", f"m0{first}-{issued}-{mac}",
        f"m١-{issued}-{mac}", f"{head}-{issued}-" + "a" * 26, "m1-0-" + "a" * 26, "\x00", "m1-" + "f" * 9000,
    ]  # fmt: skip
    assert [each for each in forged if await seen(desk, each) is not None] == []
    assert (await shown(desk, good)).number == first


async def test_a_link_expires_and_a_new_one_does_not(desk: Desk) -> None:
    number = await desk.open()
    token = await link(desk, number)
    desk.clock.advance(days=89, hours=23)
    assert await seen(desk, token) is not None
    newer = await link(desk, number)
    desk.clock.advance(hours=1)
    assert await seen(desk, token) is None
    assert await seen(desk, newer) is not None
    # A shorter time ends older links, too.
    desk.units.policy = replace(POLICY, page=replace(PAGE, lifetime=timedelta(minutes=30)))
    assert await seen(desk, newer) is None


async def test_deleting_revokes_for_good_and_purging_too(desk: Desk) -> None:
    number = await desk.open()
    token = await link(desk, number)
    desk.clock.advance(minutes=1)
    await desk.do(Action.DELETE, number, DORA, room=ADMINS)
    assert await seen(desk, token) is None
    assert await desk.units.run(lambda unit: status_links.status_link(unit, number)) is None
    with pytest.raises(UnknownTicket):
        await desk.units.run(lambda unit: withdrawing.withdraw(unit, number))
    await desk.do(Action.RESTORE, number, DORA, room=ADMINS)
    assert await seen(desk, token) is None
    desk.clock.advance(seconds=1)
    newer = await link(desk, number)
    assert await seen(desk, newer) is not None
    await desk.do(Action.DELETE, number, DORA, room=ADMINS)
    caller = await desk.caller(DORA, ADMINS)
    await desk.units.run(lambda unit: purge.purge(unit, number, caller))
    assert await seen(desk, newer) is None
    assert not await desk.units.run(lambda unit: status_page.withdraw(unit, newer))


async def test_a_number_that_is_given_again_has_other_links(desk: Desk) -> None:
    """A database that was restored from a backup may give a number twice."""
    number = await desk.open()
    token = await link(desk, number)
    with desk.database.write() as session:
        session.connection().exec_driver_sql("UPDATE tickets SET opened_at = '2026-11-23 13:05:00.123457'")
    assert await seen(desk, token) is None


async def test_the_place_is_told_where_the_team_wants_that(desk: Desk) -> None:
    numbers = [await desk.open(email=f"{each}@example.org") for each in range(3)]
    for number in reversed(numbers):
        await desk.do(Action.WAIT, number)
        desk.clock.advance(minutes=1)
    tokens = [await link(desk, number) for number in numbers]
    assert [(await shown(desk, token)).place for token in tokens] == [3, 2, 1]
    assert {(await shown(desk, token)).phase for token in tokens} == {Phase.WAITING}
    # Taken and put back, a ticket has its place again.
    await desk.do(Action.TAKE, numbers[1])
    assert [(await shown(desk, token)).place for token in tokens] == [2, None, 1]
    await desk.do(Action.WAIT, numbers[1])
    assert [(await shown(desk, token)).place for token in tokens] == [3, 2, 1]
    desk.units.policy = replace(POLICY, page=replace(PAGE, places=frozenset({"berlin"})))
    assert [(await shown(desk, token)).place for token in tokens] == [None, None, None]


async def test_each_status_is_told_in_words_that_hurt_nobody(desk: Desk) -> None:
    number = await desk.open()
    token = await link(desk, number)
    told = []
    steps = ((Action.TAKE, ANNA), (Action.CLOSE, ANNA), (Action.REOPEN, ANNA), (Action.SPAM, ANNA))
    for action, person in steps:
        await desk.do(action, number, person)
        told.append((await shown(desk, token)).phase)
    await desk.do(Action.ARCHIVE, number, DORA, room=ADMINS)
    told.append((await shown(desk, token)).phase)
    assert told == [Phase.IN_PROGRESS, Phase.CLOSED, Phase.OPEN, Phase.CLOSED, Phase.CLOSED]


async def withdrawals(desk: Desk) -> list[tuple[int, list[str], bool]]:
    """What is said of withdrawals now: number, for whom, and whether in the card's thread."""
    jobs = [job for job in await desk.deliver() if isinstance(job, Send)]
    return [
        (job.view.number, [each.user_id for each in job.view.mentions], job.thread is not None)
        for job in jobs
        if isinstance(job.view, WithdrawalAlert)
    ]


async def test_withdrawing_closes_and_tells_the_assignee(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number)
    await desk.deliver()
    token = await link(desk, number)
    assert await desk.units.run(lambda unit: status_page.withdraw(unit, token))
    assert await withdrawals(desk) == [(number, [ANNA], True)]
    ticket = await desk.ticket(number)
    assert (ticket.status, ticket.assignee) == ("closed", ANNA)
    assert (await shown(desk, token)).phase is Phase.WITHDRAWN
    entry = (await desk.history(number))[-1]
    assert (entry.action, entry.who, entry.to_status) == ("withdraw", None, "closed")
    # Twice is success, and says nothing more.
    assert await desk.units.run(lambda unit: status_page.withdraw(unit, token))
    assert await withdrawals(desk) == []
    # A new message opens it again, as the wiki has it for all that are closed.
    await message(desk, number, "I do need it")
    assert (await desk.ticket(number)).status == "open"
    await desk.do(Action.CLOSE, number)
    assert (await shown(desk, token)).phase is Phase.CLOSED


async def test_a_withdrawal_is_for_the_team_but_for_who_muted_it(desk: Desk) -> None:
    number = await desk.open()
    await desk.deliver()
    caller = await desk.caller(BEN)
    await desk.units.run(lambda unit: mutes.mute(unit, number, caller))
    await desk.units.run(lambda unit: withdrawing.withdraw(unit, number))
    assert await withdrawals(desk) == [(number, [ANNA], True)]


@pytest.mark.parametrize("status", [Status.CLOSED, Status.SPAM, Status.ARCHIVED])
async def test_what_is_over_cannot_be_withdrawn(desk: Desk, status: Status) -> None:
    number = await desk.open()
    await desk.do(Action.SPAM if status is Status.SPAM else Action.CLOSE, number, note="Done")
    if status is Status.ARCHIVED:
        await desk.do(Action.ARCHIVE, number, DORA, room=ADMINS)
    done = await desk.units.run(lambda unit: withdrawing.withdraw(unit, number))
    assert not done.changed
    assert (await desk.ticket(number)).status == status.value


async def test_a_link_follows_a_merge_but_not_that_of_the_form(desk: Desk) -> None:
    older, newer = await desk.open(intake=Intake.FORM), await desk.open(intake=Intake.FORM, text="More")
    mailed = await link(desk, newer)
    formed = [await link(desk, number, Proof.FORM) for number in (older, newer)]
    caller = await desk.caller(ANNA)
    await desk.units.run(lambda unit: merge(unit, older, newer, caller))
    view = await shown(desk, mailed)
    assert (view.number, [line.text for line in view.lines]) == (older, ["Hello!", "More"])
    # Whoever sent a form in another's name must not come to the other's request by a merge.
    assert [await seen(desk, token) for token in formed] == [None, None]
    assert await desk.units.run(lambda unit: status_page.withdraw(unit, mailed))
    assert (await desk.ticket(older)).status == "closed"
    desk.clock.advance(minutes=1)
    await desk.do(Action.DELETE, older, DORA, room=ADMINS)
    await desk.do(Action.RESTORE, older, DORA, room=ADMINS)
    assert await seen(desk, mailed) is None


async def test_writing_to_what_is_archived_leads_to_a_new_request(desk: Desk) -> None:
    number = await desk.open(intake=Intake.FORM)
    token = await link(desk, number, Proof.FORM)
    await desk.do(Action.CLOSE, number)
    await desk.do(Action.ARCHIVE, number, DORA, room=ADMINS)
    new = NewMessage("Again me", Intake.FORM)
    key = intake.RetryKey("page", "one", "print")
    write = partial(status_page.write, token=token, message=new, key=key)
    where = await desk.units.run(write)
    assert where is not None
    assert await desk.units.run(write) is not None  # a second tap
    view = await shown(desk, where)
    assert (view.number, view.proof, [line.text for line in view.lines]) == (
        number + 1,
        Proof.FORM,
        ["Again me"],
    )
    assert (await desk.ticket(number + 1)).follows == number


async def test_what_is_written_by_the_link_in_a_mail_is_not_for_the_forms_sender(desk: Desk) -> None:
    """Whoever sent the form may have entered another's address, who then writes by the link in their mail."""
    number = await desk.open(intake=Intake.FORM)
    tokens = {proof: await link(desk, number, proof) for proof in Proof}
    for proof, token in tokens.items():
        new = NewMessage(f"By {proof.name}", Intake.FORM)
        key = intake.RetryKey("page", proof.name, proof.name)
        write = partial(status_page.write, token=token, message=new, key=key)
        assert await desk.units.run(write) == token
    formed, mailed = [await shown(desk, tokens[proof]) for proof in (Proof.FORM, Proof.MAIL)]
    assert [line.text for line in formed.lines] == ["Hello!", "By FORM"]
    assert [line.text for line in mailed.lines] == ["Hello!", "By FORM", "By MAIL"]


async def test_only_the_latest_messages_are_shown(desk: Desk) -> None:
    number = await desk.open(text="first")
    at = desk.clock.now
    rows = [
        TicketMessage(number=number, kind=MessageKind.MESSAGE.value, text=f"{each}", intake="http", at=at)
        for each in range(50)
    ]
    await put(desk.database, *rows)
    view = await shown(desk, await link(desk, number))
    assert (len(view.lines), view.lines[0].text, view.lines[-1].text, view.shortened) == (50, "0", "49", True)


async def test_looking_writes_nothing(desk: Desk) -> None:
    number = await desk.open()
    token = await link(desk, number)
    before = await desk.rows()

    def look(unit: Unit) -> None:
        assert status_page.view(unit, token) is not None
        assert not unit.session.new
        assert not unit.session.dirty

    await desk.units.look(look)
    assert await desk.rows() == before
