"""The bot's account during the set-up: one login that is kept, and what can be asked with it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from bot.matrix import clean
from bot.matrix.errors import MatrixError, RateLimited, Refused, TokenRejected, Unreachable
from bot.matrix.transport import Json, Transport, error_of, path_of
from bot.setup.errors import NotNow, SetupStopped, Wrong
from bot.setup.texts import Texts

_MOST_PATIENCE: Final = 900.0
"""Seconds that a homeserver may ask to wait: Synapse lets nobody make many rooms quickly."""
_TRIES: Final = 3
_PAUSE: Final = 2.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Secret:
    """A password or a token."""

    value: str
    is_token: bool

    def __repr__(self) -> str:
        """Without the value."""
        return f"Secret(is_token={self.is_token})"


@dataclass(frozen=True, slots=True)
class Login:
    """A login that works."""

    user: str
    device: str
    token: str

    def __repr__(self) -> str:
        """Without the token."""
        return f"Login({self.user}, {self.device})"


class Account:
    """Requests in the account's name. Each waits as long as the homeserver asks for, and says so."""

    def __init__(self, homeserver: str, say: Texts, tell: Callable[[str], None]) -> None:
        """:param tell: is told why it takes longer."""
        self.homeserver = homeserver
        self.say = say
        self._tell = tell
        self._transport = Transport(homeserver, "")
        self.user = ""

    async def log_in(self, user: str, secret: Secret, device: str, device_name: str) -> Login:
        """The login. With a password it is that of ``device``: again, it takes its own place.

        :raises Wrong: the homeserver does not accept it, or it is another account's.
        """
        if secret.is_token:
            self._transport.token = secret.value
        else:
            self._transport.token = await self._password_login(user, secret, device, device_name)
        token = self._transport.token
        try:
            who = await self.ask("GET", "account", "whoami")
        except TokenRejected:
            raise Wrong(self.say("The homeserver does not accept this access token.")) from None
        self.user = clean.identifier(who.get("user_id")) or ""
        if user.startswith("@") and self.user != user:
            raise Wrong(
                self.say("This login belongs to {other}, not to {account}.", other=self.user, account=user)
            )
        return Login(self.user, clean.identifier(who.get("device_id")) or "", token)

    async def _password_login(self, user: str, secret: Secret, device: str, device_name: str) -> str:
        request = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": user},
            "password": secret.value,
            "device_id": device,
            "initial_device_display_name": device_name,
        }
        try:
            answer = await self.ask("POST", "login", body=request)
        except (Refused, TokenRejected) as error:
            raise Wrong(self._refused(error.code)) from None
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise SetupStopped(self.say("{url} gives no access token.", url=self.homeserver))
        return token

    def _refused(self, code: str) -> str:
        if code == "M_FORBIDDEN":
            return self.say("The homeserver does not know this name with this password. Try again.")
        if code == "M_USER_DEACTIVATED":
            return self.say("This account is deactivated. Make another one for the bot.")
        if code in ("M_UNKNOWN", "M_UNRECOGNIZED", "M_NOT_FOUND"):
            return self.say(
                "The homeserver lets nobody in by password ({code}). Make an access token for the bot and "
                "give that.",
                code=code,
            )
        return self.say("The homeserver refuses the login ({code}).", code=code)

    async def ask(
        self, method: str, *parts: str, body: Json | None = None, patience: float = _MOST_PATIENCE
    ) -> Json:
        """The object that the homeserver answers with.

        :param patience: how many seconds it may ask to wait.
        :raises Refused: and TokenRejected: it says no.
        :raises SetupStopped: it does not answer; NotNow: it asks to wait for longer.
        """

        async def attempt() -> Json:
            return await self._transport.ask(method, path_of(*parts), body)

        answer: Json = await self._patiently(attempt, patience)
        return answer

    async def state(self, room_id: str) -> list[Json]:
        """A room's state.

        :raises Refused: the account is not in it.
        """

        async def attempt() -> list[Json]:
            status, value = await self._transport.answer("GET", path_of("rooms", room_id, "state"))
            if status != 200 or not isinstance(value, list):
                raise error_of(status, value)
            return [each for each in value if isinstance(each, dict)]

        found: list[Json] = await self._patiently(attempt)
        return found

    async def _patiently(self, attempt: Callable[[], Any], patience: float = _MOST_PATIENCE) -> Any:  # noqa: ANN401
        waited, failed = 0.0, 0
        while True:
            try:
                return await attempt()
            except RateLimited as error:
                waited += error.retry_after
                if waited > patience:
                    raise NotNow(
                        self.say("The homeserver lets the bot do no more for now. Run this again later.")
                    ) from None
                if error.retry_after >= _PAUSE:
                    self._tell(
                        self.say(
                            "The homeserver asks to wait for {seconds} s …", seconds=round(error.retry_after)
                        )
                    )
                await asyncio.sleep(error.retry_after)
            except Unreachable as error:
                failed += 1
                if failed == _TRIES:
                    raise SetupStopped(self._unreachable(error)) from None
                await asyncio.sleep(_PAUSE)

    def _unreachable(self, error: MatrixError) -> str:
        return self.say(
            "{url} does not answer ({reason}). What is done stays done: run this again when it is back.",
            url=self.homeserver,
            reason=error,
        )

    async def exists(self, user: str) -> bool | None:
        """Whether there is such a person; ``None`` if the homeserver does not tell.

        Synapse says M_UNKNOWN of nobody, and M_NOT_FOUND of somebody without name and picture.
        """
        try:
            await self.ask("GET", "profile", user)
        except Refused as error:
            own = user.partition(":")[2] == self.user.partition(":")[2]
            return False if error.code == "M_UNKNOWN" and own else None
        except SetupStopped:
            # Another homeserver that is away makes this one answer with a fault.
            return None
        return True

    async def log_out(self) -> None:
        """End the login."""
        await self.ask("POST", "logout", body={})

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()
