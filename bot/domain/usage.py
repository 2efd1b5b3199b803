"""The form of a command, such as ``!take [number …] [--force]``, with its parameters in any language."""

import re
from collections.abc import Callable
from typing import Final

_SLOT: Final = re.compile(r"(?<=[\[<])[^\W_]+(?=[ \]>])")
"""A parameter's name: ``[number …]``, ``<person>``; not an option's, which is typed as it stands."""


def translated(usage: str, translate: Callable[[str], str]) -> str:
    """The form with the parameters' names, which are message ids, translated."""
    return _SLOT.sub(lambda slot: translate(slot[0]), usage)
