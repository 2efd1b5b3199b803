"""The catalogs are complete, nothing in them is left over, and they speak as the charity does."""

import ast
import io
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from bot.catalogs import CHAT, DOMAINS, FORM, LANGUAGES, SETUP, SOURCE, catalog, folder_of, read, upkeep
from bot.catalogs.upkeep import ROOT, texts_of, untranslated, update, updated
from bot.domain.marks import N_
from bot.presentation.language import Language

TRANSLATED = tuple(code for code in LANGUAGES if code != SOURCE)
EVERY = [(domain, code) for domain in DOMAINS for code in LANGUAGES]


extracted = cache(upkeep.extracted)
"""The texts of the code; to look for them takes a second."""


@cache
def messages(domain: str, code: str) -> tuple[Message, ...]:
    """The entries of a catalog."""
    with folder_of(code).joinpath(f"{domain}.po").open("rb") as source:
        return tuple(each for each in read_po(source, locale=code, abort_invalid=True) if each.id)


def german() -> Iterator[tuple[Message, str]]:
    """Each German text with its entry."""
    for domain in DOMAINS:
        for message in messages(domain, "de"):
            for text in texts_of(message.string):
                yield message, text


def fields(text: str) -> list[str]:
    """The text's ``{fields}``."""
    return sorted({name for _, name, _, _ in string.Formatter().parse(text) if name is not None})


# --- complete ---


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("code", TRANSLATED)
def test_every_text_is_translated(domain: str, code: str) -> None:
    found = {message.id for message in messages(domain, code)}
    assert [each.id for each in extracted(domain) if each.id and each.id not in found] == []
    whole = Catalog()
    for message in messages(domain, code):
        whole[message.id] = message
    assert untranslated(whole) == []


@pytest.mark.parametrize(("domain", "code"), EVERY)
def test_no_translation_is_unused_or_uncertain(domain: str, code: str) -> None:
    known = {each.id for each in extracted(domain)}
    assert [each.id for each in messages(domain, code) if each.id not in known] == []
    assert [each.id for each in messages(domain, code) if each.fuzzy] == []


def test_the_catalogs_are_as_make_catalogs_writes_them(tmp_path: Path) -> None:
    """So that a change of texts shows in the diff of the catalogs, and nothing else does."""
    different = []
    for domain, code in EVERY:
        copy = tmp_path / code / "LC_MESSAGES" / f"{domain}.po"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(folder_of(code).joinpath(copy.name).read_bytes())
    for path, _catalog in update(tmp_path):
        code = path.relative_to(tmp_path).parts[0]
        if path.read_bytes() != folder_of(code).joinpath(path.name).read_bytes():
            different.append(f"{code}/{path.name}")
    assert different == [], "run: make catalogs"


def test_an_update_adds_takes_away_and_keeps() -> None:
    before = b'# Ours.\nmsgid ""\nmsgstr ""\n"Language: de\\n"\n\nmsgid "gone"\nmsgstr "weg"\n\n'
    before += b'msgid "kept"\nmsgstr "bleibt"\n'
    template = Catalog()
    template.add("new, and wordy")
    template.add("kept")
    after = updated(before, template, "de")
    assert after.decode() == (
        '# Ours.\nmsgid ""\nmsgstr ""\n"Language: de\\n"\n\n'
        'msgid "kept"\nmsgstr "bleibt"\n\nmsgid "new, and wordy"\nmsgstr ""\n'
    )
    assert untranslated(read_po(io.BytesIO(after), locale="de")) == ["new, and wordy"]
    assert updated(after, template, "de") == after


def test_texts_of_code_and_pages_are_found(tmp_path: Path) -> None:
    (tmp_path / "intake").mkdir()
    (tmp_path / "intake" / "page.html").write_text("<p>{{ _('Send') }}</p>")
    (tmp_path / "chat.py").write_text(
        'N_("marked")\nngettext("{count} day", "{count} days", 2)\n'
        'Parameter("person", Kind.PERSON, N_("who"))\n'
    )
    assert [each.id for each in extracted(FORM, tmp_path) if each.id] == ["Send"]
    found = [each.id for each in extracted(CHAT, tmp_path) if each.id]
    assert found == ["marked", ("{count} day", "{count} days"), "person", "who"]


# --- read ---


def test_a_source_is_read_before_what_was_once_made_of_it(tmp_path: Path) -> None:
    (tmp_path / "form.mo").write_bytes(b"out of date")
    (tmp_path / "form.po").write_bytes(folder_of("de").joinpath("form.po").read_bytes())
    assert read(tmp_path, FORM, "de").gettext("Send") == "Absenden"
    (tmp_path / "form.po").unlink()
    with pytest.raises(OSError, match="Bad magic"):
        read(tmp_path, FORM, "de")


@pytest.mark.parametrize("code", LANGUAGES)
def test_plurals_and_the_empty_text(code: str) -> None:
    language = Language(code)
    assert language.gettext("") == ""
    assert language.days(1) != language.days(2)
    assert language.gettext("not in any catalog") == N_("not in any catalog")


@pytest.mark.parametrize("domain", DOMAINS)
def test_english_reads_as_in_the_source(domain: str) -> None:
    english = catalog(domain, "en")
    for message in filter(lambda each: each.id, extracted(domain)):
        one, *several = texts_of(message.id)
        assert english.gettext(one) == one
        for many in several:
            assert [english.ngettext(one, many, count) for count in (0, 1, 2)] == [many, one, many]


# --- put together rightly ---


@pytest.mark.parametrize(("domain", "code"), EVERY)
def test_translations_have_the_fields_of_their_texts(domain: str, code: str) -> None:
    for message in messages(domain, code):
        wanted = fields(texts_of(message.id)[-1])
        forms = texts_of(message.string)
        for form, text in enumerate(forms):
            # "seit einem Tag" may do without the number, where it is one.
            without = [name for name in wanted if name != "count"]
            singular = len(forms) > 1 and form == 0
            assert fields(text) == wanted or (singular and fields(text) == without), message.id


@pytest.mark.parametrize("domain", DOMAINS)
def test_fields_have_names_and_plurals_a_count(domain: str) -> None:
    for message in extracted(domain):
        forms = texts_of(message.id)
        assert all(name.isidentifier() for text in forms for name in fields(text)), message.id
        assert not [text for text in forms if re.search(r"\(s\)|%[sd]", text)], message.id
        if len(forms) > 1:
            assert "count" in fields(forms[1]), message.id


@pytest.mark.parametrize("domain", DOMAINS)
def test_texts_with_a_count_have_a_plural(domain: str) -> None:
    """Where the number changes no word, in neither language, there is none to write.

    Teams are only summed up from two on.
    """
    indifferent = {
        "{count} on the waiting list",
        "… and {count} more teams, with {waiting} waiting",
        "Rooms: all {count} in order",
        "Posted silently, a reminder follows: {count}",
    }
    alone = {each.id for each in extracted(domain) if isinstance(each.id, str) and "count" in fields(each.id)}
    assert alone <= indifferent


def test_no_text_is_put_together_before_it_is_translated() -> None:
    """Extraction finds no f-string, sum or formatted text, and none of these could be translated."""
    composed = [
        f"{path}, line {call.lineno}: {ast.unparse(call)}"
        for path in ROOT.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and _name(call.func)
        in {"gettext", "ngettext", "N_", "_", *({"say"} if "setup" in path.parts else ())}
        for text in (call.args[:2] if _name(call.func) == "ngettext" else call.args[:1])
        if isinstance(text, ast.JoinedStr | ast.BinOp)
        or (isinstance(text, ast.Call) and _name(text.func) in {"format", "join", "replace"})
    ]
    assert composed == []


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


# --- in the charity's words ---

TERMS = {
    r"requesters?": r"Anfragende",
    r"topics?": r"Them(a|en)",
    r"waiting list": r"Warteliste",
    r"members?": r"Mitglied",
    r"cards?": r"Karte",
    r"threads?": r"Thread",
    r"admins?": r"Admin",
    r"triage": r"Triage",
    r"regions?": r"Region",
    r"teams?": r"Team",
    r"spam": r"Spam",
    r"purged?": r"endgültig|Endgültig",
}
"""One word for one thing: where the English text has the one, the German has the other."""


@pytest.mark.parametrize("english", TERMS)
def test_one_word_for_one_thing(english: str) -> None:
    strangers = [
        (message.id, text)
        for message, text in german()
        if re.search(rf"(?<![{{!-])\b{english}\b(?!}})", texts_of(message.id)[-1], re.IGNORECASE)
        and not texts_of(message.id)[-1].startswith("!")
        and not re.search(TERMS[english], text)
    ]
    assert strangers == []


AVOIDED = (
    r"(Be)?[Nn]utzer(?!\*in)(s|n)?\b|(Be)?[Nn]utzerin",
    r"\b[Uu]ser(s|in|n)?\b",
    r"Anfrager|Anfragesteller|Antragsteller|Kund(e|in)|Melder",
    r"(?<!\*)\b(der|die|ein|eine|dem|den|des) Anfragende[rn]?\b",
    r"Bearbeiter(?!\*in)|Mitarbeiter(?!\*in)|Helfer(?!\*in)|Empfänger(?!\*in)|Spender(?!\*in)",
    r"Administrator(?!\*in)|Ansprechpartner|Teilnehmer(?!\*in)",
    r"Kategorie|Wartschlange|Warteschlange|Fall\b|Vorgang\b|Kommando",
    r"\w(innen|Innen|:in|_in|/in)\b",
)
"""Masculine forms that mean everybody, other ways of asterisk, and second words for a thing."""


@pytest.mark.parametrize("words", AVOIDED)
def test_german_is_gender_neutral_and_has_no_second_words(words: str) -> None:
    assert [text for _, text in german() if re.search(words, text)] == []


def test_the_chat_is_familiar_and_the_form_polite() -> None:
    polite = re.compile(r"(?<![.!?:] )(?<!^)\b(Sie|Ihnen|Ihre?[mnrs]?)\b")
    familiar = re.compile(r"\b([Dd]u|[Dd]ich|[Dd]ir|[Dd]eine?[mnrs]?|[Ee]uch|[Ee]ure?)\b")
    in_chat = [
        text for domain in (CHAT, SETUP) for each in messages(domain, "de") for text in texts_of(each.string)
    ]
    in_form = [text for each in messages(FORM, "de") for text in texts_of(each.string)]
    assert [text for text in in_chat if polite.search(text)] == []
    assert [text for text in in_form if familiar.search(text)] == []


def test_german_quotes_and_dots_as_german_does() -> None:
    texts = [text for _, text in german() if not text.startswith("!")]
    assert [text for text in texts if re.search(r"[\"”]|“(?=\w)|\.\.\.| - ", text)] == []


def test_texts_end_as_their_originals_do() -> None:
    """A sentence stays a sentence and a heading a heading: they are joined with others."""
    ends = re.compile(r"[.?:…]\Z")
    different = [
        (message.id, text)
        for message, text in german()
        if bool(ends.search(texts_of(message.id)[-1])) != bool(ends.search(text))
    ]
    assert different == []
