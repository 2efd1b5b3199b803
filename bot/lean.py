"""Libraries without what they import wherever it happens to be installed, though the bot never uses it.

Whoever starts the bot imports this first: a library is imported once, with whatever it finds then.
"""

import ctypes
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Final

_M_ARENA_MAX: Final = -8
"""Of ``malloc.h``."""


def without(*names: str) -> AbstractContextManager[None]:
    """Let imports inside do without these packages, also where others have loaded them."""
    # A module that is None cannot be imported.
    return _instead(dict.fromkeys(names))


def hollow(*names: str) -> AbstractContextManager[None]:
    """Let imports inside get empty modules for these, where they cannot do without but never use them."""
    modules = {name: ModuleType(name) for name in names}
    for name, module in modules.items():
        parent, _dot, child = name.rpartition(".")
        if parent in modules:
            setattr(modules[parent], child, module)
    return _instead(modules)


@contextmanager
def _instead(modules: Mapping[str, ModuleType | None]) -> Iterator[None]:
    loaded = {name: sys.modules[name] for name in modules if name in sys.modules}
    sys.modules.update(modules)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]
        sys.modules.update(loaded)


def one_heap() -> None:
    """Let threads share one heap, where the C library is glibc: it gives each of them some megabytes else.

    They hardly ever allocate at the same time, as Python lets one run at a time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


one_heap()

# Rich is for its coloured tracebacks, which the log does not have; Twisted and greenlets are others' loops.
with without("rich", "twisted", "greenlet"):
    import structlog as structlog

# PyCryptodome calls its C code by ctypes then, which is loaded anyway, and no parser of C is.
with without("cffi"):
    from Crypto.Util import _raw_api as _raw_api
