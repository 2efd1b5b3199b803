"""What the gate's refusals tell, and the conditions that no table holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from bot.domain.errors import (
    NotAllowedFrom,
    NotAMember,
    NothingToUndo,
    NotPermitted,
    NoWaitlist,
    OpenTasks,
    TakenBy,
    UndoProblem,
    UnknownTicket,
)
from bot.domain.lifecycle import Change, Decision, Details, decide
from bot.domain.words import EVERYTHING, Action, Actor, OpenTask, Right, Scope, Standing, Status, Team

NOW: Final = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
NUMBER: Final = 42
BEN: Final = Actor("@ben:example.org", frozenset({"freiburg"}))
OLGA: Final = Actor("@olga:example.org")
GIL: Final = "@gil:example.org"
FIONA: Final = "@fiona:example.org"


def ask(action: Action, ticket: Standing, who: Actor = BEN, **details: object) -> Decision:
    """Ask the gate, in a room that shows everything."""
    return decide(action, NUMBER, ticket, who, EVERYTHING, Details(**details), NOW)  # type: ignore[arg-type]


def test_a_refusal_offers_what_would_work() -> None:
    ticket = Standing(Status.CLOSED, "donation_request", "freiburg")
    with pytest.raises(NotAllowedFrom) as caught:
        ask(Action.CLOSE, ticket)
    assert caught.value.action is Action.CLOSE
    assert caught.value.status is Status.CLOSED
    assert set(caught.value.possible) == {
        Action.TAKE, Action.ASSIGN, Action.WAIT, Action.SPAM, Action.REOPEN, Action.TRANSFER,
    }  # fmt: skip


def test_a_refusal_offers_nothing_to_an_outsider() -> None:
    ticket = Standing(Status.CLOSED, "donation_request", "freiburg")
    with pytest.raises(NotAllowedFrom) as caught:
        ask(Action.CLOSE, ticket, OLGA)
    assert caught.value.possible == ()


def test_taken_by_names_the_holder() -> None:
    ticket = Standing(Status.IN_PROGRESS, "other", "freiburg", GIL)
    with pytest.raises(TakenBy) as caught:
        ask(Action.TAKE, ticket)
    assert (caught.value.assignee, caught.value.status) == (GIL, Status.IN_PROGRESS)


def test_open_tasks_are_listed() -> None:
    ticket = Standing(Status.OPEN, "other", "freiburg")
    with pytest.raises(OpenTasks) as caught:
        ask(Action.CLOSE, ticket, open_tasks=(OpenTask(1, "Call back"), OpenTask(3, "Wipe the disk")))
    assert caught.value.tasks == (OpenTask(1, "Call back"), OpenTask(3, "Wipe the disk"))


def test_only_topics_with_a_waiting_list_wait() -> None:
    ticket = Standing(Status.OPEN, "other", "freiburg")
    with pytest.raises(NoWaitlist) as caught:
        ask(Action.WAIT, ticket, waitlist=False)
    assert caught.value.topic == "other"


def test_assigning_to_a_stranger_names_the_stranger_and_the_team() -> None:
    ticket = Standing(Status.OPEN, "other", "freiburg")
    with pytest.raises(NotAMember) as caught:
        ask(Action.ASSIGN, ticket, named="@carla:example.org", members=frozenset({GIL}))
    assert (caught.value.user_id, caught.value.team) == ("@carla:example.org", "freiburg")


def test_lacking_a_right_tells_which_and_whose_ticket_it_is() -> None:
    ticket = Standing(Status.IN_PROGRESS, "other", "freiburg", GIL)
    with pytest.raises(NotPermitted) as caught:
        ask(Action.RELEASE, ticket)
    assert (caught.value.action, caught.value.right, caught.value.assignee) == (
        Action.RELEASE, Right.ASSIGNEE, GIL,
    )  # fmt: skip


@pytest.mark.parametrize("kept", [True, False])
def test_transfer_keeps_the_assignee_only_if_a_member_there(kept: bool) -> None:
    ticket = Standing(Status.IN_PROGRESS, "other", "freiburg", GIL)
    decision = ask(Action.TRANSFER, ticket, team="berlin", members=frozenset({GIL} if kept else {FIONA}))
    status, assignee = (Status.IN_PROGRESS, GIL) if kept else (Status.OPEN, None)
    assert decision.after == Standing(status, "other", "berlin", assignee)
    assert decision.loser == (None if kept else GIL)


def test_to_wait_keeps_an_earlier_place_and_notes_the_need() -> None:
    since = NOW - timedelta(days=9)
    ticket = Standing(Status.IN_PROGRESS, "other", "freiburg", GIL, waiting_since=since)
    decision = ask(Action.WAIT, ticket, note="a laptop with a camera")
    assert decision.after == Standing(
        Status.WAITING, "other", "freiburg", None, since, "a laptop with a camera"
    )


@pytest.mark.parametrize(
    ("last", "problem"),
    [
        (None, UndoProblem.NOTHING),
        (Change(Action.UNDO, BEN.user_id, NOW, Standing(Status.OPEN, "other")), UndoProblem.NOTHING),
        (Change(Action.WITHDRAW, BEN.user_id, NOW, Standing(Status.OPEN, "other")), UndoProblem.NOTHING),
        (Change(Action.OPEN, BEN.user_id, NOW, Standing(Status.OPEN, "other")), UndoProblem.OPENED),
        (Change(Action.OPEN, GIL, NOW, Standing(Status.OPEN, "other")), UndoProblem.NOTHING),
        (Change(Action.CLOSE, GIL, NOW, Standing(Status.OPEN, "other")), UndoProblem.OTHERS),
        (
            Change(
                Action.CLOSE, BEN.user_id, NOW - timedelta(minutes=10, microseconds=1),
                Standing(Status.OPEN, "other"),
            ),
            UndoProblem.TOO_OLD,
        ),
    ],
)  # fmt: skip
def test_undo_tells_why_not(last: Change | None, problem: UndoProblem) -> None:
    ticket = Standing(Status.CLOSED, "other", "freiburg")
    with pytest.raises(NothingToUndo) as caught:
        ask(Action.UNDO, ticket, last=last)
    assert caught.value.problem is problem
    if problem is not UndoProblem.NOTHING:
        assert last is not None
        assert (caught.value.last_by, caught.value.last_at) == (last.by, last.at)


def test_undo_is_possible_to_the_tenth_minute() -> None:
    before = Standing(Status.OPEN, "other", "freiburg")
    last = Change(Action.CLOSE, BEN.user_id, NOW - timedelta(minutes=10), before)
    ticket = replace(before, status=Status.CLOSED)
    decision = ask(Action.UNDO, ticket, last=last)
    assert decision.after == before


@pytest.mark.parametrize(
    ("team", "known"), [("freiburg", True), ("munich", True), ("berlin", False), (None, False)]
)
def test_a_transfer_is_undone_from_the_room_that_it_left(team: Team, known: bool) -> None:
    before = Standing(Status.OPEN, "other", "freiburg")
    details = Details(last=Change(Action.TRANSFER, BEN.user_id, NOW, before))
    ticket, scope = replace(before, team="munich"), Scope(frozenset({team}))
    if known:
        assert decide(Action.UNDO, NUMBER, ticket, BEN, scope, details, NOW).after == before
    else:
        with pytest.raises(UnknownTicket):
            decide(Action.UNDO, NUMBER, ticket, BEN, scope, details, NOW)


OLD, NEW = NOW - timedelta(days=9), NOW - timedelta(days=2)


@pytest.mark.parametrize(
    ("status", "since", "other_status", "other_since", "kept"),
    [
        (Status.WAITING, NEW, Status.WAITING, OLD, OLD),
        (Status.WAITING, OLD, Status.WAITING, NEW, OLD),
        (Status.WAITING, NEW, Status.OPEN, None, NEW),
        # Taken from the list, or not on it yet: the place is kept for when it waits again.
        (Status.OPEN, None, Status.WAITING, OLD, OLD),
        # Who was served once does not jump the queue with the next request.
        (Status.WAITING, NEW, Status.CLOSED, OLD, NEW),
        (Status.CLOSED, NEW, Status.CLOSED, OLD, NEW),
    ],
)
def test_what_stays_of_a_merge_keeps_the_place_on_the_waiting_list(
    status: Status, since: datetime | None, other_status: Status, other_since: datetime | None, kept: object
) -> None:
    ticket = Standing(status, "other", "freiburg", waiting_since=since)
    other = Standing(other_status, "other", "freiburg", waiting_since=other_since)
    after = ask(Action.MERGE, ticket, other=other).after
    assert (after.status, after.waiting_since) == (status, kept)


def test_what_goes_in_a_merge_is_closed_and_names_the_other() -> None:
    ticket = Standing(Status.SPAM, "other", "freiburg", GIL)
    assert ask(Action.MERGE, ticket, into=57).after == replace(ticket, status=Status.CLOSED, merged_into=57)


def test_a_deletion_is_unknown_even_to_who_did_it_once_no_admin() -> None:
    before = Standing(Status.OPEN, "other", "freiburg")
    last = Change(Action.DELETE, BEN.user_id, NOW, before)
    with pytest.raises(UnknownTicket):
        ask(Action.UNDO, replace(before, status=Status.DELETED), last=last)
