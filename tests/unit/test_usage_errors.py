"""What a usage error says beside its place, and what a command says of itself."""

import pytest

from bot.commands.parser import parse
from bot.commands.spec import Option, Registry
from bot.domain.errors import UsageError
from tests.unit.sample_commands import (
    HERE,
    NUMBERS,
    PERSON,
    REGISTRY,
    TEAM,
    TEXT,
    command,
    command_of,
    refusal,
)


@pytest.mark.parametrize(
    ("line", "near", "usage"),
    [
        ("!takee 42", ("take",), ""),
        ("!nehmne 42", ("nehmen",), ""),
        ("!Schliesen 42", ("schließen",), ""),
        ("!qqqq", (), ""),
        ("!take --froce", ("--force",), "!take [number …] [--force]"),
        ("!task 42 dnoe 1", ("done",), "!task add|done|list"),
        ("!aufgabe erledgit 1", ("erledigt",), "!task add|done|list"),
        ("!task add", (), "!task add [number] <text>"),
        ("!task done 42", (), "!task done [number] <task …>"),
        ("!merge 42", (), "!merge [number] <number> [--force]"),
        ("!take --" + "force" * 50, (), "!take [number …] [--force]"),
    ],
)
def test_what_may_have_been_meant(line: str, near: tuple[str, ...], usage: str) -> None:
    error = refusal(line)
    assert error.near[:1] == near
    assert error.usage == usage


def test_one_name_of_each_command_is_suggested_the_nearest() -> None:
    assert REGISTRY.suggest("lits") == ("list",)
    assert REGISTRY.suggest("meimei") == ("meine",)
    assert REGISTRY.suggest("aufgbae") == ("aufgabe",)


def test_the_line_concerned_is_quoted() -> None:
    error = refusal("!take 41\n\t4z\u202e\x07 x\n42")
    assert error.line == " 4z\ufffd\ufffd x"
    assert (error.start, error.length) == (1, 4)


@pytest.mark.parametrize(
    ("line", "under"),
    [
        ("!take " + "1 " * 500 + "4z " + "1 " * 500, "4z"),
        ("!take 4z " + "1 " * 500, "4z"),
        ("!take " + "1 " * 500 + "4z", "4z"),
        ("!assign " + "1 " * 500, ""),
        ("!show 1 " + "2" * 9 + " " + "x" * 500, "2" * 9),
    ],
)
def test_long_lines_are_cut_around_the_caret(line: str, under: str) -> None:
    error = refusal(line)
    assert len(error.line) <= 120
    assert error.line[error.start : error.start + error.length].strip() == under
    assert "…" in error.line


@pytest.mark.parametrize("prefix", ["!", "/t-", "ticket!"])
def test_other_prefixes(prefix: str) -> None:
    call = parse(f"{prefix}take 42", REGISTRY, prefix, HERE)
    assert call is not None
    assert call.numbers == (42,)
    with pytest.raises(UsageError) as caught:
        parse(f"{prefix}take", REGISTRY, prefix, HERE)
    assert caught.value.usage == f"{prefix}take [number …] [--force]"


def test_usage_and_view() -> None:
    new = command_of("NEU")
    assert new.usage("!") == "!new [--name <name>] [--email <address>] <text>"
    view = new.view("!")
    assert [each.form for each in view.parameters] == ["text", "--name <name>", "--email <address>"]
    close = command_of("close")
    assert close.usage("!") == "!close [number …] [reason]"
    assert close.view("!").parameters[0].form == "number …"


def test_declarations_are_checked() -> None:
    with pytest.raises(ValueError, match="numbers"):
        command("x", PERSON, NUMBERS)
    with pytest.raises(ValueError, match="text"):
        command("x", TEXT, TEAM)
    with pytest.raises(ValueError, match="options"):
        command("x", options=(Option("force", "no dashes"),))
    with pytest.raises(ValueError, match="TAKE"):
        Registry([command("take"), command("nehmen", aliases=("TAKE",))])
    with pytest.raises(ValueError, match="zu"):
        Registry([command("close", aliases=("zu",)), command("assign", aliases=("zu",))])
    assert len(Registry([command("close", aliases=("schließen", "schliessen"))])) == 1
    with pytest.raises(ValueError, match="two"):
        Registry([command("two words")])
    with pytest.raises(ValueError, match="very many"):
        Registry([command("very"), command("not very many")])
    assert [each.name for each in REGISTRY][:2] == ["take", "close"]
    assert len(REGISTRY) == 13


def test_help_on_a_word_describes_all_of_its_forms() -> None:
    forms = ["task add", "task done", "task list"]
    assert [each.name for each in REGISTRY.described("task")] == forms
    assert [each.name for each in REGISTRY.described("Aufgabe")] == forms
    assert [each.name for each in REGISTRY.described("aufgabe done")] == ["task done"]
    assert [each.name for each in REGISTRY.described("nehmen")] == ["take"]
    assert REGISTRY.described("task nonsense") == REGISTRY.described("nonsense") == ()
