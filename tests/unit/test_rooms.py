"""Which rooms may be used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.rooms import RoomProblem, RoomState, problems


@pytest.mark.parametrize("join_rule", ["invite", "restricted", "knock", "knock_restricted"])
@pytest.mark.parametrize("visibility", ["shared", "invited", "joined"])
def test_a_closed_room_has_no_problems(join_rule: str, visibility: str) -> None:
    assert problems(RoomState(join_rule=join_rule, history_visibility=visibility)) == ()


@pytest.mark.parametrize(
    ("room", "problem"),
    [
        (RoomState(joined=False), RoomProblem.NOT_JOINED),
        (RoomState(join_rule="public"), RoomProblem.PUBLIC),
        (RoomState(join_rule="org.example.open_house"), RoomProblem.PUBLIC),
        (RoomState(history_visibility="world_readable"), RoomProblem.WORLD_READABLE),
        (RoomState(guest_access="can_join"), RoomProblem.GUESTS),
        (RoomState(replaced_by="!new:example.org"), RoomProblem.REPLACED),
    ],
)
def test_each_problem_is_named(room: RoomState, problem: RoomProblem) -> None:
    assert problems(room) == (problem,)


def test_several_problems_are_all_told() -> None:
    room = RoomState(join_rule="public", history_visibility="world_readable", guest_access="can_join")
    assert problems(room) == (RoomProblem.PUBLIC, RoomProblem.WORLD_READABLE, RoomProblem.GUESTS)


def test_of_a_room_without_the_bot_only_that_is_said() -> None:
    """What is known of such a room is out of date."""
    assert problems(RoomState(joined=False, join_rule="public", replaced_by="!new")) == (
        RoomProblem.NOT_JOINED,
    )


@given(st.text(), st.text())
def test_unknown_words_never_open_a_room(join_rule: str, guest_access: str) -> None:
    room = RoomState(join_rule=join_rule, guest_access=guest_access)
    closed = join_rule in {"invite", "restricted", "knock", "knock_restricted"}
    assert (problems(room) == ()) == (closed and guest_access == "forbidden")
