"""The pages of the contact form, from templates that escape everything."""

import hashlib
import math
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from importlib.resources import files
from typing import Final

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.domain.errors import InvalidInput
from bot.domain.marks import N_
from bot.intake.form_fields import HONEYPOT, page_fields
from bot.intake.form_texts import LANGUAGES, texts
from bot.intake.settings import IntakeSettings

STYLE: Final = files("bot.intake").joinpath("static", "form.css").read_bytes()
_STYLE_VERSION: Final = hashlib.sha256(STYLE).hexdigest()[:12]


class Notice(StrEnum):
    """What a page says at its top; the value is the text's message id."""

    EXPIRED = N_(
        "This form was open for a long time. Nothing is lost: "
        "please check your entries and send them once more."
    )
    ONCE_MORE = N_("Almost done: please press “Send” once more. We ask to keep out automatic spam.")
    WAIT = N_("Many requests came from your internet connection. Your entries are still here.")
    TOO_LARGE = N_("That was too much for this form. Please shorten your message.")
    NOT_FOUND = N_("There is nothing at this address, or it is no longer kept.")


class FormPages:
    """Renders the pages."""

    def __init__(self, settings: IntakeSettings) -> None:
        self._settings = settings
        self._templates = Environment(
            loader=PackageLoader("bot.intake"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def form(
        self,
        language: str,
        token: str,
        entered: Mapping[str, str] | None = None,
        *,
        errors: tuple[InvalidInput, ...] = (),
        notice: Notice | None = None,
        wait: timedelta | None = None,
        status: int = 200,
    ) -> web.Response:
        """The form with what was entered, what is wrong with it, and a notice."""
        fields = page_fields(self._settings, language, entered or {}, errors)
        message = texts(language).gettext(notice.value) if notice else ""
        if wait is not None:
            message = f"{message} {_try_again(language, wait)}"
        return self._page(
            "form.html", language, status, fields=fields, token=token, notice=message, honeypot=HONEYPOT
        )

    def sent(self, language: str, number: int) -> web.Response:
        """The result: the number."""
        return self._page("sent.html", language, 200, root="../", number=number)

    def problem(self, language: str, notice: Notice, status: int) -> web.Response:
        """A page that only says what is wrong."""
        root = "../" if notice is Notice.NOT_FOUND else ""
        return self._page(
            "problem.html", language, status, root=root, notice=texts(language).gettext(notice.value)
        )

    def _page(
        self, template: str, language: str, status: int, *, root: str = "", **values: object
    ) -> web.Response:
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


def _try_again(language: str, wait: timedelta) -> str:
    minutes = math.ceil(wait.total_seconds() / 60)
    text = texts(language).ngettext(
        "Please try again in {count} minute.", "Please try again in {count} minutes.", minutes
    )
    return text.format(count=minutes)
