"""JSON of the homeserver's: what the standard library's parser gives up at does not hide the rest."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.matrix.json_text import DEEPEST, parsed


def depth_of(value: Any) -> int:
    """How many containers lie in each other."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("levels", [5_000, 200_000])
def test_what_lies_too_deep_is_cut_and_the_rest_is_read(opening: str, levels: int) -> None:
    closing = {"[": "]", '{"a":': "}"}[opening]
    deep = opening * levels + "1" + closing * levels
    found: Any = parsed(f'{{"a": [1, {deep}], "text": "[[{{\\"", "b": [{deep}, 2]}}'.encode())
    assert (found["a"][0], found["text"], found["b"][1]) == (1, '[[{"', 2)
    assert depth_of(found) == DEEPEST


@pytest.mark.parametrize("number", ["9" * 5_000, "-" + "9" * 41, "1e400", "-1e999", "NaN", "-Infinity"])
def test_a_number_that_is_none_hides_nothing(number: str) -> None:
    assert parsed(f'{{"a": {number}, "b": 2}}'.encode()) == {"a": None, "b": 2}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 200_000, b'{"a":' * 200_000, b"\xff\xfe\xfd", b'"\xff"', b"<html>"]
)
def test_what_is_no_json_is_nothing(body: bytes) -> None:
    assert parsed(body) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**38), 10**38) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=50)
@given(VALUES)
def test_everything_else_is_read_as_it_is(value: Any) -> None:
    def finite(inner: Any) -> Any:
        return None if isinstance(inner, float) and math.isinf(inner) else inner

    text = json.dumps(value)
    if "Infinity" not in text:
        assert parsed(text.encode()) == finite(value)
