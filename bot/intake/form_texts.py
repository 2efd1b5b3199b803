"""The form's languages, and which of them a page is in."""

from gettext import NullTranslations
from typing import Final

from bot.catalogs import FORM, catalog

LANGUAGES: Final = {"de": "Deutsch", "en": "English"}


def texts(language: str) -> NullTranslations:
    """The texts in one of :data:`LANGUAGES`."""
    return catalog(FORM, language)


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
