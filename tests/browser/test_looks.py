"""Looks: axe-core finds nothing on any page in light or dark, and 320 px are wide enough for all of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import Browse, Console
from browser.person import Person
from browser.sights import (
    bell,
    expect_unread,
    forget_session,
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

VENDOR = Path(__file__).parent / "vendor"
WIDE, PHONE = 1200, 320  # px
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
NARROW = {"width": PHONE, "height": 640}
# What a reader may set (WCAG 2.2, 1.4.12); a system with one wide font comes to the same.
SPACED = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }
p { margin-block-end: 2em !important }"""
# Finished animations only: half faded-in text has half its contrast.
SETTLE = """() => Promise.all(document.getAnimations()
  .filter((animation) => animation.effect.getComputedTiming().iterations !== Infinity)
  .map((animation) => animation.finished.catch(() => {})))"""
# Without preload, which writes inline styles that the pages' policy refuses.
RUN_AXE = """async () => (await axe.run(document, { preload: false, resultTypes: ["violations"] })).violations
  .map(({ id, nodes }) => ({ id, nodes: nodes.map((node) => [node.target.join(" "), node.failureSummary]) }))"""


@cache
def axe() -> str:
    """axe-core as it was vendored."""
    script = (VENDOR / "axe.min.js").read_bytes()
    expected, _ = (VENDOR / "SHA256SUMS").read_text().split()
    assert hashlib.sha256(script).hexdigest() == expected
    return script.decode()


def expect_accessible(page: Page) -> None:
    page.evaluate(SETTLE)
    if not page.evaluate("'axe' in window"):
        page.evaluate(f"() => {{ {axe()} }}")
    found: list[dict[str, Any]] = page.evaluate(RUN_AXE)
    assert found == []


def store_one_of_each(person: Person) -> None:
    for number, kind in enumerate(("info", "success", "warning", "error")):
        person.store(f"A notification of type {kind}", type=kind, message="With a message.", source="billing",
                     priority=("low", "medium", "high", "urgent")[number], age_ms=number * 3_600_000)  # fmt: skip
    person.visitor.put(f"/notifications/{person.store('One that is read', message='Long ago')}/read")


def empty_history(page: Page, person: Person) -> None:
    visit(page, "/notifications")
    expect(page.get_by_text("Nothing here yet")).to_be_visible()


def full_history(page: Page, person: Person) -> None:
    person.store_many([f"Number {n}" for n in range(20)])
    store_one_of_each(person)
    visit(page, "/notifications")
    history(page).get_by_role("checkbox").first.check()
    expect(page.get_by_role("link", name="Load more")).to_be_visible()


def history_after_a_deletion(page: Page, person: Person) -> None:
    store_one_of_each(person)
    visit(page, "/notifications")
    press(history(page), "Delete", "One that is read")
    expect(undo(page)).to_be_visible()


def history_after_a_bulk_deletion(page: Page, person: Person) -> None:
    store_one_of_each(person)
    visit(page, "/notifications")
    history(page).get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("1 deleted")).to_be_visible()


def history_where_nothing_matches(page: Page, person: Person) -> None:
    visit(page, "/notifications?text=nothing")
    expect(page.locator(".notiway-empty__title", has_text="Nothing matches")).to_be_visible()


def dashboard(page: Page, person: Person) -> None:
    visit(page)


def dashboard_with_a_fault(page: Page, person: Person) -> None:
    visit(page)
    page.get_by_label("Message").fill("m" * 201)
    page.get_by_role("button", name="Send notification").click()
    expect(page.get_by_label("Title")).to_have_attribute("aria-invalid", "true")


def open_dropdown(page: Page, person: Person) -> None:
    store_one_of_each(person)
    visit(page)
    open_panel(page)
    row(panel(page), "One that is read").hover()
    person.notify("Another")
    expect(page.get_by_role("button", name="1 new")).to_be_visible()


def empty_dropdown(page: Page, person: Person) -> None:
    visit(page)
    open_panel(page)


def broken_dropdown(page: Page, person: Person) -> None:
    visit(page)
    page.route("**/notifications/recent", lambda route: route.abort())
    bell(page).click()
    expect(page.get_by_text("Your notifications could not be loaded")).to_be_visible()


def toasts_shown(page: Page, person: Person) -> None:
    visit(page, "/account")
    for kind in ("success", "warning", "error"):
        person.notify(f"A toast of type {kind}", "With a message.", kind)
        expect(toasts(page).filter(has_text=kind)).to_be_visible()


def account(page: Page, person: Person) -> None:
    visit(page, "/account")


def account_with_devices(page: Page, person: Person) -> None:
    for agent in ("curl/8.5 " + "x" * 200, "Mozilla/5.0 (Windows NT 10.0) Chrome/139.0 Edg/139.0"):
        person.site.sign_in(person.email, user_agent=agent).close()
    visit(page, "/account")
    expect(page.get_by_role("button", name="Sign out this device: Edge on Windows")).to_be_visible()


def refused_password(page: Page, person: Person) -> None:
    account_with_devices(page, person)
    page.get_by_label("Current password").fill("wrong")
    page.get_by_label("New password").fill("unusual words like zwieback")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_have_text("This is not your password.")


def error_page(page: Page, person: Person) -> None:
    visit(page, "/nothing-here")
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()


def sign_in(page: Page, person: Person) -> None:
    forget_session(page)
    page.goto("/login")


def refused_sign_in(page: Page, person: Person) -> None:
    sign_in(page, person)
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()


def settings(page: Page, person: Person) -> None:
    person.store("Invoice paid", source="billing", type="success")
    visit(page, "/notifications/settings")
    page.get_by_role("button", name="For 1 hour").click()
    expect(page.get_by_text("Do not disturb is on").first).to_be_visible()
    page.get_by_role("button", name="Run the checks").click()
    expect(page.locator("[data-notiway-check=test]")).to_contain_text("Arrived after")


def why(page: Page, person: Person) -> None:
    person.visitor.post("/notifications/settings/pause", json={"for": "1h"})
    person.store(LONG_WORD, source=LONG_WORD, type="success")
    visit(page, "/notifications")
    row(history(page), LONG_WORD).hover()
    history(page).get_by_role("button", name=f"Why do I see this? {LONG_WORD}").click()
    expect(history(page).get_by_role("button", name="Mute")).to_be_visible()
    open_panel(page).locator("summary").click()


def snooze_choice(page: Page, person: Person) -> None:
    store_one_of_each(person)
    visit(page, "/notifications")
    press(history(page), "Snooze", "One that is read")
    expect(page.get_by_role("dialog", name="Snooze until").get_by_role("button").first).to_be_focused()


def snoozed(page: Page, person: Person) -> None:
    person.visitor.put(f"/notifications/{person.store('Call back')}/snooze", json={"minutes": 90})
    visit(page, "/notifications?state=snoozed")
    expect(history(page).get_by_text("until")).to_be_visible()


Show = Callable[[Page, Person], None]
PLACES: tuple[Show, ...] = (
    sign_in, refused_sign_in, dashboard, dashboard_with_a_fault, empty_history, full_history, history_after_a_deletion,
    history_after_a_bulk_deletion, history_where_nothing_matches, open_dropdown, empty_dropdown, broken_dropdown,
    toasts_shown, account, account_with_devices, refused_password, error_page,
    settings, why, snooze_choice, snoozed,
)  # fmt: skip


@pytest.mark.parametrize("show", PLACES, ids=lambda show: show.__name__)
def test_axe_finds_nothing_in_light_and_dark_and_nothing_scrolls_sideways(
    browse: Browse, ada: Person, console: Console, show: Show
) -> None:
    console.expect(r"status of 4\d\d|ERR_FAILED|Failed to fetch")
    page = browse(ada, color_scheme="light", viewport={"width": WIDE, "height": 800}).new_page()
    show(page, ada)
    expect_accessible(page)
    page.emulate_media(color_scheme="dark")
    if show is dashboard:  # what a phone leaves out is on every page the same: the bar
        expect_accessible(page)
    page.set_viewport_size({"width": PHONE, "height": 800})
    expect_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE


def test_the_dropdown_can_be_used_at_320_px(browse: Browse, ada: Person) -> None:
    ada.store(LONG_WORD, message=LONG_WORD * 3)
    ada.store("Invoice paid")
    page = visit(browse(ada, viewport=NARROW, is_mobile=True, has_touch=True))
    bell(page).tap()
    expect(rows(panel(page))).to_have_count(2)
    page.evaluate(SETTLE)
    box = panel(page).bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= NARROW["width"]
    assert box["y"] + box["height"] <= NARROW["height"]
    panel(page).get_by_role("button", name="Actions: Invoice paid").tap()
    panel(page).get_by_role("button", name="Mark as read: Invoice paid").tap()
    expect_unread(page, 1)
    panel(page).get_by_role("button", name="Actions: Invoice paid").tap()
    panel(page).get_by_role("button", name="Delete: Invoice paid").tap()
    undo(page).tap()
    expect(row(panel(page), "Invoice paid").get_by_role("link")).to_be_visible()
    panel(page).get_by_role("button", name="Close").tap()
    expect(panel(page)).to_be_hidden()


@pytest.mark.parametrize("path", ["/dashboard", "/notifications", "/account", "/staff/send"])
def test_spaced_out_text_fits_a_phone(browse: Browse, person: Callable[..., Person], path: str) -> None:
    grace = person("Grace", is_staff=True)
    page = visit(browse(grace, viewport=NARROW, bypass_csp=True), path)
    page.add_style_tag(content=SPACED)
    grace.notify("Backup failed", "The disk of server-7 is full.", "error")
    expect(toasts(page)).to_be_visible()
    open_panel(page)
    title = panel(page).get_by_text("Backup failed").first
    assert title.evaluate("element => getComputedStyle(element).letterSpacing") != "normal"
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE
    box = panel(page).bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE


@pytest.mark.parametrize("path", ["/dashboard", "/notifications", "/account", "/nothing-here"])
def test_long_words_do_not_widen_a_narrow_page(browse: Browse, ada: Person, console: Console, path: str) -> None:
    console.expect("status of 404")
    ada.store(LONG_WORD * 2, message=LONG_WORD * 5, source=LONG_WORD)
    page = visit(browse(ada, viewport=NARROW), path)
    ada.notify(LONG_WORD * 2, LONG_WORD * 5, "error")
    expect(toasts(page)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]


def test_those_who_want_less_motion_get_none(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada, reduced_motion="reduce"))
    ada.notify("Still")
    expect(toasts(page)).to_be_visible()
    open_panel(page)
    moving = "() => document.getAnimations().filter((a) => a.effect.getComputedTiming().duration > 10).length"
    assert page.evaluate(moving) == 0


def test_on_paper_there_is_the_list_and_no_bell(browse: Browse, ada: Person) -> None:
    ada.store("Invoice paid")
    page = visit(browse(ada), "/notifications")
    page.emulate_media(media="print")
    expect(row(history(page), "Invoice paid")).to_be_visible()
    expect(bell(page)).to_be_hidden()
    expect(history(page).get_by_role("button", name="Delete: Invoice paid")).to_be_hidden()


@pytest.mark.parametrize("path", ["/dashboard", "/notifications", "/account", "/staff/send"])
def test_text_of_twice_the_size_fits_a_phone(browse: Browse, person: Callable[..., Person], path: str) -> None:
    grace = person("Grace", is_staff=True)
    grace.store("Invoice paid", source="billing")
    context = browse(grace, viewport={"width": 390, "height": 844}, bypass_csp=True)
    page = visit(context, path)
    logo = page.locator(".brand img").bounding_box()
    page.add_style_tag(content="html { font-size: 200% }")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    cut_off = page.evaluate("""() => [...document.querySelectorAll("main :is(a, button, input, select, label, h1, h2)")]
      .filter((part) => part.checkVisibility() && !part.closest(".notiway-hidden, .staff-hidden, .scroll, pre"))
      .filter((part) => part.getBoundingClientRect().right > innerWidth + 1 || part.getBoundingClientRect().left < -1)
      .map((part) => part.outerHTML.slice(0, 120))""")
    assert cut_off == []
    spilling = page.evaluate("""() =>
      [...document.querySelectorAll("main :is(button, .button, .notiway-button, label span)")]
      .filter((part) => part.checkVisibility() && !part.closest(".notiway-hidden"))
      .filter((part) => part.scrollWidth > part.clientWidth + 1 && part.clientWidth > 0)
      .filter((part) => getComputedStyle(part).display !== "inline")
      .map((part) => part.outerHTML.slice(0, 120))""")
    assert spilling == []
    grown = page.locator(".brand img").bounding_box()
    assert logo
    assert grown
    assert grown["width"] == 2 * logo["width"]
