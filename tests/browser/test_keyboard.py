"""With the keyboard alone: to the bell, into the list, through it, and out again."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.conftest import Browse
from browser.person import Person
from browser.sights import bar, bell, expect_unread, fresh, history, open_panel, panel, row, rows, toasts, undo, visit

MANY = 40  # more presses than any page here should need


def tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    for _ in range(MANY):
        page.keyboard.press(key)
        if target.evaluate("(element) => element === document.activeElement"):
            return
    pytest.fail(f"{key} does not lead to {target}")


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_bell_opens_by_key_and_escape_closes_it_and_gives_the_focus_back(
    browse: Browse, ada: Person, key: str
) -> None:
    ada.store("Invoice paid")
    page = visit(browse(ada))
    tab_to(page, bell(page))
    expect(bell(page)).to_have_attribute("aria-expanded", "false")
    page.keyboard.press(key)
    expect(panel(page)).to_be_visible()
    expect(bell(page)).to_have_attribute("aria-expanded", "true")
    expect(bell(page)).to_have_attribute("aria-controls", panel(page).get_attribute("id") or "")
    expect(row(panel(page), "Invoice paid")).to_be_visible()
    tab_to(page, panel(page).get_by_role("link", name="Invoice paid"))
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(bell(page)).to_be_focused()
    expect(bell(page)).to_have_attribute("aria-expanded", "false")
    page.keyboard.press(key)
    page.keyboard.press(key)
    expect(panel(page)).to_be_hidden()


def test_all_that_the_mouse_can_do_in_the_list_the_keyboard_can(browse: Browse, ada: Person) -> None:
    ada.store_many(["Older", "Newer"])
    page = visit(browse(ada))
    bell(page).focus()
    page.keyboard.press("Enter")
    dropdown = panel(page)
    expect(rows(dropdown)).to_have_count(2)
    tab_to(page, dropdown.get_by_role("button", name="Mark as read: Newer"))
    page.keyboard.press("Enter")
    expect_unread(page, 1)
    expect(dropdown.get_by_role("button", name="Mark as unread: Newer")).to_be_focused()
    page.keyboard.press("Space")
    expect_unread(page, 2)
    expect(dropdown.get_by_role("button", name="Mark as read: Newer")).to_be_focused()
    tab_to(page, dropdown.get_by_role("button", name="Delete: Newer"))
    page.keyboard.press("Enter")
    expect(row(dropdown, "Older").locator(":focus")).to_have_count(1)
    expect(bar(page)).to_contain_text("Deleted")
    page.keyboard.press("Control+z")
    expect_unread(page, 2)
    expect(rows(dropdown)).to_have_count(2)
    expect(bar(page)).to_be_empty()
    tab_to(page, dropdown.get_by_role("button", name="Archive: Older"))
    page.keyboard.press("Enter")
    expect(bar(page)).to_contain_text("Archived")
    tab_to(page, undo(page))
    page.keyboard.press("Enter")
    expect_unread(page, 2)
    expect(page.locator(":focus")).to_have_count(1)
    row(dropdown, "Newer").get_by_role("link").focus()
    tab_to(page, dropdown.get_by_role("button", name="Mark all as read"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect_unread(page, 0)


def test_arrow_keys_go_from_notification_to_notification(browse: Browse, ada: Person) -> None:
    ada.store_many(["Third", "Second", "First"])
    page = visit(browse(ada))
    bell(page).focus()
    page.keyboard.press("Enter")
    expect(rows(panel(page))).to_have_count(3)
    links = [panel(page).get_by_role("link", name=name) for name in ("First", "Second", "Third")]
    page.keyboard.press("ArrowDown")
    expect(links[0]).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(links[1]).to_be_focused()
    page.keyboard.press("End")
    expect(links[2]).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(links[1]).to_be_focused()
    page.keyboard.press("Home")
    expect(links[0]).to_be_focused()


def test_tabbing_on_from_the_last_thing_closes_the_panel(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    open_panel(page).get_by_role("link", name="View all notifications").focus()
    tab_to(page, page.get_by_role("link", name="Ada"))
    expect(panel(page)).to_be_hidden()
    expect(bell(page)).to_have_attribute("aria-expanded", "false")


def test_the_button_for_new_ones_is_reached_and_leads_to_them(browse: Browse, ada: Person) -> None:
    ada.store("Old")
    page = visit(browse(ada), "/notifications")
    history(page).get_by_role("link", name="Old").focus()
    ada.notify("New")
    button = fresh(page.get_by_role("main"))
    expect(button).to_have_text("1 new")
    tab_to(page, button, "Shift+Tab")
    page.keyboard.press("Enter")
    expect(history(page).get_by_role("link", name="New")).to_be_focused()


def test_the_skip_link_passes_the_bar(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("navigation", name="Demos").get_by_role("link", name="Send")).to_be_focused()


def test_a_toast_is_reached_by_tab_and_closed(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    ada.notify("Backup failed", type="error")
    expect(toasts(page)).to_have_count(1)
    tab_to(page, toasts(page).get_by_role("button", name="Dismiss"))
    page.keyboard.press("Enter")
    expect(toasts(page)).to_have_count(0)


def test_the_bell_a_toast_and_the_history_by_keyboard_alone(browse: Browse, ada: Person) -> None:
    ada.store_many(["Third", "Second", "First"])
    page = visit(browse(ada), "/notifications")
    page.keyboard.press("j")
    expect(history(page).get_by_role("link", name="First")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("u")
    expect(row(history(page), "Second")).to_have_attribute("data-state", "read")
    expect_unread(page, 2)
    page.keyboard.press("u")
    expect(row(history(page), "Second")).to_have_attribute("data-state", "unread")
    page.keyboard.press("x")
    expect(row(history(page), "Second").get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("x")
    page.keyboard.press("k")
    expect(row(history(page), "First").locator(":focus")).to_have_count(1)
    page.keyboard.press("/")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("j?u")
    expect(search).to_have_value("j?u")  # keys are letters while somebody types
    expect(history(page).locator("[data-notiway-id]")).to_have_count(0)
    search.fill("")
    expect(rows(history(page))).to_have_count(3)
    bell(page).focus()
    page.keyboard.press("Enter")
    expect(rows(panel(page))).to_have_count(3)
    page.keyboard.press("j")
    expect(panel(page).get_by_role("link", name="First")).to_be_focused()
    page.keyboard.press("u")
    expect_unread(page, 2)
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    ada.notify("Backup failed", type="error")
    expect(toasts(page)).to_have_count(1)
    bell(page).focus()
    tab_to(page, toasts(page).get_by_role("button", name="Dismiss"))
    page.keyboard.press("Escape")
    expect(toasts(page)).to_have_count(0)


def test_a_sheet_tells_the_keys_and_they_can_be_turned_off(browse: Browse, ada: Person) -> None:
    ada.store_many(["Second", "First"])
    page = visit(browse(ada), "/notifications")
    page.keyboard.press("j")
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_be_visible()
    expect(sheet).to_contain_text("Mark as read or unread")
    expect(sheet.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("k")  # the list behind it hears nothing
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(history(page).get_by_role("link", name="First")).to_be_focused()
    page.keyboard.press("Control+j")
    expect(history(page).get_by_role("link", name="First")).to_be_focused()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(sheet).to_be_visible()
    sheet.get_by_role("button", name="Close").click()
    page.evaluate("document.documentElement.dataset.notiwayShortcuts = 'off'")
    history(page).get_by_role("link", name="First").focus()
    for key in ("j", "?"):
        page.keyboard.press(key)
    expect(history(page).get_by_role("link", name="First")).to_be_focused()
    expect(sheet).to_be_hidden()
    expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_hidden()


def test_the_history_says_which_of_how_many_and_is_passed_with_the_page_keys(browse: Browse, ada: Person) -> None:
    ada.store_many([f"Number {n:02}" for n in range(25)])
    page = visit(browse(ada), "/notifications")
    first, second = rows(history(page)).nth(0), rows(history(page)).nth(1)
    expect(first).to_have_attribute("aria-posinset", "1")
    expect(first).to_have_attribute("aria-setsize", "-1")
    page.keyboard.press("j")
    page.keyboard.press("PageDown")
    expect(second.locator(":focus")).to_have_count(1)
    page.keyboard.press("PageUp")
    expect(first.locator(":focus")).to_have_count(1)
    page.get_by_role("link", name="Load more").click()
    expect(rows(history(page))).to_have_count(25)
    expect(first).to_have_attribute("aria-setsize", "25")


def test_a_key_archives_and_one_leads_on(browse: Browse, ada: Person) -> None:
    ada.store_many(["Third", "Second", "First"])
    page = visit(browse(ada), "/notifications")
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(row(history(page), "First")).to_have_count(0)
    expect(rows(history(page))).to_have_count(2)
