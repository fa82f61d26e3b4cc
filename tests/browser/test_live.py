"""What arrives while someone reads: nothing moves under the pointer, no focus is taken, nothing is lost."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.conftest import Browse
from browser.person import Person
from browser.sights import (
    expect_unread,
    fresh,
    hide,
    history,
    open_panel,
    panel,
    row,
    rows,
    toasts,
    toasts_shown,
    visit,
    watch_toasts,
)


def test_with_the_pointer_in_the_list_new_ones_wait_behind_a_button(browse: Browse, ada: Person) -> None:
    ada.store_many([f"Old {n}" for n in range(5)])
    page = visit(browse(ada))
    dropdown = open_panel(page)
    row(dropdown, "Old 3").hover()
    before = row(dropdown, "Old 3").bounding_box()
    ada.notify("Pushed in")
    expect(fresh(dropdown)).to_have_text("1 new")
    expect(rows(dropdown).first).to_contain_text("Old 4")
    ada.notify("Pushed in too")
    expect(fresh(dropdown)).to_have_text("2 new")
    expect_unread(page, 7)
    assert row(dropdown, "Old 3").bounding_box() == before
    fresh(dropdown).click()
    expect(rows(dropdown).first).to_contain_text("Pushed in too")
    expect(rows(dropdown).nth(1)).to_contain_text("Pushed in")
    expect(fresh(dropdown)).to_be_hidden()


def test_what_waited_and_shows_by_itself_says_when_it_came_as_all_others_do(browse: Browse, ada: Person) -> None:
    ada.store("Old")
    page = visit(browse(ada))
    dropdown = open_panel(page)
    row(dropdown, "Old").hover()
    ada.notify("Pushed in")
    expect(fresh(dropdown)).to_have_text("1 new")
    page.mouse.move(1, 1)
    page.evaluate("document.dispatchEvent(new CustomEvent('notiway:frame'))")  # as at the end of a request
    expect(row(dropdown, "Pushed in")).to_be_visible()
    assert row(dropdown, "Pushed in").locator("time").inner_text() == "now"  # from the beginning, not at the next tick


def test_with_the_focus_in_the_list_new_ones_wait_and_the_focus_stays(browse: Browse, ada: Person) -> None:
    ada.store_many(["Older", "Newer"])
    page = visit(browse(ada))
    dropdown = open_panel(page)
    link = dropdown.get_by_role("link", name="Older")
    link.focus()
    ada.notify("Meanwhile")
    expect(fresh(dropdown)).to_have_text("1 new")
    expect(link).to_be_focused()
    fresh(dropdown).press("Enter")
    expect(dropdown.get_by_role("link", name="Meanwhile")).to_be_focused()


def test_a_scrolled_list_stays_where_it_is(browse: Browse, ada: Person) -> None:
    ada.store_many([f"Old {n:02}" for n in range(20)])
    page = visit(browse(ada))
    dropdown = open_panel(page)
    scroller = panel(page).locator("[data-notiway-scroll]")
    scroller.evaluate("(body) => body.scrollTo(0, 200)")
    ada.notify("Above")
    expect(fresh(dropdown)).to_have_text("1 new")
    assert scroller.evaluate("(body) => body.scrollTop") == 200


def test_typing_elsewhere_is_not_disturbed(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    title = page.get_by_label("Title")
    title.press_sequentially("Half a sen")
    ada.notify("Interrupting")
    expect(toasts(page)).to_have_count(1)
    expect(title).to_be_focused()
    title.press_sequentially("tence")
    expect(title).to_have_value("Half a sentence")


def test_what_waits_shows_when_the_dropdown_is_opened_again(browse: Browse, ada: Person) -> None:
    ada.store("Old")
    page = visit(browse(ada))
    dropdown = open_panel(page)
    row(dropdown, "Old").hover()
    ada.notify("Waiting")
    expect(fresh(dropdown)).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    open_panel(page)
    expect(rows(panel(page)).first).to_contain_text("Waiting")
    expect(fresh(panel(page))).to_be_hidden()


def test_mark_all_leaves_those_that_were_not_shown_yet_unread(browse: Browse, ada: Person) -> None:
    ada.store("Old")
    page = visit(browse(ada))
    dropdown = open_panel(page)
    row(dropdown, "Old").hover()
    ada.notify("Not shown")
    expect(fresh(dropdown)).to_have_text("1 new")
    dropdown.get_by_role("button", name="Mark all as read").click()
    expect(row(dropdown, "Old")).to_have_attribute("data-state", "read")
    expect_unread(page, 1)


def test_the_history_page_lists_arrivals_on_top_and_only_those_that_its_filters_let_in(
    browse: Browse, ada: Person
) -> None:
    ada.store("Old error", type="error")
    page = visit(browse(ada), "/notifications?type=error")
    ada.notify("An info")
    expect_unread(page, 2)
    ada.notify("A new error", type="error")
    expect(rows(history(page))).to_have_count(2)
    expect(rows(history(page)).first).to_contain_text("A new error")


def test_the_first_arrival_replaces_the_empty_state(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada), "/notifications")
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    ada.notify("The first")
    expect(row(history(page), "The first")).to_be_visible()
    expect(page.get_by_text("Nothing here yet")).to_be_hidden()


def test_arrivals_are_announced_politely(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    ada.notify("Invoice paid", "John paid $500.")
    live = page.locator("[data-notiway-live]")
    expect(live).to_have_text("New notification: Invoice paid. John paid $500.")
    expect(live).to_have_attribute("aria-live", "polite")


def test_of_two_tabs_one_shows_the_toast_and_both_the_badge(browse: Browse, ada: Person) -> None:
    context = browse(ada)
    tabs = [context.new_page() for _ in range(2)]
    for tab in tabs:
        tab.clock.install()
        visit(tab)
        watch_toasts(tab)
    for n in range(1, 4):
        ada.notify(f"Number {n}")
        for tab in tabs:
            expect_unread(tab, n)
        for tab in tabs:
            tab.clock.run_for(1000)  # past the longest time that any tab waits before it asks
        for tab in tabs:
            tab.evaluate("navigator.locks.request('turn', () => {})")  # locks are given in turn: all were decided
        assert sum(map(toasts_shown, tabs)) == n


def test_the_tab_that_is_looked_at_shows_the_toast(browse: Browse, ada: Person) -> None:
    context = browse(ada)
    behind, front = visit(context), visit(context)
    hide(behind)
    watch_toasts(behind)
    for n in range(3):
        ada.notify(f"Number {n}")
        expect(toasts(front)).to_have_count(n + 1)
    expect_unread(behind, 3)
    assert toasts_shown(behind) == 0


def test_a_hidden_tab_alone_keeps_its_toast_until_it_is_looked_at(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    page.clock.install()
    hide(page)
    ada.notify("Kept")
    expect_unread(page, 1)
    expect(toasts(page)).to_have_count(1)
    page.clock.run_for(100_000)
    expect(toasts(page)).to_have_count(1)


def test_what_a_page_does_by_itself_says_that_no_person_asked_for_it(browse: Browse, ada: Person) -> None:
    """Else a page that nobody touches would prolong its login session."""
    ada.store("Unseen")
    page = visit(browse(ada), "/notifications")
    open_panel(page)
    sent: list[tuple[str, str | None]] = []
    page.on(
        "request",
        lambda request: sent.append((request.url.rpartition("/")[2], request.headers.get("x-notiway-background"))),
    )
    with page.expect_request("**/notifications/seen"):
        ada.notify("While it lies open")
    with page.expect_request("**/notifications/seen"):
        page.evaluate("document.querySelector('#notiway-recent').dispatchEvent(new Event('notiway:load'))")
        ada.store("For the list")
        page.evaluate("document.querySelector('#notiway-recent').dispatchEvent(new Event('notiway:load'))")
    seen = [background for name, background in sent if name == "seen"]
    assert len(seen) >= 2
    assert set(seen) == {"1"}
