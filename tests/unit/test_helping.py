"""What help tells, to whom and where."""

import pytest

from bot.commands import helping
from bot.domain.errors import UnknownName
from bot.domain.lifecycle import RULES
from bot.domain.words import EVERYTHING, NOTHING, Actor, RoomKind, Scope, Status
from bot.presentation import Names, Renderer
from bot.services.people import Caller, Place
from bot.services.views import HelpView, StatusesView
from tests.unit.real_commands import REGISTRY
from tests.unit.test_presentation import BERLIN, NOW

HERE = Place("!freiburg:x", RoomKind.TEAM, Scope(frozenset({"freiburg"})), "freiburg")
ADMINS = Place("!admins:x", RoomKind.ADMIN, EVERYTHING)
DIRECT = Place("!direct:x", RoomKind.DIRECT, NOTHING)
MEMBER = Actor("@anna:x", frozenset({"freiburg"}))
ADMIN = Actor("@dora:x", admin=True)
NOBODY = Actor("@olga:x")
RENDERER = Renderer(Names(german=helping.german_names(REGISTRY)))


def told(asked: str = "", actor: Actor = MEMBER, place: Place = HERE) -> HelpView | StatusesView:
    return helping.explain(REGISTRY, "!", asked, Caller(actor, place))


def names(view: HelpView | StatusesView) -> set[str]:
    assert isinstance(view, HelpView)
    return {command.name for command in view.commands}


def read(language: str, asked: str = "", actor: Actor = MEMBER, place: Place = HERE) -> str:
    return RENDERER.answer(told(asked, actor, place), language, BERLIN, NOW).body


def test_only_what_somebody_may_use_here_is_listed() -> None:
    everything = {command.name for command in REGISTRY}
    admin = {command.name for command in REGISTRY if command.group == "admin"}
    assert names(told()) == everything - admin
    assert names(told(actor=ADMIN, place=ADMINS)) == everything
    assert names(told(actor=ADMIN)) == everything - {c.name for c in REGISTRY if not c.everywhere}
    assert names(told(actor=NOBODY, place=DIRECT)) == {"help"}


@pytest.mark.parametrize("asked", ["take", "nehmen", "!take", "NEHMEN", "claim", "take?"])
def test_a_command_is_found_by_every_name(asked: str) -> None:
    view = told(asked)
    assert isinstance(view, HelpView)
    assert view.detailed
    assert names(view) == {"take"}


def test_what_is_unknown_is_answered_with_what_is_near() -> None:
    with pytest.raises(UnknownName) as caught:
        told("taek")
    assert caught.value.near == ("take", "task")
    assert caught.value.known == ()


@pytest.mark.parametrize("asked", ["statuses", "ablauf", "lifecycle", "status", "Ablauf"])
def test_the_statuses_are_explained(asked: str) -> None:
    assert isinstance(told(asked), StatusesView)


def test_for_admins_status_is_their_command_where_it_can_be_used() -> None:
    assert isinstance(told("status", ADMIN, ADMINS), HelpView)
    assert isinstance(told("status", ADMIN), StatusesView)


def test_the_statuses_lead_on_as_the_lifecycle_has_it() -> None:
    view = helping.statuses()
    assert [status for status, _ in view.statuses] == list(Status)
    for status, moves in view.statuses:
        assert moves
        assert all(status in RULES[action].sources for action in moves)
        assert all(REGISTRY.lookup(action.value) for action in moves)


@pytest.mark.parametrize(
    ("language", "first", "german", "english"), [("de", "nehmen", True, False), ("en", "take", False, True)]
)
def test_a_room_reads_commands_in_its_language(
    language: str, first: str, german: bool, english: bool
) -> None:
    body = read(language)
    assert body.splitlines()[1].startswith(f"• !{first}: ")
    assert ("!warteliste" in body) is german
    assert ("!waitlist" in body) is english
    details = read(language, "wait")
    assert ("!warten 42 Laptop mit Kamera" in details) is german
    assert ("!wait 42 a laptop with a camera" in details) is english
    assert ("[Nummer …] [Bedarf]" in details) is german


@pytest.mark.parametrize("language", ["de", "en"])
def test_it_fits_a_phone(language: str) -> None:
    """No line of the overview is longer than two of a phone's; no command takes more than one."""
    lines = read(language).splitlines()
    assert max(map(len, lines)) <= 120
    assert max(len(line) for line in lines if line.startswith("•")) <= 75
    assert len(lines) <= 45


def test_other_prefixes_stand_in_the_examples_too() -> None:
    renderer = Renderer(Names(prefix="/t-", german=helping.german_names(REGISTRY)))
    view = helping.explain(REGISTRY, "/t-", "take", Caller(MEMBER, HERE))
    body = renderer.answer(view, "de", BERLIN, NOW).body
    assert "/t-nehmen 42" in body
    assert "!" not in body


def test_taps_are_not_told_of_where_there_are_none() -> None:
    renderer = Renderer(Names(taps=False))
    assert "🙋" not in renderer.answer(told(), "en", BERLIN, NOW).body
    assert "🙋" in read("en")


@pytest.mark.parametrize("language", ["de", "en"])
def test_in_a_direct_chat_it_says_that_the_prefix_is_not_needed(language: str) -> None:
    assert "“!”" in read("en", place=DIRECT)
    assert "„!“" in read("de", place=DIRECT)
    assert "“!”" not in read("en")
