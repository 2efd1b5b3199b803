"""Turns the config into what each part needs to know. Only the composition root uses this."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from email.utils import parseaddr
from typing import Any, TypeGuard

from bot.charts.artist import Artist, CannotDraw
from bot.commands.executor import Content, Problem
from bot.commands.handlers import View
from bot.commands.hearing import Identity
from bot.config import Config, Language
from bot.config.mailboxes import Inbox
from bot.domain.errors import NameKind, Refusal
from bot.domain.mail import CannedAnswer, MailPolicy, Security
from bot.domain.merging import address_key
from bot.domain.quiet import QuietHours
from bot.domain.request import InvalidFields
from bot.domain.words import TRIAGE, Team
from bot.intake.email.account import MailboxSettings
from bot.intake.email.reading import Limits
from bot.intake.settings import Choice, FormSettings, IntakeSettings, MailSettings
from bot.mail.compose import Composer, Sender
from bot.mail.errors import TemplateBroken
from bot.mail.markup import to_html
from bot.mail.server import ServerSettings
from bot.mail.templates import Templates
from bot.matrix.client import Login
from bot.matrix.encryption.sharing import Policy as DevicePolicy
from bot.matrix.media import Fetch
from bot.presentation import Message, Names, Renderer, edit_content, image_content
from bot.schedule import DigestPlan
from bot.services import files
from bot.services.answers import Spot
from bot.services.jobs import Send
from bot.services.letter_views import ReplyPost
from bot.services.mail_in import Box, Rule
from bot.services.media import File, Media, NoFile
from bot.services.unit import ADMIN_ROOM, TRIAGE_ROOM, Clock, PagePolicy, Policy, Units, room_key, utc_now
from bot.services.views import Alert, CardView, CommandFailed, Person, StatsView, Unreadable

LANGUAGES: tuple[Language, ...] = ("de", "en")
_STATS_FILE = "stats.png"


def policy(config: Config) -> Policy:
    """The use cases' share of the config."""
    return Policy(
        bot_user=config.matrix.user,
        topics={key: topic.waitlist for key, topic in config.topics.items()},
        default_topic=config.default_topic,
        regions={key: config.team_of_region(key) for key in config.regions},
        teams={key: team.name for key, team in config.teams.items()},
        spoken={
            NameKind.TEAM: _spoken((key, (team.name,)) for key, team in config.teams.items()),
            NameKind.TOPIC: _spoken((key, _both(topic.name)) for key, topic in config.topics.items()),
            NameKind.REGION: _spoken((key, _both(name)) for key, name in config.regions.items()),
        },
        admins=frozenset(config.admins),
        purge_grace=timedelta(days=config.purge_grace_days),
        stale_after=timedelta(days=config.digest.stale_days),
        one_tap=config.one_tap,
        zone=config.timezone_of(TRIAGE),
        zones={key: config.timezone_of(key) for key in config.teams},
        thankful=frozenset(team for team in _teams(config) if config.thanks_of(team)),
        quiet=_quiet(config),
        mail=_mail_policy(config),
        page=_page(config),
    )


def _page(config: Config) -> PagePolicy | None:
    page = config.intake.page
    if not page.enabled:
        return None
    places = frozenset(team for team in _teams(config) if config.tells_place(team))
    return PagePolicy(timedelta(days=page.valid_days), config.intake.public_url, places)


def _mail_policy(config: Config) -> MailPolicy | None:
    mail = config.mail
    if mail.smtp is None or mail.sender is None:
        return None
    return MailPolicy(
        domain=parseaddr(mail.sender)[1].rpartition("@")[2].encode("idna").decode("ascii"),
        acknowledging=frozenset(team for team in _teams(config) if config.acknowledges(team)),
        per_address=mail.acks_per_address,
        per_origin=mail.acks_per_origin,
        window=timedelta(hours=mail.ack_window_hours),
        give_up_after=timedelta(hours=mail.give_up_hours),
        languages={team: config.language_of(team) for team in _teams(config)},
        answers={
            name: CannedAnswer(_by_language(answer.text), frozenset(answer.topics), frozenset(answer.teams))
            for name, answer in mail.answers.items()
        },
    )


def composer(config: Config) -> Composer | None:
    """What makes mails; ``None`` if no sender is named.

    :raises TemplateBroken: a template cannot be used.
    """
    mail = config.mail
    if mail.sender is None:
        return None
    templates = Templates(config.mail_templates(), tuple(config.teams))
    default = _sender(mail.sender, mail.reply_to, mail.signature)
    teams: dict[Team, Sender] = {
        key: _sender(
            team.mail.sender or mail.sender,
            team.mail.reply_to or (None if team.mail.sender else mail.reply_to),
            mail.signature if team.mail.signature is None else team.mail.signature,
        )
        for key, team in config.teams.items()
    }
    called = {key: team.name for key, team in config.teams.items()}
    return Composer(templates, default, teams, lambda team: called.get(team or "", ""))


def _sender(mailbox: str, reply_to: str | None, signature: str) -> Sender:
    name, address = parseaddr(mailbox)
    return Sender(address, name, reply_to, signature)


def mail_server(config: Config) -> ServerSettings | None:
    """The way to the mail server; ``None``: no mail goes out."""
    smtp = config.mail.smtp
    if smtp is None:
        return None
    usual = {"tls": 465, "starttls": 587, "none": 25}
    password = smtp.password.get_secret_value() if smtp.password else None
    port = smtp.port or usual[smtp.security]
    return ServerSettings(smtp.host, port, Security(smtp.security), smtp.user, password)


def _teams(config: Config) -> list[Team]:
    return [*config.teams, TRIAGE]


def _quiet(config: Config) -> dict[str, QuietHours]:
    """Room key → its quiet hours; the admin room, where admins are told of their tickets, has the default."""
    rooms = {ADMIN_ROOM: TRIAGE, **{room_key(team): team for team in _teams(config)}}
    return {key: hours for key, team in rooms.items() if (hours := config.quiet_of(team)) is not None}


def _both(name: Any) -> tuple[str, ...]:  # noqa: ANN401
    return tuple(name.in_language(language) for language in LANGUAGES)


def _spoken(named: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, str]:
    """Keys and names of every language → key; a key wins over another's name."""
    pairs = list(named)
    names = {name: key for key, words in pairs for name in words}
    return names | {key: key for key, _ in pairs}


def rooms(config: Config) -> dict[str, str]:
    """Room key → id or alias."""
    teams = {room_key(key): team.room for key, team in config.teams.items()}
    return {ADMIN_ROOM: config.rooms.admin, TRIAGE_ROOM: config.rooms.triage, **teams}


def login(config: Config, device_id: str | None) -> Login:
    """The way into the account; ``device_id`` is that of the last run, for a password login."""
    matrix = config.matrix
    return Login(
        matrix.homeserver,
        matrix.user,
        matrix.access_token.get_secret_value() if matrix.access_token else None,
        matrix.password.get_secret_value() if matrix.password else None,
        matrix.device_id or device_id,
        matrix.device_name,
    )


def pickle_key(config: Config) -> str | None:
    """What the encryption's keys are kept under, if the config says so."""
    given = config.matrix.pickle_key
    return given.get_secret_value() if given else None


def readers(config: Config) -> DevicePolicy:
    """Which devices of those in a room may read the bot."""
    signed_only = config.matrix.encryption.send_to == "cross_signed"
    return lambda device: device.signed or not signed_only


def identity(config: Config) -> Identity:
    """How people call the bot: by id, by its device's name or by the local part of its id."""
    local = config.matrix.user[1:].partition(":")[0]
    return Identity(config.matrix.user, (config.matrix.device_name, local), config.prefix)


def digest_plans(config: Config) -> tuple[DigestPlan, ...]:
    """When each team and triage gets its digest."""
    planned = ((team, config.digest_of(team)) for team in _teams(config))
    return tuple(
        DigestPlan(team, cron, config.timezone_of(team)) for team, cron in planned if cron is not None
    )


def intake_settings(config: Config) -> IntakeSettings:
    """The HTTP intake's share of the config."""
    intake = config.intake
    form = FormSettings(
        enabled=intake.form.enabled,
        title=_by_language(intake.form.title),
        privacy_url=str(intake.form.privacy_url) if intake.form.privacy_url else None,
        per_address=intake.form.per_address,
        window=timedelta(minutes=intake.form.window_minutes),
    )
    return IntakeSettings(
        listen=intake.listen,
        port=intake.port,
        trusted_proxies=tuple(intake.trusted_proxies),
        max_body=intake.max_body,
        max_attachment=intake.max_attachment,
        max_attachments=intake.max_attachments,
        form=form,
        regions=tuple(Choice(key, _by_language(name)) for key, name in config.regions.items()),
        topics=tuple(
            Choice(key, _by_language(topic.name), topic.topic_id) for key, topic in config.topics.items()
        ),
        language=config.language,
        answer_html=to_html,
        mail=_mail_settings(config),
    )


def own_addresses(config: Config) -> frozenset[str]:
    """Addresses of the help desk itself, as they are compared."""
    mail = config.mail
    named = [mail.sender, mail.reply_to, *(team.mail.sender for team in config.teams.values())]
    named += [team.mail.reply_to for team in config.teams.values()]
    named += [each for box in mail.mailboxes.values() for each in (box.address, *box.aliases)]
    return frozenset(key for each in named if each and (key := address_key(parseaddr(each)[1])))


def _mail_settings(config: Config) -> MailSettings:
    """Mails that are handed to the API: like those of a mailbox without a team."""
    box = Box("api", own=own_addresses(config), most_open=config.mail.max_open_tickets)
    return MailSettings(box, _mail_limits(config), config.mail.max_size)


def _mail_limits(config: Config) -> Limits:
    return Limits(config.mail.max_attachment, config.mail.max_attachments)


def mailboxes(config: Config) -> tuple[MailboxSettings, ...]:
    """The mailboxes to fetch from."""
    return tuple(_mailbox(config, name, box) for name, box in config.mail.mailboxes.items())


def _mailbox(config: Config, name: str, inbox: Inbox) -> MailboxSettings:
    password = inbox.password
    assert password is not None  # noqa: S101 - the loader has read its file
    rules = [Rule(rule.to, rule.subject, rule.region, rule.team, rule.topic) for rule in inbox.rules]
    return MailboxSettings(
        box=Box(
            name, inbox.team, inbox.topic, tuple(rules), own_addresses(config), config.mail.max_open_tickets
        ),
        host=inbox.host,
        port=inbox.port or (993 if inbox.security == "tls" else 143),
        security=Security(inbox.security),
        user=inbox.user,
        password=password.get_secret_value(),
        folder=inbox.folder,
        done_folder=inbox.done_folder,
        aside_folder=inbox.aside_folder,
        poll=inbox.poll_seconds,
        limits=_mail_limits(config),
        max_size=config.mail.max_size,
    )


def _by_language(name: Any) -> dict[str, str]:  # noqa: ANN401
    return {language: name.in_language(language) for language in LANGUAGES}


def names(config: Config, german: Mapping[str, str]) -> Names:
    """What the renderers call things. ``german``: command → its German name."""
    return Names(
        teams={key: team.name for key, team in config.teams.items()},
        topics={
            language: {key: topic.name.in_language(language) for key, topic in config.topics.items()}
            for language in LANGUAGES
        },
        regions={
            language: {key: name.in_language(language) for key, name in config.regions.items()}
            for language in LANGUAGES
        },
        prefix=config.prefix,
        bot=config.matrix.device_name,
        german=german,
        taps=config.one_tap,
    )


class Speaker:
    """Renders in the language and time zone of a team's room."""

    def __init__(
        self,
        config: Config,
        german: Mapping[str, str],
        clock: Clock = utc_now,
        composer: Composer | None = None,
    ) -> None:
        self._config = config
        self._composer = composer
        self._clock = clock
        self._renderer = Renderer(names(config, german))

    def answer(self, view: View, team: Team) -> Content:
        """Content of the answer to a command."""
        setting = self._setting(team)
        if isinstance(view, CommandFailed | Unreadable):
            return self._renderer.alert(view, *setting).content()
        return self._renderer.answer(view, *setting, self._clock()).content()  # type: ignore[arg-type]

    def edit(self, view: View, team: Team, event_id: str) -> Content:
        """Content that replaces an earlier answer."""
        message = self._renderer.answer(view, *self._setting(team), self._clock())  # type: ignore[arg-type]
        return edit_content(message, event_id)

    def media(self, view: View, team: Team) -> Media | None:
        """The picture that shows a view, if it is to be shown by one."""
        drawn = self._renderer.picture(view, *self._setting(team)) if _pictured(view) else None
        if drawn is None:
            return None
        caption, picture = drawn
        source = {"what": "picture", "picture": picture.to_json()}
        return Media(image_content(caption, _STATS_FILE), source)

    def problem(
        self, error: Problem, team: Team, people: Mapping[str, str], to: Person | None = None
    ) -> Content:
        """Content of a refusal; of several bad fields the first is told."""
        told = error.errors[0] if isinstance(error, InvalidFields) else error
        return self._renderer.problem(told, *self._setting(team), people, to).content()

    def outcome(
        self,
        done: tuple[int, ...],
        refused: tuple[Refusal, ...],
        team: Team,
        people: Mapping[str, str],
    ) -> Content:
        """Content of the answer to a command over several tickets."""
        return self._renderer.outcome(done, refused, *self._setting(team), people).content()

    def render(self, send: Send) -> Mapping[str, Any]:
        """Content of what is rendered at the moment of sending: cards, alerts, digests, reports."""
        view, setting = send.view, self._setting(send.team)
        if isinstance(view, CardView):
            card = self._renderer.card(view, *setting)
            return edit_content(card, send.edits) if send.edits else _heard(card, send).content()
        assert view is not None  # noqa: S101 - a job without content has a view
        message = _heard(self._renderer.alert(self._written(view), *setting), send)
        return edit_content(message, send.edits) if send.edits else _in_thread(message.content(), send)

    def _written(self, view: Alert) -> Alert:
        """A reply with the mail as the requester reads it."""
        if not isinstance(view, ReplyPost):
            return view
        try:
            shown = self._composer.write(view.letter).plain if self._composer else view.letter.text
        except TemplateBroken:
            # The mail itself fails for it, and tells why.
            shown = view.letter.text
        return replace(view, shown=shown)

    def _setting(self, team: Team) -> tuple[Any, Any]:
        return self._config.language_of(team), self._config.timezone_of(team)


def _heard(message: Message, send: Send) -> Message:
    """The message as it may ring: in quiet hours for nobody, which takes more than leaving out mentions."""
    return replace(message, mentions=(), notice=True) if send.silent else message


def _pictured(view: View) -> TypeGuard[StatsView]:
    return isinstance(view, StatsView) and view.picture


def fetch(artist: Artist, units: Units) -> Fetch:
    """Makes the files that outbox rows name."""

    async def fetch_one(source: Mapping[str, Any]) -> File:
        if source["what"] == "attachment":
            return await units.look(lambda unit: files.load(unit, source))
        if source["what"] != "picture":
            raise NoFile(f"nothing is known of {source['what']!r}")
        try:
            drawn = await artist.draw(source["picture"])
        except CannotDraw as error:
            raise NoFile(error.reason) from error
        return File(drawn.png, _STATS_FILE, "image/png", drawn.width, drawn.height)

    return fetch_one


def _in_thread(content: Mapping[str, Any], send: Send) -> Mapping[str, Any]:
    """What belongs under a card stands in its thread; clients without threads show it as a reply."""
    if send.thread is None:
        return content
    return {**content, "m.relates_to": Spot(send.room_id, send.latest or send.thread, send.thread).relation}
