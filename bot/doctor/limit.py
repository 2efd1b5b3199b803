"""The homeserver's limit on the bot's messages: what it is, what that means, and how it is lifted."""

from datetime import datetime, timedelta
from typing import Any, Final

from bot.config import Config
from bot.doctor.findings import Finding, good, poor
from bot.matrix.client import MatrixClient
from bot.matrix.errors import MatrixError
from bot.matrix.measuring import measured
from storage.inspection import Limit

_WHAT: Final = "rate limit"
_LONG_AGO: Final = timedelta(days=7)
_ENOUGH: Final = 1.0
"""Messages a second that no team notices."""


async def examine_limit(
    config: Config, client: MatrixClient, met: Limit | None, now: datetime, *, may_measure: bool
) -> Finding:
    """What the homeserver tells, or else what the bot has met, or else what is measured.

    The homeserver tells its own admins only.
    """
    override = await _override(client)
    if override:
        return _told(config, client, override)
    if met is not None and now - met.last_at < _LONG_AGO:
        detail = (
            f"one message in {met.seconds:.1f} s; it slowed the bot down {met.times} times "
            f"since {met.first_at:%Y-%m-%d %H:%M} UTC, last {met.last_at:%Y-%m-%d %H:%M} UTC"
        )
        return poor(_WHAT, detail, advice(config, client.user_id))
    if may_measure:
        return await _measured(config, client)
    return good(_WHAT, "none was met in the last days")


async def _override(client: MatrixClient) -> dict[str, Any] | None:
    """What holds for the bot's account alone, if anything, and if the homeserver tells."""
    try:
        return await client.rate_limit()
    except MatrixError:
        return None


def _told(config: Config, client: MatrixClient, override: dict[str, Any]) -> Finding:
    rate, burst = override.get("messages_per_second"), override.get("burst_count")
    if not rate:
        return good(_WHAT, "lifted for the bot")
    detail = f"{rate} messages a second after {burst} at once, for the bot alone"
    if isinstance(rate, int | float) and rate >= _ENOUGH:
        return good(_WHAT, detail)
    return poor(_WHAT, detail, advice(config, client.user_id))


async def _measured(config: Config, client: MatrixClient) -> Finding:
    try:
        found = await measured(client)
    except MatrixError as error:
        return good(_WHAT, f"could not be measured ({error})", advice(config, client.user_id))
    if found.interval is None:
        return good(_WHAT, f"measured: none, {found.at_once} messages were taken at once")
    detail = f"measured: {found.at_once} messages at once, then one in {found.interval:.1f} s"
    if found.interval * _ENOUGH <= 1:
        return good(_WHAT, detail)
    return poor(_WHAT, detail, advice(config, client.user_id))


def advice(config: Config, user_id: str) -> str:
    """How to lift it for the bot, and what the bot does until then."""
    url = f"{config.matrix.homeserver}/_synapse/admin/v1/users/{user_id}/override_ratelimit"
    body = '{"messages_per_second": 0, "burst_count": 0}'
    return (
        "An admin of the homeserver lifts it for the bot alone: "
        f"curl -X POST -H 'Authorization: Bearer ADMIN_TOKEN' -d '{body}' '{url}' "
        "(or for everybody: `rc_message` in homeserver.yaml). Until then commands are answered first, cards "
        "and their edits follow, and reactions are offered in quiet moments."
    )
