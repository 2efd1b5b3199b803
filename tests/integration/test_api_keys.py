"""Who may use the HTTP API."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from bot.domain.errors import InvalidInput
from bot.services import apikeys
from storage.models import ApiKey, Ticket
from tests.intake_site import CREATE, REQUEST, SETTINGS, Site, site


@pytest.mark.parametrize("key", [None, "", "tt_wrong", "tt_\udcff", "x" * 4000])
async def test_a_wrong_key_is_refused(here: Site, key: str | None) -> None:
    headers = {} if key is None else {"X-API-Key": key}
    for path in (CREATE, "/api/tickets/1/messages"):
        async with here.http.post(here.url + path, json=REQUEST, headers=headers) as answer:
            assert (answer.status, await answer.text()) == (401, "Valid API key required")
    assert await here.rows(Ticket) == []


async def test_keys_are_kept_as_hashes_listed_and_revoked(both: Site) -> None:
    units = both.units
    key = await units.run(lambda unit: apikeys.create(unit, "Website", ["192.0.2.7", "2001:db8::/32"]))
    assert key.startswith("tt_")
    assert len(key) > 40
    assert key not in str(await both.rows(ApiKey))
    listed = await units.look(apikeys.list_keys)
    assert [(view.name, view.addresses) for view in listed] == [
        ("Website", ("192.0.2.7/32", "2001:db8::/32")),
        ("tests", ()),
    ]
    with pytest.raises(apikeys.KeyNameTaken):
        await units.run(lambda unit: apikeys.create(unit, "Website"))
    with pytest.raises(apikeys.UnknownKey):
        await units.run(lambda unit: apikeys.revoke(unit, "nobody"))
    await units.run(lambda unit: apikeys.revoke(unit, "tests"))
    assert await both.call(json=REQUEST) == (401, "Valid API key required")


@pytest.mark.parametrize(
    ("name", "addresses"),
    [("", []), (" a", []), ("a\nb", []), ("x" * 65, []), ("good", ["300.1.1.1"]), ("good", ["here"])],
)
async def test_malformed_keys_are_not_made(here: Site, name: str, addresses: list[str]) -> None:
    with pytest.raises(InvalidInput):
        await here.units.run(lambda unit: apikeys.create(unit, name, addresses))


async def test_a_key_is_bound_to_addresses_as_trusted_proxies_tell_them(sqlite_database: str) -> None:
    behind = replace(SETTINGS, trusted_proxies=(ip_network("127.0.0.0/8"),))
    async with site(sqlite_database, behind) as running:
        running.key = await running.units.run(lambda unit: apikeys.create(unit, "bound", ["192.0.2.0/24"]))
        for forwarded, status in (
            ("192.0.2.9", 201),
            ("::ffff:192.0.2.9", 201),
            ("192.0.2.9, 127.0.0.1", 201),
            ("192.0.2.9, 203.0.113.5", 401),
            ("nonsense", 401),
            ("", 401),
        ):
            assert (await running.call(json=REQUEST, headers={"X-Forwarded-For": forwarded}))[0] == status


async def test_nobody_untrusted_can_claim_an_address(here: Site) -> None:
    here.key = await here.units.run(lambda unit: apikeys.create(unit, "bound", ["192.0.2.0/24"]))
    assert (await here.call(json=REQUEST, headers={"X-Forwarded-For": "192.0.2.9"}))[0] == 401
