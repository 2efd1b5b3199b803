"""A request from outside: its fields, their limits, and how hostile text is made harmless to store.

Markup is not touched here: text is kept as it was written and escaped once, when it is shown.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from bot.domain.errors import InputProblem, InvalidInput, TickettruheError
from bot.domain.words import Intake

NAME_LIMIT: Final = 100
EMAIL_LIMIT: Final = 254  # RFC 5321, 4.5.3.1
PHONE_LIMIT: Final = 40
SUBJECT_LIMIT: Final = 150
TEXT_LIMIT: Final = 20_000
CHOICE_LIMIT: Final = 64
EXTRA_LIMIT: Final = 20
EXTRA_NAME_LIMIT: Final = 64
EXTRA_VALUE_LIMIT: Final = 1_000
FILE_NAME_LIMIT: Final = 120

_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROLS: Final = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff{_BIDI}]")
_BREAKS: Final = re.compile("\r\n?|\u2028|\u2029|\x85|\x0b|\x0c")
_SPACES: Final = re.compile(r"\s+")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_EMAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]{1,64}@(?:[\w](?:[\w-]{0,61}[\w])?\.)+[\w-]{2,63}"
)


class InvalidFields(TickettruheError):
    """Several fields at once, so that a person mends them in one go."""

    def __init__(self, errors: tuple[InvalidInput, ...]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.errors = errors


def clean_text(text: str) -> str:
    """Text of several lines without control characters, direction tricks or halves of characters."""
    unified = _BREAKS.sub("\n", text)
    harmless = _CONTROLS.sub("", _SURROGATES.sub("\ufffd", unified))
    return unicodedata.normalize("NFC", harmless).strip()


def clean_line(text: str) -> str:
    """Like :func:`clean_text`, on one line."""
    return _SPACES.sub(" ", clean_text(text)).strip()


def _shows(text: str) -> bool:
    """Whether there is anything to see: neither spaces nor invisible signs alone."""
    return any(unicodedata.category(sign)[0] not in "ZC" for sign in text)


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """A file that came along; ``name`` is text from outside, cleaned, and never a path."""

    name: str
    media_type: str
    data: bytes
    left_out: int | None = None
    """Bytes that it had, if it was too large to be kept: then there is no ``data``."""

    @property
    def size(self) -> int:
        """Bytes that it has, or had."""
        return len(self.data) if self.left_out is None else self.left_out


@dataclass(frozen=True, slots=True)
class MailHead:
    """Where a mail stands among others (RFC 5322, 3.6.4): its own Message-ID, and those it refers to."""

    message_id: str
    references: tuple[str, ...] = ()
    original: str | None = None
    """Its whole text, where quoted history and signature are left out of what is shown."""


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A checked request, ready to become a ticket."""

    name: str
    subject: str
    text: str
    intake: Intake
    email: str | None = None
    phone: str | None = None
    region: str | None = None
    topic: str | None = None
    attachments: tuple[NewAttachment, ...] = ()
    extra: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    mail: MailHead | None = None
    """The mail that it came by, if it did."""
    language: str | None = None
    """In which the requester writes and is to be answered, if that is known."""
    autorespond: bool = True
    """Whether the requester may be told by mail that it is here."""


class Checker:
    """Collects what is wrong with a request's fields: the first problem of each."""

    def __init__(self) -> None:
        self._errors: list[InvalidInput] = []

    def line(self, field: str, value: object, limit: int, *, required: bool = False) -> str:
        """A field of one line."""
        return self._checked(field, value, limit, required=required, one_line=True)

    def text(self, field: str, value: object, limit: int = TEXT_LIMIT, *, required: bool = False) -> str:
        """A field of several lines."""
        return self._checked(field, value, limit, required=required, one_line=False)

    def email(self, field: str, value: object, *, required: bool = False) -> str:
        """An address; its domain in lower case, so that the same person is recognised."""
        if isinstance(value, str) and re.search(r"[\r\n]", value.strip()):
            return self.refuse(field, InputProblem.NOT_AN_ADDRESS)
        address = self.line(field, value, EMAIL_LIMIT, required=required)
        if address and not _EMAIL.fullmatch(address):
            return self.refuse(field, InputProblem.NOT_AN_ADDRESS)
        local, at, domain = address.rpartition("@")
        return f"{local}{at}{domain.lower()}"

    def refuse(self, field: str, problem: InputProblem, limit: int | None = None) -> str:
        """Note what is wrong with a field; the empty text stands for its value."""
        if all(error.field != field for error in self._errors):
            self._errors.append(InvalidInput(field, problem, limit))
        return ""

    def finish(self) -> None:
        """:raises InvalidFields: anything was wrong."""
        if self._errors:
            raise InvalidFields(tuple(self._errors))

    def _checked(self, field: str, value: object, limit: int, *, required: bool, one_line: bool) -> str:
        if value is None:
            value = ""
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            return self.refuse(field, InputProblem.NOT_TEXT)
        if len(value) > limit * 4 + 1_000:
            # Far over the limit: not worth cleaning first.
            return self.refuse(field, InputProblem.TOO_LONG, limit)
        cleaned = clean_line(value) if one_line else clean_text(value)
        if required and not _shows(cleaned):
            return self.refuse(field, InputProblem.MISSING)
        if len(cleaned) > limit:
            return self.refuse(field, InputProblem.TOO_LONG, limit)
        return cleaned


def check_request(
    fields: Mapping[str, object],
    intake: Intake,
    *,
    email_required: bool = True,
    check: Checker | None = None,
) -> NewRequest:
    """Check the fields ``name``, ``email``, ``phone``, ``subject``, ``message``, ``region`` and ``topic``.

    ``check`` brings along what is already known to be wrong.

    :raises InvalidFields: at least one breaks a limit.
    """
    check = check or Checker()
    request = NewRequest(
        name=check.line("name", fields.get("name"), NAME_LIMIT, required=True),
        email=check.email("email", fields.get("email"), required=email_required) or None,
        phone=check.line("phone", fields.get("phone"), PHONE_LIMIT) or None,
        subject=check.line("subject", fields.get("subject"), SUBJECT_LIMIT, required=True),
        text=check.text("message", fields.get("message"), required=True),
        region=check.line("region", fields.get("region"), CHOICE_LIMIT) or None,
        topic=check.line("topic", fields.get("topic"), CHOICE_LIMIT) or None,
        intake=intake,
    )
    check.finish()
    return request


def clean_file_name(name: str) -> str:
    """The last part of a file's name, harmless to show and to save; ``file`` if nothing is left."""
    last = re.split(r"[\\/]", clean_line(name))[-1].strip(". ")
    if len(last) > FILE_NAME_LIMIT:
        stem, dot, suffix = last.rpartition(".")
        keep = FILE_NAME_LIMIT - len(suffix) - 1
        last = f"{stem[:keep]}.{suffix}" if dot and keep > 0 else last[:FILE_NAME_LIMIT]
    return last or "file"
