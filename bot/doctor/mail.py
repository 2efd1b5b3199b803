"""The mail server: does it let the bot in, and are the texts of mails in order."""

from bot import wiring
from bot.config import Config
from bot.doctor.findings import Finding, bad, good
from bot.domain.mail import LetterKind
from bot.mail.errors import LoginRefused, MailError, TemplateBroken
from bot.mail.preview import sample
from bot.mail.server import MailServer
from bot.mail.templates import LANGUAGES


def examine_templates(config: Config) -> Finding:
    """Each template with an invented ticket."""
    what = "mail templates"
    try:
        composer = wiring.composer(config)
        if composer is None:
            return good(what, "not needed: no mail goes out")
        for kind in LetterKind:
            for team in (None, *config.teams):
                for language in LANGUAGES:
                    composer.write(sample(kind, team, language, "https://help.example.org"))
    except TemplateBroken as error:
        return bad(what, str(error), "Mend this template, or remove it: then the packed one is used.")
    return good(what, "all can be used")


async def examine_server(config: Config) -> Finding:
    """Connect and log in; nothing is sent."""
    settings = wiring.mail_server(config)
    if settings is None:
        return good("mail server", "none: requesters cannot be answered by mail")
    what = f"mail server {settings.host}:{settings.port}"
    try:
        await MailServer(settings).greet()
    except LoginRefused as error:
        return bad(what, f"refuses the login ({error.reason})", "Check `mail.smtp.user` and its password.")
    except MailError as error:
        hint = "Check `mail.smtp`: host, port and security fit together? May this machine connect to it?"
        return bad(what, f"cannot be used ({error.reason})", hint)
    return good(what, "lets the bot in")
