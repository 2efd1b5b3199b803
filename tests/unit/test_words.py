"""The vocabulary: states, scopes, and who belongs where."""

import pytest

from bot.domain.words import EVERYTHING, NOTHING, STATE_OF, Actor, Scope, State, Status, statuses_of


def test_every_status_belongs_to_a_state() -> None:
    assert {status.value: state.value for status, state in STATE_OF.items()} == {
        "open": "open",
        "in_progress": "open",
        "waiting": "open",
        "closed": "closed",
        "spam": "closed",
        "archived": "archived",
        "deleted": "deleted",
    }


def test_statuses_of_several_states_are_united() -> None:
    assert statuses_of(State.CLOSED, State.ARCHIVED) == {Status.CLOSED, Status.SPAM, Status.ARCHIVED}
    assert statuses_of() == frozenset()


@pytest.mark.parametrize("team", ["freiburg", "berlin", None])
def test_admins_belong_everywhere_and_nobody_to_nothing(team: str | None) -> None:
    assert Actor("@dora:example.org", admin=True).belongs_to(team)
    assert not Actor("@olga:example.org").belongs_to(team)


def test_triage_is_a_team_of_its_own() -> None:
    tim = Actor("@tim:example.org", frozenset({None}))
    assert tim.belongs_to(None)
    assert not tim.belongs_to("freiburg")
    assert Scope(frozenset({None})).shows(None)
    assert not Scope(frozenset({"freiburg"})).shows(None)


def test_everything_shows_all_and_nothing_none() -> None:
    for team in ("freiburg", None):
        assert EVERYTHING.shows(team)
        assert not NOTHING.shows(team)
