"""Turns what pydantic found into problems that an admin can act on. Values are never repeated."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from bot.config.document import QUOTE_HINT
from bot.config.problems import Contradictions, KeyPath, Problem, dotted
from bot.config.schema import known_keys, schema_at
from bot.config.sources import Sources

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_UNKNOWN: Final = "extra_forbidden"
_KEY_ERROR: Final = "[key]"
_SECTION: Final = ("must be a section", "Write its keys below it, indented by two spaces.")
_LIST: Final = ("must be a list", "Write `[one, two]`.")
_SAID: Final[Mapping[str, tuple[str, str]]] = {
    "model_type": _SECTION,
    "mapping_type": _SECTION,
    "dict_type": _SECTION,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "string_type": (
        "must be a single text",
        "Write it behind the colon, in quotes if it holds special signs.",
    ),
    "bool_parsing": ("must be yes or no", "Write `true` or `false`."),
    "bool_type": ("must be yes or no", "Write `true` or `false`."),
    "int_parsing": ("must be a whole number", ""),
    "int_type": ("must be a whole number", ""),
    "byte_size": ("must be a size", "Write it like `8 MiB`."),
    "byte_size_unit": ("must be a size", "Write it like `8 MiB`."),
    "ip_any_network": ("must be an address or a network", "Write it like `10.0.0.1` or `10.0.0.0/8`."),
    "too_short": ("is empty", "Give at least one."),
    "string_too_short": ("is empty", "Write something into it or remove the line."),
}


def explain(error: ValidationError, sources: Sources) -> list[Problem]:
    """Every problem that the validation found, each at its place."""
    return [problem for one in error.errors(include_url=False) for problem in _explain(one, sources)]


def unknown_keys(error: ValidationError) -> list[KeyPath]:
    """Paths of the keys that nobody knows."""
    return [
        _path(one) for one in error.errors(include_url=False, include_input=False) if one["type"] == _UNKNOWN
    ]


def _path(error: "ErrorDetails") -> KeyPath:
    return tuple(part for part in error["loc"] if part != _KEY_ERROR)


def _explain(error: "ErrorDetails", sources: Sources) -> Iterator[Problem]:
    path = _path(error)
    context = error.get("ctx", {})
    together = context.get("error")
    if isinstance(together, Contradictions):
        for finding in together.findings:
            yield sources.problem((*path, *finding.path), finding.message, finding.hint)
    elif error["type"] == _UNKNOWN:
        yield sources.problem(path, "unknown key", _suggestion(path))
    elif error["type"] == "missing":
        yield sources.problem(path, "is missing", f"Add it. {_description(path)}".strip())
    elif error["input"] is None:
        hint = f"Write one, or remove the line. {QUOTE_HINT}."
        yield sources.problem(path, "has no value", hint)
    elif "hint" in context:
        yield sources.problem(path, error["msg"], str(context["hint"]))
    else:
        yield sources.problem(path, *_library_words(error, path))


def _library_words(error: "ErrorDetails", path: KeyPath) -> tuple[str, str]:
    message, hint = _SAID.get(error["type"], ("", ""))
    if not message:
        message = error["msg"].replace("Input should", "must").replace("String should", "must")
    return message, hint or _description(path)


def _description(path: KeyPath) -> str:
    schema = schema_at(path)
    return "" if schema is None else str(schema.get("description", ""))


def _suggestion(path: KeyPath) -> str:
    """What the unknown key may have been meant to be: one of its neighbours, or a key of another section."""
    key, here = str(path[-1]), known_keys(path[:-1])
    near = get_close_matches(key.lower(), here, n=1)
    if near:
        return f"Did you mean `{near[0]}`?"
    sections: tuple[KeyPath, ...] = ((), *((section,) for section in known_keys(())))
    for section in sections:
        if key in known_keys(section):
            return f"Did you mean `{dotted((*section, key))}`?"
    return f"Known here: {', '.join(here)}."
