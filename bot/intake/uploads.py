"""Forms with files, as browsers send them (``multipart/form-data``, RFC 7578)."""

import logging
import re
from dataclasses import dataclass, field
from typing import Any, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from bot.domain.errors import InputProblem
from bot.domain.request import Checker, NewAttachment, clean_file_name

_MEDIA_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}")
"""RFC 6838, 4.2."""
_PARTS: Final = 20
_UTF8: Final = "utf-8"

# It would quote what is sent.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL + 1)


class MalformedForm(ValueError):
    """The body is no form with files."""


@dataclass(slots=True)
class Form:
    """What was entered, by the fields' names, and the files that were chosen, all in memory."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[NewAttachment] = field(default_factory=list)


def read_form(content_type: str, body: bytes) -> Form:
    """The fields and files of a body; the first counts where a field is given twice.

    :raises MalformedForm: it is none, is cut off, or has more parts than any form of ours.
    """
    kind, options = parse_options_header(content_type.encode("ascii", "replace").decode())
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise MalformedForm
    form, seen = Form(), _Seen()
    try:
        FormParser(
            kind.decode(),
            lambda one: seen.entry(form, one),
            lambda one: seen.file(form, one),
            seen.finish,
            options[b"boundary"],
            config=_all_in_memory(body),
        ).write(body)
    except FormParserError as error:
        raise MalformedForm from error
    if not seen.complete:
        raise MalformedForm
    return form


def check_files(check: Checker, files: list[NewAttachment], most: int, largest: int) -> None:
    """Note whether there are more files than ``most``, or one has more bytes than ``largest``."""
    if len(files) > most:
        check.refuse("attachments", InputProblem.TOO_MANY, most)
    elif any(len(file.data) > largest for file in files):
        check.refuse("attachments", InputProblem.TOO_LARGE, largest)


def _all_in_memory(body: bytes) -> dict[str, Any]:
    """Nothing of a request is written to a disk, where it would outlive it."""
    return {"MAX_MEMORY_FILE_SIZE": len(body) + 1, "UPLOAD_ERROR_ON_BAD_CTE": True}


class _Seen:
    """Puts together what the parser finds."""

    def __init__(self) -> None:
        self.complete = False
        self._parts = 0

    def entry(self, form: Form, one: Field) -> None:
        """A field that was filled in."""
        self._count()
        name = (one.field_name or b"").decode(_UTF8, "replace")
        form.fields.setdefault(name, (one.value or b"").decode(_UTF8, "replace"))

    def file(self, form: Form, one: File) -> None:
        """A file that was chosen, or a field where none was."""
        self._count()
        one.file_object.seek(0)
        data = one.file_object.read()
        # A browser sends a file without name where none was chosen.
        if one.file_name or data:
            name = (one.file_name or b"").decode(_UTF8, "replace")
            form.files.append(NewAttachment(clean_file_name(name), _media_type(one.content_type), data))

    def finish(self) -> None:
        """The end of the body."""
        self.complete = True

    def _count(self) -> None:
        self._parts += 1
        if self._parts > _PARTS:
            raise MalformedForm


def _media_type(told: str | None) -> str:
    kind = (told or "").partition(";")[0].strip().lower()
    return kind if _MEDIA_TYPE.fullmatch(kind) else "application/octet-stream"
