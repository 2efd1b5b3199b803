"""What a person wrote in a mail, without the quoted history below and the signature.

Cut only what is surely quoted: everything from one place to the end of the text. Answers between quoted
lines, and what was forwarded, stay as they are. Each line is looked at once, by patterns without nested
repetition: well-known libraries for this take minutes for texts that are made to be slow, or drop lists and
sentences.
"""

import re
from typing import Final

_LONG_LINE: Final = 400
"""Characters; no line that introduces a quote is longer."""
_WRAPPED: Final = 3
"""Lines over which mail programs wrap an introduction."""

_INTRO_ENDS: Final = ("wrote:", "writes:", "écrit :", "écrit:", "escribió:", "scritto:", "skrev:", "schreef:")
_INTRO_BEGINS: Final = (
    "am ", "on ", "le ", "el ", "il ", "op ", "den ", "på ", "em ", "zitat von ", "quoting ",
)  # fmt: skip
_GERMAN: Final = re.compile(r"^(?:am |zitat von |schrieb |[^:]{0,80}<[^<>\s]+@)")
_DATE_OR_ADDRESS: Final = re.compile(r"\d{1,2}[.:/]\s?\d{1,2}|\d{4}|\S@\S")

_FIELD: Final = re.compile(
    r"^[>* ]{0,4}(?P<name>von|from|de|da|van|gesendet|sent|date|datum|envoyé|inviato|verzonden|an|to|à|a|aan|"
    r"betreff|subject|objet|oggetto|onderwerp|cc|kopie|reply-to|antwort an)\s?:[* ]",
    re.IGNORECASE,
)
_SENDER: Final = {"von", "from", "de", "da", "van"}
_MOMENT: Final = {"gesendet", "sent", "date", "datum", "envoyé", "inviato", "verzonden"}
_ABOUT: Final = {"betreff", "subject", "objet", "oggetto", "onderwerp", "an", "to", "à", "a", "aan"}

_ORIGINAL: Final = re.compile(
    r"^[-_ ]{3,20}(?:original[ -]?message|original appointment|original-?nachricht|ursprüngliche nachricht|"
    r"message d'origine|messaggio originale|oorspronkelijk bericht|reply to message|antwort auf)"
    r"\b[^-_]{0,40}[-_ ]{0,20}$",
    re.IGNORECASE,
)
_RULE: Final = re.compile(r"^\s*_{20,}\s*$")
_FORWARD: Final = re.compile(
    r"^[-> ]{0,20}(?:begin forwarded message|forwarded message|weitergeleitete nachricht|message transféré|"
    r"anfang der weitergeleiteten (?:nachricht|e-mail))[- :]*$",
    re.IGNORECASE,
)
_FORWARD_SUBJECT: Final = re.compile(r"^\s*(?:fwd?|wg|tr|doorst|i)\s?:", re.IGNORECASE)
_SIGNATURE: Final = re.compile(r"^--\s?$")
_FROM_PHONE: Final = re.compile(
    r"^(?:sent (?:from|with) (?:my|the|outlook|yahoo|proton|mailbird)|get outlook for|"
    r"gesendet (?:von|mit|aus)|diese nachricht wurde von meinem|"
    r"von meinem \S+(?: \S+)? gesendet|envoyé (?:de|depuis) )[^.!?]{0,80}\.?$",
    re.IGNORECASE,
)
_SIGNATURE_LINES: Final = 15
"""A longer one is no signature but something that was written below a line of dashes."""


def is_forward(subject: str, text: str) -> bool:
    """Whether somebody passes a mail on: then what is quoted is what matters."""
    return bool(_FORWARD_SUBJECT.match(subject)) or any(
        _FORWARD.match(line) for line in text.split("\n") if len(line) < _LONG_LINE
    )


def own_words(text: str, *, marked: bool = True) -> str:
    """The text up to its quoted history and signature; all of it, if nothing would be left.

    ``marked``: quoted lines begin with ``>``; in text that was HTML they do not.
    """
    lines = text.split("\n")
    cut = _without_signature(lines[: _quote_begins(lines, marked=marked)])
    words = "\n".join(cut).strip()
    return words or text.strip()


def _quote_begins(lines: list[str], *, marked: bool) -> int:
    """Index of the first line of the history, which goes on to the end."""
    trailing = _trailing_marks(lines)
    for index, line in enumerate(lines):
        if len(line) > _LONG_LINE or not line.strip():
            continue
        if index >= trailing:
            return index
        if _ORIGINAL.match(line) or _headers_at(lines, index):
            return _above(lines, index)
        width = _intro_at(lines, index)
        if width and (not marked or _next_shown(lines, index + width) >= trailing):
            return index
    return len(lines)


def _above(lines: list[str], index: int) -> int:
    """Takes along the rule that stands over a history."""
    before = index - 1
    while before > 0 and not lines[before].strip():
        before -= 1
    return before if before >= 0 and _RULE.match(lines[before]) else index


def _trailing_marks(lines: list[str]) -> int:
    """Where the marked lines begin after which nothing comes but blank ones and a signature."""
    start = end = _signature_begins(lines)
    for index in range(end - 1, -1, -1):
        line = lines[index].lstrip()
        if line.startswith((">", "|")):
            start = index
        elif line:
            break
    return start if start < end else len(lines)


def _next_shown(lines: list[str], index: int) -> int:
    while index < len(lines) and not lines[index].strip():
        index += 1
    return index


def _intro_at(lines: list[str], index: int) -> int:
    """Over how many lines an introduction ("On … X wrote:") goes from here; 0: there is none."""
    first = lines[index].strip(" >").lower()
    if not first.startswith(_INTRO_BEGINS) and not _GERMAN.match(first):
        return 0
    joined = ""
    for width, line in enumerate(lines[index : index + _WRAPPED], 1):
        if not line.strip(" >"):
            return 0
        joined = f"{joined} {line.strip(' >').lower()}".strip()
        if len(joined) > _LONG_LINE:
            return 0
        if not joined.endswith(":"):
            continue
        said = joined.endswith(_INTRO_ENDS) or " schrieb" in joined or joined.startswith("zitat von ")
        # "On Friday it is not possible." begins like one, and a line below it is one.
        alone = not any(_intro_at(lines, index + below) for below in range(1, width))
        return width if said and alone and _DATE_OR_ADDRESS.search(joined) else 0
    return 0


def _headers_at(lines: list[str], index: int) -> bool:
    """Whether the headers of an earlier mail stand here, as Outlook and webmailers quote."""
    named: set[str] = set()
    for line in lines[index : index + 8]:
        field = _FIELD.match(line[:_LONG_LINE])
        if field is None:
            if not named:
                return False
            continue
        named.add(field["name"].lower())
    return bool(named & _SENDER and named & _MOMENT and named & _ABOUT)


def _signature_begins(lines: list[str]) -> int:
    """Index of the line that separates the signature (RFC 3676, 4.3), or of the end."""
    for index in range(len(lines) - 1, max(-1, len(lines) - _SIGNATURE_LINES - 1), -1):
        if _SIGNATURE.match(lines[index]):
            return index
    return len(lines)


def _without_signature(lines: list[str]) -> list[str]:
    end = _shown_end(lines, len(lines))
    end = _signature_begins(lines[:end])
    while (last := _shown_end(lines, end)) and _FROM_PHONE.match(lines[last - 1].strip()[:_LONG_LINE]):
        end = last - 1
    return lines[:end]


def _shown_end(lines: list[str], end: int) -> int:
    while end and not lines[end - 1].strip():
        end -= 1
    return end
