"""Toasts: three at most, they wait for whoever looks at them, errors stay, and all can be closed."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from browser.conftest import Browse
from browser.person import Person
from browser.sights import expect_unread, history, press, toasts, visit

LONG = 100_000  # ms: longer than any toast stays


def page_with_clock(browse: Browse, person: Person) -> Page:
    page = browse(person).new_page()
    page.clock.install()
    return visit(page)


def arrive(page: Page, person: Person, title: str, type: str = "info") -> None:
    person.notify(title, type=type)
    expect(toasts(page).filter(has_text=title)).to_be_visible()


def test_a_toast_leaves_by_itself_and_an_error_stays(browse: Browse, ada: Person) -> None:
    page = page_with_clock(browse, ada)
    arrive(page, ada, "Invoice paid", "success")
    arrive(page, ada, "Backup failed", "error")
    page.clock.run_for(50_000)  # these sites let a toast stay for a minute
    expect(toasts(page)).to_have_count(2)
    page.clock.run_for(LONG)
    expect(toasts(page)).to_have_count(1)
    expect(toasts(page)).to_contain_text("Backup failed")
    toasts(page).get_by_role("button", name="Dismiss").click()
    expect(toasts(page)).to_have_count(0)
    expect_unread(page, 2)  # a closed toast is not read


def test_no_more_than_three_show_and_the_next_takes_a_free_place(browse: Browse, ada: Person) -> None:
    page = page_with_clock(browse, ada)
    for n in range(1, 4):
        arrive(page, ada, f"Error {n}", "error")
    ada.notify("Error 4", type="error")
    expect_unread(page, 4)
    page.clock.run_for(2000)
    expect(toasts(page)).to_have_count(3)
    expect(toasts(page).filter(has_text="Error 4")).to_have_count(0)
    toasts(page).filter(has_text="Error 1").get_by_role("button", name="Dismiss").click()
    expect(toasts(page)).to_have_count(3)
    expect(toasts(page).filter(has_text="Error 4")).to_be_visible()


def test_an_error_waits_behind_no_other_news(browse: Browse, ada: Person) -> None:
    page = page_with_clock(browse, ada)
    for n in range(1, 4):
        arrive(page, ada, f"Error {n}", "error")
    for number, (title, type) in enumerate([("Tea is ready", "info"), ("Error 4", "error"), ("Error 5", "error")], 4):
        ada.notify(title, type=type)
        expect_unread(page, number)
    page.clock.run_for(2000)
    for n, follower in enumerate(("Error 4", "Error 5", "Tea is ready"), 1):
        toasts(page).filter(has_text=f"Error {n}").get_by_role("button", name="Dismiss").click()
        expect(toasts(page).last).to_contain_text(follower)


def test_a_toast_waits_under_the_pointer(browse: Browse, ada: Person) -> None:
    page = page_with_clock(browse, ada)
    arrive(page, ada, "Invoice paid")
    toasts(page).hover()
    page.clock.run_for(LONG)
    expect(toasts(page)).to_have_count(1)
    page.mouse.move(0, 0)
    page.clock.run_for(LONG)
    expect(toasts(page)).to_have_count(0)


def test_a_toast_waits_while_the_focus_is_in_it(browse: Browse, ada: Person) -> None:
    page = page_with_clock(browse, ada)
    arrive(page, ada, "Invoice paid")
    toasts(page).get_by_role("button", name="Dismiss").focus()
    page.clock.run_for(LONG)
    expect(toasts(page)).to_have_count(1)
    page.get_by_label("Title").focus()
    page.clock.run_for(LONG)
    expect(toasts(page)).to_have_count(0)


def test_escape_closes_the_toast_that_has_the_focus_and_returns_it(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    page.get_by_label("Title").focus()
    arrive(page, ada, "Backup failed", "error")
    arrive(page, ada, "Disk full", "error")
    toasts(page).filter(has_text="Backup failed").get_by_role("button", name="Dismiss").focus()
    page.keyboard.press("Escape")
    expect(toasts(page)).to_have_count(1)
    expect(toasts(page).get_by_role("button", name="Dismiss")).to_be_focused()
    page.keyboard.press("Escape")
    expect(toasts(page)).to_have_count(0)
    expect(page.get_by_label("Title")).to_be_focused()


def test_a_toast_goes_when_its_notification_is_read(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada), "/notifications")
    arrive(page, ada, "Backup failed", "error")
    press(history(page), "Mark as read", "Backup failed")
    expect(toasts(page)).to_have_count(0)


def test_a_toast_leads_to_where_the_notification_points(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    arrive(page, ada, "Backup failed", "error")
    toasts(page).get_by_role("link", name="Backup failed").click()
    expect(page).to_have_url(f"{ada.site.url}/notifications")
    expect_unread(page, 0)


def test_many_at_once_are_one_toast(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    page.evaluate("document.querySelector('[data-notiway-socket]')._htmx.ws.connection.socket.close()")
    ada.store_many([f"Number {n}" for n in range(5)])
    expect_unread(page, 5)
    expect(toasts(page)).to_have_count(1)
    expect(toasts(page)).to_contain_text("5 new notifications")
