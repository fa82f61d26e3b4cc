"""The bell: badge, dropdown and what is done in it, in every browser of one user and in none of another's."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect
from servers import wait_until

from browser.conftest import Browse, Console
from browser.person import Person
from browser.sights import bell, expect_unread, history, open_panel, panel, press, row, rows, toasts, undo, visit


def test_a_press_on_send_rings_in_both_browsers_of_the_user_and_at_nobody_elses(
    browse: Browse, ada: Person, bob: Person
) -> None:
    here, there, elsewhere = visit(browse(ada)), visit(browse(ada)), visit(browse(bob))
    here.get_by_role("button", name="Send success").click()
    for page in (here, there):
        expect_unread(page, 1)
        expect(toasts(page)).to_have_count(1)  # a toast in each browser: they share no screen
        expect(toasts(page)).to_contain_text("Invoice paid")
    expect(here.get_by_role("status").filter(has_text="Sent: Invoice paid")).to_be_visible()
    # Bob's own notification comes after Ada's would have: his line was open all the while.
    bob.notify("For Bob")
    expect_unread(elsewhere, 1)
    expect(toasts(elsewhere)).to_have_count(1)
    open_panel(elsewhere)
    expect(panel(elsewhere).get_by_text("Invoice paid")).to_have_count(0)


def test_the_badge_stops_at_99_plus_in_badge_title_and_name(browse: Browse, ada: Person) -> None:
    ada.store_many([f"Number {n}" for n in range(98)])
    page = visit(browse(ada))
    expect_unread(page, 98)
    ada.notify("Ninety-nine")
    expect_unread(page, 99)
    ada.notify("A hundred")
    expect_unread(page, "99+")
    page.reload()
    expect_unread(page, "99+")


def test_the_dropdown_shows_the_newest_20_marks_the_unread_and_notes_them_as_seen(browse: Browse, ada: Person) -> None:
    ada.store_many([f"Old {n}" for n in range(5)])
    ids = ada.store_many([f"New {n:02}" for n in range(20)])
    ada.visitor.put(f"/notifications/{ids[-1]}/read")
    page = visit(browse(ada))
    dropdown = open_panel(page)
    expect(rows(dropdown)).to_have_count(20)
    expect(rows(dropdown).first).to_contain_text("New 19")
    expect(rows(dropdown).last).to_contain_text("New 00")
    expect(row(dropdown, "New 19").get_by_text("Unread,")).to_be_hidden()
    expect(row(dropdown, "New 18").get_by_role("link", name="Unread, info: New 18")).to_be_visible()
    expect_unread(page, 24)  # seen is not read
    unseen = "SELECT count(*) FROM notiway_inbox_item WHERE user_id = ? AND seen_at IS NULL"
    wait_until(lambda: ada.look(unseen, ada.id) == [(5,)])


def test_times_are_relative_with_the_absolute_one_in_the_title(browse: Browse, ada: Person) -> None:
    for title, minutes in (("Long ago", 40 * 24 * 60), ("A day ago", 24 * 60), ("Lately", 3)):
        ada.store(title, age_ms=minutes * 60_000)
    page = visit(browse(ada, locale="en-GB", timezone_id="Europe/Berlin"))
    shown = open_panel(page)
    time = row(shown, "Lately").locator("time")
    expect(time).to_have_text(re.compile(r"^[345]\s?m ago$"))
    expect(row(shown, "A day ago").locator("time")).to_have_text(re.compile(r"^\d{1,2}:\d\d( [AP]M)?$"))
    expect(row(shown, "Long ago").locator("time")).to_have_text(
        re.compile(r"^(\d{1,2} [A-Z][a-z]+|[A-Z][a-z]+ \d{1,2})")
    )
    expect(shown.locator("[data-notiway-day]")).to_have_text(["Today", "Yesterday", "Earlier"])
    assert "202" in (time.get_attribute("title") or "")


def test_an_empty_dropdown_says_so_and_links_to_the_history(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    dropdown = open_panel(page)
    expect(dropdown.get_by_text("all caught up")).to_be_visible()
    dropdown.get_by_role("link", name="View all notifications").click()
    expect(page.get_by_role("heading", name="Notifications", level=1)).to_be_visible()


def test_a_list_that_cannot_be_loaded_says_so_and_tries_again(browse: Browse, ada: Person, console: Console) -> None:
    console.expect(r"net::ERR_FAILED|ERR_CONNECTION|Failed to fetch")
    page = visit(browse(ada))
    ada.notify("Here all along")
    expect_unread(page, 1)
    page.route("**/notifications/recent", lambda route: route.abort())
    bell(page).click()
    expect(panel(page).get_by_text("Your notifications could not be loaded")).to_be_visible()
    page.unroute("**/notifications/recent")
    panel(page).get_by_role("button", name="Try again").click()
    expect(row(panel(page), "Here all along")).to_be_visible()


def test_marked_read_here_is_read_there_and_unread_again(browse: Browse, ada: Person) -> None:
    ada.store("Invoice paid")
    here, there = visit(browse(ada)), visit(browse(ada), "/notifications")
    open_panel(here)
    open_panel(there)
    press(panel(here), "Mark as read", "Invoice paid")
    for page in (here, there):
        expect_unread(page, 0)
        expect(row(panel(page), "Invoice paid")).to_have_attribute("data-state", "read")
    expect(row(history(there), "Invoice paid")).to_have_attribute("data-state", "read")
    press(panel(here), "Mark as unread", "Invoice paid")
    for page in (here, there):
        expect_unread(page, 1)
        expect(row(panel(page), "Invoice paid")).to_have_attribute("data-state", "unread")
    expect(row(history(there), "Invoice paid")).to_have_attribute("data-state", "unread")


def test_delete_and_undo_are_followed_by_the_other_browser(browse: Browse, ada: Person) -> None:
    ada.store_many(["Older", "Invoice paid", "Newer"])
    here, there = visit(browse(ada)), visit(browse(ada))
    open_panel(here)
    open_panel(there)
    press(panel(here), "Delete", "Invoice paid")
    expect(undo(here)).to_be_visible()
    expect(row(panel(there), "Invoice paid")).to_have_count(0)
    for page in (here, there):
        expect_unread(page, 2)
    undo(here).click()
    for page in (here, there):
        expect_unread(page, 3)
        expect(row(panel(page), "Invoice paid").get_by_role("link")).to_be_visible()
    # Moving the pointer away lets what waited in; the order is as it was.
    there.mouse.move(0, 0)
    expect(rows(panel(here)).nth(1)).to_contain_text("Invoice paid")
    expect(rows(panel(there)).nth(1)).to_contain_text("Invoice paid")


def test_one_that_arrives_while_all_are_marked_read_stays_unread(browse: Browse, ada: Person) -> None:
    ada.store_many(["First", "Second"])
    here, there = visit(browse(ada)), visit(browse(ada))
    dropdown = open_panel(here)
    held: list[Route] = []
    here.route("**/notifications/read-all", lambda route: held.append(route))
    with here.expect_request("**/notifications/read-all"):
        dropdown.get_by_role("button", name="Mark all as read").click()
    ada.notify("Meanwhile")
    expect_unread(here, 3)
    held[0].continue_()
    for page in (here, there):
        expect_unread(page, 1)
    expect(row(dropdown, "First")).to_have_attribute("data-state", "read")
    expect(row(dropdown, "Second")).to_have_attribute("data-state", "read")
    here.reload()
    expect(row(open_panel(here), "Meanwhile")).to_have_attribute("data-state", "unread")
    expect_unread(here, 1)


def test_new_ones_arrive_in_an_open_dropdown_without_a_reload(browse: Browse, ada: Person) -> None:
    ada.store("Before")
    page = visit(browse(ada))
    dropdown = open_panel(page)
    ada.notify("After")
    expect(rows(dropdown).first).to_contain_text("After")
    expect(bell(page)).to_have_attribute("aria-expanded", "true")


def test_the_dropdown_keeps_20_rows_however_many_arrive(browse: Browse, ada: Person) -> None:
    ada.store_many([f"Old {n:02}" for n in range(20)])
    page = visit(browse(ada))
    dropdown = open_panel(page)
    for n in range(3):
        ada.notify(f"Fresh {n}")
        expect(rows(dropdown).first).to_contain_text(f"Fresh {n}")
    expect(rows(dropdown)).to_have_count(20)
    expect(rows(dropdown).last).to_contain_text("Old 03")
