"""Text from outside: cleaned, limited, and never more than text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InputProblem
from bot.domain.request import (
    FILE_NAME_LIMIT,
    Checker,
    InvalidFields,
    check_request,
    clean_file_name,
    clean_line,
    clean_text,
)
from bot.domain.words import Intake

GOOD: dict[str, object] = {"name": "A", "email": "a@example.org", "subject": "s", "message": "m"}
ANY_TEXT = st.text(st.characters(), max_size=80)


@given(text=ANY_TEXT)
def test_clean_text_is_encodable_normal_and_stays_as_it_is(text: str) -> None:
    cleaned = clean_text(text)
    assert cleaned == clean_text(cleaned)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert "\x00" not in cleaned
    assert not any(unicodedata.category(sign) == "Cc" for sign in cleaned if sign not in "\n\t")
    cleaned.encode()


@given(text=ANY_TEXT)
def test_a_clean_line_is_one_line(text: str) -> None:
    assert len(clean_line(text).splitlines()) <= 1


@given(name=ANY_TEXT)
def test_a_file_name_is_no_path(name: str) -> None:
    cleaned = clean_file_name(name)
    assert cleaned
    assert not {"/", "\\", "\n", "\x00"} & set(cleaned)
    assert not cleaned.startswith(".")
    assert len(cleaned) <= FILE_NAME_LIMIT


@pytest.mark.parametrize(
    "address", ["a@example.org", "a.b+c@sub.example.org", "müller@bücher.example", "o'hara@x.travel"]
)
def test_addresses_that_are_taken(address: str) -> None:
    assert check_request(GOOD | {"email": address}, Intake.HTTP).email == address


@pytest.mark.parametrize(
    "address",
    [
        "a",
        "a@",
        "@b.org",
        "a@b",
        "a b@c.org",
        "a@b..org",
        "a@b.org\nBcc: c@d.org",
        "a@-b.org",
        "<a@b.org>",
        "a" * 65 + "@b.org",
    ],
)
def test_addresses_that_are_refused(address: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        check_request(GOOD | {"email": address}, Intake.HTTP)
    assert [error.field for error in refused.value.errors] == ["email"]


@pytest.mark.parametrize("empty", [None, "", "  ", "\u200b\u2060", "\x00", "\ufeff", "\u202e"])
def test_what_cannot_be_seen_is_missing(empty: str | None) -> None:
    with pytest.raises(InvalidFields) as refused:
        check_request(GOOD | {"name": empty}, Intake.HTTP)
    assert [(error.field, error.problem) for error in refused.value.errors] == [
        ("name", InputProblem.MISSING)
    ]


def test_all_problems_are_told_each_field_once() -> None:
    check = Checker()
    check.refuse("message", InputProblem.MALFORMED)
    with pytest.raises(InvalidFields) as refused:
        check_request({"name": True, "email": "x" * 5000}, Intake.HTTP, check=check)
    told = {error.field: error.problem for error in refused.value.errors}
    assert told == {
        "message": InputProblem.MALFORMED,
        "name": InputProblem.NOT_TEXT,
        "email": InputProblem.TOO_LONG,
        "subject": InputProblem.MISSING,
    }
    assert len(refused.value.errors) == len(told)


@given(fields=st.dictionaries(st.sampled_from(sorted(GOOD)), ANY_TEXT))
def test_a_refusal_never_quotes_what_was_entered(fields: dict[str, str]) -> None:
    marked = {name: f"§{value}§" for name, value in fields.items()}
    with pytest.raises(InvalidFields) as refused:
        check_request(marked | {"email": "§"}, Intake.HTTP)
    assert "§" not in str(refused.value)
