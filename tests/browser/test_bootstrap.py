"""In a page of Bootstrap's: its rules for bare elements stay outside, those that the host writes for Notiway win."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect
from serving import Site

from browser.conftest import Browse
from browser.person import Person
from browser.sights import history, open_panel, toasts, visit

PHONE = {"width": 390, "height": 844}
# What is different of each of Notiway's elements with Bootstrap's sheet and without it.
LEAKS = """() => {
  const all = document.querySelectorAll(":is(.notiway, .notiway-staff), :is(.notiway, .notiway-staff) *");
  const elements = [...all].filter((each) => each.checkVisibility());
  const parts = ["", "::before", "::after"];
  // Where something lies depends on how high the host's bar is.
  const isPlace = (name) => /^(--|inset|top$|right$|bottom$|left$)/.test(name);
  const names = [...getComputedStyle(elements[0])].filter((name) => !isPlace(name));
  const values = (each, part) => {
    const style = getComputedStyle(each, part || undefined);
    return part && style.content === "none" ? [] : names.map((name) => style.getPropertyValue(name));
  };
  const look = () => elements.map((each) => parts.map((part) => values(each, part)));
  const [sheet] = [...document.styleSheets].filter(({ href }) => href?.endsWith("/bootstrap.css"));
  const dressed = look();
  sheet.disabled = true;
  const plain = look();
  sheet.disabled = false;
  return elements.flatMap((each, at) => parts.flatMap((part, of) => {
    const [before, after] = [plain[at][of], dressed[at][of]];
    const isDrawn = (name) => name !== "outline-width" || after[names.indexOf("outline-style")] !== "none";
    const changed = names.filter((name, number) => before[number] !== after[number] && isDrawn(name));
    const told = (name) => `${name}: ${before[names.indexOf(name)]} -> ${after[names.indexOf(name)]}`;
    return changed.map((name) => `${each.outerHTML.slice(0, 80)} ${part}: ${told(name)}`);
  }));
}"""

FILES_OF_THE_BELL = """performance.getEntriesByType("resource")
  .filter(({ name }) => name.includes("/notiway/static/"))
  .map(({ name, transferSize }) => [name, transferSize])"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("shop"), "bootstrap_app:app")
    site.prepare("migrate")
    yield site.start()
    site.close()


@pytest.fixture
def kim(shop: Site) -> Person:
    person = Person(shop, "Kim")
    for number, kind in enumerate(("info", "success", "warning", "error")):
        person.store(f"Of type {kind}", type=kind, message="With a message", source="shop", action_url="/shop?opened",
                     priority=("low", "medium", "high", "urgent")[number], age_ms=number * 3_600_000)  # fmt: skip
    return person


def style(place: Locator, *names: str) -> list[str]:
    expect(place).to_be_visible()
    found: list[str] = place.evaluate("(each, names) => names.map((name) => getComputedStyle(each)[name])", names)
    return found


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, {"viewport": PHONE}], ids=["light", "dark", "phone"])
def test_rules_for_bare_elements_stay_outside(browse: Browse, kim: Person, options: dict[str, Any]) -> None:
    kim.store("Closed on Monday", name="system-announcement", action_url="/shop", message="For stock-taking.")
    context = browse(kim, reduced_motion="reduce", **options)
    page = visit(context, "/shop")
    kim.notify("A toast", "That stays", "error")
    expect(toasts(page)).to_have_count(1)
    open_panel(page)
    assert page.evaluate(LEAKS) == []
    visit(page, "/notifications")
    history(page).get_by_role("checkbox").first.check()
    assert page.evaluate(LEAKS) == []


def test_nor_do_they_reach_the_staff_page(browse: Browse, shop: Site) -> None:
    page = visit(browse(Person(shop, "Grace", is_staff=True)), "/staff/send")
    assert page.evaluate(LEAKS) == []


def test_a_rule_of_the_host_for_a_part_of_notiway_wins_though_it_comes_first(browse: Browse, kim: Person) -> None:
    page = visit(browse(kim), "/notifications?custom=1")
    title = history(page).locator("a.notiway-item__title").first
    assert style(title, "fontSize", "color", "textDecorationLine") == ["22px", "rgb(200, 0, 0)", "underline"]
    button = page.get_by_role("button", name="Mark all as read")
    assert style(button, "padding", "borderRadius", "backgroundColor") == ["1px", "0px", "rgb(1, 2, 3)"]
    assert style(history(page).locator(".notiway-item__message").first, "margin") == ["7px"]
    link = history(page).get_by_role("link", name="Track with Blue Van").first
    assert style(link, "padding", "color") == ["5px", "rgb(4, 5, 6)"]


def test_a_rule_for_all_links_of_the_bar_is_not_for_the_bell(browse: Browse, kim: Person) -> None:
    page = visit(browse(kim), "/shop?custom=1")
    rows = open_panel(page)
    assert style(rows.get_by_role("link", name="View all"), "padding") == ["0px"]
    assert style(rows.locator("[data-notiway-id]").first, "float") == ["none"]


def test_a_second_link_in_a_row_can_be_clicked(browse: Browse, kim: Person) -> None:
    page = visit(browse(kim), "/notifications")
    history(page).get_by_role("link", name="Track with Blue Van").first.click()
    expect(page).to_have_url(f"{kim.site.url}/shop?van=blue")


def test_beside_its_links_the_whole_row_opens_the_notification(browse: Browse, kim: Person) -> None:
    page = visit(browse(kim), "/notifications")
    history(page).locator(".notiway-item__message").first.click(force=True)  # the title's link lies over it
    expect(page).to_have_url(f"{kim.site.url}/shop?opened")


def test_a_tab_of_the_host_is_live_and_lets_in_only_what_is_meant_for_it(browse: Browse, kim: Person) -> None:
    def send(title: str, category: str) -> None:
        assert kim.visitor.get("/shop/send", params={"title": title, "category": category}).ok

    page = visit(browse(kim), "/shop")
    send("On its way", "books")
    rows = open_panel(page)
    rows.get_by_role("button", name="Books").click()
    expect(rows.locator("[data-notiway-id]")).to_have_count(1)
    send("Nothing to read", "news")
    send("In the post", "books")
    expect(rows.locator("[data-notiway-id]")).to_have_count(2)
    expect(rows.locator("[data-notiway-id]").first).to_contain_text("In the post")
    rows.get_by_role("button", name="All", exact=True).click()
    expect(rows.get_by_role("link", name="Nothing to read")).to_be_visible()


def test_the_bell_asks_for_four_files_and_on_the_next_page_for_none(browse: Browse, kim: Person) -> None:
    page = visit(browse(kim), "/shop")
    first = dict(page.evaluate(FILES_OF_THE_BELL))
    print(first)
    assert len(first) == 4
    assert all(first.values())
    assert sum(first.values()) < 60_000  # bytes, compressed, with the heads of the answers
    visit(page, "/shop")
    assert dict(page.evaluate(FILES_OF_THE_BELL)) == dict.fromkeys(first, 0)
