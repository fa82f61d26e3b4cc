"""Looks: axe-core finds nothing on any page in light or dark, and 320 px are wide enough for all of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import Browse, Console
from browser.person import Person
from browser.sights import bell, expect_unread, history, open_panel, panel, row, rows, toasts, undo, visit
from browser.states import LONG_WORD, PLACES, Show, dashboard

VENDOR = Path(__file__).parent / "vendor"
WIDE, PHONE = 1200, 320  # px
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


def take_pictures(page: Page, show: Show) -> None:
    """With TEST_PICTURES, a folder: how this looks in light and dark, wide and on a phone (`make pictures`)."""
    if (folder := os.environ.get("TEST_PICTURES")) is None:
        return
    for scheme in ("light", "dark"):
        for width in (WIDE, 390):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate(SETTLE)
            path = Path(folder) / f"{show.__name__.replace('_', '-')}-{width}-{scheme}.jpg"
            page.screenshot(path=path, type="jpeg", quality=60)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": WIDE, "height": 800})


@pytest.mark.parametrize("show", PLACES, ids=lambda show: show.__name__)
def test_axe_finds_nothing_in_light_and_dark_and_nothing_scrolls_sideways(
    browse: Browse, ada: Person, console: Console, show: Show
) -> None:
    console.expect(r"status of 4\d\d|ERR_|Failed to fetch")
    page = browse(ada, color_scheme="light", viewport={"width": WIDE, "height": 800}).new_page()
    show(page, ada)
    take_pictures(page, show)
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
