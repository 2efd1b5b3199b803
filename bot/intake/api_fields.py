"""Fields of an API call that need more than a check: texts in data URLs, files, the sender's own fields."""

import re
from collections.abc import Mapping
from typing import Final

from bot.domain.errors import InputProblem
from bot.domain.request import (
    EXTRA_LIMIT,
    EXTRA_NAME_LIMIT,
    EXTRA_VALUE_LIMIT,
    TEXT_LIMIT,
    Checker,
    NewAttachment,
    clean_file_name,
    clean_line,
)
from bot.intake.data_url import DataUrl, MalformedDataUrl, parse_data_url
from bot.intake.html_text import html_to_text
from bot.intake.settings import IntakeSettings

_HTML_LIMIT: Final = TEXT_LIMIT * 10
"""Markup around a text that just fits; longer sources are not worth reading."""
_PHRASE: Final = re.compile(r"[^\w .:-]")


def plain(value: object) -> object:
    """A value as text where it has one: osTicket's choices are objects (key → name), several are lists."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return _joined([key if name is None else name for key, name in value.items()], value)
    if isinstance(value, list):
        return _joined(value, value)
    return value


def _joined(parts: list[object], otherwise: object) -> object:
    if all(isinstance(part, str | int | float) for part in parts):
        return ", ".join(str(part) for part in parts)
    return otherwise


def read_text(check: Checker, field: str, value: object) -> object:
    """A text: itself, or what a data URL of plain text or HTML holds."""
    url = parse_data_url(value) if isinstance(value, str) else None
    if url is None:
        return value
    if url.media_type not in ("text/plain", "text/html"):
        return check.refuse(field, InputProblem.NOT_TEXT)
    if url.least_size > _HTML_LIMIT * 4:
        return check.refuse(field, InputProblem.TOO_LONG, TEXT_LIMIT)
    try:
        text = url.text()
    except MalformedDataUrl:
        return check.refuse(field, InputProblem.MALFORMED)
    if url.media_type == "text/plain":
        return text
    if len(text) > _HTML_LIMIT:
        return check.refuse(field, InputProblem.TOO_LONG, TEXT_LIMIT)
    return html_to_text(text)


def read_attachments(check: Checker, value: object, settings: IntakeSettings) -> tuple[NewAttachment, ...]:
    """Files: a list of objects, each with one pair of file name and data URL."""
    if value is None:
        return ()
    if not isinstance(value, list):
        check.refuse("attachments", InputProblem.MALFORMED)
        return ()
    if len(value) > settings.max_attachments:
        check.refuse("attachments", InputProblem.TOO_MANY, settings.max_attachments)
        return ()
    files = [_attachment(check, item, settings.max_attachment) for item in value]
    return tuple(file for file in files if file is not None)


def _attachment(check: Checker, item: object, limit: int) -> NewAttachment | None:
    content = next(iter(item.values())) if isinstance(item, dict) and len(item) == 1 else None
    url = parse_data_url(content) if isinstance(content, str) else None
    if not isinstance(item, dict) or url is None:
        check.refuse("attachments", InputProblem.MALFORMED)
        return None
    try:
        data = url.data() if url.least_size <= limit else None
    except MalformedDataUrl:
        check.refuse("attachments", InputProblem.MALFORMED)
        return None
    if data is None or len(data) > limit:
        check.refuse("attachments", InputProblem.TOO_LARGE, limit)
        return None
    return NewAttachment(clean_file_name(str(next(iter(item)))), _media_type(url), data)


def _media_type(url: DataUrl) -> str:
    return f"{url.media_type}; charset={url.charset}" if url.charset else url.media_type


def read_extra(check: Checker, fields: Mapping[str, object]) -> dict[str, str]:
    """Fields that only the sender knows, as text; empty ones are left out."""
    given = {name: value for name, value in fields.items() if value is not None}
    if len(given) > EXTRA_LIMIT:
        check.refuse("extra fields", InputProblem.TOO_MANY, EXTRA_LIMIT)
        return {}
    kept: dict[str, str] = {}
    for name, value in given.items():
        label = clean_line(name[: EXTRA_NAME_LIMIT * 2])
        if not label or len(label) > EXTRA_NAME_LIMIT or label in kept:
            check.refuse("extra fields", InputProblem.MALFORMED)
        elif text := check.text(_PHRASE.sub("?", label), plain(value), EXTRA_VALUE_LIMIT):
            kept[label] = text
    return kept
