"""Extracts the texts of the source and brings the ``.po`` files up to date."""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from bot.catalogs import CHAT, DOMAINS, FORM, LANGUAGES, SETUP, SOURCE

ROOT: Final = Path(__file__).parents[1]
"""The package whose texts these are."""
LOCALE: Final = ROOT / "locale"
_WIDTH: Final = 110

_SPOKEN_BY: Final = MappingProxyType({"intake": FORM, "setup": SETUP})
"""Folder of the package → domain; all others are the chat's."""

KEYWORDS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        **DEFAULT_KEYWORDS,
        "N_": None,
        # The set-up's texts are called, as there are many and nothing else.
        "say": None,
        # Help and usage errors call a command's parameters by name.
        "Parameter": (1,),
    }
)
"""Calls whose arguments are texts, beside gettext's own."""

METHODS: Final = (("**.py", "python"), ("**.html", "jinja2"))


def domain_of(path: str) -> str:
    """The domain of a file in the package, given by its path there."""
    return _SPOKEN_BY.get(path.partition("/")[0], CHAT)


def extracted(domain: str, root: Path = ROOT) -> Catalog:
    """A catalog without translations of what the domain's source says.

    Places are left out: they would change with every line of code.
    """
    found = Catalog(domain=domain)
    for path, _line, message, _comments, context in _texts(root):
        if domain_of(path) == domain:
            found.add(message, context=context)
    return found


def _texts(root: Path) -> Iterator[tuple[str, int, Any, list[str], str | None]]:
    return extract_from_dir(root, METHODS, keywords=KEYWORDS)


def updated(before: bytes, template: Catalog, language: str) -> bytes:
    """A ``.po`` file with the template's texts: new ones without translation, left-over ones gone.

    The header stays as it is. Sorted by text, so that two people's changes seldom meet.
    """
    header, _, _ = before.partition(b"\n\n")
    catalog = read_po(io.BytesIO(before), locale=language, abort_invalid=True)
    catalog.update(template, no_fuzzy_matching=True)
    body = io.BytesIO()
    write_po(
        body, catalog, _WIDTH, omit_header=True, sort_output=True, no_location=True, ignore_obsolete=True
    )
    parts = (part.strip(b"\n") + b"\n" for part in (header, body.getvalue()) if part.strip())
    return b"\n".join(parts)


def update(locale: Path = LOCALE, root: Path = ROOT) -> Iterator[tuple[Path, Catalog]]:
    """Bring all catalogs up to date; each with what it says now. The source language's stay empty."""
    for domain in DOMAINS:
        template = extracted(domain, root)
        for language in LANGUAGES:
            path = locale / language / "LC_MESSAGES" / f"{domain}.po"
            wanted = Catalog() if language == SOURCE else template
            after = updated(path.read_bytes(), wanted, language)
            if after != path.read_bytes():
                path.write_bytes(after)
            yield path, read_po(io.BytesIO(after), locale=language)


def untranslated(catalog: Catalog) -> list[str]:
    """Texts of a catalog that lack a translation, or a form of it; those with a plural by their singular."""
    return [
        texts_of(message.id)[0] for message in catalog if message.id and not all(texts_of(message.string))
    ]


def texts_of(texts: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """The forms of a message id or a translation: one, or singular and plural."""
    return (texts,) if isinstance(texts, str) else tuple(texts or ())
