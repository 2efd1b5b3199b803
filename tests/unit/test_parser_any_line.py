"""Any line at all: nothing but a usage error, little time, and what was meant parses back."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.parser import Call, Context, parse
from bot.commands.tokens import HIGHEST_NUMBER
from bot.domain.errors import UsageError
from tests.unit.sample_commands import HERE, IN_42, REGISTRY, SEVERAL, attempt, command_of


@pytest.mark.parametrize(
    "line",
    [
        "!" + "a" * 60_000,
        "!u" + "\u0308\u0323" * 30_000,
        "!take " + "1" * 60_000,
        "!take " + "1," * 30_000 + "x",
        "!take " + " ".join(map(str, range(1, 12_000))) + " x",
        "!take --" + "f" * 60_000,
        "!new " + "--name " * 9_000,
        "!new " + '"' * 60_000,
        "!assign 1 „" + "x" * 60_000,
        "!message 1" + " \n" * 30_000,
        "!close " + "— " * 30_000,
        "!take --force " * 4_000,
        "!task done " + "1 " * 15_000,
        "!task " + "1," * 15_000 + " done x",
    ],
    ids=lambda line: line[:16],
)
def test_long_messages_are_read_in_little_time(line: str) -> None:
    start = time.process_time()
    for context in (HERE, IN_42):
        attempt(line, context)
    assert time.process_time() - start < 2  # a quadratic step takes several seconds here


PIECES = st.sampled_from(
    [
        "!", "!take", "!close", "!assign", "!new", "!message", "!list", "!mine", "!task", "add",
        "done", "!merge", "--", "—", "–", "--force",
        "—force", "--name", "--name=", "--email", "=", "#", "#7", "42", "41,42", ":", ",", '"', "„", "“", "»",
        "«", "\n", " ", "\t", "\x00", "\u202e", "\ud800", "²", "٤٢", "99999999999", "0", "@a:b", "text",
        "\u2028", "\x85", "é",
    ]
)  # fmt: skip
LINES = st.one_of(
    st.text(),
    st.lists(PIECES).map("".join),
    st.lists(PIECES).map(" ".join),
    st.text().map(lambda text: f"!close {text}"),
    st.lists(st.one_of(PIECES, st.text(max_size=130))).map(lambda pieces: "!new " + " ".join(pieces)),
)


@given(line=LINES, context=st.sampled_from([HERE, IN_42, SEVERAL]))
def test_any_line_is_read_or_refused_with_a_place(line: str, context: Context) -> None:
    found = attempt(line, context)
    assert (found is None) == (not line.lstrip()[1:2].isalpha() or not line.lstrip().startswith("!"))
    if isinstance(found, UsageError):
        assert "\n" not in found.line
        assert len(found.line) <= 120
        assert 0 <= found.start <= len(found.line)
        assert 1 <= found.length <= max(1, len(found.line) - found.start)
    elif found is not None:
        assert all(1 <= number <= HIGHEST_NUMBER for number in found.numbers)
        assert len(set(found.numbers)) == len(found.numbers)
        assert all(found.words.values())


NUMBER_TOKENS = st.integers(1, HIGHEST_NUMBER).flatmap(
    lambda number: st.tuples(st.just(number), st.sampled_from([f"{number}", f"#{number}", f"{number},"]))
)
VALUES = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters='"„“”«»'), min_size=1)
QUOTED = st.lists(VALUES, min_size=1, max_size=3).map(" ".join)


@given(
    numbers=st.lists(NUMBER_TOKENS, min_size=1, max_size=5, unique_by=lambda pair: pair[0]),
    force=st.sampled_from(["", "--force", "—force"]),
    place=st.integers(0, 5),
)
def test_takes_parse_back(numbers: list[tuple[int, str]], force: str, place: int) -> None:
    tokens = [token for _, token in numbers]
    tokens[place:place] = [force]
    call = parse("!take " + " ".join(tokens), REGISTRY, "!", HERE)
    assert call == Call(
        command_of("take"), tuple(number for number, _ in numbers), {}, {"--force": True} if force else {}
    )


@given(
    numbers=st.lists(st.integers(1, HIGHEST_NUMBER), min_size=1, max_size=5, unique=True),
    reason=st.lists(QUOTED, min_size=1, max_size=3).map("\n".join),
    context=st.sampled_from([HERE, IN_42]),
)
def test_reasons_parse_back(numbers: list[int], reason: str, context: Context) -> None:
    listed = " ".join(f"#{number}" for number in numbers)
    call = parse(f"!close {listed} -- {reason}", REGISTRY, "!", context)
    assert call == Call(command_of("close"), tuple(numbers), {"reason": reason}, {})


@given(person=QUOTED, name=QUOTED, text=VALUES, quotes=st.sampled_from(['""', "„“", "“”", "«»", "»«"]))
def test_quoted_values_parse_back(person: str, name: str, text: str, quotes: str) -> None:
    call = parse(f"!assign 42 -- {quotes[0]}{person}{quotes[1]}", REGISTRY, "!", HERE)
    assert call == Call(command_of("assign"), (42,), {"person": person}, {})
    call = parse(f"!new --name {quotes[0]}{name}{quotes[1]} -- {text}", REGISTRY, "!", HERE)
    assert call == Call(command_of("new"), (), {"text": text}, {"--name": name})
