"""The body of an API call, read strictly: whatever is in it becomes a checked request or a typed refusal."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, NoReturn

from bot.domain.errors import NameKind, TickettruheError, UnknownName
from bot.domain.request import CHOICE_LIMIT, Checker, NewAttachment, NewRequest, check_request
from bot.domain.words import Intake
from bot.intake.api_fields import plain, read_attachments, read_extra, read_text
from bot.intake.settings import IntakeSettings
from bot.services.unit import Policy

_AS_THEY_ARE: Final = ("name", "email", "phone", "subject")
_MEANT: Final = frozenset({*_AS_THEY_ARE, "message", "region", "topicId", "attachments", "autorespond"})
_WITHOUT_MEANING: Final = frozenset({"alert", "ip", "source", "priorityId"})
"""Fields of osTicket's clients that decide nothing here; the requester's address is not wanted."""
_NO: Final = frozenset({"false", "0", "no", "off"})
_NAMES_OF_A_CHOICE: Final = 5
"""So many keys of an object are looked at; osTicket's have one."""

Fields = Mapping[str, object]


class MalformedBody(TickettruheError):
    """The body is no JSON object. Says why, without quoting it."""


@dataclass(frozen=True, slots=True)
class MessageBody:
    """The body of a further message."""

    text: str
    attachments: tuple[NewAttachment, ...]


def read_object(body: bytes) -> Fields:
    """The JSON object in a body.

    :raises MalformedBody: it is something else. A field given twice is refused too: which one was meant?
    """
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_unique,
            parse_constant=_not_finite,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise MalformedBody("not UTF-8") from error
    except RecursionError as error:
        raise MalformedBody("nested too deeply") from error
    except ValueError as error:
        # Its own text may quote the body.
        raise MalformedBody("not valid JSON") from error
    if not isinstance(value, dict):
        raise MalformedBody("not a JSON object")
    return value


def read_request(fields: Fields, settings: IntakeSettings, policy: Policy) -> NewRequest:
    """The request that the fields of osTicket's create call make.

    A region or topic that is not known is no error: the ticket goes to triage, with the region's name kept
    for those who sort it there; the topic is the default one.

    :raises InvalidFields: at least one is invalid.
    """
    check = Checker()
    region = check.line("region", plain(fields.get("region")), CHOICE_LIMIT)
    known_region = _region(region, fields.get("region"), policy)
    extra = {name: value for name, value in fields.items() if name not in _MEANT | _WITHOUT_MEANING}
    if region and known_region is None:
        extra = {"region": region} | extra
    kept = read_extra(check, extra)
    attachments = read_attachments(check, fields.get("attachments"), settings)
    wanted = {name: fields.get(name) for name in _AS_THEY_ARE}
    wanted["message"] = read_text(check, "message", fields.get("message"))
    wanted["region"] = known_region
    wanted["topic"] = _topic(check, fields.get("topicId"), settings, policy)
    request = check_request(wanted, Intake.HTTP, check=check)
    wished = str(plain(fields.get("autorespond"))).casefold() not in _NO
    return replace(request, attachments=attachments, extra=kept, autorespond=wished)


def read_message(fields: Fields, settings: IntakeSettings) -> MessageBody:
    """The further message that the fields make.

    :raises InvalidFields: at least one is invalid.
    """
    check = Checker()
    text = check.text("message", read_text(check, "message", fields.get("message")), required=True)
    attachments = read_attachments(check, fields.get("attachments"), settings)
    check.finish()
    return MessageBody(text, attachments)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedBody("a field is given twice")
    return found


def _not_finite(_text: str) -> NoReturn:
    raise MalformedBody("a number is not finite")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _not_finite(text)


def _region(text: str, given: object, policy: Policy) -> str | None:
    # osTicket stores a choice as {"key": "name"}: either may be known here.
    names = [text, *islice(given, _NAMES_OF_A_CHOICE)] if isinstance(given, dict) else [text]
    return next((key for name in names if (key := _known(NameKind.REGION, name, policy))), None)


def _topic(check: Checker, given: object, settings: IntakeSettings, policy: Policy) -> str | None:
    text = check.line("topicId", plain(given), CHOICE_LIMIT)
    by_id = next((topic.key for topic in settings.topics if str(topic.topic_id) == text), None)
    return by_id or _known(NameKind.TOPIC, text, policy)


def _known(kind: NameKind, name: str, policy: Policy) -> str | None:
    if not name or len(name) > CHOICE_LIMIT:
        return None
    if name in (policy.regions if kind is NameKind.REGION else policy.topics):
        return name
    try:
        return policy.key_of(kind, name)
    except UnknownName:
        return None
