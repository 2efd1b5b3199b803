"""The form's one-time token: makes a double tap one ticket, and names the result page."""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

LIFETIME: Final = timedelta(hours=24)
_SHAPE: Final = re.compile(r"(?P<issued>[0-9a-f]{1,12})\.(?P<id>[\w-]{22})\.(?P<mac>[\w-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class FormToken:
    """A token that this bot issued; ``id`` is random and its own."""

    text: str
    id: str
    issued_at: datetime

    def expired(self, now: datetime) -> bool:
        """Whether it is too old to file a request with."""
        return now - self.issued_at > LIFETIME


class FormTokens:
    """Issues tokens and knows its own again, by an HMAC (RFC 2104) over time of issue and id."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, now: datetime) -> FormToken:
        """A new token."""
        token_id = secrets.token_urlsafe(16)
        signed = f"{int(now.timestamp()):x}.{token_id}"
        return FormToken(f"{signed}.{self._mac(signed)}", token_id, now)

    def read(self, text: str) -> FormToken | None:
        """The token, whatever its age; ``None`` for one that was not issued here."""
        found = _SHAPE.fullmatch(text)
        if found is None:
            return None
        signed = f"{found['issued']}.{found['id']}"
        if not hmac.compare_digest(self._mac(signed), found["mac"]):
            return None
        return FormToken(text, found["id"], datetime.fromtimestamp(int(found["issued"], 16), UTC))

    def _mac(self, signed: str) -> str:
        mac = hmac.digest(self._key, signed.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
