"""The config's JSON Schema: helps editors, and tells the loader which keys exist where."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from bot.config.model import Config
from bot.config.problems import KeyPath

Schema = dict[str, Any]


def json_schema() -> Schema:
    """A fresh JSON Schema (draft 2020-12) of the config file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}


@cache
def _schema() -> Schema:
    return json_schema()


def schema_at(path: KeyPath) -> Schema | None:
    """The part of the schema that describes a setting; ``None`` if no such setting exists."""
    here: Schema | None = _schema()
    for part in path:
        here = _step(here, part) if here is not None else None
    return here


def is_container(schema: Schema) -> bool:
    """Whether a setting is a list or a section rather than a single value."""
    return any(form.get("type") in ("array", "object") for form in _forms(schema))


def known_keys(path: KeyPath) -> tuple[str, ...]:
    """The keys that a section may have; empty where the admin chooses them."""
    schema = schema_at(path)
    return (
        () if schema is None else tuple(key for form in _forms(schema) for key in form.get("properties", {}))
    )


def _step(schema: Schema, part: str | int) -> Schema | None:
    for form in _forms(schema):
        if isinstance(part, int):
            found = form.get("items")
        else:
            found = form.get("properties", {}).get(part, form.get("additionalProperties"))
        if isinstance(found, dict):
            return found
    return None


def _forms(schema: Schema) -> Iterator[Schema]:
    """The alternatives of a schema, references resolved."""
    if "$ref" in schema:
        schema = {**_schema()["$defs"][schema["$ref"].rsplit("/", 1)[-1]]}
    if "anyOf" in schema:
        for form in schema["anyOf"]:
            yield from _forms(form)
    else:
        yield schema
