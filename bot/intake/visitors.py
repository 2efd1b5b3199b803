"""Who opens a page: their language, and where they come from."""

from aiohttp import web

from bot.intake.addresses import client_address, household
from bot.intake.form_texts import choose_language
from bot.intake.settings import IntakeSettings


def language_of(request: web.Request, settings: IntakeSettings) -> str:
    """In which language to answer."""
    accepted = request.headers.get("Accept-Language", "")
    return choose_language(request.query.get("lang"), accepted, settings.language)


def sender_of(request: web.Request, settings: IntakeSettings) -> str:
    """What is counted as one visitor."""
    forwarded = request.headers.getall("X-Forwarded-For", ())
    return household(client_address(request.remote, forwarded, settings.trusted_proxies))
