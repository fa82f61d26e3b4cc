"""The use cases on the dashboard, as people meet them: two tabs, a reload, a phone, a keyboard."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from serving import Site

from browser.conftest import DEAD_SERVER, Browse
from browser.person import WAIT_MS, Person
from browser.sights import expect_live, expect_unread, open_panel, rows, toasts, visit

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
VIOLATIONS = "async () => (await axe.run()).violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' '))}`)"
FRAMES_A_SECOND = 10


@pytest.fixture
def busy_site(sites_to_kill: Callable[..., Site]) -> Site:
    """It runs background jobs."""
    return sites_to_kill(NOTIWAY_JOBS="web")


@pytest.fixture
def eve(busy_site: Site) -> Person:
    return Person(busy_site, "Eve")


class Wire:
    """What a page's socket said and heard."""

    def __init__(self, page: Page) -> None:
        self.sent: list[dict[str, Any]] = []
        self.heard: list[str] = []
        self.page = page
        page.on("websocket", self._listen)

    def _listen(self, socket: Any) -> None:
        socket.on("framesent", lambda frame: self.sent.append(json.loads(frame)))
        socket.on("framereceived", lambda frame: self.heard.append(str(frame)))

    def said(self, action: str) -> list[str]:
        return [message["audience"] for message in self.sent if message["action"] == action]

    def expect_said(self, action: str, audiences: list[str]) -> None:
        """Frames are known a moment after the page has sent them, and only while Playwright is asked for something."""
        deadline = time.monotonic() + WAIT_MS / 1000
        while self.said(action) != audiences and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)
        assert self.said(action) == audiences


def bar(page: Page) -> Locator:
    return page.locator(".notiway-progress")


def begin(page: Page, **choices: str) -> None:
    for name, value in choices.items():
        page.locator(f"#progress [name={name}][value={value}]").check()
    page.get_by_role("button", name="Import", exact=True).click()


def banners(page: Page) -> Locator:
    return page.get_by_role("region", name=re.compile("^Announcement: "))


def announce(page: Page, headline: str, **fields: str) -> None:
    page.get_by_label("Headline").fill(headline)
    for name, value in fields.items():
        page.locator(f"#announcement [name={name}]").select_option(value)
    page.get_by_role("button", name="Announce").click()


# Progress


def test_an_import_shows_in_all_tabs_survives_a_reload_and_ends(browse: Browse, eve: Person) -> None:
    context = browse(eve)
    page, other = visit(context, "/dashboard#progress"), visit(context, "/dashboard#progress")
    wire = Wire(other)
    other.reload()
    expect_live(other)
    began = time.monotonic()
    begin(page)
    for each in (page, other):
        expect(bar(each)).to_have_attribute("data-status", "processing")
        expect(bar(each).get_by_role("progressbar", name="Contact import")).to_have_attribute(
            "value", re.compile(r"[1-9]")
        )
        expect(bar(each)).to_contain_text(re.compile(r"Row [\d,]+ of 10,000"))
    page.reload()
    expect(bar(page)).to_contain_text(re.compile(r"\d+ %"))
    for each in (page, other):
        expect(bar(each)).to_have_attribute("data-status", "completed", timeout=60_000)
        expect(bar(each)).to_contain_text("10,000 contacts imported")
        expect(bar(each)).to_contain_text("100 %")
    seconds = time.monotonic() - began
    reports = [text for text in wire.heard if "notiway-task-" in text]
    assert 5 < len(reports) <= FRAMES_A_SECOND * (seconds + 1)
    expect(toasts(other)).to_have_count(0)
    expect_unread(other, 0)


def test_an_import_for_one_tab_stays_there_also_after_a_reload(browse: Browse, eve: Person) -> None:
    context = browse(eve)
    other, page = visit(context, "/dashboard#progress"), visit(context, "/dashboard#progress")
    begin(page, report="tab")
    expect(bar(page)).to_have_attribute("data-status", "processing")
    page.reload()
    expect(bar(page)).to_have_attribute("data-status", re.compile("processing|completed"))
    expect(bar(page)).to_have_attribute("data-status", "completed", timeout=60_000)
    expect(bar(other)).to_have_count(0)


def test_a_broken_row_shows_the_failed_state_and_the_reason(browse: Browse, eve: Person) -> None:
    page = visit(browse(eve), "/dashboard#progress")
    begin(page, source="broken")
    expect(bar(page)).to_have_attribute("data-status", "failed", timeout=60_000)
    expect(bar(page)).to_contain_text("Row 6,204: 'nobody' is not an e-mail address. 6,200 rows were imported.")
    expect(page.locator("[data-notiway-live]")).to_contain_text("Contact import: Failed")


def test_a_file_of_one_s_own_is_imported(browse: Browse, eve: Person) -> None:
    page = visit(browse(eve), "/dashboard#progress")
    page.locator("#progress [value=file]").check()
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "my.csv", "mimeType": "text/csv", "buffer": b"email,name,city\nada@example.com,Ada,Porto\n"}
    )
    begin(page)
    expect(bar(page)).to_contain_text("1 contacts imported")


def store_task(person: Person, task_id: str, status: str, *, age_ms: int = 0, message: str = "") -> None:
    """A task as a job in another process would leave it."""
    now = time.time_ns() // 1_000_000 - age_ms
    names = "id, user_id, audience, name, status, done, total, message, created_at, updated_at"
    values = (task_id, person.id, f"user:{person.id}", "import-progress", status, 4, 10, message, now, now)
    person.change(f"INSERT INTO notiway_task ({names}) VALUES ({', '.join('?' * len(values))})", *values)


def test_a_bar_that_has_ended_can_be_closed_and_stays_away(browse: Browse, ada: Person) -> None:
    store_task(ada, "older", "completed", age_ms=60_000)
    store_task(ada, "newer", "failed", message="Row 4 has no address")
    page = visit(browse(ada), "/dashboard#progress")
    expect(bar(page)).to_have_count(2)
    close = page.get_by_role("button", name="Close: Contact import")
    close.first.focus()
    page.keyboard.press("Enter")
    expect(bar(page)).to_have_count(1)
    expect(bar(page)).to_have_attribute("data-status", "completed")
    expect(close).to_be_focused()
    page.reload()
    expect(bar(page)).to_have_count(1)
    close.click()
    expect(bar(page)).to_have_count(0)
    page.reload()
    expect_live(page)
    expect(bar(page)).to_have_count(0)


def test_without_javascript_a_bar_is_closed(browse: Browse, ada: Person) -> None:
    store_task(ada, "done", "completed")
    page = browse(ada, java_script_enabled=False).new_page()
    page.goto("/dashboard#progress")
    page.get_by_role("button", name="Close: Contact import").click()
    expect(page).to_have_url(re.compile("/dashboard$"))
    expect(bar(page)).to_have_count(0)


def test_a_bar_that_hears_nothing_asks_how_its_task_is(browse: Browse, ada: Person) -> None:
    store_task(ada, "dead", "processing")
    store_task(ada, "waits", "queued")
    page = browse(ada).new_page()
    page.clock.install()
    visit(page, "/dashboard#progress")
    expect(bar(page)).to_have_count(2)
    ada.change("UPDATE notiway_task SET updated_at = updated_at - 61000 WHERE user_id = ?", ada.id)
    page.clock.run_for(75_000)
    expect(page.locator("#notiway-task-dead")).to_have_attribute("data-status", "failed")
    expect(page.locator("#notiway-task-dead")).to_contain_text("It stopped reporting")
    expect(page.locator("#notiway-task-waits")).to_contain_text("It is still waiting")
    expect(page.get_by_role("button", name="Close: Contact import")).to_have_count(2)


def test_a_last_report_that_came_during_a_break_is_made_up_for(browse: Browse, console: Any, mortal_site: Site) -> None:
    console.expect(DEAD_SERVER)
    person = Person(mortal_site, "Kim")
    store_task(person, "ends", "processing")
    page = visit(browse(person), "/dashboard#progress")
    mortal_site.kill()
    expect(page.locator(".notiway-bell")).not_to_have_attribute("data-connection", "connected")
    person.change("UPDATE notiway_task SET status = 'completed', done = 10 WHERE id = 'ends'")
    mortal_site.start()
    expect(bar(page)).to_have_attribute("data-status", "completed", timeout=30_000)


# Announcements


def test_an_announcement_is_on_every_page_until_it_is_dismissed_anywhere(browse: Browse, ada: Person) -> None:
    laptop, phone = visit(browse(ada), "/dashboard#announcement"), visit(browse(ada), "/notifications")
    announce(laptop, "Going down", severity="critical")
    for page in (laptop, phone):
        expect(banners(page)).to_have_count(1)
        expect(banners(page)).to_have_attribute("data-severity", "critical")
        expect(toasts(page)).to_have_count(0)
        expect_unread(page, 1)
    laptop.goto("/account")
    expect(banners(laptop)).to_be_visible()
    phone.get_by_role("button", name="Dismiss: Going down").click()
    for page in (laptop, phone):
        expect(banners(page)).to_have_count(0)
        expect_unread(page, 0)
    laptop.reload()
    expect_live(laptop)
    expect(banners(laptop)).to_have_count(0)


def test_a_banner_takes_no_focus_and_gives_it_back_to_the_next(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada), "/dashboard#announcement")
    announce(page, "First")
    announce(page, "Second")
    expect(banners(page)).to_have_count(2)
    expect(page.get_by_role("button", name="Announce")).to_be_focused()
    page.get_by_role("button", name="Dismiss: Second").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Dismiss: First")).to_be_focused()
    page.keyboard.press("Enter")
    expect(banners(page)).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("^Notifications"))).to_be_focused()


def test_three_banners_are_shown_live_the_gravest_first(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada), "/dashboard#announcement")
    for headline, severity in (("A", "info"), ("B", "critical"), ("C", "info"), ("D", "warning"), ("E", "info")):
        announce(page, headline, severity=severity)
        expect(page.locator("[data-notiway-banners] strong", has_text=headline)).to_be_attached()
    shown = page.locator("[data-notiway-banners] > :not([hidden]) strong")
    expect(shown).to_have_text(["B", "D", "E"])
    page.get_by_role("button", name="Dismiss: D").click()
    expect(shown).to_have_text(["B", "E", "C"])


def test_a_banner_leaves_at_its_time_without_a_reload(browse: Browse, ada: Person) -> None:
    end = (time.time_ns() // 1_000_000) + 6_000
    ada.store("Over soon", name="system-announcement", expires_at=end)
    page = visit(browse(ada), "/dashboard#announcement")
    expect(banners(page)).to_have_count(1)
    expect(banners(page)).to_have_count(0)
    assert time.time_ns() // 1_000_000 >= end


def test_marking_all_as_read_dismisses_too(browse: Browse, ada: Person) -> None:
    ada.store("Standing", name="system-announcement")
    page = visit(browse(ada), "/dashboard#announcement")
    expect(banners(page)).to_have_count(1)
    open_panel(page).get_by_role("button", name="Mark all as read").click()
    expect(banners(page)).to_have_count(0)


def test_after_a_break_banners_are_what_they_should_be(browse: Browse, console: Any, sites_to_kill: Any) -> None:
    site = sites_to_kill(NOTIWAY_DRAIN_SECONDS=1)
    person = Person(site, "Away")
    gone = person.store("Dismissed elsewhere", name="system-announcement")
    console.expect(DEAD_SERVER)
    page = visit(browse(person), "/dashboard#announcement")
    expect(banners(page)).to_have_count(1)
    site.kill()
    person.change("UPDATE notiway_inbox_item SET read_at = 1 WHERE notification_id = ?", gone)
    person.store("Came meanwhile", name="system-announcement")
    site.start()
    expect(page.get_by_role("region", name="Announcement: Came meanwhile")).to_be_visible(timeout=40_000)
    expect(banners(page)).to_have_count(1)


def test_without_javascript_a_banner_stands_and_is_dismissed(browse: Browse, ada: Person) -> None:
    ada.store("Plain", name="system-announcement")
    page = browse(ada, java_script_enabled=False).new_page()
    page.goto("/account")
    expect(banners(page)).to_be_visible()
    page.get_by_role("button", name="Dismiss: Plain").click()
    expect(page).to_have_url(re.compile("/account$"))
    expect(banners(page)).to_have_count(0)


# Live dashboard


def test_the_board_starts_with_the_present_listens_and_stops_when_it_is_left(browse: Browse, ada: Person) -> None:
    page = browse(ada).new_page()
    wire = Wire(page)
    visit(page, "/dashboard#live")
    expect(page.locator(".ops canvas")).to_have_count(3)
    value = page.locator("[data-series=connections] [data-value]")
    expect(value).to_have_text(re.compile(r"^\d+$"))
    page.get_by_text("As a table").click()
    newest = page.locator(".ops-table tbody tr").first.locator("td").first
    before = newest.text_content() or ""
    expect(newest).not_to_have_text(before)
    wire.expect_said("subscribe", ["group:dashboard-ops"])
    page.locator("[data-ops]").evaluate("(board) => board.remove()")
    page.wait_for_function("() => !document.querySelector('[data-ops]')")
    page.evaluate("() => new Promise((done) => setTimeout(done))")
    wire.expect_said("unsubscribe", ["group:dashboard-ops"])
    expect(toasts(page)).to_have_count(0)


def test_after_a_reconnect_the_board_listens_again(browse: Browse, console: Any, mortal_site: Site) -> None:
    person = Person(mortal_site, "Watcher")
    console.expect(DEAD_SERVER)
    page = visit(browse(person), "/dashboard#live")
    page.get_by_text("As a table").click()
    newest = page.locator(".ops-table tbody tr").first.locator("td").first
    expect(newest).to_be_visible()
    mortal_site.kill()
    mortal_site.start()
    expect(page.locator(".notiway-bell")).to_have_attribute("data-connection", "connected", timeout=40_000)
    before = newest.text_content() or ""
    expect(newest).not_to_have_text(before)


# The cards


def test_one_card_is_a_toast_only_the_other_stays_in_the_list(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada), "/dashboard#publish")
    page.get_by_role("button", name="Publish order-shipped").click()
    expect(toasts(page)).to_have_count(1)
    expect_unread(page, 0)
    page.get_by_role("button", name="Publish invoice-ready").click()
    expect_unread(page, 1)
    expect(rows(open_panel(page))).to_have_count(1)


# Looks


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_use_cases_have_no_fault_that_axe_finds_and_fit_a_phone(browse: Browse, eve: Person, scheme: Any) -> None:
    severities = ("info", "warning", "critical")
    for severity in severities:
        body = json.dumps({"severity": severity})
        words = {"message": "Some words about it.", "action_url": "/status", "body": body}
        eve.store(f"A {severity} one", name="system-announcement", **words)
    # axe writes inline styles
    context = browse(eve, viewport={"width": 320, "height": 640}, color_scheme=scheme, bypass_csp=True)
    page = visit(context, "/dashboard#progress")
    begin(page, source="broken")
    expect(bar(page)).to_have_attribute("data-status", "failed", timeout=60_000)
    expect(banners(page)).to_have_count(len(severities))
    for demo in ("Service", "Progress", "Announcement", "Live"):
        page.get_by_role("navigation", name="Demos").get_by_role("link", name=demo).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        for summary in page.locator("main summary:visible").all():
            summary.click()
        page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished.catch(() => 0)))")
        page.evaluate(AXE)
        assert page.evaluate(VIOLATIONS) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_charts_draw_no_line_where_nothing_was_measured(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada), "/dashboard#live")
    drawn = page.evaluate("""async () => {
      const { columns, SERIES_STYLE } = await import("/static/host/js/ops.js");
      const samples = [[1000, 5], [2000, null], [3000, 7], [60_000, 9]].map(([at, latencyMs]) => ({ at, latencyMs }));
      return [SERIES_STYLE.spanGaps, columns("latencyMs", samples)];
    }""")
    assert drawn[0] is False
    times, values = drawn[1]
    assert list(zip(times, values, strict=True)) == [(1, 5), (2, None), (3, 7), (31.5, None), (60, 9)]
