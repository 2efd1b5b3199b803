"""What a search finds, before any database is asked."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.finding import WORD_LIMIT, Query, read_query, words_of
from bot.services.searching import excerpt
from tests.unit.test_document import NASTY, hostile


def found(typed: str, text: str) -> bool:
    """Whether each term of what was typed stands in the text."""
    words = words_of(text)
    return all(term.stands_in(words) for term in read_query(typed).terms)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Größe", ["grosse"]),
        ("GRÖSSE und Gro\u0308ße", ["grosse", "und", "grosse"]),
        ("Łódź, Ærø, İzmir", ["lodz", "aero", "izmir"]),
        ("E-Mail: kim@example.org", ["e", "mail", "kim", "example", "org"]),
        ("½ ﬁt 15,6″ Windows10", ["1", "2", "fit", "15", "6", "windows10"]),
        ("日本 привет", ["日本", "привет"]),
        ("🙂 … \0 \ud800 _", []),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert [each.word for each in words_of(text)] == words


@pytest.mark.parametrize(
    ("typed", "text", "wanted"),
    [
        ("grosse", "Die Größe", True),
        ("GRÖẞE", "die grosse", True),
        ("lap", "Laptop", True),
        ("l", "Laptop", False),
        ("top", "Laptop", False),
        ("laptop kamera", "Kamera für den Laptop", True),
        ("laptop kamera", "Laptop", False),
        ('"alter drucker"', "Alter Drucker!", True),
        ('"alter drucker"', "Drucker, alter", False),
        ('"alter druck"', "Alter Drucker", False),
        ("„alter drucker“", "alter  drucker", True),
        ("»alter drucker« lap", "Laptop und alter Drucker", True),
        ("e-mail", "meine E-Mail", True),
        ("e-mail", "mail e", False),
        ("kim@example.org", "an kim@example.org", True),
        ('"offen', "offene Fragen", True),
        ("drucker OR NOT (x)", "drucker", False),
    ],
)
def test_terms_stand_in_a_text(typed: str, text: str, wanted: bool) -> None:
    assert found(typed, text) is wanted


def test_a_mail_address_is_meant_as_such() -> None:
    (term,) = read_query("<Kim@Example.org>,").terms
    assert term.address == "kim@example.org"
    assert [term.address for term in read_query('"kim@example.org" kim@ @doe').terms] == [None, None, None]


@given(hostile)
@example("".join(NASTY))
@example("„" * 100_000)
def test_whatever_is_typed_can_be_read(typed: str) -> None:
    query = read_query(typed)
    for term in query.terms:
        assert term.words
        for word in term.words:
            assert word.isalnum()
            assert len(word) <= WORD_LIMIT


@given(hostile, st.data())
def test_what_stands_in_a_text_is_found_in_it(text: str, data: st.DataObject) -> None:
    words = words_of(text)
    if not words:
        return
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    phrase = '"' + " ".join(each.word for each in words[start:end]) + '"'
    beginning = words[start].word[:2]
    assert found(phrase, " ".join(each.word for each in words))
    assert found(beginning, text) or len(beginning) < 2


@given(hostile, hostile)
def test_places_lie_in_the_text_and_apart(typed: str, text: str) -> None:
    end_before = -1
    for start, end in read_query(f"{typed} {text[:5]}").places(text):
        assert end_before < start < end <= len(text)
        end_before = end


def test_terms_in_the_subject_count_more_than_in_the_name() -> None:
    query = read_query("laptop kim")
    ranks = [
        query.rank("Laptop for Kim", "Kim Doe"),
        query.rank("Laptop", "Kim Doe"),
        query.rank("Laptop", "Robin"),
        query.rank("Printer", "Kim Laptop"),
        query.rank("Printer", "Kim"),
        query.rank("Printer", "Robin"),
    ]
    assert ranks == [6, 5, 3, 4, 2, 0]


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["nothing", "the old printer"], "the old printer"),
        (["x" * 500 + " printer"], "…printer"),
        (["printer" + "x" * 500], "printer" + "x" * 133 + "…"),
        (["a\n\n printer\tb"], "a printer b"),
        (["nothing"], None),
    ],
)
def test_an_excerpt_stands_around_the_place(texts: list[str], told: str | None) -> None:
    assert excerpt(read_query("printer"), texts) == told


def test_an_excerpt_begins_and_ends_between_words() -> None:
    made = excerpt(read_query("printer"), ["word " * 30 + "printer " + "more " * 60])
    assert made is not None
    assert made.startswith("…word")
    assert made.endswith("more…")
    assert len(made) <= 142


def test_nothing_left_to_find_needs_no_excerpt() -> None:
    assert excerpt(Query(()), ["text"]) is None
