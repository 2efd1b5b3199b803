"""Libraries without what they import wherever it happens to be installed, though the bot never uses it.

Whoever starts the bot imports this first: a library is imported once, with whatever it finds then.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Let imports inside do without these packages, also where others have loaded them."""
    loaded = {name: sys.modules[name] for name in names if name in sys.modules}
    # A module that is None cannot be imported.
    sys.modules.update(dict.fromkeys(names))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]
        sys.modules.update(loaded)


# Rich is for its coloured tracebacks, which the log does not have; Twisted and greenlets are others' loops.
with without("rich", "twisted", "greenlet"):
    import structlog as structlog

# PyCryptodome calls its C code by ctypes then, which is loaded anyway, and no parser of C is.
with without("cffi"):
    from Crypto.Util import _raw_api as _raw_api
