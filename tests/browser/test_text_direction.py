"""Text direction: what people write is laid out as it is read, from the right where its letters say so."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from browser.conftest import Browse
from browser.person import Person
from browser.sights import history, open_panel, toasts, visit

HEBREW = "הפריסה נכשלה: build #42."
ARABIC = "الفاتورة جاهزة (PDF)."


def direction(text: Locator) -> str:
    return str(text.evaluate("element => getComputedStyle(element).direction"))


def of_text(place: Locator | Page, words: str) -> str:
    """The direction of the innermost element that holds these words."""
    found = place.get_by_text(words, exact=True).first
    expect(found).to_be_attached()
    return direction(found)


def test_text_from_the_right_reads_from_the_right_everywhere(browse: Browse, ada: Person) -> None:
    ada.store(HEBREW, message=ARABIC, source=ARABIC)
    ada.store("Left to right", message="Plain.")
    page = visit(browse(ada), "/notifications")
    row = history(page).locator("[data-notiway-id]").last
    for part in (".notiway-item__title", ".notiway-item__message", ".notiway-item__source"):
        assert direction(row.locator(part)) == "rtl", part
        assert direction(history(page).locator("[data-notiway-id]").first.locator(".notiway-item__title")) == "ltr"
    edges = [row.locator(part).bounding_box() for part in (".notiway-item__title", ".notiway-item__message")]
    assert all(edges)
    assert edges[0]["x"] == edges[1]["x"]
    panel_row = open_panel(page).locator("[data-notiway-id]").last
    assert direction(panel_row.locator(".notiway-item__title")) == "rtl"
    page.keyboard.press("Escape")
    ada.notify(HEBREW, ARABIC)
    expect(toasts(page)).to_contain_text(HEBREW)
    assert direction(toasts(page).locator(".notiway-toast__title")) == "rtl"
    assert direction(toasts(page).locator(".notiway-toast__message")) == "rtl"


def test_banners_read_from_the_right(browse: Browse, ada: Person) -> None:
    ada.store(HEBREW, message=ARABIC, name="system-announcement")
    page = visit(browse(ada))
    banner = page.locator(".notiway-banner")
    assert direction(banner.locator("strong")) == "rtl"
    assert of_text(banner, ARABIC) == "rtl"


def test_what_is_typed_reads_from_the_right(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    for label in ("Title", "Message"):
        page.get_by_label(label).fill(HEBREW)
        assert direction(page.get_by_label(label)) == "rtl"
    page.get_by_role("button", name="Send notification").click()
    expect(page.locator("bdi").filter(has_text=HEBREW)).to_be_visible()


def test_the_staff_page_reads_from_the_right(browse: Browse, person: Callable[..., Person]) -> None:
    grace, david = person("Grace", is_staff=True), person("דוד")
    page = visit(browse(grace), "/staff/send")
    page.get_by_role("searchbox").fill(david.email)
    # By its name: until the answer to the search comes, what is suggested without one is listed.
    page.locator("#staff-found").get_by_role("checkbox", name=david.email).check()
    assert of_text(page.locator("#staff-chosen"), "דוד") == "rtl"
    page.get_by_label("Title", exact=True).fill(HEBREW)
    assert direction(page.get_by_label("Title", exact=True)) == "rtl"
    page.get_by_role("button", name="Send", exact=True).click()
    log = page.locator(".staff-sent").filter(has_text=HEBREW)
    assert of_text(log, HEBREW) == "rtl"
    assert of_text(log, "דוד") == "rtl"
