"""The questions, in chapters. Each asks only what is not known yet, and the draft keeps every answer."""

from collections.abc import Callable, Collection, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from bot.config.document import Tree
from bot.setup import answers as answering
from bot.setup import defaults
from bot.setup.account import Account
from bot.setup.answers import Answers
from bot.setup.errors import Wrong
from bot.setup.replies import Replies, topics_setting
from bot.setup.terminal import Terminal
from bot.setup.texts import Texts

T = TypeVar("T")
_OWN: Final[Sequence[tuple[str, ...]]] = (
    ("admins",),
    ("teams regions", "members"),
    ("topics default_topic",),
    ("timezone digest.schedule",),
    ("intake.form.enabled intake.port intake.public_url",),
    ("rooms.admin rooms.triage teams.*.room", "create_rooms encrypted"),
)
"""Chapter → its settings, and its options."""
CHAPTERS: Final = len(_OWN)
_RESERVED: Final[dict[str, object]] = {"admin": None, "triage": None}


class Questions:
    """Asks the person at the terminal what the answers lack."""

    def __init__(
        self,
        answers: Answers,
        terminal: Terminal,
        say: Texts,
        folder: Path,
        run: Callable[[Coroutine[Any, Any, T]], T],
    ) -> None:
        """:param run: waits for what has to be asked on the network."""
        self._answers = answers
        self._terminal = terminal
        self.say = say
        self._replies = Replies(say)
        self._folder = folder
        self._run: Callable[[Coroutine[Any, Any, Any]], Any] = run
        self._server = ""
        self._no_address = False
        """Whether the person knows no public address yet."""

    def all(self, account: Account) -> None:
        """Everything that is asked once the bot is logged in."""
        self._server = account.user.partition(":")[2]
        for chapter in (self._admins, self._teams, self._topics, self._times, self._form, self._rooms):
            chapter(account)

    def again(self, chapter: int, account: Account) -> None:
        """Ask a chapter once more."""
        owned, *options = _OWN[chapter - 1]
        self._no_address = self._no_address and "intake.public_url" not in owned
        for path in owned.split():
            self._answers.forget(path.split("."))
        self._choose(**{name: None for each in options for name in each.split()})
        self.all(account)

    def members(self, account: Account, keys: Collection[str]) -> None:
        """Ask who is to be invited into the rooms of these teams, or of triage."""
        self._server = account.user.partition(":")[2]
        self._members(account, keys)

    def _title(self, chapter: int, name: str) -> str:
        return self.say("Part {chapter} of {all}", chapter=chapter, all=CHAPTERS) + f" · {name}"

    def _keep(self, path: tuple[str, ...], value: Tree) -> None:
        self._answers.set(path, value)
        answering.save_draft(self._folder, self._answers, self.say)

    def _choose(self, **values: object) -> None:
        self._answers.choose(**values)
        answering.save_draft(self._folder, self._answers, self.say)

    def _people(self, account: Account, prompt: str, *, needed: bool) -> list[str]:
        read = self._replies.people(self._server, needed=needed)

        def check(given: str) -> list[str]:
            found = read(given)
            for person in found:
                if self._run(account.exists(person)) is False:
                    raise Wrong(self.say("There is no {person} on this homeserver.", person=person))
            return found

        return self._terminal.ask(prompt, check)

    def _admins(self, account: Account) -> None:
        if self._answers.get("admins") is not None:
            return
        self._terminal.screen(
            self._title(1, self.say("Admins")),
            self.say("Admins may do everything: archive, delete, purge. They are invited into all rooms."),
            self.say(
                "Give their Matrix ids, apart by commas or spaces; on {server} the name alone will do.",
                server=self._server,
            ),
        )
        self._keep(("admins",), [*self._people(account, self.say("Admins"), needed=True)])

    def _teams(self, account: Account) -> None:
        if self._answers.get("teams") is None:
            self._terminal.screen(
                self._title(2, self.say("Teams")),
                self.say("Each team works in a room of its own. How are your teams called?"),
                self.say("Apart by commas, for example: Freiburg, Berlin"),
            )
            taken = dict(_RESERVED)
            teams: dict[str, Tree] = {}
            for name in self._terminal.ask(self.say("Teams"), self._replies.names):
                key = defaults.key_of(name, taken)
                taken[key] = teams[key] = {"name": name}
            self._keep(("teams",), teams)
        if self._answers.get("regions") is None:
            self._regions()
        self._members(account)

    def _regions(self) -> None:
        """Which regions each team serves; kept when all are known."""
        regions: dict[str, Tree] = {}
        served: dict[str, list[Tree]] = {}
        for key in self._answers.section("teams"):
            name = self._answers.text("teams", key, "name") or key
            self._terminal.screen(
                self._title(2, self.say("Regions of the team {team}", team=name)),
                self.say("In the form people pick their region, and so their request finds its team."),
                self.say("Which regions does {team} serve? Apart by commas.", team=name),
            )
            names = self._terminal.ask(self.say("Regions"), self._free_regions(regions), default=name)
            served[key] = []
            for each in names:
                region = defaults.key_of(each, regions)
                regions[region] = each
                served[key].append(region)
        for key, keys in served.items():
            self._answers.set(("teams", key, "regions"), keys)
        self._keep(("regions",), regions)

    def _free_regions(self, taken: dict[str, Tree]) -> Callable[[str], list[str]]:
        def read(given: str) -> list[str]:
            names = self._replies.names(given)
            twice = next((each for each in names if each in taken.values()), None)
            if twice is not None:
                raise Wrong(self.say("Another team serves {region} already.", region=twice))
            return names

        return read

    def _members(self, account: Account, keys: Collection[str] | None = None) -> None:
        known = dict(self._answers.options.members or {})
        names = {
            key: self._answers.text("teams", key, "name") or key for key in self._answers.section("teams")
        }
        for key, name in (*names.items(), ("triage", self.say("Triage"))):
            if key in known or (keys is not None and key not in keys):
                continue
            self._terminal.screen(
                self._title(2, self.say("Members of {team}", team=name)),
                self.say("Requests that belong to no team land in triage. Who looks after them?")
                if key == "triage"
                else self.say("Who works in this team?"),
                self.say(
                    "They are invited into the room. Give Matrix ids, apart by commas or spaces, or nothing: "
                    "you can invite them later."
                ),
            )
            known[key] = tuple(self._people(account, self.say("Members"), needed=False))
            self._choose(members=dict(known))

    def _topics(self, _account: Account) -> None:
        if self._answers.get("topics") is not None:
            return
        usual = defaults.example_section("topics")
        shown = ", ".join(_shown(topic, self.say) for topic in usual.values())
        self._terminal.screen(
            self._title(3, self.say("Topics")),
            self.say("What do people ask for? A star behind a topic gives it a waiting list."),
        )
        read = self._terminal.ask(self.say("Topics"), self._replies.topics, default=shown)
        if ", ".join(f"{name}{'*' if waits else ''}" for name, waits in read) == shown:
            self._keep(("topics",), dict(usual))
            return
        taken: dict[str, object] = {}
        keys = []
        for name, _waits in read:
            keys.append(defaults.key_of(name, taken))
            taken[keys[-1]] = None
        names = [name for name, _waits in read]
        chosen = names[-1]
        if len(names) > 1:
            self._terminal.screen(
                self._title(3, self.say("Topics")), self.say("Which topic has a request that names none?")
            )
            chosen = self._terminal.ask(self.say("Topic"), self._replies.one_of(names), default=names[-1])
        self._answers.set(("default_topic",), keys[names.index(chosen)])
        self._keep(("topics",), topics_setting(read, keys))

    def _times(self, _account: Account) -> None:
        if self._answers.get("timezone") is None:
            self._terminal.screen(
                self._title(4, self.say("Time zone")),
                self.say("For times on the cards and for the daily digest."),
            )
            zone = self._terminal.ask(
                self.say("Time zone"), self._replies.time_zone, default=defaults.time_zone()
            )
            self._keep(("timezone",), zone)
        if self._answers.get("digest", "schedule") is None:
            self._terminal.screen(
                self._title(4, self.say("Digest")),
                self.say(
                    "Once a day each team's room is told what nobody took, who waits and what was left lying."
                ),
                self.say("When? A time, a crontab line such as 0 8 * * mon-fri, or never."),
            )
            when = self._terminal.ask(self.say("Digest"), self._replies.digest, default="08:00")
            self._keep(("digest", "schedule"), when)

    def _form(self, _account: Account) -> None:
        if self._answers.get("intake", "form", "enabled") is None:
            self._terminal.screen(
                self._title(5, self.say("Contact form")),
                self.say("People can write to you by a form that the bot shows on a web page of its own."),
                self.say("Without it, requests come by the HTTP API and by the command !new."),
            )
            wanted = self._terminal.confirm(self.say("With the contact form?"), default=True)
            self._keep(("intake", "form", "enabled"), "true" if wanted else "false")
        if self._answers.get("intake", "port") is None:
            listen = self._answers.text("intake", "listen") or "127.0.0.1"
            self._terminal.screen(
                self._title(5, self.say("Port")),
                self.say(
                    "Form and API listen at {listen}; a web server with HTTPS stands before them. At which "
                    "port?",
                    listen=listen,
                ),
            )
            port = self._terminal.ask(self.say("Port"), self._replies.port(listen), default="8080")
            self._keep(("intake", "port"), str(port))
        if self._answers.get("intake", "public_url") is None and not self._no_address:
            self._terminal.screen(
                self._title(5, self.say("Web address")),
                self.say("Under which address do people reach the form? Nothing, if you do not know it yet."),
            )
            address = self._terminal.ask(self.say("Address"), self._replies.web_address)
            self._no_address = not address
            if address:
                self._keep(("intake", "public_url"), address)

    def _rooms(self, _account: Account) -> None:
        options = self._answers.options
        if options.create_rooms is None:
            self._terminal.screen(
                self._title(6, self.say("Rooms")),
                self.say(
                    "One room for each team, one for triage, one for admins. The bot can make those that are "
                    "not there: private, by invitation only, each with the right members and rights."
                ),
            )
            self._choose(create_rooms=self._terminal.confirm(self.say("Make the rooms?"), default=True))
        self._addresses()
        if options.encrypted is None and self._answers.options.create_rooms:
            self._terminal.screen(
                self._title(6, self.say("Encryption")),
                self.say(
                    "In encrypted rooms the homeserver's admins cannot read along. It cannot be turned off "
                    "later."
                ),
            )
            self._choose(encrypted=self._terminal.confirm(self.say("Encrypt new rooms?"), default=True))

    def _addresses(self) -> None:
        """The rooms' addresses: as usual, or each as the person wants it."""
        places = [("rooms", "admin"), ("rooms", "triage")]
        places += [("teams", key, "room") for key in self._answers.section("teams")]  # type: ignore[misc]
        open_ones = [place for place in places if self._answers.text(*place) is None]
        if not open_ones:
            return
        usual = {place: defaults.alias(place[1], self._server) for place in open_ones}
        self._terminal.screen(
            self._title(6, self.say("Addresses")),
            self.say("The rooms' addresses. A room that is there already is used as it is."),
            "\n".join(usual.values()),
        )
        as_usual = self._terminal.confirm(self.say("Right so?"), default=True)
        for place, address in usual.items():
            if not as_usual:
                address = self._terminal.ask(place[1], self._replies.address(self._server), default=address)
            self._answers.set(place, address)
        answering.save_draft(self._folder, self._answers, self.say)


def _shown(topic: Tree, say: Texts) -> str:
    assert isinstance(topic, dict)  # noqa: S101 - the example's
    name = topic["name"]
    text = name[say.language] if isinstance(name, dict) else name
    return f"{text}*" if topic.get("waitlist") == "true" else str(text)
