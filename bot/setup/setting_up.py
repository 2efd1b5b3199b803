"""One run of the set-up, from what is known to a bot that works."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from bot.config import Config
from bot.config.document import parse
from bot.config.loading import validated
from bot.config.problems import ConfigError, KeyPath
from bot.config.sources import Settings, Sources
from bot.services.unit import TRIAGE_ROOM, team_of_room
from bot.setup import answers as answering
from bot.setup import defaults, hello, settings
from bot.setup.account import Account, Secret
from bot.setup.answers import Answers
from bot.setup.doing import Doing
from bot.setup.entrance import Entrance, Given, from_environment, read_secret
from bot.setup.errors import SetupStopped
from bot.setup.plan import Plan, RoomPlan, look_at_rooms, wanted_rooms
from bot.setup.questions import CHAPTERS, Questions
from bot.setup.replies import Replies
from bot.setup.secrets import put_away
from bot.setup.summary import summary
from bot.setup.terminal import DONE, Terminal
from bot.setup.texts import Texts
from storage.errors import DatabaseUnavailable

T = TypeVar("T")
CONFIG: Final = "config.yaml"


@dataclass
class Request:
    """What the command line was told."""

    folder: Path
    environ: dict[str, str]
    answers_file: Path | None = None
    flags: Answers = field(default_factory=Answers)
    secret: Secret | None = None
    yes: bool = False
    """Nobody is asked."""


@dataclass(frozen=True, slots=True)
class Result:
    """How it ended."""

    config: Path
    changed: bool
    to_greet: bool
    """Whether the bot is now to be started once."""
    password: str | None = None

    def __repr__(self) -> str:
        """Without the password."""
        return f"Result({self.config}, changed={self.changed}, to_greet={self.to_greet})"


def spoken(request: Request, terminal: Terminal, say: Texts) -> Texts:
    """The language that the person wants; asked if no earlier answer tells."""
    draft = request.folder / answering.DRAFT
    if request.flags.text("language") or request.yes or (request.folder / CONFIG).exists():
        return say
    kept = answering.read(draft)[0].text("language") if draft.exists() else None
    if kept is None:
        terminal.screen("Tickettruhe", "Deutsch oder English?")
        kept = terminal.ask("de/en", Replies(say).language, default=say.language)
    request.flags.set(("language",), kept)
    return Texts("de" if kept == "de" else "en")


class SetUp:
    """Asks, plans, and does."""

    def __init__(self, request: Request, terminal: Terminal, say: Texts, runner: asyncio.Runner) -> None:
        self._request = request
        self._terminal = terminal
        self.say = say
        self._runner = runner
        self._folder = request.folder
        self._path = request.folder / CONFIG
        self._before: str | None = None
        """The config file as it is."""
        self._text = ""
        """The config file as it is to be."""
        self._answers = Answers()
        self._lines: dict[KeyPath, int] = {}
        self._secret: Secret | None = None
        self._is_configured = False
        """Whether the config has a way into the account."""
        self._is_whole = False
        """Whether the config lacks nothing."""

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def run(self) -> Result | None:
        """From the first question to the last room; ``None`` if the person said no to the plan.

        :raises SetupStopped: it cannot go on; a later run takes it up.
        :raises ConfigError: what was given does not make a config.
        """
        self._gather()
        entrance = Entrance(
            self._answers, self._folder, self._terminal, self.say, self._run, asks=not self._request.yes
        )
        account = Account(entrance.find(), self.say, self._terminal.tell)
        try:
            login = entrance.enter(account, Given(self._secret, self._is_configured))
            self._terminal.tell(self.say("logged in as {account}, device {device}",
                                          account=login.user, device=login.device), DONE)  # fmt: skip
            plan = self._agreed_plan(account)
            if plan is None:
                return None
            doing = Doing(account, self._terminal, self.say)
            self._run(doing.do(plan, self._path))
        finally:
            if account.user and self._is_configured and self._secret and not self._secret.is_token:
                self._run(account.log_out())
            self._run(account.close())
        if doing.is_complete:
            (self._folder / answering.DRAFT).unlink(missing_ok=True)
        return Result(self._path, plan.changes, plan.greets, entrance.password)

    # What is known

    def _gather(self) -> None:
        """The config wins over flags, these over the answers file, and that over the draft."""
        self._secret = self._request.secret or from_environment(self._request.environ)
        if self._path.exists():
            self._read_config()
        flags = self._request.flags
        put_away(flags, None, self._answers, self._folder, self.say)
        self._answers.below(flags)
        if self._request.answers_file is not None:
            given, document = answering.read(self._request.answers_file)
            self._lines = self._lines or dict(document.lines)
            self._secret = self._secret or self._secret_of(given, self._request.answers_file)
            given.settings = answering.secretless(given.settings)
            put_away(given, self._request.answers_file, self._answers, self._folder, self.say)
            self._answers.below(given)
        draft = self._folder / answering.DRAFT
        if draft.exists():
            self._answers.below(answering.read(draft)[0])

    def _read_config(self) -> None:
        """What stands in the config, and its way into the account if there is one that can be used."""
        self._before = self._path.read_text(encoding="utf-8-sig")
        told = parse(self._before, str(self._path))
        if told.problems:
            raise ConfigError(told.problems)
        self._answers.settings = dict(told.tree)
        self._lines = dict(told.lines)
        token_file = self._answers.text("matrix", "access_token_file")
        if token_file and not (self._folder / token_file).exists():
            return
        own = self._secret_of(self._answers, self._path)
        self._is_configured = own is not None
        self._secret = self._secret or own
        try:
            validated(
                Settings(told.tree, Sources(str(self._path), told.lines, {}), ()), self._folder.absolute()
            )
            self._is_whole = True
        except ConfigError:
            self._is_whole = False

    def _secret_of(self, given: Answers, file: Path) -> Secret | None:
        """The way in that an answers file holds."""
        for name, is_token in (("access_token", True), ("password", False)):
            value = given.text("matrix", name)
            if value:
                # The file holds the secret itself, so that it has to be as private as one.
                read_secret(file, self.say)
                return Secret(value, is_token)
            named = given.text("matrix", f"{name}_file")
            if named:
                return Secret(read_secret(file.parent / named, self.say), is_token)
        return None

    def _agreed_plan(self, account: Account) -> Plan | None:
        """Ask, and plan, until the person is content."""
        questions = Questions(self._answers, self._terminal, self.say, self._folder, self._run)
        asks = not self._request.yes
        if asks and not self._is_whole:
            questions.all(account)
        while True:
            config = self._settle(account)
            plan = self._plan(account, config)
            strangers = [team_of_room(room.wanted.key) or TRIAGE_ROOM for room in plan.rooms if room.to_make]
            if asks and set(strangers) - {*(self._answers.options.members or {})} and self._is_whole:
                questions.members(account, strangers)
                continue
            decision = self._decision(plan, config)
            if not isinstance(decision, bool):
                questions.again(decision, account)
                continue
            return plan if decision else None

    def _settle(self, account: Account) -> Config:
        """Fill in what lacks, check the whole."""
        answers, server = self._answers, account.user.partition(":")[2]
        missing = [each for each in ("admins", "teams") if not answers.get(each)]
        if missing:
            raise SetupStopped(
                self.say("These are missing: {keys}. Give them as flags or in an answers file.",
                          keys=", ".join(f"`{each}`" for each in missing))
            )  # fmt: skip
        for path, value in (
            (("language",), self.say.language),
            (("timezone",), defaults.time_zone()),
            (("digest", "schedule"), settings.DIGEST),
        ):
            if not self._is_whole and answers.get(*path) is None:
                answers.set(path, value)
        settings.write_out_members(answers, server)
        if not self._is_whole:
            settings.write_out(answers, server)
        file = self._request.answers_file if self._before is None else self._path
        self._text = settings.config_text(self._before, answers)
        return settings.check(self._text, self._folder.absolute(), str(file or self._folder), self._lines)

    # The plan

    def _plan(self, account: Account, config: Config) -> Plan:
        options = self._answers.options
        seen = self._run(look_at_rooms(account, wanted_rooms(config, options), options))
        self._run(self._know_people(account, seen))
        greets = self._is_hello_due(seen) and options.greet is not False
        return Plan(seen, self._text if self._text != self._before else None, greets, self._notes(seen))

    def _is_hello_due(self, seen: Sequence[RoomPlan]) -> bool:
        """Whether the bot has to be started once: its database tells, as it itself will reach it."""
        config = settings.as_read(self._text, self._path, self._request.environ)
        try:
            return hello.is_due(config, seen)
        except DatabaseUnavailable:
            raise SetupStopped(
                self.say(
                    "{database} does not answer. Is PostgreSQL running, is there such a database, and are "
                    "user and password right? No room was made yet.",
                    database=config.database,
                )
            ) from None

    async def _know_people(self, account: Account, seen: Sequence[RoomPlan]) -> None:
        """A room whose only admin is a typing error would be nobody's."""
        for person in dict.fromkeys(person for room in seen for person in room.to_invite):
            if await account.exists(person) is False:
                raise SetupStopped(self.say("There is no {person} on this homeserver.", person=person))

    def _notes(self, seen: Sequence[RoomPlan]) -> list[str]:
        notes = []
        for room in seen:
            address = room.wanted.address
            if room.is_missing:
                notes.append(
                    self.say("{address}: there is no such room; make it and invite the bot", address=address)
                )
            gone = room.seen.gone(room.wanted)
            if gone:
                notes.append(
                    self.say("{address}: {people} left or was removed; not invited again",
                              address=address, people=", ".join(gone))
                )  # fmt: skip
        return notes

    def _decision(self, plan: Plan, config: Config) -> bool | int:
        """Whether to go ahead, or which part to answer once more."""
        if not self._request.yes and plan.changes:
            self._terminal.screen(self.say("What happens now"))
        for line in summary(plan, config, self._path, self.say):
            self._terminal.tell(line)
        if self._request.yes or not plan.changes:
            return True
        if self._is_whole:
            decision: bool | int = self._terminal.confirm(self.say("Go ahead?"), default=True)
        else:
            decision = self._terminal.decide(
                self.say("Go ahead, or answer one of the parts once more?"), CHAPTERS
            )
        if decision is not False:
            return decision
        self._terminal.tell(
            self.say("Nothing was done. Your answers are in {file}: change them there, or remove it to begin "
                      "anew; then run this again.", file=self._folder / answering.DRAFT)
        )  # fmt: skip
        return False
