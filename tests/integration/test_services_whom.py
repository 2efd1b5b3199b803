"""Whom the bot mentions: every action × who acts × whose it is × who left × who muted."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

import pytest

from bot.domain.errors import Refusal
from bot.domain.lifecycle import RULES
from bot.domain.words import Action, Intake
from bot.services import alerts, arrivals, merging, mutes, people
from bot.services.arrivals import NewMessage
from bot.services.jobs import Send
from bot.services.unit import Unit
from bot.services.views import AssignmentAlert, MessageAlert
from storage.models import Mute
from tests.integration.desk_data import ADMINS, ANNA, BEN, BERLIN, DORA, FREIBURG, HOME, Desk, desk_on, put

ACTIONS: Final = tuple(
    action
    for action in Action
    if action in RULES.keys() | {Action.MESSAGE}
    and action not in {Action.WITHDRAW, Action.PURGE}
    and action not in {Action.MERGE, Action.NOTE, Action.REPLY, Action.TASK_ADD, Action.TASK_DONE}
)
"""Withdraw is the requester's (``test_status_links``); a merge is tested below; notes, replies and tasks
move nobody.
"""
ADMIN_ONLY: Final = {Action.ARCHIVE, Action.DELETE, Action.RESTORE}


@dataclass(frozen=True)
class Case:
    """Somebody does something to somebody's ticket."""

    action: Action
    actor: str | None
    """``None``: the requester, who writes a message."""
    holder: str | None
    muted: frozenset[str]

    @property
    def refused(self) -> bool:
        """Whether the rules say no."""
        if self.actor == DORA:
            return self.action is Action.TAKE and self.holder not in (None, DORA)
        if self.action is Action.TAKE:
            return self.holder not in (None, self.actor)
        return self.action in ADMIN_ONLY or (self.action is Action.RELEASE and self.holder != self.actor)


def cases() -> Iterator[Case]:
    """All of them."""
    everybody = frozenset({ANNA, BEN, DORA})
    for action, actor, holder in product(ACTIONS, (ANNA, DORA, None), (None, ANNA, BEN, DORA)):
        message = action is Action.MESSAGE
        if actor is None and not message:
            continue
        some = (frozenset({ANNA}), frozenset({BEN})) if message else ()
        for muted in (frozenset[str](), *some, everybody):
            yield Case(action, actor, holder, muted)


def told(case: Case, present: frozenset[str]) -> set[str]:
    """Who is mentioned, in the words of the design; ``present`` are in the team's room."""
    if case.refused:
        return set()
    if case.action is Action.MESSAGE:
        # The assignee; none, or one who left the team: every member. Not who wrote it down, not who muted it.
        meant = {case.holder} if case.holder in present else present
        return {person for person in meant if person} - case.muted - {case.actor or ""}
    named = named_by(present)
    touched = {
        # Whoever loses an assignment through somebody else's act is told, and whoever is given one.
        Action.STEAL: {case.holder},
        Action.RELEASE: {case.holder},
        Action.WAIT: {case.holder},
        Action.TRANSFER: {case.holder},
        Action.DELETE: {case.holder},
        Action.ASSIGN: {case.holder, named} if named != case.holder else set(),
        # Undone here is a steal, restored a deletion: it is theirs again.
        Action.UNDO: {case.holder},
        Action.RESTORE: {case.holder},
    }
    # An admin who is not in the team's room is told in the admin room; who left is told nowhere.
    reached = present | {DORA}
    return {person for person in touched.get(case.action, set()) if person in reached} - {case.actor}


def named_by(present: frozenset[str]) -> str:
    """To whom tickets are assigned here."""
    return BEN if BEN in present else ANNA


async def prepare(desk: Desk, case: Case) -> int:
    """A ticket as it is before the act."""
    number = await desk.open()
    if case.holder is not None:
        await desk.do(Action.TAKE, number, case.holder)
    before = {
        Action.REOPEN: [(Action.CLOSE, ANNA)],
        Action.ARCHIVE: [(Action.CLOSE, ANNA)],
        Action.RESTORE: [(Action.DELETE, DORA)],
        Action.UNDO: [(Action.STEAL, case.actor or ANNA)],
    }
    for action, person in before.get(case.action, []):
        await desk.do(action, number, person)
    await put(
        desk.database, *(Mute(number=number, user_id=person, at=desk.clock.now) for person in case.muted)
    )
    return number


async def act(desk: Desk, case: Case, number: int, present: frozenset[str]) -> None:
    """Do it, if that is possible."""
    if case.action is Action.MESSAGE:
        message = NewMessage("Any news?", Intake.CHAT, case.actor, None)
        await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))
        return
    wish = {"person": named_by(present), "team": "berlin", "topic": "other"}
    assert case.actor is not None
    try:
        await desk.do(case.action, number, case.actor, **wish)
    except Refusal:
        assert case.refused, case
    else:
        assert not case.refused, case


async def mentioned(desk: Desk, after: int) -> dict[int, list[tuple[str | None, set[str]]]]:
    """Ticket → room and people of each alert that was written since."""
    rows = [row for row in await desk.outbox(kind="alert") if (row.id or 0) > after]

    def load(unit: Unit) -> list[set[str]]:
        return [_people(alerts.load(unit, row)) for row in rows]

    found: dict[int, list[tuple[str | None, set[str]]]] = {}
    for row, who in zip(rows, await desk.units.look(load), strict=True):
        found.setdefault(row.number or 0, []).append((row.room, who))
    return found


def _people(view: object) -> set[str]:
    if isinstance(view, MessageAlert):
        return {person.user_id for person in view.mentions}
    return {view.person.user_id} if isinstance(view, AssignmentAlert) else set()


@pytest.mark.parametrize("left", [False, True], ids=["", "ben-left"])
async def test_exactly_those_meant_are_mentioned(sqlite_database: str, left: bool) -> None:
    async with desk_on(sqlite_database) as desk:
        prepared = {await prepare(desk, case): case for case in cases()}
        present = frozenset({ANNA} if left else {ANNA, BEN})
        if left:
            await desk.update(FREIBURG, members={BEN: None})
        last = max(row.id or 0 for row in await desk.outbox())
        for number, case in prepared.items():
            await act(desk, case, number, present)
        found = await mentioned(desk, last)
        for number, case in prepared.items():
            rung = found.get(number, [])
            assert set().union(*(who for _room, who in rung)) == told(case, present), case
            # Nobody is called twice for one act, and only admins in the admin room.
            assert sum(len(who) for _room, who in rung) == len(told(case, present)), case
            assert all(who <= {DORA} for room, who in rung if room == "admin"), case


@pytest.mark.parametrize("holder", [None, ANNA, BEN])
@pytest.mark.parametrize("kept", [None, BEN])
async def test_whose_ticket_goes_by_a_merge_is_told(
    sqlite_database: str, holder: str | None, kept: str | None
) -> None:
    async with desk_on(sqlite_database) as desk:
        stays, goes = await desk.open(), await desk.open()
        for number, person in ((goes, holder), (stays, kept)):
            if person is not None:
                await desk.do(Action.TAKE, number, person)
        last = max(row.id or 0 for row in await desk.outbox())
        caller = await desk.caller(ANNA)
        await desk.units.run(lambda unit: merging.merge(unit, goes, stays, caller))
        rung = await mentioned(desk, last)
        assert rung == ({goes: [(None, {BEN})]} if holder == BEN else {})


async def sent_assignments(desk: Desk) -> list[Send]:
    """What is sent about assignments."""
    sent = await desk.deliver()
    return [job for job in sent if isinstance(job, Send) and isinstance(job.view, AssignmentAlert)]


async def test_who_loses_a_ticket_by_a_transfer_is_told_where_they_are(database_url: str) -> None:
    async with desk_on(database_url) as desk:
        number = await desk.open()
        await desk.do(Action.TAKE, number, BEN)
        await desk.do(Action.TRANSFER, number, ANNA, team="berlin")
        (job,) = await sent_assignments(desk)
        assert isinstance(job.view, AssignmentAlert)
        assert (job.room_id, job.view.person.user_id, job.view.given) == (FREIBURG, BEN, False)


async def test_an_admin_is_told_in_the_admin_room(database_url: str) -> None:
    async with desk_on(database_url) as desk:
        number = await desk.open()
        await desk.do(Action.TAKE, number, DORA, room=ADMINS)
        await desk.do(Action.STEAL, number, ANNA)
        (row,) = await desk.alerts("assignment")
        assert row.room == "admin"
        assert [(job.room_id, job.thread) for job in await sent_assignments(desk)] == [(ADMINS, None)]


async def test_a_ticket_that_becomes_ones_own_is_no_longer_muted(database_url: str) -> None:
    """Whoever is responsible hears of it; a mute was made while it was another's."""
    async with desk_on(database_url) as desk:
        for action, by in ((Action.TAKE, BEN), (Action.ASSIGN, ANNA), (Action.STEAL, BEN)):
            number = await desk.open()
            if action is Action.STEAL:
                await desk.do(Action.TAKE, number, ANNA)
            caller = await desk.caller(BEN)
            await desk.units.run(lambda unit, n=number, c=caller: mutes.mute(unit, n, c))  # type: ignore[misc]
            await desk.do(action, number, by, person="Ben")
            assert (await desk.rows())["mutes"] == []


async def test_members_of_several_rooms_are_mentioned_in_the_tickets_own(database_url: str) -> None:
    async with desk_on(database_url) as desk:
        await desk.update(BERLIN, members={ANNA: "Anna"})
        number = await desk.open(region="berlin")
        message = NewMessage("Any news?", Intake.HTTP)
        await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))
        team = await desk.units.look(lambda unit: people.members_of(unit, "berlin"))
        found = await mentioned(desk, 0)
        assert found[number] == [(None, set(team))]
        assert set(team) == {ANNA, *(user for user, home in HOME.items() if home == BERLIN)}
