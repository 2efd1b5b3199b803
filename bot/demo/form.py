"""Fills in the contact form as a browser without JavaScript does."""

from html.parser import HTMLParser
from typing import Final

import aiohttp
from yarl import URL

from bot.demo.cast import Request
from bot.demo.errors import FormFailed

_TIMEOUT: Final = aiohttp.ClientTimeout(total=20)


class _Page(HTMLParser):
    """What a browser needs of a page: the form's action, what stands in hidden fields, and the number."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.hidden: dict[str, str] = {}
        self.number = ""
        self._in_number = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._in_number = values.get("class") == "number"
        if tag == "form":
            self.action = values.get("action", "")
        elif tag == "input" and values.get("type") == "hidden":
            self.hidden[values["name"]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._in_number = False

    def handle_data(self, data: str) -> None:
        if self._in_number:
            self.number += data.strip().removeprefix("#")


async def fill_in(url: str, request: Request) -> int:
    """Opens the form, sends the request, and reads its number from the page that follows.

    :raises FormFailed: the form does not answer, or shows itself again.
    """
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as browser:
            async with browser.get(url, params={"lang": request.language}) as response:
                form, address = _Page(await response.text()), response.url
            if response.status != 200 or form.action is None:
                raise FormFailed(f"There is no contact form at {url} (HTTP {response.status}).")
            target = str(address.join(URL(form.action)))
            async with browser.post(target, data={**form.hidden, **_entries(request)}) as response:
                page = _Page(await response.text())
    except (aiohttp.ClientError, TimeoutError) as error:
        raise FormFailed(f"The contact form at {url} does not answer.") from error
    if not page.number.isdecimal():
        raise FormFailed(f"The contact form did not take the request (HTTP {response.status}).")
    return int(page.number)


def _entries(request: Request) -> dict[str, str]:
    return {
        "topic": request.topic,
        "region": request.region,
        "name": request.name,
        "email": request.email,
        "phone": "",
        "subject": request.subject,
        "message": request.message,
        # Hidden from people, filled in by programs: stays empty.
        "website": "",
    }
