"""The whole config, and the questions that the rest of the bot asks it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from bot.config.checks import contradictions
from bot.config.database import checked, sqlite_path, with_driver
from bot.config.mail import Mail
from bot.config.problems import Contradictions
from bot.config.sections import Digest, Intake, Logging, Matrix, Metrics, Regions, Rooms, Secret, Team, Topic
from bot.config.values import Key, Language, Prefix, Quiet, Section, TeamKey, TimeZone, UserId
from bot.domain.quiet import QuietHours, parse_span


class Config(Section):
    """Settings of the bot. Frozen and checked as a whole: what is wrong together raises as well.

    Validation takes ``context={"folder": Path}``: what a relative SQLite path is relative to.
    """

    language: Language = "de"
    """Default language of chat and form."""
    timezone: TimeZone = "Europe/Berlin"
    """Default time zone."""
    prefix: Prefix = "!"
    """What chat commands begin with."""
    one_tap: bool = True
    """Whether cards offer reactions that act as commands."""
    database: Annotated[str, Field(validate_default=True)] = "sqlite:///tickettruhe.db"
    """`sqlite:///file` (relative to the config file) or `postgresql://user@host/name`, without a password."""
    database_password: Secret | None = None
    """Password for PostgreSQL. Better kept in a file or in the environment."""
    database_password_file: str | None = None
    """File that holds that password and that only the bot may read; relative to the config file."""
    matrix: Matrix
    admins: tuple[UserId, ...] = ()
    """Full Matrix ids of admins; everybody in the admin room is one as well."""
    rooms: Rooms
    teams: Annotated[Mapping[TeamKey, Team], Field(min_length=1)]
    """Teams by key."""
    regions: Regions = Field(default_factory=dict)
    """Regions that a requester can pick, in this order: a name, or `{de: …, en: …}`."""
    topics: Annotated[Mapping[Key, Topic], Field(min_length=1)]
    """Topics that a requester can pick, in this order."""
    default_topic: Key
    """Key of the topic of a request that names none."""
    digest: Digest = Digest()
    quiet: Quiet = None
    """From when to when nobody's phone rings, in the team's time zone: `"22:00-07:00"`; `false`: it may."""
    purge_grace_days: Annotated[int, Field(ge=0, le=3650)] = 30
    """Days from `delete` until the retention job may purge a ticket."""
    intake: Intake = Intake()
    mail: Mail = Mail()
    metrics: Metrics = Metrics()
    logging: Logging = Logging()
    _folder: Path = PrivateAttr(default_factory=Path.cwd)

    @field_validator("database")
    @classmethod
    def _database(cls, value: str, info: ValidationInfo) -> str:
        folder = (info.context or {}).get("folder")
        return checked(value, folder if isinstance(folder, Path) else None)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        findings = tuple(contradictions(self))
        if findings:
            raise Contradictions(findings)
        return self

    def model_post_init(self, context: Any) -> None:  # noqa: ANN401
        """Remember where the config file lies."""
        folder = (context or {}).get("folder")
        if isinstance(folder, Path):
            self._folder = folder

    def pickle_key_path(self) -> Path:
        """Where the key to the encryption's keys lies if the config holds none."""
        path = sqlite_path(self.database)
        return self._folder / "pickle-key" if path is None else path.with_suffix(".key")

    def mail_templates(self) -> Path | None:
        """Folder with the operator's own texts of mails."""
        return None if self.mail.templates is None else self._folder / self.mail.templates

    def team_of_region(self, region: str | None) -> str | None:
        """Key of the team that serves the region; ``None`` (triage) for none, an unknown or an empty one."""
        return next((key for key, team in self.teams.items() if region in team.regions), None)

    def language_of(self, team: str | None) -> Language:
        """Language of a team's room; the default for triage and unknown teams."""
        own = self._team(team)
        return (own and own.language) or self.language

    def timezone_of(self, team: str | None) -> ZoneInfo:
        """Time zone of a team; the default for triage and unknown teams."""
        own = self._team(team)
        return ZoneInfo((own and own.timezone) or self.timezone)

    def digest_of(self, team: str | None) -> str | None:
        """Crontab line of a team's (or triage's) digest in its time zone; ``None``: it gets none."""
        own = self._team(team)
        return own.digest if own and "digest" in own.model_fields_set else self.digest.schedule

    def thanks_of(self, team: str | None) -> bool:
        """Whether a team's (or triage's) digest says who closed how many."""
        own = self._team(team)
        return own.thanks if own and own.thanks is not None else self.digest.thanks

    def quiet_of(self, team: str | None) -> QuietHours | None:
        """When nobody's phone is to ring in a team (or triage); ``None``: it always may."""
        own = self._team(team)
        span = own.quiet if own and "quiet" in own.model_fields_set else self.quiet
        return QuietHours(*parse_span(span), self.timezone_of(team)) if span else None

    def tells_place(self, team: str | None) -> bool:
        """Whether requesters see their place on a team's (or triage's) waiting list."""
        own = self._team(team)
        told = own.waitlist_place if own else None
        return self.intake.page.waitlist_place if told is None else told

    def acknowledges(self, team: str | None) -> bool:
        """Whether a team's (or triage's) requesters are told by mail that their request is here."""
        own = self._team(team)
        wished = own.mail.acknowledge if own else None
        return self.mail.acknowledge if wished is None else wished

    def _team(self, key: str | None) -> Team | None:
        return None if key is None else self.teams.get(key)

    def database_url(self) -> str:
        """The database for SQLAlchemy, **with** the password: not for logs or errors."""
        secret = self.database_password
        return with_driver(self.database, secret.get_secret_value() if secret else None)
