"""What counts as a command: as people type it on phones, in rooms and in direct chats."""

import contextlib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.hearing import Hearing, Identity
from bot.commands.parser import Context, parse
from bot.domain.errors import UsageError, UsageProblem
from tests.unit.real_commands import REGISTRY
from tests.unit.test_command_text import BOT, NAMES, message

HEARING = Hearing(REGISTRY, Identity(BOT, NAMES, "!"))


def heard(body: str, *, private: bool = False) -> str | None:
    return HEARING.command(message(body), private=private)


def understood(body: str, *, private: bool = False) -> tuple[str, tuple[int, ...], Mapping[str, str]]:
    """Command, numbers and words of what is typed."""
    line = heard(body, private=private)
    assert line is not None
    call = parse(line, REGISTRY, "!", Context())
    assert call is not None
    return call.command.name, call.numbers, call.words


@pytest.mark.parametrize(
    ("body", "name", "numbers"),
    [
        ("!take 42", "take", (42,)),
        ("!Take 42", "take", (42,)),
        ("! take 42", "take", (42,)),
        ("!  Nehmen #42", "take", (42,)),
        ("! mine", "mine", ()),
        ("! Meine.", "mine", ()),
        ("!42 take", "take", (42,)),
        ("!#42 nehmen", "take", (42,)),
        ("! 42 nehmen", "take", (42,)),
        ("!41 42 take", "take", (41, 42)),
        ("!41,42 take", "take", (41, 42)),
        ("!42: take", "take", (42,)),
        ("!take42", "take", (42,)),
        ("!nehmen41,42", "take", (41, 42)),
        ("!take#42", "take", (42,)),
        ("!Zurück 42", "undo", (42,)),
        ("!zurueck 42", "undo", (42,)),
        ("!Loeschen 42", "delete", (42,)),
        ("!SCHLIESSEN 42", "close", (42,)),
        ("!schließen 42", "close", (42,)),
        ("!uebergeben 42 berlin", "transfer", (42,)),
        ("!hilfe?", "help", ()),
        ("!Help!", "help", ()),
        (f"{BOT} 42 take", "take", (42,)),
        ("Tickettruhe: Nehmen 42", "take", (42,)),
    ],
)
def test_what_is_typed_on_phones(body: str, name: str, numbers: tuple[int, ...]) -> None:
    assert understood(body)[:2] == (name, numbers)


def test_what_comes_behind_stays() -> None:
    assert understood("!42 close Laptop\nübergeben") == ("close", (42,), {"reason": "Laptop\nübergeben"})
    assert understood("!wait42 a screen") == ("wait", (42,), {"need": "a screen"})


@pytest.mark.parametrize(
    "body",
    [
        "! take care of yourselves",
        "! list of things to bring",
        "! great",
        "!42",
        "!42 is the answer",
        "!42 mine",
        "!!!",
        "!",
        "take 42",
        "42 take",
        "mine",
        "hello",
    ],
)
def test_what_is_talk_in_a_room(body: str) -> None:
    assert heard(body) is None
    assert not HEARING.concerns(message(body), private=False)


@pytest.mark.parametrize(
    ("body", "name", "numbers"),
    [
        ("mine", "mine", ()),
        ("Meine", "mine", ()),
        ("Mine.", "mine", ()),
        ("nehmen 42", "take", (42,)),
        ("Nehmen #42", "take", (42,)),
        ("42 nehmen", "take", (42,)),
        ("take42", "take", (42,)),
        ("hilfe nehmen", "help", ()),
        ("Hilfe!", "help", ()),
        ("!mine", "mine", ()),
        ("! mine", "mine", ()),
        ("schliessen 41 42 erledigt", "close", (41, 42)),
    ],
)
def test_in_a_direct_chat_the_prefix_may_be_left_out(body: str, name: str, numbers: tuple[int, ...]) -> None:
    assert understood(body, private=True)[:2] == (name, numbers)
    assert HEARING.concerns(message(body), private=True)


@pytest.mark.parametrize("body", ["hello", "Danke dir!", "42", "What is new?", "👍", "…", "was steht an"])
def test_other_words_in_a_direct_chat_are_talk_but_for_the_bot(body: str) -> None:
    assert heard(body, private=True) is None
    assert HEARING.concerns(message(body), private=True)


@pytest.mark.parametrize(
    "body",
    [
        "Zu 42: Frau X hat angerufen, kommt Freitag",
        "Zu teuer für ihn, er überlegt noch",
        "Wait, is that the one from Monday?",
        "wait 5 minutes please",
        "Warten wir noch etwas\nbis morgen",
        "Neu hier, was kannst du?",
        "close to the station",
        "note to myself",
    ],
)
def test_a_sentence_that_begins_like_a_command_does_nothing(body: str) -> None:
    with pytest.raises(UsageError) as caught:
        heard(body, private=True)
    problem = caught.value
    assert (problem.problem, problem.start, problem.length) == (UsageProblem.NEEDS_PREFIX, 0, 1)
    assert problem.line == "!" + body.splitlines()[0]
    assert heard("!" + body, private=True) == "!" + body


def test_of_a_long_sentence_a_part_is_quoted() -> None:
    """All of it would not fit into the answer, which the homeserver would then refuse."""
    with pytest.raises(UsageError) as caught:
        heard("close to " + "x" * 60_000, private=True)
    assert len(caught.value.line) <= 120


@pytest.mark.parametrize(
    "body",
    ["zu 42", "wait 42", "warten #42 ein Laptop", "neu Drucker für Frau Doe", "note 42 rings twice",
     "take --force 42", "aufgabe neu 42 Netzteil", "suche laptop, oder?"],
)  # fmt: skip
def test_what_is_a_command_beyond_doubt_needs_no_prefix(body: str) -> None:
    assert heard(body, private=True) == "!" + body


@pytest.mark.parametrize(
    ("body", "near"), [("nehmne 42", "nehmen"), ("taek #42", "take"), ("Schliesen 42 fertig", "schließen")]
)
def test_a_slip_before_a_number_is_told_what_was_meant(body: str, near: str) -> None:
    line = heard(body, private=True)
    assert line is not None
    with pytest.raises(UsageError) as caught:
        parse(line, REGISTRY, "!", Context())
    assert caught.value.near[0] == near


@pytest.mark.parametrize("kind", ["m.notice", "m.emote", "m.image"])
def test_only_text_is_for_the_bot(kind: str) -> None:
    content = {**message("!take 42"), "msgtype": kind}
    assert not HEARING.concerns(content, private=True)
    edit = message("!take 42") | {"m.relates_to": {"rel_type": "m.replace", "event_id": "$1"}}
    assert not HEARING.concerns(edit, private=True)
    assert not HEARING.concerns(message("  "), private=True)


@pytest.mark.parametrize(
    "line", ["!take --help", "!take 42 --help", "!nehmen --hilfe", "!take —help", "!take -h", "!take --HELP"]
)
def test_help_behind_a_command(line: str) -> None:
    assert understood(line) == ("help", (), {"command": "take"})


def test_help_within_a_text_is_text() -> None:
    assert understood("!message 42 said: --help is no use")[0] == "message"


@pytest.mark.parametrize("prefix", ["/t-", "ticket!"])
def test_other_prefixes(prefix: str) -> None:
    hearing = Hearing(REGISTRY, Identity(BOT, NAMES, prefix))
    assert hearing.command(message(f"{prefix}42 take"), private=False) == f"{prefix}take 42"
    assert hearing.command(message("mine"), private=True) == f"{prefix}mine"
    assert hearing.command(message("!take 42"), private=False) is None


@pytest.mark.parametrize(
    "piece", ["1,", "1 ", "1, ", "#1", ",", " ", "a", "a1", "1 a ", "\n", ".", "! ", "-", "9" * 9 + " "]
)
@pytest.mark.parametrize("start", ["!", "! ", "", "!take ", "!1 ", "take1"])
@pytest.mark.parametrize("end", ["", "x", "!"])
@pytest.mark.timeout(20)
def test_hostile_lines_are_read_once(start: str, piece: str, end: str) -> None:
    """One that is read again from each of its places takes minutes."""
    body = start + piece * (60_000 // len(piece)) + end
    for private in (False, True):
        with contextlib.suppress(UsageError):
            HEARING.command(message(body), private=private)


@given(body=st.text(alphabet="!#42 ,:.takemineß-\n", max_size=40), private=st.booleans())
def test_any_text_is_a_line_for_the_parser_or_none(body: str, private: bool) -> None:
    try:
        line = heard(body, private=private)
    except UsageError as error:
        line = error.line
        assert private
    if line is not None:
        assert line.startswith("!")
        assert line[1].isalpha()
        assert HEARING.concerns(message(body), private=private)
