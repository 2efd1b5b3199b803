"""The pages of the contact form, from templates that escape everything."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from aiohttp import web

from bot.domain.errors import InvalidInput
from bot.domain.marks import N_
from bot.intake.form_fields import HONEYPOT, page_fields
from bot.intake.form_texts import texts
from bot.intake.pages import Pages, try_again
from bot.services.status_links import PATH


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


class FormPages(Pages):
    """Renders the pages of the contact form."""

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
            message = f"{message} {try_again(language, wait)}"
        return self._page(
            "form.html", language, status, fields=fields, token=token, notice=message, honeypot=HONEYPOT
        )

    def sent(self, language: str, number: int, link: str | None) -> web.Response:
        """The result: the number, and the last part of the address of the request's own page."""
        return self._page("sent.html", language, 200, root="../", number=number, path=PATH, link=link)

    def problem(self, language: str, notice: Notice, status: int) -> web.Response:
        """A page that only says what is wrong."""
        root = "../" if notice is Notice.NOT_FOUND else ""
        return self._page(
            "problem.html", language, status, root=root, notice=texts(language).gettext(notice.value)
        )
