"""What all pages for requesters have in common: templates that escape everything, one style, one frame."""

import hashlib
import math
from datetime import timedelta
from importlib.resources import files
from typing import Final

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.intake.form_texts import LANGUAGES, texts
from bot.intake.settings import IntakeSettings

STYLE: Final = files("bot.intake").joinpath("static", "form.css").read_bytes()
_STYLE_VERSION: Final = hashlib.sha256(STYLE).hexdigest()[:12]


class Pages:
    """Renders pages."""

    def __init__(self, settings: IntakeSettings) -> None:
        self._settings = settings
        self._templates = Environment(
            loader=PackageLoader("bot.intake"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def _page(
        self, template: str, language: str, status: int, *, root: str = "", **values: object
    ) -> web.Response:
        """A page; ``root`` leads from its address to the form's, wherever that stands in a web site."""
        catalog = texts(language)
        html = self._templates.get_template(template).render(
            _=catalog.gettext,
            language=language,
            languages=LANGUAGES,
            title=self._settings.form.title.get(language, ""),
            privacy_url=self._settings.form.privacy_url,
            root=root,
            style=f"{root}static/form.css?v={_STYLE_VERSION}",
            **values,
        )
        return web.Response(
            status=status,
            text=html,
            content_type="text/html",
            headers={"Cache-Control": "no-store", "Content-Language": language},
        )


def waiting(page: web.Response, wait: timedelta) -> web.Response:
    """A page that asks to wait, also where a program reads it."""
    page.headers["Retry-After"] = str(int(wait.total_seconds()) + 1)
    return page


def try_again(language: str, wait: timedelta) -> str:
    """When to try again."""
    minutes = math.ceil(wait.total_seconds() / 60)
    text = texts(language).ngettext(
        "Please try again in {count} minute.", "Please try again in {count} minutes.", minutes
    )
    return text.format(count=minutes)
