"""The staff page with a real browser: choosing by keyboard, the live preview, sending, recalling, on any screen."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import Browse, Console
from browser.person import Person
from browser.sights import expect_unread, history, open_panel, panel, press, row, rows, toasts, visit

SEND = "/staff/send"
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
SCREENS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 320, "height": 700}},
    "dark phone": {"viewport": {"width": 320, "height": 700}, "color_scheme": "dark"},
}


@pytest.fixture
def grace(person: Callable[..., Person]) -> Person:
    return person("Grace", is_staff=True)


def reach(page: Page) -> Any:
    return page.locator("#staff-reach")


def choose(page: Page, who: Person) -> None:
    page.get_by_role("searchbox").fill(who.email)
    page.locator("#staff-found").get_by_role("checkbox", name=who.email).check()
    expect(page.locator("#staff-chosen").get_by_role("checkbox", name=who.name)).to_be_checked()


def send(page: Page, title: str) -> None:
    page.get_by_label("Title", exact=True).fill(title)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("status").filter(has_text=f"Sent “{title}”")).to_be_focused()


def sent(page: Page, title: str) -> Any:
    return page.locator(".staff-sent").filter(has_text=title)


def test_a_message_is_chosen_previewed_and_sent_with_the_keyboard_alone(
    browse: Browse, grace: Person, ada: Person
) -> None:
    hers = visit(browse(ada))
    page = visit(browse(grace), SEND)
    expect(reach(page)).to_have_text("Nobody is selected yet.")
    page.get_by_role("searchbox").focus()
    page.keyboard.type(ada.email)
    expect(page.locator("#staff-found").get_by_role("checkbox")).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    expect(page.locator("#staff-chosen")).to_contain_text("Ada")
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(reach(page)).to_have_text("1 person, 1 online now.")
    page.get_by_label("Title", exact=True).focus()
    page.keyboard.type("By hand")
    page.keyboard.press("Enter")  # in a line of text it sends nothing
    expect(page.locator("#staff-preview .notiway-item__title")).to_contain_text("By hand")
    expect(page.locator("#staff-preview .notiway-toast__title")).to_have_text("By hand")
    page.get_by_role("button", name="Send", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Sent “By hand” to 1 person, 1 online now.")).to_be_focused()
    expect(toasts(hers)).to_contain_text("By hand")
    expect_unread(hers, 1)


def test_a_double_click_sends_once(browse: Browse, grace: Person, ada: Person) -> None:
    page = visit(browse(grace), SEND)
    choose(page, ada)
    page.get_by_label("Title", exact=True).fill("Twice")
    page.get_by_role("button", name="Send", exact=True).dblclick()
    expect(page.get_by_role("status").filter(has_text="Sent “Twice”")).to_be_visible()
    assert ada.look("SELECT COUNT(*) FROM notiway_notification WHERE title = 'Twice'") == [(1,)]


def test_a_recall_empties_every_list_and_badge_at_once(browse: Browse, grace: Person, ada: Person) -> None:
    context = browse(ada)
    listed, other = visit(context, "/notifications"), visit(context)
    page = visit(browse(grace), SEND)
    choose(page, ada)
    send(page, "A mistake")
    expect(row(history(listed), "A mistake")).to_be_visible()
    expect_unread(other, 1)
    panel = open_panel(other)
    expect(row(panel, "A mistake")).to_be_visible()
    sent(page, "A mistake").get_by_text("Recall", exact=False).first.click()
    page.get_by_role("button", name="Recall for everybody").click()
    expect(sent(page, "A mistake")).to_contain_text("Recalled by Grace")
    expect(rows(history(listed))).to_have_count(0)
    expect(rows(panel)).to_have_count(0)
    expect(toasts(listed)).to_have_count(0)
    for each in (listed, other):
        expect_unread(each, 0)


def test_the_log_moves_as_others_see_read_send_and_recall(
    browse: Browse, grace: Person, ada: Person, person: Callable[..., Person]
) -> None:
    page = visit(browse(grace), SEND)
    choose(page, ada)
    send(page, "Maintenance tonight")
    numbers = sent(page, "Maintenance tonight").locator("dd")
    expect(numbers).to_have_text(["1", "0", "0", "0"])
    hers = visit(browse(ada))
    open_panel(hers)
    expect(numbers.nth(2)).to_have_text("1")
    press(panel(hers), "Mark as read", "Maintenance tonight")
    expect(numbers.nth(3)).to_have_text("1")
    sent(page, "Maintenance tonight").locator("summary").click()  # whoever recalls is not interrupted
    colleague = visit(browse(person("Edsger", is_staff=True)), SEND)
    choose(colleague, ada)
    send(colleague, "It is over")
    expect(page.locator(".staff-sent").first).to_contain_text("It is over")
    expect(page.get_by_role("button", name="Recall for everybody")).to_have_count(1)
    sent(colleague, "It is over").locator("summary").click()
    sent(colleague, "It is over").get_by_role("button", name="Recall for everybody").click()
    expect(sent(page, "It is over")).to_contain_text("Recalled by Edsger")
    page.get_by_role("button", name="Recall for everybody").click()  # the form that came first still works
    expect(sent(colleague, "Maintenance tonight")).to_contain_text("Recalled by Grace")


def test_recalling_an_announcement_takes_its_banner_away(browse: Browse, grace: Person, ada: Person) -> None:
    hers = visit(browse(ada))
    page = visit(browse(grace), SEND)
    choose(page, ada)
    page.get_by_label("Announcement").check()
    expect(page.locator("#staff-preview")).to_contain_text("As a banner")
    send(page, "Closing early")
    banner = hers.get_by_role("region", name="Announcement: Closing early")
    expect(banner).to_be_visible()
    sent(page, "Closing early").get_by_text("Recall", exact=False).first.click()
    page.get_by_role("button", name="Recall for everybody").click()
    expect(banner).to_have_count(0)


def test_everybody_is_confirmed_first(browse: Browse, grace: Person, console: Console) -> None:
    console.expect("status of 422")
    page = visit(browse(grace), SEND)
    confirm = page.get_by_role("checkbox", name=re.compile("^Yes, I mean all"))
    expect(confirm).to_be_hidden()
    page.get_by_label("Title", exact=True).fill("To all")
    page.get_by_role("checkbox", name="Everybody").check()
    expect(confirm).to_be_visible()
    expect(reach(page)).to_contain_text("online now.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_text("Confirm that you want to send to everybody")).to_be_visible()
    page.get_by_role("checkbox", name="Everybody").uncheck()
    expect(confirm).to_be_hidden()
    page.get_by_role("checkbox", name="Everybody").check()
    expect(confirm).not_to_be_checked()


def test_a_fault_is_told_at_its_field_while_writing_and_nothing_is_lost(browse: Browse, grace: Person) -> None:
    page = visit(browse(grace), SEND)
    link = page.get_by_label("Link")
    link.fill("javascript:alert(1)")
    expect(link).to_have_attribute("aria-invalid", "true")
    expect(link).to_have_accessible_description(re.compile("Must be an https: or http: address"))
    expect(link).to_be_focused()
    link.fill("/reports")
    expect(link).not_to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Title", exact=True)).not_to_have_attribute("aria-invalid", "true")


def test_a_group_takes_the_place_of_users_and_the_other_way_round(browse: Browse, grace: Person, ada: Person) -> None:
    group = f"team-{grace.id}"
    ada._insert("notiway_membership", {"user_id": ada.id, "audience": f"group:{group}"})
    page = visit(browse(grace), SEND)
    choose(page, ada)
    page.get_by_role("searchbox").fill(group)
    page.locator("#staff-found").get_by_role("checkbox", name=group).check()
    chosen = page.locator("#staff-chosen").get_by_role("checkbox")
    expect(chosen).to_have_count(1)
    expect(chosen).to_have_accessible_name(re.compile(group))
    chosen.click()
    expect(reach(page)).to_have_text("Nobody is selected yet.")


def test_without_javascript_a_message_is_found_previewed_sent_and_recalled(
    browse: Browse, grace: Person, ada: Person
) -> None:
    page = browse(grace, java_script_enabled=False).new_page()
    page.goto(SEND)
    page.get_by_role("searchbox").fill(ada.email)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("checkbox", name="Ada").check()
    page.get_by_label("Title", exact=True).fill("On paper")
    page.get_by_role("button", name="Preview").click()
    expect(reach(page)).to_have_text("1 person, 0 online now.")
    expect(page.locator("#staff-preview .notiway-toast__title")).to_have_text("On paper")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Sent “On paper” to 1 person")).to_be_visible()
    sent(page, "On paper").get_by_text("Recall", exact=False).first.click()
    page.get_by_role("button", name="Recall for everybody").first.click()
    expect(page.get_by_text("Recalled. It has been removed from every list.")).to_be_visible()
    expect(sent(page, "On paper")).to_contain_text("Recalled by Grace")


@pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS)
def test_every_state_fits_its_screen_and_has_no_barrier(
    browse: Browse, grace: Person, ada: Person, console: Console, screen: dict[str, Any]
) -> None:
    console.expect("status of 422")
    context = browse(grace, bypass_csp=True, **screen)
    context.add_init_script(AXE)
    page = visit(context, SEND)
    examine(page)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Fix the 2 marked fields")
    examine(page)
    choose(page, ada)
    page.get_by_label("Announcement").check()
    page.get_by_text("Priority, expiry and more").click()
    page.get_by_label("Message").fill("Averylongwordthatneverendsandhasnospaces" * 4)
    expect(page.locator("#staff-preview")).to_contain_text("As a banner")
    examine(page)
    send(page, "A title as long as it may be, with words that need a second line")
    page.locator(".staff-recall summary").first.click()
    examine(page)


def examine(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    broken = page.evaluate(
        "async () => (await axe.run()).violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' '))}`)"
    )
    assert broken == []


def test_the_hint_of_the_search_says_what_is_there(
    browse: Browse, grace: Person, ada: Person, console: Console
) -> None:
    console.expect("status of 422")
    page = visit(browse(grace), SEND)
    hint = page.locator("#staff-found .staff-hint")
    page.get_by_role("searchbox").fill(ada.email)
    expect(hint).to_contain_text("1 shown. Select the ones you mean")
    page.locator("#staff-found").get_by_role("checkbox", name=ada.email).check()
    expect(hint).to_have_text("All matches are already selected.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_be_focused()  # there is no title yet
    expect(hint).to_have_text("All matches are already selected.")
    page.get_by_role("searchbox").fill("nobody is called so")
    expect(hint).to_contain_text("No match for")
