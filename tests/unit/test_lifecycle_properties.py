"""What holds after any sequence of moves, by anybody, at any pace."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import Refusal
from bot.domain.lifecycle import RULES, UNDO_WINDOW, UNDOABLE, Change, Decision, Details, decide
from bot.domain.words import EVERYTHING, Action, Actor, OpenTask, Right, Standing, Status, Team

START: Final = datetime(2026, 11, 23, 8, tzinfo=UTC)
PEOPLE: Final = tuple(f"@{name}:example.org" for name in ("anna", "ben", "carla", "dora"))
ADMIN: Final = PEOPLE[3]
TEAMS: Final[tuple[Team, ...]] = ("freiburg", "berlin", None)
TOPICS: Final = {"donation_request": True, "donation_offer": False}


@dataclass(frozen=True)
class Join:
    """A person joins or leaves a team's room."""

    person: str
    team: Team
    joins: bool


@dataclass(frozen=True)
class Wish:
    """A person asks for something."""

    action: Action
    person: str
    named: str
    team: Team
    topic: str
    tasks: tuple[OpenTask, ...]


@dataclass(frozen=True)
class Pass:
    """Time passes."""

    minutes: int


@dataclass
class World:
    """A ticket, the people, and the clock."""

    ticket: Standing = field(default_factory=lambda: Standing(Status.OPEN, "donation_request", "freiburg"))
    members: dict[Team, set[str]] = field(
        default_factory=lambda: {"freiburg": {PEOPLE[0], PEOPLE[1]}, "berlin": {PEOPLE[2]}, None: set()}
    )
    now: datetime = START
    last: Change | None = None
    past: list[Change] = field(default_factory=list)

    def actor(self, person: str) -> Actor:
        """The person with the rights of this moment."""
        teams = frozenset(team for team, members in self.members.items() if person in members)
        return Actor(person, teams, admin=person == ADMIN)

    def belongs(self, person: str | None, team: Team) -> bool:
        """Whether a person may have tickets of a team."""
        return person == ADMIN or person in self.members[team]

    def details(self, wish: Wish) -> Details:
        """What the gate must know."""
        team = wish.team if wish.action is Action.TRANSFER else self.ticket.team
        left = [change for change in self.past if change.action in (Action.ARCHIVE, Action.DELETE)]
        return Details(
            waitlist=TOPICS[self.ticket.topic],
            open_tasks=wish.tasks,
            named=wish.named,
            members=frozenset(self.members[team]),
            team=wish.team,
            topic=wish.topic,
            earlier=left[-1].before.status if left else None,
            last=self.last,
            purge_at=self.now + timedelta(days=30),
        )

    def ask(self, wish: Wish) -> Decision:
        """Ask the gate, in a room that shows everything."""
        who = self.actor(wish.person)
        return decide(wish.action, 42, self.ticket, who, EVERYTHING, self.details(wish), self.now)

    def apply(self, wish: Wish, decision: Decision) -> None:
        """Write an allowed move."""
        if decision.changed:
            self.last = Change(wish.action, wish.person, self.now, self.ticket)
            self.past.append(self.last)
        self.ticket = decision.after


PERSON: Final = st.sampled_from(PEOPLE)
TEAM: Final = st.sampled_from(TEAMS)
# Purge ends a ticket's life.
ACTION: Final = st.sampled_from(sorted(set(RULES) - {Action.PURGE}))
WISH: Final = st.builds(
    Wish, ACTION, PERSON, PERSON, TEAM, st.sampled_from(sorted(TOPICS)),
    st.sampled_from([(), (), (), (OpenTask(1, "Call back"),)]),
)  # fmt: skip
STEPS: Final = st.lists(
    st.one_of(WISH, WISH, WISH, WISH, st.builds(Join, PERSON, TEAM, st.booleans()),
              st.builds(Pass, st.integers(0, 12))),
    max_size=40,
)  # fmt: skip


def check_invariants(ticket: Standing) -> None:
    """What is true of a ticket at any time."""
    if ticket.status is Status.IN_PROGRESS:
        assert ticket.assignee is not None
    if ticket.status is Status.WAITING:
        assert ticket.assignee is None
        assert ticket.waiting_since is not None
    assert (ticket.purge_at is not None) == (ticket.status is Status.DELETED)


def check_move(world: World, wish: Wish, decision: Decision) -> None:
    """What is true of an allowed move."""
    before, after = decision.before, decision.after
    assert before == world.ticket
    if wish.action is Action.UNDO:
        check_undo(world, wish, decision)
    else:
        if before.waiting_since is not None:
            assert after.waiting_since == before.waiting_since
        if after.assignee != before.assignee and after.assignee is not None:
            assert world.belongs(after.assignee, after.team)
        if RULES[wish.action].right in (Right.MEMBER, Right.ASSIGNEE):
            assert world.belongs(wish.person, before.team)
        if RULES[wish.action].right is Right.ADMIN:
            assert wish.person == ADMIN
    check_told(wish, decision)


def check_told(wish: Wish, decision: Decision) -> None:
    """Who loses or gets a ticket through somebody else's act is to hear of it; who acts never."""
    before, after = decision.before, decision.after
    under_way = {Status.OPEN, Status.IN_PROGRESS, Status.WAITING}
    passed_on = after.assignee != before.assignee
    ended = wish.action in (Action.DELETE, Action.MERGE) and before.status in under_way
    begun_again = before.status is Status.DELETED and after.status in under_way
    loser = before.assignee if passed_on or ended else None
    gainer = after.assignee if passed_on or begun_again else None
    told = tuple(None if person == wish.person else person for person in (loser, gainer))
    assert (decision.loser, decision.gainer) == told


def check_undo(world: World, wish: Wish, decision: Decision) -> None:
    """Undo gives back exactly what was, to the person who changed it, for ten minutes."""
    last = world.last
    assert last is not None
    assert decision.after == last.before
    assert last.by == wish.person
    assert last.action in UNDOABLE
    assert world.now - last.at <= UNDO_WINDOW


@settings(max_examples=600, deadline=None)
@given(STEPS)
def test_invariants_hold_after_any_sequence_of_moves(steps: list[Wish | Join | Pass]) -> None:
    world = World()
    for step in steps:
        if isinstance(step, Pass):
            world.now += timedelta(minutes=step.minutes)
        elif isinstance(step, Join):
            change = world.members[step.team].add if step.joins else world.members[step.team].discard
            change(step.person)
        else:
            before = world.ticket
            try:
                decision = world.ask(step)
            except Refusal:
                assert world.ticket is before
                continue
            check_move(world, step, decision)
            world.apply(step, decision)
            check_invariants(world.ticket)


@settings(max_examples=300, deadline=None)
@given(STEPS, WISH, st.integers(0, 20 * 60))
def test_whatever_can_be_undone_is_undone_exactly(
    steps: list[Wish | Join | Pass], wish: Wish, seconds: int
) -> None:
    world = World()
    for step in [step for step in steps if isinstance(step, Wish)] + [wish]:
        try:
            decision = world.ask(step)
        except Refusal:
            continue
        world.apply(step, decision)
    last = world.last
    if last is None or last.action not in UNDOABLE:
        return
    now = last.at + timedelta(seconds=seconds)
    who = world.actor(last.by)
    restored: Standing | None
    try:
        restored = decide(
            Action.UNDO, 42, world.ticket, who, EVERYTHING, Details(last=last), now
        ).after  # fmt: skip
    except Refusal:
        restored = None
    assert restored == (last.before if seconds <= UNDO_WINDOW.total_seconds() else None)


@given(PERSON)
def test_a_place_on_the_waiting_list_survives_being_taken(taker: str) -> None:
    world = World()
    world.members["freiburg"].add(taker)
    member = world.actor(taker)
    waits = decide(Action.WAIT, 42, world.ticket, member, EVERYTHING, Details(), world.now).after
    later = world.now + timedelta(days=3)
    taken = decide(Action.TAKE, 42, waits, member, EVERYTHING, Details(), later).after
    again = decide(Action.WAIT, 42, taken, member, EVERYTHING, Details(), later).after
    assert again == waits
    assert waits.waiting_since == START
