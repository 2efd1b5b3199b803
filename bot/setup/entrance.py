"""Into the account: find the homeserver, log in once, keep the device and its token."""

import asyncio
import secrets
import string
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from bot.setup import answers as answering
from bot.setup import files
from bot.setup.account import Account, Login, Secret
from bot.setup.answers import Answers
from bot.setup.discovery import discover
from bot.setup.errors import SetupStopped, Wrong
from bot.setup.replies import Replies
from bot.setup.settings import TOKEN_FILE, full_id
from bot.setup.terminal import Terminal
from bot.setup.texts import Texts

T = TypeVar("T")
_ENVIRONMENT: Final = {
    "TICKETTRUHE_MATRIX__ACCESS_TOKEN": True,
    "TICKETTRUHE_MATRIX__PASSWORD": False,
}
"""Variable → whether it holds a token."""
_DEVICE_LETTERS: Final = string.ascii_uppercase
_DEFAULT_NAME: Final = "tickettruhe"
_DEVICE_NAME: Final = "Tickettruhe"


@dataclass(frozen=True, slots=True)
class Given:
    """A way in that was given beforehand."""

    secret: Secret | None
    is_configured: bool
    """It is the config's own: the login is for this run only, and nothing is to be kept."""


class Entrance:
    """Gets the set-up into the account."""

    def __init__(
        self,
        answers: Answers,
        folder: Path,
        terminal: Terminal,
        say: Texts,
        run: Callable[[Coroutine[Any, Any, T]], T],
        *,
        asks: bool,
    ) -> None:
        """:param asks: whether there is a person to ask."""
        self._answers = answers
        self._folder = folder
        self._terminal = terminal
        self.say = say
        self._replies = Replies(say)
        self._run: Callable[[Coroutine[Any, Any, Any]], Any] = run
        self._asks = asks
        self._server: str | None = None
        self.password: str | None = None
        """The account's password, if it was given: some homeservers want it again for cross-signing."""

    @property
    def _token_file(self) -> str:
        return self._answers.text("matrix", "access_token_file") or TOKEN_FILE

    def find(self) -> str:
        """The homeserver's address.

        :raises SetupStopped: nothing was said of it, or nothing answers.
        """

        def check(given: str) -> str:
            found = self._run(discover(self._replies.something(given), self.say))
            self._server = found.name
            return str(found.url)

        known = self._answers.text("matrix", "homeserver") or self._answers.text("matrix", "user")
        if known is None or (not self._answers.text("matrix", "homeserver") and ":" not in known):
            if not self._asks:
                raise SetupStopped(self.say("The homeserver is missing: --homeserver example.org"))
            self._terminal.screen(
                self.say("The homeserver"),
                self.say(
                    "On which Matrix homeserver is the bot to live? Its name is what stands behind the colon "
                    "of your own Matrix id: @anna:example.org lives on example.org."
                ),
            )
            url = self._terminal.ask(self.say("Homeserver"), check)
        else:
            url = check(known)
        if (self._answers.text("matrix", "homeserver") or "").rstrip("/") != url:
            self._answers.set(("matrix", "homeserver"), url)
        answering.save_draft(self._folder, self._answers, self.say)
        return url

    def enter(self, account: Account, given: Given) -> Login:
        """Log in, or use the login that an earlier run kept; the answers then say how.

        :raises SetupStopped: the login is refused, or nothing was said of it.
        """
        if given.is_configured and given.secret is not None:
            user = self._answers.text("matrix", "user") or ""
            own: Login = self._run(account.log_in(user, given.secret, _new_device(), _DEVICE_NAME))
            return own
        kept = self._kept_login(account)
        if kept is not None:
            return self._told(kept)
        self._ask_user()
        if given.secret is not None:
            login = self._log_in(account, given.secret)
        elif self._asks:
            login = self._ask_secret(account)
        else:
            raise SetupStopped(
                self.say(
                    "There is no way to log in: --password-file, --token-file or TICKETTRUHE_MATRIX__PASSWORD"
                )
            )
        return self._told(login)

    def _told(self, login: Login) -> Login:
        self._answers.set(("matrix", "user"), login.user)
        self._answers.set(("matrix", "access_token_file"), self._token_file)
        if login.device:
            self._answers.set(("matrix", "device_id"), login.device)
        answering.save_draft(self._folder, self._answers, self.say)
        return login

    def _kept_login(self, account: Account) -> Login | None:
        file = self._folder / self._token_file
        if not file.exists():
            return None
        token = read_secret(file, self.say)
        wanted = self._answers.text("matrix", "user") or ""
        try:
            login: Login = self._run(account.log_in("", Secret(token, is_token=True), "", ""))
        except Wrong:
            told = self.say("The token in {file} is not valid any more.", file=file)
            self._terminal.tell(told, "[yellow]![/]")
            return None
        server = login.user.partition(":")[2]
        if wanted and full_id(wanted, server) != login.user:
            raise SetupStopped(
                self.say(
                    "{file} holds a token of {other}, not of {account}. Choose another folder for this "
                    "bot, or remove that file.",
                    file=file,
                    other=login.user,
                    account=full_id(wanted, server),
                )
            )
        return login

    def _ask_user(self) -> None:
        if self._answers.text("matrix", "user") is not None:
            return
        if not self._asks:
            raise SetupStopped(self.say("The bot's account is missing: --account tickettruhe"))
        self._terminal.screen(
            self.say("The bot's account"),
            self.say(
                "The bot needs a Matrix account of its own. If there is none yet, make one: in a Matrix "
                "client, or on a Synapse by `register_new_matrix_user`. It needs no rights there."
            ),
        )
        user = self._terminal.ask(self.say("Its name"), self._replies.user, default=_DEFAULT_NAME)
        self._answers.set(("matrix", "user"), user)
        answering.save_draft(self._folder, self._answers, self.say)

    def _ask_secret(self, account: Account) -> Login:
        user = self._answers.text("matrix", "user") or ""
        ways = [self.say("password"), self.say("access token")]
        self._terminal.screen(
            self.say("The bot's login"),
            self.say("How can the bot log in as {account}?", account=user),
            self.say("1  by password: it is used once and not kept\n2  by an access token that you have"),
        )
        way = self._terminal.ask(self.say("1 or 2"), self._replies.one_of(ways), default="1")
        is_token = way == ways[1]

        def check(given: str) -> Login:
            return self._log_in(account, Secret(self._replies.something(given), is_token))

        prompt = self.say("Access token (not shown)") if is_token else self.say("Password (not shown)")
        return self._terminal.ask(prompt, check, hidden=True)

    def _log_in(self, account: Account, secret: Secret) -> Login:
        """Log in and keep the token at once; the device's name is in the draft before."""
        device = self._answers.options.device or _new_device()
        self._answers.choose(device=device)
        answering.save_draft(self._folder, self._answers, self.say)
        user = self._answers.text("matrix", "user") or ""
        name = self._answers.text("matrix", "device_name") or _DEVICE_NAME

        async def logged_in() -> Login:
            # From here to the file, Ctrl-C waits: a login whose token is lost would stay behind.
            login = await account.log_in(user, secret, device, name)
            files.write(self._folder / self._token_file, login.token + "\n", files.PRIVATE, self.say)
            return login

        login: Login = self._run(_to_the_end(logged_in()))
        if not secret.is_token:
            self.password = secret.value
        return login


def _new_device() -> str:
    return "".join(secrets.choice(_DEVICE_LETTERS) for _ in range(10))


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """What was begun is finished, also when it is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def read_secret(file: Path, say: Texts) -> str:
    """A secret from a file that nobody else may read.

    :raises SetupStopped: it cannot be read, others can read it, or it is empty.
    """
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupStopped(say("{file} cannot be read ({reason}).", file=file, reason=error)) from None
    if mode & 0o077:
        raise SetupStopped(say("Others on this machine can read {file}: run `chmod 600 {file}`.", file=file))
    if not text:
        raise SetupStopped(say("{file} is empty.", file=file))
    return text


def from_environment(environ: Mapping[str, str]) -> Secret | None:
    """The way in that the environment holds, as it does for the bot."""
    found = next((name for name in _ENVIRONMENT if environ.get(name)), None)
    return None if found is None else Secret(environ[found], _ENVIRONMENT[found])
