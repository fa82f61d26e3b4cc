"""The history page: filters, paging, several at once, and the link that reads."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from browser.conftest import Browse
from browser.person import Person
from browser.sights import expect_live, expect_unread, history, press, row, rows, undo, visit


def tick(page: Page, *titles: str) -> None:
    for title in titles:
        history(page).get_by_role("checkbox", name=f"Select: {title}", exact=True).check()


def tools(page: Page) -> Locator:
    return page.get_by_role("group", name="With the selected notifications")


def test_filters_narrow_the_list_and_the_address_keeps_them(browse: Browse, ada: Person) -> None:
    ada.store_many(["Invoice 1", "Invoice 2"], type="success")
    ada.store("Backup failed", type="error", source="backup")
    ada.visitor.put(f"/notifications/{ada.store('Invoice 3', type='success')}/read")
    page = visit(browse(ada), "/notifications")
    expect(rows(history(page))).to_have_count(4)
    page.get_by_role("radio", name="Unread").check(force=True)
    expect(rows(history(page))).to_have_count(3)
    page.get_by_label("Type").select_option("success")
    expect(rows(history(page))).to_have_count(2)
    page.get_by_role("searchbox", name="Search").fill("voice 2")
    expect(rows(history(page))).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?text=voice(\+|%20)2&state=unread&type=success$"))
    page.reload()
    expect(rows(history(page))).to_have_count(1)
    expect(page.get_by_label("Type")).to_have_value("success")
    page.get_by_role("searchbox", name="Search").fill("nothing like it")
    expect(page.locator(".notiway-empty__title", has_text="Nothing matches")).to_be_visible()
    page.get_by_role("link", name="Show all notifications").click()
    expect_live(page)
    expect(rows(history(page))).to_have_count(4)
    page.get_by_label("Source").select_option("backup")
    expect(rows(history(page))).to_have_count(1)


def test_a_search_in_a_large_inbox_goes_on_where_it_ended_and_lets_in_what_arrives(browse: Browse, ada: Person) -> None:
    ada.store("The oldest Ärger of all")
    ada.store_many([f"Number {n}" for n in range(12_000)])  # more than one search has time for
    page = visit(browse(ada), "/notifications?text=%C3%A4rger+oldest")
    further = page.get_by_role("link", name="Search further")
    expect(page.get_by_text("Searched back to")).to_be_visible()
    expect(page.locator(".notiway-empty__title", has_text="Nothing matches")).to_be_hidden()
    ada.notify("Neither here nor there")
    ada.notify("Not the oldest", "but the newest ARGER")
    expect(rows(history(page))).to_have_count(1)
    found = row(history(page), "The oldest Ärger of all")
    while not found.count():
        reached = further.get_attribute("data-notiway-more")
        further.click()
        expect(page.locator(f'[data-notiway-more="{reached}"]')).to_have_count(0)
    expect(rows(history(page))).to_have_count(2)
    expect(rows(history(page)).last).to_contain_text("The oldest")
    expect(further).to_have_count(0)


def test_going_back_undoes_a_filter(browse: Browse, ada: Person) -> None:
    ada.store("An info")
    ada.store("An error", type="error")
    page = visit(browse(ada), "/notifications")
    page.get_by_label("Type").select_option("error")
    expect(rows(history(page))).to_have_count(1)
    page.go_back()
    expect_live(page)
    expect(rows(history(page))).to_have_count(2)
    expect(page.get_by_label("Type")).to_have_value("")


def test_load_more_goes_on_where_the_list_ends_also_when_something_arrived(browse: Browse, ada: Person) -> None:
    ada.store_many([f"Number {n:02}" for n in range(45)])
    page = visit(browse(ada), "/notifications")
    expect(rows(history(page))).to_have_count(20)
    ada.notify("Arrived")
    expect(rows(history(page))).to_have_count(21)
    more = page.get_by_role("link", name="Load more")
    more.click()
    expect(rows(history(page))).to_have_count(41)
    more.click()
    expect(rows(history(page))).to_have_count(46)
    expect(more).to_have_count(0)
    shown = history(page).locator(".notiway-item__title").all_inner_texts()
    assert [text[-9:] for text in shown[1:]] == [f"Number {n:02}" for n in reversed(range(45))]


def test_several_are_marked_deleted_and_brought_back(browse: Browse, ada: Person) -> None:
    ada.store_many(["One", "Two", "Three", "Four"])
    page, there = visit(browse(ada), "/notifications"), visit(browse(ada), "/notifications")
    expect(tools(page)).to_be_hidden()
    tick(page, "Two", "Three")
    expect(page.get_by_text("2 selected")).to_be_visible()
    tools(page).get_by_role("button", name="Mark read").click()
    expect(page.get_by_text("2 marked as read")).to_be_visible()
    for place in (page, there):
        expect_unread(place, 2)
        expect(row(history(place), "Two")).to_have_attribute("data-state", "read")
        expect(row(history(place), "One")).to_have_attribute("data-state", "unread")
    tick(page, "Two")
    tools(page).get_by_role("button", name="Mark unread").click()
    expect_unread(there, 3)
    tick(page, "One")
    page.get_by_label("Select all").check()
    tools(page).get_by_role("button", name="Delete").click()
    expect(page.get_by_text("4 deleted")).to_be_visible()
    for place in (page, there):
        expect_unread(place, 0)
        expect(rows(history(place))).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    for place in (page, there):
        expect_unread(place, 3)
        expect(rows(history(place))).to_have_count(4)
        expect(rows(history(place)).first).to_contain_text("Four")


def test_all_that_match_are_selected_deleted_and_brought_back(browse: Browse, ada: Person) -> None:
    ada.store_many([f"Alarm {n}" for n in range(45)], type="error")
    ada.store_many([f"Note {n}" for n in range(3)])
    page, there = visit(browse(ada), "/notifications?type=error"), visit(browse(ada))
    all_that_match = tools(page).get_by_role("button", name="Select all that match")
    tick(page, "Alarm 44")
    expect(all_that_match).to_be_hidden()
    page.get_by_label("Select all", exact=True).check()
    expect(page.get_by_text("20 selected")).to_be_visible()
    all_that_match.click()
    expect(page.get_by_text("All 45 selected")).to_be_visible()
    expect(all_that_match).to_be_hidden()
    history(page).get_by_role("checkbox", name="Select: Alarm 44", exact=True).uncheck()
    expect(page.get_by_text("19 selected")).to_be_visible()
    page.get_by_label("Select all", exact=True).check()
    all_that_match.click()
    ada.notify("One more alarm", type="error")
    expect_unread(page, 49)
    tools(page).get_by_role("button", name="Delete").click()
    expect(page.get_by_text("45 deleted")).to_be_visible()
    for place in (page, there):
        expect_unread(place, 4)  # what came behind the choice stays
    expect(rows(history(page))).to_have_count(1)
    undo(page).click()
    for place in (page, there):
        expect_unread(place, 49)


def test_a_tick_keeps_the_list_still(browse: Browse, ada: Person) -> None:
    ada.store_many(["One", "Two"])
    page = visit(browse(ada), "/notifications")
    tick(page, "One")
    page.mouse.move(0, 0)
    ada.notify("Three")
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    expect(rows(history(page))).to_have_count(2)
    expect(page.get_by_text("1 selected")).to_be_visible()


def test_delete_and_undo_of_one(browse: Browse, ada: Person) -> None:
    ada.store_many(["One", "Two"])
    page = visit(browse(ada), "/notifications")
    press(history(page), "Delete", "Two")
    expect_unread(page, 1)
    undo(page).click()
    expect_unread(page, 2)
    expect(rows(history(page)).first.get_by_role("link", name="Two")).to_be_visible()


def test_mark_all_on_the_history_page(browse: Browse, ada: Person) -> None:
    ada.store_many([f"Number {n}" for n in range(3)])
    page = visit(browse(ada), "/notifications")
    page.get_by_role("main").get_by_role("button", name="Mark all as read").click()
    expect_unread(page, 0)
    for n in range(3):
        expect(row(history(page), f"Number {n}")).to_have_attribute("data-state", "read")


def test_mark_all_of_a_filtered_list_marks_what_it_shows_on_every_device(browse: Browse, ada: Person) -> None:
    ada.store("Older info")
    ada.store_many(["First error", "Second error"], type="error")
    ada.store("Newer info")
    page, other = visit(browse(ada), "/notifications"), visit(browse(ada), "/notifications")
    button = page.get_by_role("main").get_by_role("button", name="Mark all as read")
    page.get_by_label("Type").select_option("error")
    expect(rows(history(page))).to_have_count(2)
    button.click()
    expect_unread(page, 2)
    expect_unread(other, 2)
    for title, state in (("Newer info", "unread"), ("Second error", "read"), ("Older info", "unread")):
        expect(row(history(other), title)).to_have_attribute("data-state", state)
    page.get_by_label("Type").select_option("")
    expect(rows(history(page))).to_have_count(4)
    button.click()
    expect_unread(other, 0)


def test_the_link_marks_read_and_goes_where_it_points(browse: Browse, ada: Person) -> None:
    ada.store("Look at your account", action_url="/account")
    item_id = ada.store("Nowhere to go")
    page, there = visit(browse(ada), "/notifications"), visit(browse(ada))
    expect_unread(there, 2)
    history(page).get_by_role("link", name="Look at your account").click()
    expect(page).to_have_url(f"{ada.site.url}/account")
    expect_unread(there, 1)
    visit(page, "/notifications")
    history(page).get_by_role("link", name="Nowhere to go").click()
    expect(page).to_have_url(f"{ada.site.url}/notifications#n-{item_id}")
    expect(history(page).get_by_role("link", name="Nowhere to go")).to_be_focused()
    expect_unread(there, 0)


def test_an_empty_history_offers_nothing_to_mark_until_something_comes(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada, viewport={"width": 320, "height": 640}), "/notifications")
    everything = page.get_by_role("main").get_by_role("button", name=re.compile("^Mark"))
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    expect(everything).to_have_count(0)
    ada.notify("First", type="warning")
    expect(everything.filter(has_text="Mark all as read")).to_be_visible()
    expect(row(history(page), "First").locator(".notiway-item__icon")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
