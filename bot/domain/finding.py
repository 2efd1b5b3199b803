"""What a search finds: words without case and accents, phrases, and beginnings of words.

One reading of text serves the index, the query and the marks in an answer, on both databases: what is
searched for is folded just as what is searched in.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

WORD_LIMIT: Final = 64
"""Characters of a word that count; the limit keeps folding cheap and fits both databases."""
_TYPED_LIMIT: Final = 500
_TERM_LIMIT: Final = 20
_SHORTEST_BEGINNING: Final = 2
"""A single letter begins too many words to be meant as a beginning."""

_MARKS: Final = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
)
_WORD: Final = re.compile(rf"[^\W_]+(?:[{_MARKS}]+[^\W_]*)*")
_LETTERS: Final = re.compile(r"[^\W_]+")
# Letters that Unicode does not decompose, as people without them on the keyboard write them.
_PLAIN: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)

_CLOSING: Final = MappingProxyType(
    {'"': '"', "„": '“”"', "“": '”“"', "”": '”"', "«": "»", "»": "«"}
)  # fmt: skip
_ADDRESS: Final = re.compile(r"[^\s@]+@[^\s@]+")


@dataclass(frozen=True, slots=True)
class Word:
    """A folded word and where it stands in the text."""

    start: int
    end: int
    word: str


def words_of(text: str) -> list[Word]:
    """The text's words in order; a sign that stands for several words gives several at one place."""
    return [
        Word(match.start(), match.end(), word)
        for match in _WORD.finditer(text)
        for word in _folded(match[0][:WORD_LIMIT])
    ]


def _folded(word: str) -> Sequence[str]:
    """Without case and accents: ß as ss, ü as u."""
    if word.isascii():
        return (word.lower(),)
    folded = unicodedata.normalize("NFKD", word).casefold().translate(_PLAIN)
    letters = "".join(c for c in unicodedata.normalize("NFKD", folded) if unicodedata.category(c)[0] != "M")
    return [found[:WORD_LIMIT] for found in _LETTERS.findall(letters)]


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must follow each other. ``open``: of the last one only the beginning is given."""

    words: tuple[str, ...]
    open: bool
    address: str | None = None
    """The e-mail address that was typed, in lower case: a ticket of that requester is meant, too."""

    def places(self, words: Sequence[Word]) -> Iterator[tuple[int, int]]:
        """Start and end of each place where the term stands."""
        *firsts, last = self.words
        for at in range(len(words) - len(firsts)):
            found = words[at : at + len(self.words)]
            ends = found[-1].word.startswith(last) if self.open else found[-1].word == last
            if ends and all(each.word == first for each, first in zip(found, firsts, strict=False)):
                yield found[0].start, found[-1].end

    def stands_in(self, words: Sequence[Word]) -> bool:
        """Whether it stands there at all."""
        return next(self.places(words), None) is not None


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for: every term must be found. Without terms there is nothing to search for."""

    terms: tuple[Term, ...]

    def places(self, text: str) -> tuple[tuple[int, int], ...]:
        """Start and end of what was found in a text, in order and apart from each other."""
        words = words_of(text)
        found = sorted({place for term in self.terms for place in term.places(words)})
        apart: list[tuple[int, int]] = []
        for start, end in found:
            if apart and start <= apart[-1][1]:
                apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
            else:
                apart.append((start, end))
        return tuple(apart)

    def missing_in(self, text: str) -> "Query":
        """The terms that do not stand in a text."""
        words = words_of(text)
        return Query(tuple(term for term in self.terms if not term.stands_in(words)))

    def rank(self, subject: str, name: str) -> int:
        """How well a ticket that is found fits: terms in its subject count most, then those in the name."""
        subject_words, name_words = words_of(subject), words_of(name)
        return sum(
            _IN_SUBJECT if term.stands_in(subject_words) else _IN_NAME if term.stands_in(name_words) else 0
            for term in self.terms
        )


_IN_SUBJECT: Final = 3
_IN_NAME: Final = 2


def read_query(typed: str) -> Query:
    """Read what somebody typed, whatever it is.

    Each word may lack its last letters. What stands in quotation marks is meant to the letter. Words that
    only a sign parts, such as ``e-mail``, follow each other.
    """
    terms: dict[Term, None] = {}
    for piece, quoted in _pieces(typed[:_TYPED_LIMIT]):
        term = _term(piece, quoted=quoted)
        if term is not None:
            terms[term] = None
    return Query(tuple(terms)[:_TERM_LIMIT])


def _term(piece: str, *, quoted: bool) -> Term | None:
    words = tuple(each.word for each in words_of(piece))
    if not words:
        return None
    address = None if quoted else _ADDRESS.fullmatch(piece.strip("<>(),;:"))
    return Term(
        words[:_TERM_LIMIT],
        open=not quoted and len(words) <= _TERM_LIMIT and len(words[-1]) >= _SHORTEST_BEGINNING,
        address=address[0].casefold() if address else None,
    )


def _pieces(typed: str) -> Iterator[tuple[str, bool]]:
    """What stands in quotation marks, and the words outside; a mark that is never closed is no mark."""
    at = start = 0
    while at < len(typed):
        ends = [end for sign in _CLOSING.get(typed[at], "") if (end := typed.find(sign, at + 1)) > 0]
        if not ends:
            at += 1
            continue
        yield from ((piece, False) for piece in typed[start:at].split())
        yield typed[at + 1 : min(ends)], True
        at = start = min(ends) + 1
    yield from ((piece, False) for piece in typed[start:].split())
