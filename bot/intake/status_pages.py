"""The pages behind a requester's link, from templates that escape everything."""

from datetime import timedelta
from enum import StrEnum

from aiohttp import web
from markupsafe import Markup

from bot.domain.errors import InvalidInput
from bot.domain.marks import N_
from bot.domain.request import TEXT_LIMIT
from bot.intake.form_texts import texts
from bot.intake.pages import Pages, try_again, waiting
from bot.intake.status_texts import day_told, moment_told, phase_told, problem_told, size_told
from bot.services.status_page import Line, StatusView

BELOW: dict[str, str] = {"": "../", "withdraw": "../../"}
"""Path below a link → the way from there to the form."""


class Said(StrEnum):
    """What a page says at its top; the value is the text's message id."""

    SENT = N_("Thank you, your message has arrived.")
    ANEW = N_(
        "Thank you, your message has arrived. It has a number of its own now: the old request is finished."
    )
    WITHDRAWN = N_("Your request is withdrawn. Thank you for telling us.")
    EXPIRED = N_("This page was open for a long time. Nothing is lost: please send your message once more.")
    NOT_SENT = N_("Your message is not sent yet.")
    BUSY = N_("Many messages came at once. Your message is still here.")


class StatusPages(Pages):
    """Renders the pages."""

    def request(
        self,
        language: str,
        view: StatusView,
        link: str,
        token: str,
        *,
        said: Said | None = None,
        text: str = "",
        again: bool = False,
        errors: tuple[InvalidInput, ...] = (),
        wait: timedelta | None = None,
        status: int = 200,
    ) -> web.Response:
        """The request; ``text`` is a message that was not sent yet, and ``again``: neither were its files."""
        gettext, settings = texts(language).gettext, self._settings
        notice = gettext(said.value) if said else ""
        told = {error.field: problem_told(error, language) for error in errors}
        files = texts(language).ngettext(
            "At most {count} file of {size}, {total} together.",
            "At most {count} files of {size} each, {total} together.",
            settings.max_attachments,
        )
        files = files.format(
            count=settings.max_attachments,
            size=size_told(settings.max_attachment),
            total=size_told(settings.max_body),
        )
        page = self._page(
            "request.html",
            language,
            status,
            root=BELOW[""],
            view=view,
            phase=phase_told(view.phase, language),
            opened=day_told(view.opened_at, view.zone, language),
            expires=day_told(view.expires_at, view.zone, language),
            lines=[(line, self._who(line, view, language), self._answer(line)) for line in view.lines],
            link=link,
            token=token,
            notice=notice if wait is None else f"{notice} {try_again(language, wait)}",
            text=text,
            again=again,
            errors={"message": "", "attachments": ""} | told,
            wrong=told,
            limit=TEXT_LIMIT,
            files=files if settings.max_attachments else "",
        )
        return _private(page if wait is None else waiting(page, wait))

    def ask(self, language: str, view: StatusView, link: str, token: str) -> web.Response:
        """Whether the request is really to be withdrawn."""
        page = self._page(
            "withdraw.html", language, 200, root=BELOW["withdraw"], view=view, link=link, token=token
        )
        return _private(page)

    def gone(self, language: str, below: str, lifetime: timedelta) -> web.Response:
        """One answer for all links that are not good: whatever is wrong with one is nobody's business."""
        ngettext, days = texts(language).ngettext, lifetime.days
        kept = ngettext("A link is good for {count} day.", "A link is good for {count} days.", days)
        page = self._page(
            "gone.html",
            language,
            404,
            root=BELOW[below],
            kept=kept.format(count=days),
            form=self._settings.form.enabled,
        )
        return _private(page)

    def too_large(self, language: str, link: str) -> web.Response:
        """More was sent than is read at all."""
        text = texts(language).gettext("Your message with its files was too large. Nothing was sent.")
        return _private(self._page("trouble.html", language, 413, root=BELOW[""], notice=text, link=link))

    def wait(self, language: str, below: str, wait: timedelta) -> web.Response:
        """From one place came more links than one person has."""
        told = texts(language).gettext("Many pages were opened from your internet connection.")
        text = f"{told} {try_again(language, wait)}"
        page = self._page("trouble.html", language, 429, root=BELOW[below], notice=text, link="")
        return _private(waiting(page, wait))

    def _answer(self, line: Line) -> Markup | None:
        """A team's answer as its mail shows it; what requesters wrote is text and nothing else."""
        return Markup(self._settings.answer_html(line.text)) if line.answer else None  # noqa: S704 - cleaned there

    def _who(self, line: Line, view: StatusView, language: str) -> str:
        gettext = texts(language).gettext
        text = gettext("Our answer of {moment}") if line.answer else gettext("Your message of {moment}")
        return text.format(moment=moment_told(line.at, view.zone, language))


def _private(page: web.Response) -> web.Response:
    page.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return page
