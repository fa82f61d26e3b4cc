"""Toasts: three at most, they wait for whoever looks at them, errors stay, and all can be closed."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect
from servers import wait_until

from browser.conftest import Browse, Console
from browser.person import Person
from browser.sights import expect_unread, hide, history, press, show, toasts, visit

LONG = 100_000  # ms: longer than any toast stays


def page_with_clock(browse: Browse, person: Person) -> Page:
    page = browse(person).new_page()
    page.clock.install()
    return visit(page, "/account")


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
    page.get_by_label("Current password").focus()
    page.clock.run_for(LONG)
    expect(toasts(page)).to_have_count(0)


def test_escape_closes_the_toast_that_has_the_focus_and_returns_it(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada), "/account")
    page.get_by_label("Current password").focus()
    arrive(page, ada, "Backup failed", "error")
    arrive(page, ada, "Disk full", "error")
    toasts(page).filter(has_text="Backup failed").get_by_role("button", name="Dismiss").focus()
    page.keyboard.press("Escape")
    expect(toasts(page)).to_have_count(1)
    expect(toasts(page).get_by_role("button", name="Dismiss")).to_be_focused()
    page.keyboard.press("Escape")
    expect(toasts(page)).to_have_count(0)
    expect(page.get_by_label("Current password")).to_be_focused()


def test_a_toast_goes_when_its_notification_is_read(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada), "/notifications")
    arrive(page, ada, "Backup failed", "error")
    press(history(page), "Mark as read", "Backup failed")
    expect(toasts(page)).to_have_count(0)


def test_a_toast_leads_to_where_the_notification_points(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada), "/account")
    arrive(page, ada, "Backup failed", "error")
    toasts(page).get_by_role("link", name="Backup failed").click()
    expect(page).to_have_url(re.compile(r"/notifications#n-[0-9a-f-]{36}$"))
    expect_unread(page, 0)


def break_line(page: Page) -> None:
    """Cut the socket; the next one brings all that was stored meanwhile, at once."""
    page.evaluate("document.querySelector('[data-notiway-socket]')._htmx.ws.connection.socket.close()")


def test_many_at_once_are_one_toast(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada), "/account")
    ada.store_many([f"Number {n}" for n in range(5)])
    break_line(page)
    expect_unread(page, 5)
    expect(toasts(page)).to_have_count(1)
    expect(toasts(page)).to_contain_text("5 new notifications")


def test_an_urgent_alert_among_many_has_a_toast_of_its_own_and_is_spoken(browse: Browse, ada: Person) -> None:
    page = page_with_clock(browse, ada)
    ada.store_many(["One", "Two"])
    ada.store("Payment gateway is DOWN", type="warning", priority="urgent")
    ada.store("Disk full", type="error")
    ada.store_many(["Three", "Four"])
    break_line(page)
    expect_unread(page, 6)
    expect(toasts(page)).to_have_count(3)
    expect(toasts(page)).to_contain_text(["Payment gateway is DOWN", "Disk full", "4 new notifications"])
    live = page.locator("[data-notiway-live]")
    for words in ("Disk full", "4 new notifications"):
        expect(live).to_contain_text(words)
    expect(toasts(page).get_by_role("alert")).to_contain_text("Payment gateway is DOWN")
    page.clock.run_for(LONG)
    expect(toasts(page)).to_have_count(2)  # what stays, stays


def test_the_toast_for_many_has_the_gravest_type_among_them(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada), "/account")
    ada.store_many(["Paid 1", "Paid 2", "Paid 3"], type="success")
    ada.store("Disk nearly full", type="warning")
    break_line(page)
    expect(toasts(page)).to_contain_text("4 new notifications")
    expect(toasts(page)).to_have_attribute("data-type", "warning")


def test_many_twice_are_added_up_in_one_toast(browse: Browse, ada: Person) -> None:
    page = page_with_clock(browse, ada)
    for burst in (1, 2):
        ada.store_many([f"Number {n}" for n in range(5)])
        break_line(page)
        expect_unread(page, burst * 5)
        expect(toasts(page)).to_contain_text(f"{burst * 5} new notifications")
        expect(toasts(page)).to_have_count(1)
    page.clock.run_for(3_000)  # what comes right behind belongs to the burst
    ada.store("Disk nearly full", type="warning")
    break_line(page)
    expect(toasts(page)).to_have_count(2)


def test_more_than_five_in_two_seconds_become_a_number_that_counts_up_in_its_place(browse: Browse, ada: Person) -> None:
    page = browse(ada).new_page()
    page.clock.install()
    visit(page, "/account")
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)

    def words() -> list[str]:
        """What the toasts say a frame of the screen later; the page's clock stands still else."""
        page.clock.run_for(20)
        return toasts(page).locator(".notiway-toast__title").all_inner_texts()

    for n in range(1, 10):
        ada.notify(f"Number {n}")
        if n <= 3:
            wait_until(lambda shown=n: len(words()) == shown)
        elif n > 5:
            wait_until(lambda number=n: words() == [f"{number} new notifications"])
    expect(toasts(page)).to_have_count(1)


def test_what_came_while_nobody_looked_is_one_quiet_line_and_what_is_grave_stands_alone(
    browse: Browse, ada: Person
) -> None:
    page = page_with_clock(browse, ada)
    hide(page)
    for n in range(1, 8):
        ada.notify(f"Number {n}")
        expect_unread(page, n)
    ada.notify("Backup failed", type="error")
    expect_unread(page, 8)
    page.clock.run_for(LONG)
    expect(toasts(page)).to_have_count(2)
    expect(toasts(page).filter(has_text="7 while you were away")).to_have_count(1)
    expect(toasts(page).filter(has_text="Backup failed")).to_have_count(1)
    show(page)
    link = toasts(page).get_by_role("link", name="7 while you were away")
    expect(link).to_have_attribute("href", "/notifications")
    page.clock.run_for(LONG)
    expect(link).to_have_count(0)  # it leaves by itself
    expect(toasts(page)).to_have_count(1)


def test_what_was_missed_in_a_long_break_is_one_quiet_line(browse: Browse, ada: Person, console: Console) -> None:
    console.expect(r"ERR_INTERNET_DISCONNECTED|WebSocket connection to .* failed|Failed to fetch")
    page = page_with_clock(browse, ada)
    page.context.set_offline(True)
    expect(page.locator(".notiway-bell")).to_have_attribute("data-connection", "offline")
    ada.store_many(["One", "Two", "Three"])
    page.clock.run_for(10_000)
    page.context.set_offline(False)
    expect_unread(page, 3)
    expect(toasts(page)).to_have_count(1)
    expect(toasts(page)).to_contain_text("3 while you were away")
    page.clock.run_for(3_000)  # what comes right behind may have been missed, too
    ada.notify("Now")
    expect(toasts(page).filter(has_text="Now")).to_be_visible()


def test_the_same_words_are_spoken_again(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada), "/account")
    live = page.locator("[data-notiway-live]")
    page.evaluate("""() => {
      window.spoken = [];
      const live = document.querySelector("[data-notiway-live]");
      new MutationObserver(() => spoken.push(live.textContent)).observe(live, { childList: true });
    }""")
    for unread in (1, 2):
        ada.notify("Build is green")
        expect_unread(page, unread)
        expect(live).to_have_text("New notification: Build is green.")
        page.wait_for_function("(n) => spoken.filter(Boolean).length === n", arg=unread)
    assert page.evaluate("spoken.filter(Boolean)") == ["New notification: Build is green."] * 2
    assert page.evaluate("spoken.indexOf('')") in (0, 1)  # emptied in between: a screen reader tells only what changed


def test_an_error_takes_the_place_of_the_oldest_ordinary_toast(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada), "/account")
    for n in range(1, 4):
        arrive(page, ada, f"Ordinary {n}")
    arrive(page, ada, "Payment failed", "error")
    expect(toasts(page)).to_contain_text(["Ordinary 2", "Ordinary 3", "Payment failed"])
    arrive(page, ada, "Disk full", "error")
    expect(toasts(page)).to_contain_text(["Ordinary 3", "Payment failed", "Disk full"])


def test_an_error_does_not_take_the_place_of_what_is_being_looked_at(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada), "/account")
    for n in range(1, 4):
        arrive(page, ada, f"Ordinary {n}")
    toasts(page).first.get_by_role("button", name="Dismiss").focus()
    arrive(page, ada, "Payment failed", "error")
    expect(toasts(page)).to_contain_text(["Ordinary 1", "Ordinary 3", "Payment failed"])
    expect(toasts(page).first.get_by_role("button", name="Dismiss")).to_be_focused()


def test_ordinary_ones_that_wait_behind_errors_are_told_with_the_gravest_type(browse: Browse, ada: Person) -> None:
    page = page_with_clock(browse, ada)
    for n in range(1, 4):
        arrive(page, ada, f"Error {n}", "error")
    for number, type in enumerate(("info", "warning", "success", "info"), 4):
        ada.notify(f"Ordinary {number}", type=type)
        expect_unread(page, number)
    page.clock.run_for(2000)
    toasts(page).filter(has_text="Error 1").get_by_role("button", name="Dismiss").click()
    expect(toasts(page).last).to_contain_text("4 new notifications")
    expect(toasts(page).last).to_have_attribute("data-type", "warning")
