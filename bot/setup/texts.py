"""The languages of the set-up: which one is meant, and its texts. It says "du", as the chat does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.catalogs import LANGUAGES, SETUP, catalog
from bot.config import Language
from bot.domain.marks import N_

__all__ = ["N_", "Texts", "language_of"]

_VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Which of the environment's settings counts: the first that is set (POSIX, 8.2)."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts in one language. Message ids are the English ones."""

    language: Language

    def __call__(self, message: str, **values: object) -> str:
        """The text, its ``{words}`` filled in."""
        text = catalog(SETUP, self.language).gettext(message)
        return text.format(**values) if values else text


def language_of(environ: Mapping[str, str]) -> Language:
    """The language of whoever sits at the terminal; English if the bot does not speak it."""
    named = next((environ[each] for each in _VARIABLES if environ.get(each)), "")
    code = named.lower().partition("_")[0].partition(".")[0]
    return "de" if code in LANGUAGES and code == "de" else "en"
