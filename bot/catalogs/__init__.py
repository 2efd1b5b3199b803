"""The catalogs of texts. Message ids are the English texts; :data:`DOMAINS` tells who speaks to whom.

A source tree has ``.po`` files, which are compiled in memory; an installed package has ``.mo`` files, made
from them by the build (``setup.py``). Where both lie, the ``.po`` is read: a ``.mo`` is never out of date.
"""

import io
import threading
from functools import cache, lru_cache
from gettext import GNUTranslations
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final

from babel import Locale, core
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

CHAT: Final = "tickettruhe"
FORM: Final = "form"
SETUP: Final = "setup"
DOMAINS: Final = MappingProxyType(
    {
        CHAT: "the bot to volunteers, familiarly",
        FORM: "the charity to requesters, politely",
        SETUP: "`init` to whoever sets the bot up, familiarly",
    }
)
SOURCE: Final = "en"
"""The language of the message ids; its catalogs hold no texts."""
LANGUAGES: Final = ("de", SOURCE)
_READING: Final = threading.Lock()
_TERRITORIES: Final = MappingProxyType({"de": "DE", "en": "GB"})


@cache
def locale(language: str) -> Locale:
    """How people of a language write dates and numbers."""
    with _READING:
        found = Locale(language, _TERRITORIES[language])
        # Reads what Babel knows of it, and with that two megabytes about all other languages. Those are not
        # needed any more, and are read again should anybody ask.
        _ = found.number_symbols
        core._global_data = None  # noqa: SLF001 - there is no public way
    return found


def folder_of(language: str) -> Traversable:
    """Where a language's catalogs lie."""
    return files("bot").joinpath("locale", language, "LC_MESSAGES")


@lru_cache
def catalog(domain: str, language: str) -> GNUTranslations:
    """The texts of one of :data:`DOMAINS` in one of :data:`LANGUAGES`."""
    return read(folder_of(language), domain, language)


def read(folder: Traversable, domain: str, language: str) -> GNUTranslations:
    """The catalog of a domain in a folder, from its source if that is there.

    :raises FileNotFoundError: there is neither.
    """
    source = folder.joinpath(f"{domain}.po")
    if not source.is_file():
        with folder.joinpath(f"{domain}.mo").open("rb") as compiled:
            return GNUTranslations(compiled)
    with source.open("rb") as po, io.BytesIO() as mo:
        write_mo(mo, read_po(po, locale=locale(language)))
        mo.seek(0)
        return GNUTranslations(mo)
