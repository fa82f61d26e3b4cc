"""The page that describes the HTTP API: words stay whole, rules read as sentences."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.conftest import Browse
from browser.person import Person
from browser.sights import visit

LINES = """() => [...document.querySelectorAll(".notiway-api th, .notiway-api th code")]
  .filter((cell) => !cell.textContent.includes(" "))
  .filter((cell) => new Set([...textRects(cell)].map((rect) => Math.round(rect.top))).size > 1)
  .map((cell) => cell.textContent)"""


def test_no_word_of_a_table_is_broken(browse: Browse, ada: Person) -> None:
    for width in (390, 1280):
        page = visit(browse(ada, viewport={"width": width, "height": 800}), "/api/docs")
        page.evaluate("""() => { window.textRects = (cell) => {
          const range = document.createRange();
          range.selectNodeContents(cell);
          return range.getClientRects();
        }; }""")
        assert page.evaluate(LINES) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_rules_are_set_apart(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada), "/api/docs")
    expect(page.get_by_text("required, at least 1 character, at most").first).to_be_visible()
    expect(page.locator(".notiway-api")).not_to_contain_text("required at")
    expect(page.locator(".notiway-api")).not_to_contain_text("1 characters")
