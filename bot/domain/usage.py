"""How commands are told of, in chat and reference: their groups, and their forms in any language."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from bot.domain.marks import N_

GROUPS: Final[Mapping[str, str]] = MappingProxyType(
    {"ticket": N_("Tickets"), "list": N_("Looking"), "admin": N_("For admins")}
)
"""The groups in their order, with their headings."""

_SLOT: Final = re.compile(r"(?<=[\[<])[^\W_]+(?=[ \]>])")
"""A parameter's name: ``[number …]``, ``<person>``; not an option's, which is typed as it stands."""


def translated(usage: str, translate: Callable[[str], str]) -> str:
    """A form such as ``!take [number …] [--force]``, with the parameters' names translated."""
    return _SLOT.sub(lambda slot: translate(slot[0]), usage)
