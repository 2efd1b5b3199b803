"""JSON as strangers write it: every type in every place, and texts that no serializer would make."""

import json
import random
import string
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st


@dataclass(frozen=True, slots=True)
class Raw:
    """JSON text as it is to stand there."""

    text: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """An object, perhaps with a key given twice."""

    pairs: tuple[tuple[str, Any], ...]


def written(value: Any) -> str:
    """The value as JSON text."""
    match value:
        case Raw():
            return value.text
        case Pairs():
            return _object(value.pairs)
        case dict():
            return _object(value.items())
        case list():
            return f"[{','.join(map(written, value))}]"
        case _:
            return json.dumps(value)


def _object(pairs: Iterable[tuple[str, Any]]) -> str:
    return "{" + ",".join(f"{json.dumps(key)}:{written(inner)}" for key, inner in pairs) + "}"


def nested(depth: int, opening: str, closing: str) -> Raw:
    """A value that lies so deep."""
    return Raw(opening * depth + "1" + closing * depth)


NOISE: Final = "".join(random.Random(4).choices(string.ascii_letters + string.digits, k=9_000))
"""Long, and no shorter when it is compressed: PostgreSQL compresses what goes into an index."""
HOSTILE_TEXTS: Final = (
    "", " ", "\0", "a\0b", "\ud800", "a\udfffb", "\u202egnp.exe", "\u200b", "\ufeff", "\r\n", "\x1b[31m",
    "@room", "<b>&amp;</b>", "'; DROP TABLE tickets; --", "{0} %s", "../../etc/passwd", "ﷺ" * 30, "İ" * 40,
    "e" + "\u0301" * 200, "x" * 300, "🧑‍💻" * 60, "null", "-1", "9" * 40,
)  # fmt: skip
TEXTS: Final = st.sampled_from(HOSTILE_TEXTS) | st.text(max_size=40)
NUMBERS: Final = (
    st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0, -1, 2**31, 2**53, 2**63, 2**64, -(2**63) - 1, 10**400])
)
NESTED: Final = st.builds(
    nested, st.sampled_from([20, 99, 101, 400, 990, 3_000]), st.just("["), st.just("]")
) | st.builds(nested, st.sampled_from([20, 99, 101, 400, 990, 3_000]), st.just('{"a":'), st.just("}"))
LONG_NUMBERS: Final = st.sampled_from(
    [Raw("9" * 4_000), Raw("9" * 5_000), Raw("1e400"), Raw("-1E+999"), Raw("1e-999"), Raw("0." + "1" * 9_000)]
)
SCALARS: Final = st.none() | st.booleans() | NUMBERS | TEXTS
_ANY: Final = (
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=5,
    )
    | NESTED
    | LONG_NUMBERS
    | st.sampled_from(["y" * 70_000, NOISE, "!" + NOISE, "$" + NOISE, "\0" * 3_000, ["z"] * 2_000])
)


@st.composite
def _values(draw: st.DrawFn) -> Any:
    return draw(_ANY)


VALUES: Final = _values()
"""Anything that is valid JSON. As one alternative among others it is one, not as many as it has itself."""


def mostly(wanted: st.SearchStrategy[Any], odd: st.SearchStrategy[Any] = VALUES) -> st.SearchStrategy[Any]:
    """What is wanted, and one time in twelve anything."""
    return st.integers(0, 11).flatmap(lambda chance: odd if chance == 0 else wanted)
