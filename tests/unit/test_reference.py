"""The command references are what the declarations say, and the declarations are complete."""

import re
from pathlib import Path

import pytest

from bot.catalogs import CHAT, catalog
from bot.commands.parser import Context, parse
from bot.commands.reference import reference
from bot.commands.spec import Command, fold
from tests.unit.real_commands import REGISTRY

DOCS = Path(__file__).parents[2] / "docs"
FILES = {"en": "commands.md", "de": "befehle.md"}
COMMANDS = pytest.mark.parametrize("command", list(REGISTRY), ids=lambda command: str(command.name))


@pytest.mark.parametrize("language", FILES)
def test_the_reference_in_docs_is_up_to_date(language: str) -> None:
    path = DOCS / FILES[language]
    assert path.read_text(encoding="utf-8") == reference(language), (
        f"run: python -m bot.commands.reference {language} > docs/{path.name}"
    )


@pytest.mark.parametrize("language", FILES)
def test_every_link_in_it_leads_somewhere(language: str) -> None:
    text = reference(language)
    headings = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    links = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert links == headings
    assert len(headings) == len(REGISTRY)


@COMMANDS
def test_every_command_has_a_german_name(command: Command[object]) -> None:
    """The first alias. A word that is the same in German is given as well: so none is forgotten."""
    assert command.aliases, "give its German name as the first alias, even if it is the same word"
    same = fold(command.german) == fold(command.name)
    assert not same or command.name in {"spam", "status", "export", "audit"}


@COMMANDS
def test_related_commands_exist(command: Command[object]) -> None:
    assert [name for name in command.related if REGISTRY.lookup(name) is None] == []
    assert command.name not in command.related


@COMMANDS
@pytest.mark.parametrize("language", FILES)
def test_examples_are_commands_of_that_name(command: Command[object], language: str) -> None:
    gettext = catalog(CHAT, language).gettext
    for line, _what in command.examples:
        text = gettext(line)
        call = parse(text, REGISTRY, "!", Context())
        assert call is not None
        assert call.command is command, text
        wanted = command.german if language == "de" else command.name
        assert f"{text} ".startswith(f"!{wanted} "), text


@COMMANDS
def test_what_needs_more_than_a_name_has_an_example(command: Command[object]) -> None:
    assert command.examples or not command.parameters


@COMMANDS
def test_parameters_have_german_names(command: Command[object]) -> None:
    german = catalog(CHAT, "de")
    names = [each.name for each in command.parameters]
    names += [each.value for each in command.options if each.value is not None]
    # "Team" and "Text" are the same word, but for its first letter.
    assert [name for name in names if german.gettext(name) == name] == []
