"""The page behind a requester's link as people use it: in a browser on a phone, without JavaScript."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from bot.domain.words import Intake, Status
from bot.services import intake, status_links
from bot.services.status_links import Proof
from bot.services.unit import Unit
from storage import tickets
from storage.models import Attachment, Ticket, TicketMessage
from tests.acceptance.test_form_browser import PHONE_WIDTH, fill, phone
from tests.intake_site import Site, site
from tests.integration.desk_data import request

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
async def here(sqlite_database: str) -> AsyncIterator[Site]:
    """A form and its pages on an empty database."""
    async with site(sqlite_database) as running:
        yield running


async def mailed(here: Site) -> str:
    """The link that a mail brings to a request that waits as the second of its team, and was answered."""

    def work(unit: Unit) -> str:
        number = 0
        for each in range(2):
            wanted = request(intake=Intake.FORM, email=f"{each}@example.org", text="Guten Tag,\n\nich suche.")
            number = intake.open_ticket(unit, wanted).number
            ticket = tickets.get(unit.session, number)
            assert ticket is not None
            changes = {"status": Status.WAITING.value, "waiting_since": unit.now}
            tickets.compare_and_set(unit.session, ticket, changes)
        text = "Gern!\nWir schreiben Ihnen."
        answer = TicketMessage(
            number=number, kind="reply", text=text, intake="chat", author="@anna:example.org", at=unit.now
        )
        unit.session.add(answer)
        unit.session.flush()
        return status_links.issue(unit, number, Proof.MAIL) or ""

    return f"{here.url}/request/{await here.units.run(work)}"


async def fits(page: Page) -> None:
    """Nothing sticks out of the screen, and everything to tap is big enough."""
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE_WIDTH
    controls = page.locator("main input:visible, main textarea, main button, main .second, nav a")
    heights = await controls.evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
    assert len(heights) > 2
    assert min(heights) >= 44  # WCAG 2.2, 2.5.5


async def test_from_the_form_to_the_withdrawal(here: Site, browser: Browser) -> None:
    async with phone(browser, scripts=False) as page:
        await page.goto(here.url)
        await fill(page)
        await page.get_by_role("button", name="Absenden").tap()
        await page.get_by_role("link", name="Zu Ihrer Anfrage").tap()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Ihre Anfrage #1")
        await expect(page.get_by_role("heading", name="Angekommen")).to_be_visible()
        await expect(page.get_by_text("ich suche einen Laptop.")).to_be_visible()

        await page.get_by_role("button", name="Nachricht senden").tap()
        await expect(page.get_by_role("alert").get_by_role("link")).to_have_text(
            "Bitte schreiben Sie eine Nachricht."
        )
        await page.get_by_label("Ihre Nachricht").fill("Hier ein Foto.")
        photo = {"name": "Foto.png", "mimeType": "image/png", "buffer": PNG}
        await page.get_by_label("Dateien").set_input_files(photo)  # type: ignore[arg-type]
        await page.get_by_role("button", name="Nachricht senden").tap()
        await expect(page.get_by_role("alert")).to_have_text("Danke, Ihre Nachricht ist angekommen.")
        await expect(page.get_by_text("Hier ein Foto.")).to_be_visible()
        await expect(page.get_by_text("Dateien: Foto.png")).to_be_visible()

        await page.get_by_role("link", name="Anfrage zurückziehen").tap()
        await page.get_by_role("link", name="Nein, zurück").tap()
        await page.get_by_role("link", name="Anfrage zurückziehen").tap()
        await page.get_by_role("link", name="English").tap()
        await page.get_by_role("button", name="Yes, withdraw").tap()
        await expect(page.get_by_role("alert")).to_contain_text("Your request is withdrawn.")
        await expect(page.get_by_role("heading", name="Withdrawn")).to_be_visible()
        await expect(page.get_by_role("link", name="Withdraw the request")).to_have_count(0)
    assert [ticket.status for ticket in await here.rows(Ticket)] == ["closed"]
    assert [file.data for file in await here.rows(Attachment)] == [PNG]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_a_phone(here: Site, browser: Browser, scheme: str) -> None:
    link = await mailed(here)
    async with phone(browser, scripts=True) as page:
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.goto(link)
        await expect(page.get_by_role("heading", name="Auf der Warteliste")).to_be_visible()
        await expect(page.get_by_text("Ihr Platz auf der Warteliste: 2")).to_be_visible()
        await expect(page.get_by_role("article")).to_have_count(2)
        await expect(page.get_by_text("Gern!\nWir schreiben Ihnen.", exact=True)).to_be_visible()
        await fits(page)
        await page.goto(f"{link}/withdraw")
        await fits(page)
        await page.goto(f"{link}x")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Dieser Link funktioniert nicht")
        assert await page.evaluate("document.documentElement.scrollWidth") == PHONE_WIDTH
