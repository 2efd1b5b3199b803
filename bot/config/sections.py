"""The sections of the config. The texts under the fields are what editors show, through the JSON Schema."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import Field, IPvAnyNetwork, SecretStr, model_validator

from bot.config.mail import TeamMail
from bot.config.problems import Contradictions, Finding
from bot.config.values import (
    HttpUrl,
    Key,
    Language,
    LocalNames,
    Names,
    Port,
    Quiet,
    Room,
    Schedule,
    Section,
    Size,
    Text,
    TimeZone,
    UserId,
)

MIB: Final = 1024**2
Secret = Annotated[SecretStr, Field(min_length=1)]
WAYS_IN: Final = ("access_token", "access_token_file", "password", "password_file")


class Encryption(Section):
    """What the bot does in encrypted rooms."""

    send_to: Literal["all", "cross_signed"] = "all"
    """Who can read the bot there: all devices of those who are in the room, or only the cross-signed ones."""


class Matrix(Section):
    """The bot's account."""

    homeserver: HttpUrl
    """Address of the homeserver, as in `https://matrix.example.org`."""
    user: UserId
    """Full Matrix id of the bot's account, as in `"@tickettruhe:example.org"`."""
    access_token: Secret | None = None
    """Way in 1: a token. Better kept in a file or in the environment."""
    access_token_file: str | None = None
    """Way in 2: a file with the token, which only the bot may read; relative to the config file."""
    device_id: Text | None = None
    """The device that the token belongs to; asked from the homeserver if left out."""
    password: Secret | None = None
    """Way in 3: the password. Better kept in a file or in the environment."""
    password_file: str | None = None
    """Way in 4: a file with the password, which only the bot may read; relative to the config file."""
    device_name: Text = "Tickettruhe"
    """How the bot's device is called in the list of its sessions."""
    pickle_key: Secret | None = None
    """What the keys to encrypted rooms are kept under. Left out, it is made in a file beside the database."""
    pickle_key_file: str | None = None
    """A file with that key, which only the bot may read; relative to the config file."""
    recovery_key: Secret | None = None
    """Opens the account's secret storage; needed only if the account has cross-signing keys already."""
    recovery_key_file: str | None = None
    """A file with that key, which only the bot may read; relative to the config file."""
    encryption: Encryption = Encryption()

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        given = [way for way in WAYS_IN if getattr(self, way) is not None]
        if not given:
            hint = "Give `password_file` or `access_token_file`, or set TICKETTRUHE_MATRIX__PASSWORD."
            raise Contradictions([Finding((), "there is no way to log in", hint)])
        if len(given) > 1:
            message = f"there are several ways to log in: {', '.join(f'`{way}`' for way in given)}"
            raise Contradictions([Finding((given[1],), message, "Keep one of them.")])
        if self.device_id is not None and not given[0].startswith("access_token"):
            raise Contradictions(
                [
                    Finding(
                        ("device_id",),
                        "belongs to an access token",
                        "Remove it: a password makes its own device.",
                    )
                ]
            )
        return self


class Rooms(Section):
    """The two rooms that belong to no team."""

    admin: Room
    """Room of the admins: its members may do everything, and the bot reports trouble there."""
    triage: Room
    """Room for tickets without a team."""


class Team(Section):
    """A team, the room it works in and the regions it serves."""

    name: Text
    """How people call the team."""
    room: Room
    """Id or alias of the team's room, in quotes."""
    regions: tuple[Key, ...] = ()
    """Keys of `regions` that this team serves."""
    language: Language | None = None
    """Language in the team's room, if not the default."""
    timezone: TimeZone | None = None
    """Time zone of the team, if not the default."""
    digest: Schedule = None
    """When this team's digest comes, if not as `digest.schedule`; `false`: never."""
    thanks: bool | None = None
    """Whether this team's digest says who closed how many, if not as `digest.thanks`."""
    quiet: Quiet = None
    """From when to when nobody's phone rings in this team, if not as `quiet`; `false`: it always may."""
    waitlist_place: bool | None = None
    """Whether requesters see their place on this team's waiting list, if not as `intake.page` says."""
    mail: TeamMail = TeamMail()
    """What of `mail` is another for this team."""


class Topic(Section):
    """What kind of request a ticket is."""

    name: Names
    """Name that requesters and members see: one text, or `{de: …, en: …}`."""
    waitlist: bool = False
    """Whether its tickets can be put on the waiting list."""
    topic_id: Annotated[int, Field(ge=1)] | None = None
    """Number that clients made for osTicket send as `topicId`."""


class Digest(Section):
    """The daily message with the waiting list and what was left lying."""

    schedule: Schedule = "0 8 * * *"
    """When it comes: a crontab line, weekdays by name, in the team's time zone; `false`: never."""
    stale_days: Annotated[int, Field(ge=1, le=365)] = 7
    """After how many days without activity a ticket is named in it."""
    thanks: bool = False
    """Whether it says who closed how many."""


class Form(Section):
    """The public contact form."""

    enabled: bool = True
    """Whether there is one."""
    title: Names = LocalNames(de="Kontaktformular", en="Contact form")
    """Its heading: one text, or `{de: …, en: …}`."""
    privacy_url: HttpUrl | None = None
    """Address of the privacy notice to link to."""
    per_address: Annotated[int, Field(ge=1, le=1000)] = 5
    """How many requests one internet address may send within the window."""
    window_minutes: Annotated[int, Field(ge=1, le=1440)] = 10
    """Length of that window."""


class Page(Section):
    """The page on which requesters see where their request stands, behind a link of their own."""

    enabled: bool = True
    """Whether there is one."""
    valid_days: Annotated[int, Field(ge=1, le=3650)] = 180
    """How many days a link is good. Each mail brings a new one; a lower number ends older links, too."""
    waitlist_place: bool = False
    """Whether it tells the place on the waiting list."""


class Intake(Section):
    """The bot's own web server: contact form and HTTP API."""

    listen: Text = "127.0.0.1"
    """Address to listen on; `127.0.0.1` when a web server on the same machine stands before it."""
    port: Port = 8080
    """Port to listen on; 0 takes a free one."""
    public_url: HttpUrl | None = None
    """Address under which people reach it."""
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    """Addresses or networks of web servers whose `X-Forwarded-For` is believed."""
    form: Form = Form()
    page: Page = Page()
    max_body: Size = Field(default=8 * MIB, validate_default=True)
    """Largest request that is accepted."""
    max_attachment: Size = Field(default=5 * MIB, validate_default=True)
    """Largest single attachment."""
    max_attachments: Annotated[int, Field(ge=0, le=100)] = 10
    """How many attachments one request may have."""


class Metrics(Section):
    """Figures for Prometheus and the health checks, on an address of their own that is not for the world."""

    listen: Text = "127.0.0.1"
    """Address to listen on; another than this machine's only in a network that is yours alone."""
    port: Port | None = None
    """Port to listen on; without one there are no figures, 0 takes a free one."""


class Logging(Section):
    """What the bot writes to its log; never data of requesters."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """From which weight on."""
    format: Literal["json", "console"] = "json"
    """`json` for machines, `console` for people."""


Regions = Mapping[Key, Names]
