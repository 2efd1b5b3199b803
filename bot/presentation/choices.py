"""A name that nobody knows, and what could be typed instead."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bot.domain.errors import NameKind, UnknownName
from bot.domain.marks import N_
from bot.presentation.document import Code, Inline, Outside, Value, joined, sentence
from bot.presentation.outside import clip
from bot.presentation.world import Setting

_NAME_LIMIT: Final = 80
_SHOWN: Final = 50

_UNKNOWN: Final[Mapping[NameKind, str]] = MappingProxyType(
    {
        NameKind.TEAM: N_("There is no team “{name}”."),
        NameKind.TOPIC: N_("There is no topic “{name}”."),
        NameKind.REGION: N_("There is no region “{name}”."),
        NameKind.PERSON: N_("I know nobody called “{name}” here."),
        NameKind.COMMAND: N_("There is no command “{name}”."),
        NameKind.LIST: N_("There is no list “{name}”."),
    }
)


def unknown_name(refusal: UnknownName, setting: Setting) -> list[Inline]:
    """The sentences: that there is no such thing, what may have been meant, what there is."""
    gettext = setting.language.gettext
    lines: list[Inline] = [sentence(gettext(_UNKNOWN[refusal.kind]), name=clip(refusal.name, _NAME_LIMIT))]
    if refusal.near:
        near = _choices(refusal.kind, refusal.near, setting)
        lines.append(sentence(gettext("Did you mean {names}?"), names=near))
    if refusal.known:
        known = _choices(refusal.kind, refusal.known, setting)
        lines.append(sentence(gettext("There are: {names}"), names=known))
    elif not refusal.near:
        lines.append(sentence(gettext("{help} shows what there is."), help=setting.command("help")))
    return lines


def _choices(kind: NameKind, keys: Sequence[str], setting: Setting) -> Inline:
    """Names as people call them in this room."""
    shown: list[Value] = [_choice(kind, key, setting) for key in keys[:_SHOWN]]
    return joined(", ", [*shown, "…"] if len(keys) > _SHOWN else shown)


def _choice(kind: NameKind, key: str, setting: Setting) -> Value:
    if kind is NameKind.COMMAND:
        return Code(Outside(setting.names.prefix + clip(key, _NAME_LIMIT)))
    called = {NameKind.TEAM: setting.team, NameKind.TOPIC: setting.topic, NameKind.REGION: setting.region}
    name = clip(called[kind](key) if kind in called else key, _NAME_LIMIT)
    # What has several words is typed in quotation marks.
    return f'"{name}"' if " " in name else name
