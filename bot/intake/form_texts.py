"""The form's languages. Message ids are the English texts; each other language has a catalog ``form.po``."""

import io
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES: Final = {"de": "Deutsch", "en": "English"}
_SOURCE_LANGUAGE: Final = "en"


@lru_cache
def texts(language: str) -> NullTranslations:
    """The catalog of one of :data:`LANGUAGES`, compiled in memory."""
    if language == _SOURCE_LANGUAGE:
        return NullTranslations()
    source = files("bot").joinpath("locale", language, "LC_MESSAGES", "form.po")
    with source.open("rb") as po, io.BytesIO() as mo:
        write_mo(mo, read_po(po, locale=language))
        mo.seek(0)
        return GNUTranslations(mo)


def choose_language(asked: str | None, accepted: str, default: str) -> str:
    """The language somebody asked for, or else the first of their ``Accept-Language`` that there is.

    Order as in RFC 9110, 12.5.4.
    """
    if asked in LANGUAGES:
        return asked
    ranked: list[tuple[float, str]] = []
    for item in accepted.split(","):
        tag, _, parameter = item.partition(";")
        code = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if code in LANGUAGES and weight > 0:
            ranked.append((weight, code))
    # max() keeps the first of equals.
    return max(ranked, key=lambda pair: pair[0])[1] if ranked else default


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0
