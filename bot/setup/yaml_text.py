"""Puts values into the text of a config and leaves the rest of it as it is, comments included.

A library that keeps comments (ruamel.yaml) would not do: a setting that is off stands in a comment itself,
and is to be switched on in its place.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import yaml

from bot.config.document import Tree, compose, parse
from bot.config.problems import KeyPath

Value: TypeAlias = "str | int | bool | Sequence[Value] | Mapping[str, Value] | None"

_INDENT: Final = 2
_LINE: Final = 88
"""Lists and names that are longer stand on lines of their own."""
_NAMES: Final = frozenset({"de", "en"})


def put(text: str, path: KeyPath, value: Value) -> str:
    """The text with a setting; a commented-out line of it is switched on, a section that lacks is made.

    :raises ConfigError: the text is not YAML.
    """
    found = _pair(text, path)
    if found is None:
        return _add(text, path, value)
    return _replace(text, *found, value)


def switch_off(text: str, path: KeyPath) -> str:
    """The text with a setting of one line commented out, if it is there."""
    found = _pair(text, path)
    if found is None:
        return text
    key, _value = found
    start = text.rfind("\n", 0, key.start_mark.index) + 1
    return text[:start] + " " * key.start_mark.column + "# " + text[key.start_mark.index :]


def plain(value: Value) -> Tree:
    """The value as a config file's reader would see it: all single values are text."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool | int):
        return str(value).lower()
    return [plain(each) for each in value]


def document(value: Mapping[str, Value]) -> str:
    """A whole file of settings."""
    return "".join(_lines(key, each, 0) for key, each in value.items())


def scalar(value: str | int | bool | None) -> str:
    """A single value, in quotes where YAML would take it for something else."""
    if not isinstance(value, str):
        return "null" if value is None else str(value).lower()
    return value if _is_plain(value) else _quoted(value)


def _is_plain(value: str) -> bool:
    try:
        return bool(
            yaml.safe_load(f"key: {value}") == {"key": value} and yaml.safe_load(f"[{value}]") == [value]
        )
    except (yaml.YAMLError, ValueError):
        return False


def _quoted(value: str) -> str:
    signs = (f"\\{sign}" if sign in '"\\' else sign if sign.isprintable() else _code(sign) for sign in value)
    return f'"{"".join(signs)}"'


def _code(sign: str) -> str:
    return f"\\U{ord(sign):08x}"


def _inline(value: Value) -> str | None:
    """The value in one line, if it is one for a line."""
    if isinstance(value, str | int | bool) or value is None:
        return scalar(value)
    if isinstance(value, Mapping):
        if not value:
            return "{}"
        if not value.keys() <= _NAMES:
            return None
        return "{" + ", ".join(f"{key}: {_inline(each)}" for key, each in value.items()) + "}"
    items = [_inline(each) for each in value]
    line = "[" + ", ".join(item or "" for item in items) + "]"
    return line if None not in items and len(line) <= _LINE else None


def _lines(key: str, value: Value, indent: int) -> str:
    """``key: value``, on as many lines as it takes; with the last line's end."""
    inline = _inline(value)
    head = " " * indent + scalar(key) + ":"
    return f"{head} {inline}\n" if inline is not None else f"{head}\n{_block(value, indent + _INDENT)}"


def _block(value: Value, indent: int) -> str:
    if isinstance(value, Mapping):
        return "".join(_lines(key, each, indent) for key, each in value.items())
    assert isinstance(value, Sequence)  # noqa: S101 - single values are inline
    return "".join(f"{' ' * indent}- {_inline(each)}\n" for each in value)


def _add(text: str, path: KeyPath, value: Value) -> str:
    parent, key = path[:-1], str(path[-1])
    found_parent = _pair(text, parent) if parent else None
    around = found_parent[1] if found_parent else None if parent else compose(text, "")
    if not isinstance(around, yaml.MappingNode):
        if not parent:
            return text + ("" if text.endswith("\n") or not text else "\n") + _lines(key, value, 0)
        return put(text, parent, {key: value})
    inline = _inline(value)
    indent = around.value[0][0].start_mark.column if around.value else 0
    first, last = around.start_mark.index, around.end_mark.index
    off = re.compile(rf"^ {{{indent}}}# {re.escape(key)}:(?: [^#\n]*?)?(?P<tail> +#.*)?$", re.MULTILINE)
    found = off.search(text, text.rfind("\n", 0, first) + 1 if parent else 0, last if parent else len(text))
    if found and inline is not None:
        line = f"{' ' * indent}{key}: {inline}{found['tail'] or ''}"
        return text[: found.start()] + line + text[found.end() :]
    if around.flow_style and found_parent:
        return _replace(text, *found_parent, {**_values(_read(text, parent)), key: value})
    place = _end_of_line(text, _last(around))
    head = text[:place] if text[:place].endswith("\n") else text[:place] + "\n"
    return head + _lines(key, value, indent) + text[place:]


def _replace(text: str, key: yaml.Node, node: yaml.Node, value: Value) -> str:
    inline, last = _inline(value), _last(node)
    is_block = isinstance(node, yaml.CollectionNode) and not node.flow_style
    if inline is not None and not is_block:
        head = text[: node.start_mark.index]
        return head + ("" if head.endswith(" ") else " ") + inline + text[last:]
    place = _end_of_line(text, last)
    indent = key.start_mark.column + _INDENT
    if is_block and inline is None:
        start = text.rfind("\n", 0, node.start_mark.index) + 1
        return text[:start] + _block(value, indent) + text[place:]
    start = text.index(":", key.end_mark.index) + 1
    return text[:start] + (f" {inline}\n" if inline else f"\n{_block(value, indent)}") + text[place:]


def _end_of_line(text: str, place: int) -> int:
    end = text.find("\n", place)
    return len(text) if end < 0 else end + 1


def _last(node: yaml.Node) -> int:
    """Where a node's own text ends: a block's mark stands behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        inner = node.value[-1]
        return _last(inner[1] if isinstance(inner, tuple) else inner)
    return int(node.end_mark.index)


def _pair(text: str, path: KeyPath) -> tuple[yaml.Node, yaml.Node] | None:
    """The nodes of a setting's key and value; ``None`` if it is not there."""
    node, key = compose(text, ""), None
    for part in path:
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        key, node = next(((name, each) for name, each in pairs if name.value == part), (None, None))
    return None if node is None or key is None else (key, node)


def _read(text: str, path: KeyPath) -> Tree:
    here: Tree = parse(text, "").tree
    for part in path:
        here = here.get(str(part)) if isinstance(here, dict) else None
    return here


def _values(tree: Tree) -> dict[str, Tree]:
    return tree if isinstance(tree, dict) else {}
