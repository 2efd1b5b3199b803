"""Values go into a config's text, and nothing else of it changes."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.config.document import parse
from bot.setup.yaml_text import document, plain, put, scalar, switch_off

TEXT = """\
# Head
language: de # of the chat

matrix:
  homeserver: https://old.example.org
  # way 1
  password_file: secret
  # token_file: matrix-token # way 2
admins:
  - "@anna:example.org" # her
# The teams
teams:
  # Each has a room.
  a:
    name: A # short

  b: {name: B}

# Foot
empty:
"""


@pytest.mark.parametrize("word", [
    "plain", "two words", "#room:example.org", "@anna:example.org", "!opaque", "no", "null", "~", "", "12",
    "0123", "1:30", "a: b", "a #b", "a#b", "- a", "*", "&a", "%", "`a`", 'say "hi"', "it's", "back\\slash",
    "{a", "[a", "a, b", "2026-01-01", "<<", "=", "Straße", "🙋", " space", "tab\t", "line\nbreak", "\x07",
    "\u2028", "\ufeff", "https://example.org/a?b=c", "0 8 * * mon-fri", "true", "|", ">", "? a", "a:",
])  # fmt: skip
def test_what_is_written_is_read(word: str) -> None:
    """By the bot, in both places of YAML, and by any other reader as text."""
    text = f"key: {scalar(word)}\nlist: [{scalar(word)}, x]\n{scalar(word)}: 1\n"
    assert yaml.safe_load(text) == {"key": word, "list": [word, "x"], word: 1}
    read = parse(f"key: {scalar(word)}\nlist: [{scalar(word)}, x]\n", "").tree
    assert read == {"key": word, "list": [word, "x"]}


PLACES = (
    ("language",), ("matrix", "homeserver"), ("matrix", "token_file"), ("teams",), ("teams", "b"),
    ("admins",), ("empty",), ("new", "below"), ("teams", "b", "room"), ("teams", "a", "more"),
)  # fmt: skip
"""Values, what is off, sections of each form, and what is not there."""


@given(st.recursive(
    st.text() | st.booleans() | st.integers(),
    lambda inner: st.lists(st.text(), max_size=9) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_anything_can_be_put_in_any_place(value: Any) -> None:
    for path in PLACES:
        changed = put(TEXT, path, value)
        expected: Any = parse(TEXT, "").tree
        here = expected
        for part in path[:-1]:
            here = here.setdefault(part, {})
        here[path[-1]] = plain(value)
        assert parse(changed, "").tree == expected
        assert put(changed, path, value) == changed


def test_comments_stay() -> None:
    changed = put(TEXT, ("teams",), {"c": {"name": "#C", "regions": ["x", "y"], "digest": False}})
    before, after = TEXT.split("  a:\n")[0], TEXT[TEXT.index("\n# Foot") :]
    assert changed == f'{before}  c:\n    name: "#C"\n    regions: [x, y]\n    digest: false\n{after}'
    assert put(TEXT, ("language",), "en") == TEXT.replace("language: de #", "language: en #")
    changed = put(TEXT, ("admins",), [f"@person-with-a-long-name-{number}:example.org" for number in "123"])
    assert '# way 2\nadmins:\n  - "@person-with-a-long-name-1:example.org"\n  - ' in changed


def test_a_setting_that_is_off_is_switched_on_in_its_place() -> None:
    changed = switch_off(put(TEXT, ("matrix", "token_file"), "#t"), ("matrix", "password_file"))
    assert '  # password_file: secret\n  token_file: "#t" # way 2\nadmins:' in changed
    assert switch_off(changed, ("matrix", "password_file")) == changed


def test_a_new_file() -> None:
    value = {"a": {"b": {"c": "no", "d": ["x"]}}, "e": True, "f": {}, "names": {"de": "X, y", "en": "z"}}
    assert document(value) == (  # type: ignore[arg-type]
        'a:\n  b:\n    c: "no"\n    d: [x]\ne: true\nf: {}\nnames: {de: "X, y", en: z}\n'
    )
