"""How many cases a fuzz test runs: a few in `make test`, and its share of a large number in `make fuzz`."""

import os
from typing import Final

from hypothesis import HealthCheck, Phase, settings

TOTAL: Final = int(os.environ.get("TICKETTRUHE_FUZZ", "0"))
"""Cases of all fuzz tests together, in the long form."""


def cases(short: int, share: float, *, lasting: bool = False) -> settings:
    """``short`` cases, or this share of :data:`TOTAL` if that is more. Each test bounds the time.

    ``lasting``: what a case broke stays broken, so that making it smaller would tell nothing.
    """
    return settings(
        max_examples=max(short, round(TOTAL * share)),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        phases=(Phase.explicit, Phase.generate) if lasting else tuple(Phase),
    )
