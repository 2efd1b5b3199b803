"""Other people's devices, on vodozemac alone, and the homeserver between them and the bot."""

import base64
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import vodozemac

from bot.matrix.encryption.canonical import canonical
from bot.matrix.encryption.receiving import ENCRYPTED
from tests.integration.desk_data import ANNA, BOT

OLM: Final = "m.olm.v1.curve25519-aes-sha2"
MEGOLM: Final = "m.megolm.v1.aes-sha2"
ROOM: Final = "!freiburg:example.org"

Json = dict[str, Any]


@dataclass
class Site:
    """What the homeserver knows: devices and their keys; and what the bot sent to devices."""

    user_id: str = BOT
    device_id: str = "DEVICE"
    devices: dict[str, dict[str, "Phone"]] = field(default_factory=lambda: defaultdict(dict))
    uploads: list[Json] = field(default_factory=list)
    queries: list[list[str]] = field(default_factory=list)
    claims: list[dict[str, list[str]]] = field(default_factory=list)
    sent: list[tuple[str, str, str, Json]] = field(default_factory=list)
    """Type, user, device and content of each message to a device."""
    identities: dict[str, tuple[vodozemac.Account, vodozemac.Account]] = field(default_factory=dict)
    """Master and self-signing key of those who have them; an account has a key to sign with, too."""

    async def keys(self, what: str, request: Mapping[str, Any]) -> Json:
        """As ``MatrixClient.keys``."""
        match what:
            case "upload":
                self.uploads.append(dict(request))
                count = sum(len(each.get("one_time_keys", {})) for each in self.uploads)
                return {"one_time_key_counts": {"signed_curve25519": count}}
            case "query":
                asked = list(request["device_keys"])
                self.queries.append(asked)
                known = {
                    user: {name: each.keys() for name, each in self.devices[user].items()} for user in asked
                }
                return {"device_keys": known, **self._identities(asked)}
            case _:
                self.claims.append({user: list(names) for user, names in request["one_time_keys"].items()})
                given: Json = {}
                for user, names in request["one_time_keys"].items():
                    keys = {name: self.devices[user][name].one_time_key() for name in names}
                    given[user] = {name: key for name, key in keys.items() if key}
                return {"one_time_keys": given}

    def _identities(self, user_ids: list[str]) -> Json:
        """The public cross-signing keys of those who have them."""
        found: Json = {"master_keys": {}, "self_signing_keys": {}}
        for user in set(user_ids) & self.identities.keys():
            master, signer = self.identities[user]
            for name, usage, account in (
                ("master_keys", "master", master), ("self_signing_keys", "self_signing", signer),
            ):  # fmt: skip
                key = account.ed25519_key.to_base64()
                told = {"user_id": user, "usage": [usage], "keys": {f"ed25519:{key}": key}}
                found[name][user] = signed_by(told, user, master)
        return found

    async def to_device(self, event_type: str, messages: Mapping[str, Any], tx_id: str) -> None:
        """As ``MatrixClient.to_device``."""
        assert tx_id
        for user, devices in messages.items():
            for device, content in devices.items():
                self.sent.append((event_type, user, device, json.loads(json.dumps(content))))

    async def state_event(self, room_id: str, event_type: str) -> Json:
        """As ``MatrixClient.state_event``."""
        assert (room_id, event_type) == (ROOM, "m.room.encryption")
        return {"algorithm": MEGOLM}

    def key_of_bot(self) -> tuple[str, str]:
        """A one-time key that the bot has uploaded, each once, and its name."""
        for upload in self.uploads:
            for name in list(upload.get("one_time_keys", {})):
                return name, upload["one_time_keys"].pop(name)["key"]
        raise AssertionError("the bot has uploaded no keys")

    def to(self, phone: "Phone", kind: str = ENCRYPTED) -> list[Json]:
        """What was sent to a device."""
        place = (kind, phone.user_id, phone.device_id)
        return [
            content for event_type, user, device, content in self.sent if (event_type, user, device) == place
        ]


class Phone:
    """One person's device."""

    def __init__(
        self, site: Site, user_id: str = ANNA, device_id: str = "PHONE", *, reachable: bool = True
    ) -> None:
        self.site = site
        self.user_id = user_id
        self.device_id = device_id
        self.reachable = reachable
        self.account = vodozemac.Account()
        self.group = vodozemac.GroupSession()
        self.group_key = self.group.session_key.to_base64()
        """From the first message on."""
        self.channel: vodozemac.Session | None = None
        self.curve25519 = self.account.curve25519_key.to_base64()
        self.ed25519 = self.account.ed25519_key.to_base64()
        self.heard: dict[str, vodozemac.InboundGroupSession] = {}
        self.events = 0
        self.signer: vodozemac.Account | None = None
        """With what its owner has signed it."""
        site.devices[user_id][device_id] = self

    def keys(self) -> Json:
        """What the homeserver tells of it."""
        public = {f"curve25519:{self.device_id}": self.curve25519, f"ed25519:{self.device_id}": self.ed25519}
        told: Json = {
            "user_id": self.user_id, "device_id": self.device_id, "algorithms": [OLM, MEGOLM], "keys": public,
        }  # fmt: skip
        told = self.signed(told)
        if self.signer is not None:
            also = signed_by(told, self.user_id, self.signer)["signatures"][self.user_id]
            told["signatures"][self.user_id] |= also
        return told

    def signed(self, value: Json) -> Json:
        """Signed by the device."""
        signature = self.account.sign(canonical(value)).to_base64()
        return {**value, "signatures": {self.user_id: {f"ed25519:{self.device_id}": signature}}}

    def one_time_key(self) -> Json:
        """A new one; nothing if others cannot reach it."""
        if not self.reachable:
            return {}
        self.account.generate_one_time_keys(1)
        ((name, key),) = self.account.one_time_keys.items()
        self.account.mark_keys_as_published()
        return {f"signed_curve25519:{name}": self.signed({"key": key.to_base64()})}

    # To the bot

    def open_channel(self, curve25519: str) -> None:
        """With one of the bot's one-time keys."""
        _name, key = self.site.key_of_bot()
        self.channel = self.account.create_outbound_session(
            vodozemac.Curve25519PublicKey.from_base64(curve25519),
            vodozemac.Curve25519PublicKey.from_base64(key),
        )

    def message(self, bot: Any, event_type: str, content: Json, **changes: Any) -> Json:
        """An encrypted message to the bot's device, as the sync brings it. ``changes`` to its payload."""
        if self.channel is None:
            self.open_channel(bot.identity.curve25519)
        assert self.channel is not None
        payload = {
            "type": event_type, "content": content, "sender": self.user_id, "keys": {"ed25519": self.ed25519},
            "recipient": BOT, "recipient_keys": {"ed25519": bot.identity.ed25519}, **changes,
        }  # fmt: skip
        kind, body = self.channel.encrypt(json.dumps(payload).encode()).to_parts()
        ciphertext = {
            bot.identity.curve25519: {"type": kind, "body": base64.b64encode(body).decode().rstrip("=")}
        }
        sealed = {"algorithm": OLM, "sender_key": self.curve25519, "ciphertext": ciphertext}
        return {"type": ENCRYPTED, "sender": self.user_id, "content": sealed}

    def room_key(self, bot: Any, *, of: "Phone | None" = None, **changes: Any) -> Json:
        """The key to what it says in the room, or to what another says; ``changes`` to the content."""
        phone = of or self
        content = {
            "algorithm": MEGOLM, "room_id": ROOM, "session_id": phone.group.session_id,
            "session_key": phone.group_key, **changes,
        }  # fmt: skip
        return self.message(bot, "m.room_key", content)

    def says(
        self,
        body: str,
        *,
        sender: str | None = None,
        inside: str = ROOM,
        kind: str = "m.room.message",
        **clear: Any,
    ) -> Json:
        """An encrypted message in the room."""
        self.events += 1
        content = {"msgtype": "m.text", "body": body}
        plain = json.dumps({"type": kind, "content": content, "room_id": inside})
        return {
            "type": ENCRYPTED,
            "event_id": f"${self.user_id[1:4]}-{self.device_id}-{self.events}",
            "sender": sender or self.user_id,
            "origin_server_ts": 1_795_000_000_000 + self.events,
            "content": {
                "algorithm": MEGOLM, "session_id": self.group.session_id, "sender_key": self.curve25519,
                "device_id": self.device_id, **clear,
                "ciphertext": self.group.encrypt(plain.encode()).to_base64(),
            },
        }  # fmt: skip

    # From the bot

    def opens(self, content: Json) -> Json:
        """A message that the bot has sent to this device."""
        told = content["ciphertext"][self.curve25519]
        body = base64.b64decode(told["body"] + "==")
        message = vodozemac.AnyOlmMessage.from_parts(told["type"], body)
        opening = message.to_pre_key()
        if opening is not None and not (self.channel and self.channel.session_matches(opening)):
            key = vodozemac.Curve25519PublicKey.from_base64(content["sender_key"])
            self.channel, plain = self.account.create_inbound_session(key, opening)
        else:
            assert self.channel is not None
            plain = self.channel.decrypt(message)
        payload: Json = json.loads(plain)
        assert payload["recipient"] == self.user_id
        assert payload["recipient_keys"] == {"ed25519": self.ed25519}
        if payload["type"] == "m.room_key":
            key_given = vodozemac.SessionKey(payload["content"]["session_key"])
            self.heard[payload["content"]["session_id"]] = vodozemac.InboundGroupSession(key_given)
        return payload

    def reads(self, content: Json) -> Json | None:
        """What the bot said in the room; ``None`` if it was not given the key."""
        session = self.heard.get(content["session_id"])
        if session is None:
            return None
        try:
            plain = session.decrypt(vodozemac.MegolmMessage.from_base64(content["ciphertext"])).plaintext
        except vodozemac.MegolmDecryptionException:
            return None
        found: Json = json.loads(plain)
        return found


def signed_by(value: Json, user_id: str, account: vodozemac.Account) -> Json:
    """Signed by a cross-signing key, which is named by itself."""
    key = account.ed25519_key.to_base64()
    signature = account.sign(canonical(value)).to_base64()
    return {**value, "signatures": {user_id: {f"ed25519:{key}": signature}}}
