"""Every status × action × role × room against the lifecycle's table, stated here once more as plain data."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

import pytest

from bot.domain.errors import (
    MergedInto,
    NotAllowedFrom,
    NotPermitted,
    Refusal,
    TakenBy,
    UnknownTicket,
)
from bot.domain.lifecycle import (
    ARRIVALS,
    RULES,
    Arrival,
    Change,
    Decision,
    Details,
    decide,
    possible_moves,
)
from bot.domain.words import EVERYTHING, NOTHING, Action, Actor, OpenTask, Scope, Standing, Status

NOW: Final = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
NUMBER: Final = 42

# The workflow as the charity's people know it: from where, to where, by whom, whose it is then.
# "=" keeps, "<" means as it was before, "-" is nobody.
TABLE: Final = """
take     | open waiting closed             | in_progress | member      | actor
steal    | open in_progress waiting closed | in_progress | member      | actor
assign   | open in_progress waiting        | open        | member      | named
assign   | closed                          | closed      | member      | named
release  | open in_progress                | open        | assignee    | -
wait     | open in_progress closed         | waiting     | member      | -
close    | open in_progress waiting        | closed      | member      | =
spam     | open in_progress waiting closed | spam        | member      | =
reopen   | waiting closed spam             | open        | member      | =
undo     | open in_progress waiting closed | <           | same_person | <
undo     | spam archived deleted           | <           | same_person | <
withdraw | open in_progress waiting        | closed      | requester   | =
transfer | open waiting closed spam        | =           | member      | if_member
transfer | in_progress                     | open        | member      | if_member
topic    | open in_progress waiting closed | =           | member      | =
topic    | spam archived                   | =           | member      | =
merge    | open in_progress waiting closed | closed      | member      | =
merge    | spam                            | closed      | member      | =
note     | open in_progress waiting closed | =           | member      | =
note     | spam archived                   | =           | member      | =
reply    | open in_progress waiting closed | =           | member      | =
task_add | open in_progress waiting        | =           | member      | =
task_done | open in_progress waiting closed | =          | member      | =
task_done | spam                           | =           | member      | =
archive  | closed spam                     | archived    | admin       | =
delete   | open in_progress waiting closed | deleted     | admin       | =
delete   | spam archived                   | deleted     | admin       | =
restore  | archived deleted                | <           | admin       | =
purge    | deleted                         | =           | admin       | =
"""


@dataclass(frozen=True)
class Row:
    """One allowed move."""

    target: str
    right: str
    holder: str


def _rows() -> dict[tuple[str, str], Row]:
    rows = {}
    for line in TABLE.strip().splitlines():
        action, sources, target, right, holder = (cell.strip() for cell in line.split("|"))
        for source in sources.split():
            rows[action, source] = Row(target, right, holder)
    return rows


ROWS: Final = _rows()

GIL: Final = "@gil:example.org"
FIONA: Final = "@fiona:example.org"
FRITZ: Final = "@fritz:example.org"
SELF: Final = "self"

ROLES: Final[dict[str, tuple[Actor, tuple[str | None, ...]]]] = {
    # role → who, and whose the ticket may be while they play it
    "outsider": (Actor("@olga:example.org"), (None, GIL)),
    "other team's member": (Actor("@carla:example.org", frozenset({"berlin"})), (None, GIL)),
    "member": (Actor("@ben:example.org", frozenset({"freiburg"})), (None, GIL)),
    "assignee": (Actor("@anna:example.org", frozenset({"freiburg"})), (SELF,)),
    "former member": (Actor(FRITZ, frozenset({"berlin"})), (SELF,)),
    "admin": (Actor("@dora:example.org", admin=True), (None, GIL, SELF)),
}
BELONG: Final = {"member", "assignee", "admin"}
SHOWING: Final = {"own", "admin"}
"""Rooms that show the ticket whoever asks; a direct chat shows it to those who belong."""

DETAILS: Final = Details(
    named=FIONA,
    members=frozenset({FIONA, FRITZ}),
    team="berlin",
    topic="other",
    earlier=Status.SPAM,
    purge_at=NOW + timedelta(days=30),
    into=57,
)


def scope_of(room: str, who: Actor) -> Scope:
    """What a room shows."""
    direct = EVERYTHING if who.admin else Scope(who.teams)
    return {
        "own": Scope(frozenset({"freiburg"})),
        "other": Scope(frozenset({"berlin"})),
        "triage": Scope(frozenset({None})),
        "admin": EVERYTHING,
        "direct": direct,
        "foreign": NOTHING,
    }[room]


ROOMS: Final = ("own", "other", "triage", "admin", "direct", "foreign")


@dataclass(frozen=True)
class Case:
    """One cell."""

    action: Action
    status: Status
    role: str
    holder: str | None
    room: str

    @property
    def who(self) -> Actor:
        """The person."""
        return ROLES[self.role][0]

    @property
    def assignee(self) -> str | None:
        """Whose ticket it is."""
        return self.who.user_id if self.holder == SELF else self.holder

    @property
    def ticket(self) -> Standing:
        """The ticket."""
        return Standing(self.status, "donation_request", "freiburg", self.assignee)

    @property
    def last(self) -> Change:
        """What the person did to it a minute ago."""
        before = Standing(Status.OPEN, "donation_request", "freiburg", GIL)
        return Change(Action.CLOSE, self.who.user_id, NOW - timedelta(minutes=1), before)


def cases() -> Iterator[Case]:
    """All cells that can exist: in progress has an assignee, waiting has none."""
    for action, status, role, room in product(RULES, Status, ROLES, ROOMS):
        for holder in ROLES[role][1]:
            if (holder is None and status is Status.IN_PROGRESS) or (holder and status is Status.WAITING):
                continue
            yield Case(action, status, role, holder, room)


def expected(case: Case) -> object:
    """Status and assignee afterwards, or the kind of refusal; asked in this order: known? allowed? may?"""
    belongs = case.role in BELONG
    if not (case.room in SHOWING or (case.room == "direct" and belongs)):
        # A former member's own undo is theirs only while they belong to the team it was in.
        return UnknownTicket
    if case.status is Status.DELETED and case.role != "admin":
        return UnknownTicket
    if case.action is Action.TAKE and belongs and case.status in ("open", "in_progress", "closed"):
        if case.holder == GIL:
            return TakenBy
        if case.status is Status.IN_PROGRESS:
            return Status.IN_PROGRESS, case.assignee
    row = ROWS.get((case.action.value, case.status.value))
    if row is None:
        return NotAllowedFrom
    permitted = {
        "member": belongs,
        "same_person": belongs,
        "assignee": case.role in ("assignee", "admin"),
        "admin": case.role == "admin",
        "requester": False,
    }[row.right]
    return _outcome(case, row) if permitted else NotPermitted


def _outcome(case: Case, row: Row) -> object:
    if case.action is Action.UNDO:
        return Status.OPEN, GIL
    status = {"=": case.status.value, "<": "spam"}.get(row.target, row.target)
    holders = {"=": case.assignee, "-": None, "actor": case.who.user_id, "named": FIONA, "if_member": None}
    if case.action is Action.TRANSFER and case.assignee is None:
        status = case.status.value
    return Status(status), holders[row.holder]


def run(case: Case) -> Decision:
    """Ask the gate."""
    details = replace(DETAILS, last=case.last if case.action is Action.UNDO else None)
    scope = scope_of(case.room, case.who)
    return decide(case.action, NUMBER, case.ticket, case.who, scope, details, NOW)


def test_every_status_action_role_and_room() -> None:
    wrong: list[str] = []
    seen: set[object] = set()
    for case in cases():
        found: object
        try:
            decision = run(case)
            found = (decision.after.status, decision.after.assignee)
        except Refusal as refusal:
            found = type(refusal) if refusal.number == NUMBER else refusal
        seen.add(found if isinstance(found, type) else "allowed")
        if found != expected(case):
            wrong.append(f"{case}: {found}, not {expected(case)}")
    assert not wrong, "\n".join(wrong[:20])
    assert seen == {"allowed", UnknownTicket, TakenBy, NotAllowedFrom, NotPermitted}


def test_the_tables_hold_the_same_rows() -> None:
    rules = {
        (action.value, source.value): rule.right.value
        for action, rule in RULES.items()
        for source in rule.sources
    }
    assert rules == {key: row.right for key, row in ROWS.items()}


def test_what_arrives_by_itself_is_no_row_of_the_table() -> None:
    assert set(Action) - set(RULES) == {Action.OPEN, Action.MESSAGE}
    assert dict(ARRIVALS) == {
        Status.OPEN: Arrival(Status.OPEN, notify=True),
        Status.IN_PROGRESS: Arrival(Status.IN_PROGRESS, notify=True),
        Status.WAITING: Arrival(Status.WAITING, notify=True),
        Status.CLOSED: Arrival(Status.OPEN, notify=True),
        Status.SPAM: Arrival(Status.SPAM, notify=False),
        Status.ARCHIVED: Arrival(None, notify=True),
        Status.DELETED: Arrival(None, notify=True),
    }


def test_every_move_that_a_refusal_offers_succeeds() -> None:
    offered = 0
    for case, waitlist, tasks in product(cases(), (True, False), ((), (OpenTask(1, "Wipe the disk"),))):
        if case.action is not Action.TAKE or case.room != "admin":
            continue
        details = replace(DETAILS, waitlist=waitlist, open_tasks=tasks)
        for action in possible_moves(case.ticket, case.who, details):
            decide(action, NUMBER, case.ticket, case.who, EVERYTHING, details, NOW)
            offered += 1
    assert offered > 100


# What is left to do to a ticket whose conversation goes on in another.
AFTER_MERGE: Final = {"undo", "archive", "delete", "restore", "purge"}


def test_a_merged_ticket_leads_to_where_it_goes_on() -> None:
    seen = set()
    for case in cases():
        merged = replace(case.ticket, merged_into=57)
        scope = scope_of(case.room, case.who)
        details = replace(DETAILS, last=case.last)
        found: object = "as else"
        try:
            decide(case.action, NUMBER, merged, case.who, scope, details, NOW)
        except MergedInto as refusal:
            found = "merged" if (refusal.number, refusal.target) == (NUMBER, 57) else refusal
        except Refusal as refusal:
            found = "unknown" if isinstance(refusal, UnknownTicket) else "as else"
        seen.add(found)
        if expected(case) is UnknownTicket:
            assert found == "unknown"
        else:
            assert found == ("as else" if case.action.value in AFTER_MERGE else "merged")
        possible = possible_moves(merged, case.who, DETAILS)
        assert {action.value for action in possible} <= AFTER_MERGE
    assert seen == {"as else", "merged", "unknown"}


def test_a_number_that_does_not_exist_is_unknown_to_everybody() -> None:
    for (who, _), action in product(ROLES.values(), RULES):
        with pytest.raises(UnknownTicket):
            decide(action, NUMBER, None, who, EVERYTHING, DETAILS, NOW)
