"""Whose devices there are: asked for once, and again when the homeserver says that they changed.

What is sent is encrypted for them, and what comes counts as its sender's only if it is from one of them.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import structlog

from bot.matrix import clean
from bot.matrix.client import MatrixClient
from bot.matrix.encryption.canonical import verified
from bot.matrix.encryption.journal import Journal
from bot.services import keys
from bot.services.keys import DeviceList, KnownDevice
from bot.services.unit import Units

_LOG = structlog.get_logger(__name__)
_PATIENCE_MS: Final = 8_000
"""How long our homeserver may wait for those of others."""
_AWAY: Final = 60.0
"""Seconds until a homeserver that did not answer is asked again; what is known counts meanwhile."""

Json = Mapping[str, Any]
Device = KnownDevice


class Devices:
    """The device lists of people in encrypted rooms."""

    def __init__(self, client: MatrixClient, units: Units, journal: Journal) -> None:
        self._client = client
        self._units = units
        self._journal = journal
        self._outdated: dict[str, bool] = {}
        """Of each person whose devices are known, or were asked for."""
        self._loaded: set[str] = set()
        self._devices: dict[str, dict[str, Device]] = {}
        self._marks: dict[str, int] = {}
        """How often each person's list was said to have changed."""
        self._ask_again_at: dict[str, float] = {}
        self._doubt_at: dict[str, float] = {}

    async def load(self, user_ids: Iterable[str]) -> None:
        """Read from the database what is known of these people."""
        wanted = set(user_ids) - self._loaded
        if not wanted:
            return
        lists, devices = await self._units.look(lambda unit: keys.devices(unit, wanted))
        for user_id in wanted - self._loaded:
            self._loaded.add(user_id)
            self._devices[user_id] = {each.device_id: each for each in devices if each.user_id == user_id}
        for each in lists:
            self._outdated.setdefault(each.user_id, each.outdated)

    async def changed(self, user_ids: Iterable[str]) -> None:
        """Their devices are not what they were: ask again before they are needed. Others' do not matter."""
        found = set(user_ids)
        await self.load(found)
        for user_id in found & self._outdated.keys():
            self._marks[user_id] = self._marks.get(user_id, 0) + 1
            self._ask_again_at.pop(user_id, None)
            self._set_outdated(user_id, outdated=True)

    def of(self, user_id: str) -> Sequence[Device]:
        """The person's devices, as far as known; they must be loaded."""
        return [each for each in self._devices.get(user_id, {}).values() if not each.gone]

    def owner_has(self, user_id: str, curve25519: str, ed25519: str | None = None) -> Device | None:
        """The person's device that has these keys, also if it was logged out since."""
        for each in self._devices.get(user_id, {}).values():
            if each.curve25519 == curve25519 and ed25519 in (None, each.ed25519):
                return each
        return None

    async def refresh(self, user_ids: Collection[str]) -> None:
        """Know these people's devices as they are now, as far as their homeservers answer.

        :raises MatrixError: ours does not.
        """
        await self.load(user_ids)
        now = asyncio.get_running_loop().time()
        wanted = [
            user_id
            for user_id in user_ids
            if self._outdated.get(user_id, True) and self._ask_again_at.get(user_id, 0.0) <= now
        ]
        if wanted:
            await self._ask(wanted)

    def doubt(self, user_ids: Iterable[str]) -> None:
        """They seem to have devices that are not known: ask again, but not all the time."""
        now = asyncio.get_running_loop().time()
        for user_id in user_ids:
            if self._doubt_at.get(user_id, 0.0) <= now:
                self._doubt_at[user_id] = now + _AWAY
                self._set_outdated(user_id, outdated=True)

    async def _ask(self, user_ids: Sequence[str]) -> None:
        for user_id in user_ids:
            # From now on a change counts, also one that comes before the answer does.
            self._set_outdated(user_id, outdated=True)
        marks = {user_id: self._marks.get(user_id, 0) for user_id in user_ids}
        request = {"timeout": _PATIENCE_MS, "device_keys": {user_id: [] for user_id in user_ids}}
        answer = await self._client.keys("query", request)
        away = clean.mapping(answer.get("failures")).keys()
        for user_id in user_ids:
            if user_id.partition(":")[2] in away:
                self._ask_again_at[user_id] = asyncio.get_running_loop().time() + _AWAY
                continue
            self._learn(user_id, _devices_in(answer, user_id))
            if self._marks.get(user_id, 0) == marks[user_id]:
                self._set_outdated(user_id, outdated=False)
        if away:
            _LOG.warning("device_lists_missing", servers=len(away))
        await self._journal.keep()

    def _learn(self, user_id: str, found: Mapping[str, Device]) -> None:
        known = self._devices.setdefault(user_id, {})
        for device_id, device in found.items():
            if known.get(device_id) != device:
                known[device_id] = device
                self._journal.put(device)
        for device_id, device in known.items():
            if device_id not in found and not device.gone:
                known[device_id] = device.model_copy(update={"gone": True})
                self._journal.put(known[device_id])

    def _set_outdated(self, user_id: str, *, outdated: bool) -> None:
        if self._outdated.get(user_id) is not outdated:
            self._outdated[user_id] = outdated
            self._journal.put(DeviceList(user_id=user_id, outdated=outdated))

    def forget_all(self) -> None:
        """Nothing tells what changed while the bot was somebody else: everything is to be asked for again."""
        for user_id in self._outdated:
            self._marks[user_id] = self._marks.get(user_id, 0) + 1
            self._set_outdated(user_id, outdated=True)


def _devices_in(answer: Json, user_id: str) -> dict[str, Device]:
    """A person's devices in an answer to ``/keys/query``; those not signed by themselves are left out."""
    signer = _self_signing_key(answer, user_id)
    found: dict[str, Device] = {}
    for device_id, told in clean.mapping(clean.mapping(answer.get("device_keys")).get(user_id)).items():
        device = _device(user_id, device_id, clean.mapping(told), signer)
        if device is not None:
            found[device_id] = device
    return found


def _device(user_id: str, device_id: str, told: Json, signer: str | None) -> Device | None:
    public = clean.mapping(told.get("keys"))
    curve25519, ed25519 = public.get(f"curve25519:{device_id}"), public.get(f"ed25519:{device_id}")
    if clean.identifier(device_id) is None or (told.get("user_id"), told.get("device_id")) != (
        user_id,
        device_id,
    ):
        return None
    if clean.identifier(curve25519) is None or clean.identifier(ed25519) is None:
        return None
    if not verified(told, user_id, device_id, str(ed25519)):
        return None
    signed = signer is not None and verified(told, user_id, signer, signer)
    return Device(
        user_id=user_id, device_id=device_id, curve25519=str(curve25519), ed25519=str(ed25519), signed=signed
    )


def _self_signing_key(answer: Json, user_id: str) -> str | None:
    """With which a person signs their devices; it has to be signed by their master key."""
    master = _public_key(clean.mapping(answer.get("master_keys")).get(user_id), user_id, "master")
    told = clean.mapping(clean.mapping(answer.get("self_signing_keys")).get(user_id))
    signer = _public_key(told, user_id, "self_signing")
    if master is None or signer is None or not verified(told, user_id, master, master):
        return None
    return signer


def _public_key(told: object, user_id: str, usage: str) -> str | None:
    described = clean.mapping(told)
    usages, public = described.get("usage"), clean.mapping(described.get("keys"))
    if described.get("user_id") != user_id or not isinstance(usages, list) or usage not in usages:
        return None
    keys_told = [value for key, value in public.items() if key == f"ed25519:{value}"]
    return keys_told[0] if len(keys_told) == 1 else None
