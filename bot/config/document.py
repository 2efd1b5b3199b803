"""Reads YAML into text, lists and sections, and remembers in which line each key stands.

Every value stays the text that stands in the file, and the model decides what it means: YAML 1.1 would read
the password ``0123`` as 83 and the region ``no`` as false.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import yaml

from bot.config.problems import ConfigError, KeyPath, Problem, dotted

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree] | None"

QUOTE_HINT: Final = (
    'Put a value that begins with #, @, !, & or * in quotes, as in `"#room:example.org"`: '
    "these signs mean something else in YAML"
)
_OWN_TAGS: Final = "tag:yaml.org,2002:"
_NO_ALIAS: Final = "anchors and aliases (& and *) are not supported"
# Own words instead of the library's: those may quote the text, which may be a password.
_SYNTAX: Final[Mapping[str, tuple[str, str]]] = {
    _NO_ALIAS: (_NO_ALIAS, f"{QUOTE_HINT}."),
    "found character '\\t'": ("a tab stands where only spaces may", "Indent with spaces."),
    "found character": ("a value cannot begin with this sign", f"{QUOTE_HINT}."),
    "expected alphabetic or numeric character": ("a value cannot begin with this sign", f"{QUOTE_HINT}."),
    "found undefined tag handle": ("a value cannot begin with this sign", f"{QUOTE_HINT}."),
    "mapping values are not allowed": (
        "there is a colon too many, or the line is indented wrongly",
        "Put a value with `: ` in it in quotes; keys of one section begin in the same column.",
    ),
    "expected <block end>": (
        "the line is indented wrongly, or something follows a closing quotation mark",
        "Keys of one section begin in the same column.",
    ),
    "could not find expected ':'": ("there is a key without a colon", "Write `key: value`."),
    "found unexpected end of stream": ("a quotation mark is opened and never closed", "Close it."),
    "but found another document": ("the file has a second part after `---`", "Keep only one."),
}
_SYNTAX_ELSE: Final = (
    "this is not valid YAML",
    "Look at indentation, quotes, brackets and colons near this line.",
)


@dataclass(frozen=True, slots=True)
class Document:
    """The settings of one file, the line of each key and item, and what was wrong with single entries."""

    tree: dict[str, Tree]
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    problems: Sequence[Problem] = ()


class _Loader(yaml.SafeLoader):
    """Refuses anchors and aliases: a setting stands where it is used, so that its line is the right one."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) is not None:
            raise yaml.composer.ComposerError(None, None, _NO_ALIAS, event.start_mark)
        return super().compose_node(parent, index)


def parse(text: str, file: str) -> Document:
    """Read the text of a config file; ``file`` is its name for problems.

    :raises ConfigError: the text is not YAML, or not a mapping; single wrong entries are in ``problems``.
    """
    root = compose(text, file)
    walk = _Walk(file)
    if root is None:
        return Document({})
    tree = walk.value(root, ())
    if not isinstance(tree, dict):
        raise ConfigError(
            [Problem(file, 1, "", "the file does not hold `key: value` lines", "See the example.")]
        )
    return Document(tree, walk.lines, walk.problems)


def parse_value(text: str, name: str) -> Tree:
    """Read a list or section that an environment variable holds.

    :raises ConfigError: it is not YAML (JSON is YAML).
    """
    root = compose(text, name)
    walk = _Walk(name)
    tree = None if root is None else walk.value(root, ())
    if walk.problems:
        raise ConfigError(walk.problems)
    return tree


def compose(text: str, file: str) -> yaml.Node | None:
    """The tree of YAML nodes.

    :raises ConfigError: with the place and, for common slips, a way out.
    """
    try:
        return yaml.compose(text, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError([Problem(file, line, "", "there is a control character", "Remove it.")]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = error.problem or ""
        message, hint = next(
            (said for known, said in _SYNTAX.items() if problem.startswith(known)), _SYNTAX_ELSE
        )
        raise ConfigError([Problem(file, line, "", message, hint)]) from None
    except RecursionError:
        raise ConfigError([Problem(file, None, "", "it is nested too deeply", "")]) from None


class _Walk:
    """One pass over the nodes: builds the tree, notes lines, collects duplicates and strange tags."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[Problem] = []

    def value(self, node: yaml.Node, path: KeyPath) -> Tree:
        # A room id without quotes, !opaque:server, is a tag to YAML.
        if not node.tag.startswith(_OWN_TAGS):
            self._report(node, path, "a value cannot begin with !", f"{QUOTE_HINT}.")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._section(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*path, index)) for index, item in enumerate(node.value)]
        return None if node.tag == f"{_OWN_TAGS}null" else str(node.value)

    def _item(self, node: yaml.Node, path: KeyPath) -> Tree:
        self.lines[path] = node.start_mark.line + 1
        return self.value(node, path)

    def _section(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Tree]:
        section: dict[str, Tree] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._report(key_node, path, "a key is a list or a section", "Use a word.")
                continue
            key = str(key_node.value)
            here = (*path, key)
            if key in section:
                first = self.lines[here]
                self._report(
                    key_node, here, f"stands here again, first in line {first}", "Keep one of the two."
                )
                continue
            self.lines[here] = key_node.start_mark.line + 1
            section[key] = self.value(value_node, here)
        return section

    def _report(self, node: yaml.Node, path: KeyPath, message: str, hint: str) -> None:
        line = node.start_mark.line + 1
        self.problems.append(Problem(self.file, line, dotted(path), message, hint))
