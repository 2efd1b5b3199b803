"""The contact form as people use it: in a browser on a phone, with and without JavaScript."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, expect

from storage.models import Ticket
from tests.intake_site import Site, site

PHONE_WIDTH = 390
PHONE_HEIGHT = 844


@pytest.fixture
async def here(sqlite_database: str) -> AsyncIterator[Site]:
    """A form on an empty database."""
    async with site(sqlite_database) as running:
        yield running


@asynccontextmanager
async def phone(browser: Browser, *, scripts: bool = True, locale: str = "de-DE") -> AsyncIterator[Page]:
    """A page on a phone; fails if anything is wrong with what it loads."""
    context = await browser.new_context(
        viewport={"width": PHONE_WIDTH, "height": PHONE_HEIGHT},
        has_touch=True,
        is_mobile=True,
        java_script_enabled=scripts,
        locale=locale,
    )
    complaints: list[str] = []
    page = await context.new_page()
    # A second tap makes the browser give up the first request.
    page.on(
        "requestfailed",
        lambda request: complaints.append(request.url) if request.failure != "net::ERR_ABORTED" else None,
    )
    page.on(
        "console", lambda message: complaints.append(message.text) if "Security" in message.text else None
    )
    try:
        yield page
        assert complaints == []
    finally:
        await context.close()


async def fill(page: Page) -> None:
    """Fill in everything, in German."""
    await page.get_by_label("Spendenanfrage").check()
    await page.get_by_label("Welche Region").select_option("Freiburg")
    await page.get_by_label("Ihr Name").fill("Maria Muster")
    await page.get_by_label("Ihre E-Mail-Adresse").fill("maria@example.org")
    await page.get_by_label("Ihre Telefonnummer").fill("0761 1234")
    await page.get_by_label("Betreff").fill("Laptop gesucht")
    await page.get_by_label("Ihre Nachricht").fill("Guten Tag,\nich suche einen Laptop.")


@pytest.mark.parametrize("scripts", [True, False])
async def test_filling_in_and_sending_shows_the_number(
    here: Site, browser: Browser, *, scripts: bool
) -> None:
    async with phone(browser, scripts=scripts) as page:
        await page.goto(here.url)
        await fill(page)
        await page.get_by_role("button", name="Absenden").tap()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Danke, Ihre Anfrage ist angekommen")
        await expect(page.get_by_text("#1", exact=True)).to_be_visible()
        await page.reload()
        await expect(page.get_by_text("#1", exact=True)).to_be_visible()
    assert [(ticket.subject, ticket.team) for ticket in await here.rows(Ticket)] == [
        ("Laptop gesucht", "freiburg")
    ]


@pytest.mark.parametrize("scripts", [True, False])
async def test_errors_stand_at_the_field_and_are_linked(
    here: Site, browser: Browser, *, scripts: bool
) -> None:
    async with phone(browser, scripts=scripts) as page:
        await page.goto(here.url)
        await fill(page)
        email = page.get_by_label("Ihre E-Mail-Adresse")
        await email.fill("maria")
        await page.get_by_role("button", name="Absenden").tap()
        told = "Bitte prüfen Sie Ihre E-Mail-Adresse."
        await expect(page.get_by_role("alert")).to_contain_text(told)
        await expect(email).to_have_attribute("aria-invalid", "true")
        await expect(email).to_have_accessible_description(re.compile(told))
        await expect(page.get_by_label("Ihr Name")).to_have_value("Maria Muster")
        await expect(page.get_by_label("Ihre Nachricht")).to_have_value("Guten Tag,\nich suche einen Laptop.")
        await expect(page.get_by_label("Spendenanfrage")).to_be_checked()
        await page.get_by_role("link", name=told).tap()
        await expect(email).to_be_focused()
        await email.fill("maria@example.org")
        await page.get_by_role("button", name="Absenden").tap()
        await expect(page.get_by_text("#1", exact=True)).to_be_visible()


async def test_a_second_tap_while_the_first_is_under_way_is_one_ticket(here: Site, browser: Browser) -> None:
    async with phone(browser) as page:
        await page.goto(here.url)
        await fill(page)
        button = page.get_by_role("button", name="Absenden")
        await button.scroll_into_view_if_needed()
        box = await button.bounding_box()
        assert box is not None
        with here.database.write():
            # Nothing else can be written meanwhile: the first tap gets no answer.
            for _ in range(2):
                async with page.expect_request(lambda request: request.method == "POST", timeout=10_000):
                    await page.touchscreen.tap(box["x"] + 20, box["y"] + 20)
        await expect(page.get_by_text("#1", exact=True)).to_be_visible()
    assert len(await here.rows(Ticket)) == 1


async def test_a_double_click_is_one_ticket(here: Site, browser: Browser) -> None:
    async with phone(browser, scripts=False) as page:
        await page.goto(here.url)
        await fill(page)
        await page.get_by_role("button", name="Absenden").dblclick()
        await expect(page.get_by_text("#1", exact=True)).to_be_visible()
    assert len(await here.rows(Ticket)) == 1


async def test_the_language_can_be_switched(here: Site, browser: Browser) -> None:
    async with phone(browser, scripts=False, locale="en-GB") as page:
        await page.goto(here.url)
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await page.get_by_role("link", name="Deutsch").tap()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Kontaktformular")
        await page.get_by_role("link", name="English").tap()
        await expect(page.get_by_role("button", name="Send")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_a_phone(here: Site, browser: Browser, scheme: str) -> None:
    async with phone(browser) as page:
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.goto(here.url)
        await page.get_by_role("button", name="Absenden").tap()
        await expect(page.get_by_role("alert")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") == PHONE_WIDTH
        controls = page.locator("main input:visible, main select, main textarea, main button, nav a, .choice")
        heights = await controls.evaluate_all(
            "all => all.filter(one => !['radio', 'hidden'].includes(one.type) && !one.closest('.aside'))"
            ".map(one => one.getBoundingClientRect().height)"
        )
        # WCAG 2.2, 2.5.5: 44 px.
        assert len(heights) > 8
        assert min(heights) >= 44
        honeypot = await page.locator("#website").bounding_box()
        assert honeypot is not None
        assert honeypot["x"] + honeypot["width"] < 0
