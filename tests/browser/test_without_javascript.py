"""Without JavaScript every page still works: links open, forms post, and what was done can be undone."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect
from serving import PASSWORD

from browser.conftest import Browse, Console
from browser.person import Person


def history(page: Page) -> Locator:
    return page.locator("[data-notiway-list=history]")


def rows(page: Page) -> Locator:
    return history(page).get_by_role("listitem").filter(has=page.get_by_role("checkbox"))


def plain(browse: Browse, person: Person, path: str) -> Page:
    page = browse(person, java_script_enabled=False).new_page()
    page.goto(path)
    return page


def test_signing_in_and_out(browse: Browse, ada: Person) -> None:
    page = browse(ada, signed_in=False, java_script_enabled=False).new_page()
    page.goto("/notifications")
    page.get_by_label("E-mail").fill(ada.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Notifications", level=1)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.goto("/notifications")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_bell_is_a_link_that_says_how_many(browse: Browse, ada: Person) -> None:
    ada.store_many(["One", "Two"])
    page = plain(browse, ada, "/dashboard")
    expect(page.locator("#notiway-badge")).to_have_text("2")
    expect(page.get_by_role("button", name=re.compile("^Notifications"))).to_have_count(0)
    page.get_by_role("link", name="Notifications, 2 unread").click()
    expect(rows(page)).to_have_count(2)


def test_sending_from_the_dashboard(browse: Browse, ada: Person, console: Console) -> None:
    console.expect("status of 422")
    page = plain(browse, ada, "/dashboard")
    page.get_by_role("button", name="Send success").click()
    expect(page).to_have_url(f"{ada.site.url}/dashboard")
    expect(page.locator("#notiway-badge")).to_have_text("1")
    page.get_by_label("Title").fill("By hand")
    page.get_by_label("Message").fill("With a message")
    page.get_by_role("button", name="Send notification").click()
    expect(page.locator("#notiway-badge")).to_have_text("2")
    page.get_by_label("Message").fill("No title")
    page.get_by_role("button", name="Send notification").click()
    expect(page.get_by_label("Title")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Message")).to_have_value("No title")


def test_marking_read_and_unread(browse: Browse, ada: Person) -> None:
    ada.store_many(["One", "Two"])
    page = plain(browse, ada, "/notifications")
    page.get_by_role("button", name="Mark as read: One").click()
    expect(page).to_have_url(f"{ada.site.url}/notifications")
    expect(page.locator("#notiway-badge")).to_have_text("1")
    page.get_by_role("button", name="Mark as unread: One").click()
    expect(page.locator("#notiway-badge")).to_have_text("2")


def test_deleting_and_undoing(browse: Browse, ada: Person) -> None:
    ada.store_many(["One", "Two"])
    page = plain(browse, ada, "/notifications")
    page.get_by_role("button", name="Delete: Two").click()
    expect(page.get_by_text("Notification deleted")).to_be_visible()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(rows(page)).to_have_count(2)


def test_marking_all(browse: Browse, ada: Person) -> None:
    ada.store_many(["One", "Two"])
    page = plain(browse, ada, "/notifications")
    ada.notify("After the page was drawn")
    page.get_by_role("main").get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_text("Marked 2 as read")).to_be_visible()
    expect(page.locator("#notiway-badge")).to_have_text("1")


def test_several_at_once_and_undo(browse: Browse, ada: Person) -> None:
    ada.store_many(["One", "Two", "Three"])
    page = plain(browse, ada, "/notifications")
    page.get_by_role("checkbox", name="Select: One").check()
    page.get_by_role("checkbox", name="Select: Two").check()
    page.get_by_role("button", name="Mark read", exact=True).click()
    expect(page.get_by_text("2 marked as read")).to_be_visible()
    expect(page.locator("#notiway-badge")).to_have_text("1")
    page.get_by_role("checkbox", name="Select: One").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(rows(page)).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(rows(page)).to_have_count(3)


def test_nothing_selected_is_said_in_words(browse: Browse, ada: Person, console: Console) -> None:
    console.expect("status of 400")
    ada.store("One")
    page = plain(browse, ada, "/notifications")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text(re.compile("select", re.IGNORECASE))
    expect(page.get_by_role("main")).not_to_contain_text("Internal")


def test_a_search_that_ended_early_goes_on_by_a_link(browse: Browse, ada: Person) -> None:
    ada.store("The oldest of all")
    ada.store_many([f"Number {n}" for n in range(21_000)])  # more than one search looks through
    page = plain(browse, ada, "/notifications?text=all+oldest")
    expect(page.get_by_text("Searched back to")).to_be_visible()
    while not rows(page).count():
        page.get_by_role("link", name="Search further").click()
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_text("Searched back to")).to_have_count(0)


def test_filters_and_paging(browse: Browse, ada: Person) -> None:
    ada.store_many([f"Number {n:02}" for n in range(25)])
    ada.store("Backup failed", type="error")
    page = plain(browse, ada, "/notifications")
    expect(rows(page)).to_have_count(20)
    page.get_by_role("link", name="Load more").click()
    expect(rows(page)).to_have_count(6)
    page.get_by_label("Type").select_option("error")
    page.get_by_role("button", name="Apply").click()
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_label("Type")).to_have_value("error")


def test_the_link_of_a_notification_marks_it_read(browse: Browse, ada: Person) -> None:
    ada.store("To the account", action_url="/account")
    page = plain(browse, ada, "/notifications")
    history(page).get_by_role("link", name="To the account").click()
    expect(page).to_have_url(f"{ada.site.url}/account")
    expect(page.locator("#notiway-badge")).to_be_hidden()


def test_what_needs_scripts_is_not_shown(browse: Browse, ada: Person) -> None:
    ada.store("One")
    page = plain(browse, ada, "/notifications")
    expect(page.get_by_label("Select all")).to_be_hidden()
    expect(page.locator(".notiway-bell__dot")).to_be_hidden()
    expect(page.get_by_role("region", name="Notifications", exact=True)).to_be_hidden()
    expect(page.get_by_text("UTC")).to_be_visible()


def test_the_page_says_that_it_was_sent(browse: Browse, ada: Person) -> None:
    page = plain(browse, ada, "/dashboard")
    page.get_by_role("button", name="Send info").click()
    expect(page.get_by_role("status").filter(has_text="Sent: ")).to_be_visible()
    expect(page).to_have_url(f"{ada.site.url}/dashboard")
    page.get_by_label("Title").fill("By hand")
    page.get_by_role("button", name="Send notification").click()
    expect(page.get_by_role("status").filter(has_text="Sent: By hand")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Sent: By hand")).to_have_count(0)
