"""Whatever stands in a notification stays text: no markup, no script, no address that runs anything."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import Browse
from browser.person import Person
from browser.sights import expect_unread, history, open_panel, press, rows, toasts, undo, visit

HOSTILE = (
    "<script>window.harmed = 1</script>",
    "<img src=x onerror='window.harmed = 2'>",
    '"><svg onload=window.harmed=3>',
    "</li></ul></form><h1 id=harm>Harm</h1>",
    "<hx-partial hx-target='body' hx-swap='innerHTML'>gone</hx-partial>",
    "<div hx-get='/logout' hx-trigger='load' id='notiway-badge'>9</div>",
    "{{ 7 * 7 }} {% include 'host/base.html' %} ${7 * 7}",
    "'; DROP TABLE notiway_user; --",
    "</template></textarea></title><style>body{display:none}</style>",
    "&lt;b&gt; &amp; \u202e right to left \u0000".replace("\u0000", ""),
)
HOSTILE_URLS = (
    "javascript:window.harmed=4",
    " javascript:window.harmed=5",
    "//evil.example/",
    "data:text/html,<script>opener.harmed=6</script>",
    "/\\evil.example",
)


def expect_unharmed(page: Page) -> None:
    assert page.evaluate("window.harmed") is None
    expect(page.locator("#harm")).to_have_count(0)
    expect(page.locator("#notiway-badge")).to_have_count(1)
    assert page.evaluate("document.querySelectorAll('[data-notiway-list] :is(img, script, style, h1)').length") == 0


def test_markup_and_script_are_shown_as_written_in_frames_toasts_lists_and_pages(browse: Browse, ada: Person) -> None:
    page, frames = visit(browse(ada)), []
    page.on("websocket", lambda line: line.on("framereceived", lambda text: frames.append(text)))
    page = visit(page, "/notifications")
    for count, text in enumerate(HOSTILE, 1):
        ada.notify(text, text, "error")
        expect_unread(page, count)
        toast = toasts(page).filter(has_text=text.strip())
        expect(toast).to_have_count(1)
        toast.get_by_role("button", name="Dismiss").click()
    assert not [text for text in frames if "<script" in text or "<img" in text or "<h1" in text or "<style" in text]
    dropdown = open_panel(page)
    for listed in (history(page), dropdown):
        for text in HOSTILE:
            row = rows(listed).filter(has_text=text)
            expect(row).to_have_count(1)
            expect(row.locator(".notiway-item__message")).to_have_text(text)
    expect_unharmed(page)
    page.reload()
    expect(rows(history(page))).to_have_count(len(HOSTILE))
    expect_unharmed(page)


def test_the_answers_to_presses_are_inert_too(browse: Browse, ada: Person) -> None:
    text = HOSTILE[1]
    ada.store(text, message=text)
    page = visit(browse(ada), "/notifications")
    press(history(page), "Mark as read", text)
    expect_unread(page, 0)
    press(history(page), "Delete", text)
    expect(undo(page)).to_be_visible()
    expect_unharmed(page)
    undo(page).click()
    expect(rows(history(page)).filter(has_text=text)).to_have_count(1)
    page.get_by_role("searchbox", name="Search").fill("<img src=x onerror='window.harmed=7'>")
    expect(page.locator(".notiway-empty__title", has_text="Nothing matches")).to_be_visible()
    page.reload()
    expect_unharmed(page)


def test_a_form_that_comes_back_with_faults_is_inert(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    page.get_by_label("Title").fill(HOSTILE[2])
    page.get_by_label("Message").fill(HOSTILE[8])
    page.get_by_role("button", name="Send notification").click()
    expect(page.get_by_text(f"Sent: {HOSTILE[2]}")).to_be_visible()
    expect_unharmed(page)


@pytest.mark.parametrize("address", HOSTILE_URLS)
def test_an_address_that_slipped_into_the_database_leads_nowhere(browse: Browse, ada: Person, address: str) -> None:
    item_id = ada.store("Click me", action_url=address)
    page = visit(browse(ada), "/notifications")
    link = history(page).get_by_role("link", name="Click me")
    assert (link.get_attribute("href") or "").startswith("/n/")
    link.click()
    expect(page).to_have_url(f"{ada.site.url}/notifications#n-{item_id}")
    expect_unread(page, 0)
    expect_unharmed(page)
