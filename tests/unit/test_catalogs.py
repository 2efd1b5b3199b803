"""The catalogs are complete, and nothing in them is left over."""

import string
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from bot.domain.marks import N_
from bot.presentation.language import LANGUAGES, Language

Ids = str | tuple[str, ...]
KEYWORDS = {**DEFAULT_KEYWORDS, "N_": None}


@cache
def extracted() -> dict[str, Ids]:
    """All message ids in the bot's source; those with a plural by their singular."""
    found: dict[str, Ids] = {}
    root = Path(str(files("bot")))
    for _file, _line, message, _comments, _context in extract_from_dir(
        root, [("**.py", "python")], keywords=KEYWORDS
    ):
        ids = tuple(message) if isinstance(message, (tuple, list)) else message
        found[ids if isinstance(ids, str) else ids[0]] = ids
    return found


def catalog(code: str) -> Catalog:
    path = files("bot").joinpath("locale", code, "LC_MESSAGES", "tickettruhe.po")
    with path.open("rb") as source:
        return read_po(source, locale=code, abort_invalid=True)


def fields(text: str) -> set[str]:
    """The text's ``{fields}``."""
    return {name for _literal, name, _spec, _conversion in string.Formatter().parse(text) if name is not None}


def as_tuple(texts: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts or ())


def test_every_text_has_a_german_translation() -> None:
    german = catalog("de")
    missing = []
    for key, ids in extracted().items():
        found = german.get(key)
        if found is None or not all(as_tuple(found.string)) or as_tuple(found.id) != as_tuple(ids):
            missing.append(ids)
    assert missing == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_translation_is_unused_or_uncertain(code: str) -> None:
    messages = [message for message in catalog(code) if message.id]
    assert [message.id for message in messages if as_tuple(message.id)[0] not in extracted()] == []
    assert [message.id for message in messages if message.fuzzy] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_translations_have_the_fields_of_their_texts(code: str) -> None:
    for message in catalog(code):
        if message.id:
            known = fields(as_tuple(message.id)[-1])
            for text in as_tuple(message.string):
                assert fields(text) == known, message.id


@pytest.mark.parametrize("code", LANGUAGES)
def test_plurals_and_the_empty_text(code: str) -> None:
    language = Language(code)
    assert language.gettext("") == ""
    assert language.days(1) != language.days(2)
    assert language.gettext("not in any catalog") == N_("not in any catalog")


def test_english_reads_as_in_the_source() -> None:
    english = Language("en")
    assert [text for text in extracted() if english.gettext(text) != text] == []
