"""Archive, snooze and undo, as people do them: by mouse, keyboard and touch, on several devices, and when refused."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, Route, expect

from browser.conftest import Browse, Console
from browser.person import Person
from browser.sights import (
    bar,
    bell,
    expect_unread,
    history,
    open_panel,
    panel,
    press,
    row,
    rows,
    toasts,
    undo,
    visit,
)

SOON_MS = 15_000
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def choose(page: Page, name: str) -> None:
    page.get_by_role("dialog", name="Snooze until").get_by_role("button", name=re.compile(name)).click()


def test_what_is_archived_leaves_both_devices_and_is_found_and_moved_back(browse: Browse, ada: Person) -> None:
    ada.store_many(["Older", "Invoice paid", "Newer"])
    here, there = visit(browse(ada)), visit(browse(ada), "/notifications")
    open_panel(here)
    press(panel(here), "Archive", "Invoice paid")
    expect(row(panel(here), "Invoice paid")).to_have_count(0)
    expect(row(history(there), "Invoice paid")).to_have_count(0)
    expect(bar(here)).to_contain_text("Archived")
    expect(panel(here)).to_be_visible()
    for page in (here, there):
        expect_unread(page, 2)
    there.get_by_role("radio", name="Archived").check()
    expect(rows(history(there))).to_have_count(1)
    press(panel(here), "Archive", "Older")
    expect(rows(history(there))).to_have_count(2)  # it joins those that are shown
    press(history(there), "Move to inbox", "Invoice paid")
    expect(rows(history(there))).to_have_count(1)
    expect(rows(panel(here))).to_have_text([re.compile("Newer"), re.compile("Invoice paid")])
    undo(there).click()
    expect(rows(history(there))).to_have_count(2)
    expect(rows(panel(here))).to_have_count(1)
    for page in (here, there):
        expect_unread(page, 1)


def test_mark_all_is_undone_exactly_on_both_devices(browse: Browse, ada: Person) -> None:
    ada.store_many(["Read before", "One", "Two"])
    here, there = visit(browse(ada), "/notifications"), visit(browse(ada))
    open_panel(there)
    press(history(here), "Mark as read", "Read before")
    here.get_by_role("main").get_by_role("button", name="Mark all as read").click()
    expect(bar(here)).to_contain_text("Marked 2 as read")
    for page in (here, there):
        expect_unread(page, 0)
    undo(here).click()
    for page in (here, there):
        expect_unread(page, 2)
    expect(row(panel(there), "Read before")).to_have_attribute("data-state", "read")
    expect(row(history(here), "One")).to_have_attribute("data-state", "unread")
    expect(bar(here)).to_be_empty()


def test_a_snooze_ends_by_itself_on_every_device_with_one_toast(browse: Browse, ada: Person) -> None:
    ada.store_many(["Older", "Call back"])
    context = browse(ada)
    here, tab, there = (
        visit(context, "/notifications"),
        visit(context),
        visit(browse(ada), "/notifications?state=snoozed"),
    )
    press(history(here), "Snooze", "Call back")
    choose(here, "Tomorrow")
    expect(bar(here)).to_contain_text(re.compile(r"Snoozed until tomorrow 9:00"))
    expect(row(history(here), "Call back")).to_have_count(0)
    # Long before the script looks at all times again, every 30 s.
    expect(row(history(there), "Call back")).to_contain_text("until tomorrow 9:00", timeout=SOON_MS)
    expect_unread(here, 1)
    (item,) = ada.look(
        "SELECT notification_id FROM notiway_inbox_item WHERE snoozed_until IS NOT NULL AND user_id = ?", ada.id
    )
    soon = time.time_ns() // 1_000_000 + 500
    ada.visitor.put(f"/notifications/{item[0]}/snooze", json={"until": soon})
    for page in (here, tab, there):
        expect_unread(page, 2)
    expect(row(history(here), "Call back")).to_be_visible()
    expect(rows(history(there))).to_have_count(0)
    expect(toasts(there)).to_contain_text("Call back")
    assert toasts(here).count() + toasts(tab).count() == 1, "one voice in a browser"


@pytest.mark.parametrize("how", ["mouse", "touch", "keyboard"])
def test_a_date_and_time_of_ones_own(browse: Browse, ada: Person, how: str) -> None:
    ada.store("Call back")
    page = visit(browse(ada, timezone_id="Asia/Kathmandu", **(PHONE if how == "touch" else {})), "/notifications")
    if how == "touch":
        page.get_by_role("button", name="Actions: Call back").tap()
        page.get_by_role("button", name="Snooze: Call back").tap()
    elif how == "mouse":
        press(history(page), "Snooze", "Call back")
    else:
        page.get_by_role("button", name="Snooze: Call back").focus()
        page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Snooze until")
    expect(dialog.get_by_role("button").first).to_be_focused()
    wanted = page.evaluate("new Date(Date.now() + 40 * 864e5).toISOString().slice(0, 10) + 'T07:45'")
    dialog.get_by_label("Date and time").fill(wanted)
    dialog.get_by_role("button", name="Snooze", exact=True).click()
    expect(bar(page)).to_contain_text("Snoozed until")
    (found,) = ada.look("SELECT snoozed_until FROM notiway_inbox_item WHERE user_id = ?", ada.id)
    assert found[0] == page.evaluate("(text) => new Date(text).getTime()", wanted)
    undo(page).click()
    expect(row(history(page), "Call back")).to_be_visible()


# The moments themselves, as modules see them, in zones and nights that are not here and now.
MOMENTS = """async ([now, url]) => {
  const { choices } = await import(url);
  return [...choices(new Date(now))].map(([name, date]) => [name, date.toString().slice(0, 21)]);
}"""


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2025-01-15T10:00", {"hour": "Wed Jan 15 2025 11:00", "evening": "Wed Jan 15 2025 18:00",
                              "tomorrow": "Thu Jan 16 2025 09:00", "monday": "Mon Jan 20 2025 09:00"}),
        ("2025-03-29T17:45", {"hour": "Sat Mar 29 2025 18:45", "tomorrow": "Sun Mar 30 2025 09:00",
                              "monday": "Mon Mar 31 2025 09:00"}),
        ("2025-10-25T23:30", {"hour": "Sun Oct 26 2025 00:30", "tomorrow": "Sun Oct 26 2025 09:00",
                              "monday": "Mon Oct 27 2025 09:00"}),
        ("2025-03-30T01:30", {"hour": "Sun Mar 30 2025 03:30", "evening": "Sun Mar 30 2025 18:00",
                              "tomorrow": "Mon Mar 31 2025 09:00"}),
        ("2025-01-13T08:00", {"hour": "Mon Jan 13 2025 09:00", "evening": "Mon Jan 13 2025 18:00",
                              "tomorrow": "Tue Jan 14 2025 09:00", "monday": "Mon Jan 20 2025 09:00"}),
    ],
    ids=["an ordinary day", "before summer time", "before winter time", "in the night that jumps", "on a Monday"],
)  # fmt: skip
def test_the_moments_are_the_readers_own_also_when_the_clocks_change(
    browse: Browse, ada: Person, now: str, expected: dict[str, str]
) -> None:
    page = visit(browse(ada, timezone_id="Europe/Berlin"))
    assert dict(page.evaluate(MOMENTS, [now, "/notiway/static/notiway/js/snooze/moments.js"])) == expected


def test_what_the_server_refuses_comes_back_with_a_message(browse: Browse, ada: Person, console: Console) -> None:
    console.expect("status of 503")
    ada.store_many(["One", "Two", "Three"])
    page = visit(browse(ada), "/notifications")
    held: list[Route] = []
    page.route(re.compile("/archive$"), lambda route: held.append(route))
    press(history(page), "Archive", "Two")
    expect(rows(history(page))).to_have_count(2)  # before there is an answer
    while not held:
        page.wait_for_timeout(20)
    held[0].fulfill(status=503, body="")
    expect(rows(history(page))).to_have_count(3)
    expect(rows(history(page)).nth(1)).to_contain_text("Two")
    expect(toasts(page)).to_contain_text("did not work")
    expect(bar(page)).to_be_empty()
    expect_unread(page, 3)


def test_the_newest_takes_the_bars_place_and_it_rests_while_it_is_looked_at(browse: Browse, ada: Person) -> None:
    ada.store_many(["One", "Two", "Three"])
    page = browse(ada).new_page()
    page.clock.install()
    visit(page, "/notifications")
    press(history(page), "Archive", "One")
    expect(bar(page)).to_contain_text("Archived")
    press(history(page), "Delete", "Two")
    expect(bar(page).get_by_role("paragraph")).to_have_text("Deleted")
    undo(page).hover()
    page.clock.run_for(20_000)
    expect(bar(page)).to_contain_text("Deleted")
    page.mouse.move(0, 0)
    page.clock.run_for(7_000)
    expect(bar(page)).to_contain_text("Deleted")
    page.clock.run_for(2_000)
    expect(bar(page)).to_be_empty()
    expect(rows(history(page))).to_have_count(1)


def test_on_a_phone_the_actions_and_the_bar_cover_nothing(browse: Browse, ada: Person) -> None:
    ada.store("Invoice paid", message="John paid $500 for invoice #123")
    page = visit(browse(ada, **PHONE))
    bell(page).tap()
    found = row(panel(page), "Invoice paid")
    found.get_by_role("button", name="Actions: Invoice paid").tap()
    boxes = [each.bounding_box() for each in found.locator(".notiway-item__actions .notiway-action:visible").all()]
    assert len(boxes) == 5
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["height"] >= 44 for box in boxes)
    message = found.locator(".notiway-item__message").bounding_box()
    assert message
    assert all(box and box["y"] >= message["y"] + message["height"] for box in boxes)
    found.get_by_role("button", name="Archive: Invoice paid").tap()
    expect(undo(page)).to_be_in_viewport()
    undo(page).tap()
    expect(panel(page)).to_be_visible()
    expect(row(panel(page), "Invoice paid")).to_be_visible()
