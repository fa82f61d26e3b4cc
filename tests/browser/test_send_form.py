"""The dashboard's form: counters that count as people do, faults that are named, the answer in place."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.conftest import Browse, Console
from browser.person import Person
from browser.sights import expect_unread, open_panel, row, toasts, visit


def test_every_sample_button_sends_its_type(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    for count, kind in enumerate(("info", "success", "warning", "error"), 1):
        page.get_by_role("button", name=f"Send {kind}").click()
        expect_unread(page, count)
    dropdown = open_panel(page)
    for kind in ("info", "success", "warning", "error"):
        expect(dropdown.locator(f"[data-notiway-id][data-type={kind}]")).to_have_count(1)


def test_the_counters_count_characters_to_50_and_200(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    title, message = page.get_by_label("Title"), page.get_by_label("Message")
    counters = page.locator("#send-title-count"), page.locator("#send-message-count")
    expect(counters[0]).to_have_text("0 / 50")
    expect(counters[1]).to_have_text("0 / 200")
    title.fill("a" * 49 + "🎉")
    expect(counters[0]).to_have_text("50 / 50")
    expect(counters[0]).not_to_have_attribute("data-over", "")
    title.fill("a" * 51)
    expect(counters[0]).to_have_text("51 / 50")
    expect(counters[0]).to_have_attribute("data-over", "")
    message.fill("b" * 201)
    expect(counters[1]).to_have_text("201 / 200")
    expect(counters[1]).to_have_attribute("data-over", "")


def test_without_a_server_every_form_says_so_and_keeps_what_was_typed(
    browse: Browse, ada: Person, console: Console
) -> None:
    console.expect("ERR_FAILED|Failed to load resource|Failed to fetch|htmx:error")
    page = visit(browse(ada))
    page.route("**/*", lambda route: route.abort())
    page.get_by_label("Title").fill("Kept")
    for demo, name in (
        ("Send", "Send info: Maintenance on Sunday"),
        ("Send", "Send notification"),
        ("Service", "Publish order-shipped"),
        ("Announcement", "Announce"),
    ):
        page.get_by_role("navigation", name="Demos").get_by_role("link", name=demo).click()
        page.get_by_role("button", name=name, exact=True).click()
        expect(toasts(page)).to_have_count(1)
        expect(toasts(page)).to_contain_text("The server could not be reached. Try again.")
        toasts(page).get_by_role("button").click()
        expect(toasts(page)).to_have_count(0)
    expect(page.get_by_label("Title")).to_have_value("Kept")


def test_the_form_sends_and_is_empty_again(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    page.get_by_label("Warning", exact=True).check()
    page.get_by_label("Title").fill("Written by hand")
    page.get_by_label("Message").fill("With a message.")
    page.get_by_role("button", name="Send notification").click()
    expect(page.get_by_text("Sent: Written by hand")).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value("")
    expect(page.locator("#send-title-count")).to_have_text("0 / 50")
    expect(toasts(page)).to_contain_text("With a message.")
    expect_unread(page, 1)
    expect(row(open_panel(page), "Written by hand")).to_have_attribute("data-type", "warning")


def test_a_fault_is_named_at_its_field_and_nothing_typed_is_lost(browse: Browse, ada: Person, console: Console) -> None:
    console.expect("status of 422")
    page = visit(browse(ada))
    page.get_by_label("Message").fill("A message without a title")
    page.get_by_role("button", name="Send notification").click()
    title = page.get_by_label("Title")
    expect(title).to_have_attribute("aria-invalid", "true")
    expect(title).to_have_accessible_description("Best under 50 characters; at most 200. Must not be empty")
    expect(title).to_be_focused()
    expect(page.get_by_label("Message")).to_have_value("A message without a title")
    expect_unread(page, 0)
    title.fill("Now with one")
    page.get_by_role("button", name="Send notification").click()
    expect_unread(page, 1)


def test_a_fault_goes_when_its_field_is_changed(browse: Browse, ada: Person, console: Console) -> None:
    console.expect("status of 422")
    page = visit(browse(ada))
    page.get_by_role("button", name="Send notification").click()
    title = page.get_by_label("Title")
    expect(title).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("Not sent.")).to_be_visible()
    title.press_sequentially("N")
    expect(title).not_to_have_attribute("aria-invalid", "true")
    expect(title).to_have_accessible_description("Best under 50 characters; at most 200.")
    expect(page.get_by_text("Must not be empty")).to_have_count(0)
    expect(page.get_by_text("Not sent.")).to_have_count(0)
