"""Networks that let no WebSocket through: a stream stands in for it, else the page asks; nothing is late or doubled."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests
from meddler import Meddler
from playwright.sync_api import Page, expect
from servers import wait_until
from serving import Site

from browser.conftest import Browse, Console
from browser.person import Person
from browser.sights import bell, expect_live, expect_unread, history, open_panel, panel, row, rows, toasts
from browser.test_line import expect_state

# A proxy that refuses, a stream that the page ends, and a proxy that ends before the page.
REFUSED = (
    r"WebSocket connection to .* failed|htmx:ws:error|ERR_(ABORTED|INCOMPLETE_CHUNKED|EMPTY_RESPONSE|CONNECTION_RE)"
)


@pytest.fixture
def refusing(site: Site) -> Iterator[Meddler]:
    """A proxy that knows nothing of upgrades."""
    with Meddler(site.port) as proxy:
        yield proxy


@pytest.fixture
def buffering(site: Site) -> Iterator[Meddler]:
    """A proxy that collects an answer until it is whole, too."""
    with Meddler(site.port, buffers=True) as proxy:
        yield proxy


def behind(proxy: Meddler, browse: Browse, person: Person, path: str = "/dashboard") -> Page:
    page = browse(person).new_page()
    page.goto(f"{proxy.url}{path}")
    return page


def arrives(page: Page, person: Person, title: str) -> float:
    """Send one; after how many seconds its toast was there."""
    began = time.monotonic()
    person.notify(title)
    expect(toasts(page).filter(has_text=title)).to_be_visible()
    return time.monotonic() - began


def test_where_the_upgrade_is_refused_a_stream_brings_everything_and_says_so(
    browse: Browse, ada: Person, refusing: Meddler, console: Console
) -> None:
    console.expect(REFUSED)
    old = ada.store("On the page")
    page = behind(refusing, browse, ada, "/notifications")
    expect_state(page, "streaming", "Live over SSE")
    expect(bell(page)).to_have_accessible_description("Live over SSE")
    print(f"over the stream after {arrives(page, ada, 'First'):.2f} s")
    asked = refusing.refused
    expect_unread(page, 2)
    expect(rows(history(page))).to_have_count(2)
    ada.visitor.put(f"/notifications/{old}/read").raise_for_status()
    expect(row(history(page), "On the page")).to_have_attribute("data-state", "read")
    expect_unread(page, 1)
    expect(open_panel(page).get_by_text("Live over SSE")).to_be_visible()
    assert refusing.refused <= asked + 1, "a page that has a stream does not go on knocking"  # one was under way
    # The network lets WebSockets through again, and says so as laptops do.
    refusing.refuses = False
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_live(page)
    expect(panel(page).get_by_text("Live over SSE")).to_have_count(0)
    ada.notify("Second")
    expect_unread(page, 2)
    expect(rows(history(page))).to_have_count(3)
    expect(toasts(page)).to_have_count(1)  # opening the panel took the first one away


def test_where_streams_are_kept_back_the_page_asks_and_says_so(
    browse: Browse, ada: Person, buffering: Meddler, console: Console
) -> None:
    console.expect(REFUSED)
    old, gone = ada.store_many(["On the page", "Deleted elsewhere"])
    page = behind(buffering, browse, ada, "/notifications")
    expect_state(page, "polling", "Checking every 2 seconds")
    print(f"by asking after {arrives(page, ada, 'First'):.2f} s")
    expect_unread(page, 3)
    ada.visitor.put(f"/notifications/{old}/read").raise_for_status()
    ada.visitor.delete(f"/notifications/{gone}").raise_for_status()
    expect(row(history(page), "On the page")).to_have_attribute("data-state", "read")
    expect(row(history(page), "Deleted elsewhere")).to_have_count(0)
    expect_unread(page, 1)
    expect(rows(history(page))).to_have_count(2)
    expect(toasts(page)).to_have_count(1)
    # The next page knows already.
    streams = buffering.streams
    page.goto(f"{buffering.url}/account")
    expect_state(page, "polling", "Checking every 2 seconds")
    assert buffering.streams == streams
    buffering.refuses = False
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_live(page)
    ada.notify("Second")
    expect_unread(page, 2)
    expect(toasts(page)).to_have_count(1)


def test_nothing_new_is_an_empty_answer_and_no_sign_of_a_person(
    browse: Browse, ada: Person, buffering: Meddler, console: Console
) -> None:
    console.expect(REFUSED)
    page = behind(buffering, browse, ada)
    answers: list[tuple[int, str | None]] = []
    page.on(
        "response",
        lambda answer: (
            "/notifications/news" in answer.url
            and answers.append((answer.status, answer.request.headers.get("x-notiway-background")))
        ),
    )
    expect_state(page, "polling", "Checking every 2 seconds")
    wait_until(lambda: page.evaluate("true") and len(answers) > 2)
    assert answers[-1] == (204, "1")


def test_who_is_signed_out_hears_it_over_the_stream(
    browse: Browse, ada: Person, refusing: Meddler, console: Console
) -> None:
    console.expect(REFUSED)
    page = behind(refusing, browse, ada)
    expect_state(page, "streaming", "Live over SSE")
    other = page.context.new_page()
    other.goto(f"{refusing.url}/account")
    other.get_by_role("button", name="Sign out").first.click()
    expect_state(page, "offline", "Signed out")
    expect(toasts(page)).to_contain_text("You have been signed out")


def test_a_stream_hears_the_groups_that_the_page_shows(
    site: Site, browse: Browse, ada: Person, refusing: Meddler, console: Console
) -> None:
    console.expect(REFUSED)
    key = site.command("key", "add", "groups", "--scope", "publish").split()[0]
    page = behind(refusing, browse, ada, "/account")
    expect_state(page, "streaming", "Live over SSE")
    page.evaluate("""() => {
      const part = document.createElement("div");
      part.dataset.notiwaySubscribe = "group:dashboard-ops";
      document.body.append(part);
    }""")

    def is_heard() -> bool:
        """Sent again until the stream that names the group is open: nothing of it is stored."""
        envelope = {
            "id": f"{ada.id}-{time.monotonic_ns()}", "type": "notification", "body": {"title": "For the group"},
            "routing": {"audienceType": 3, "audienceValue": "dashboard-ops"}, "metadata": {"producer": "groups"},
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {key}"}
        requests.post(f"{site.url}/api/notifications", json=envelope, headers=headers, timeout=30).raise_for_status()
        page.wait_for_timeout(100)
        return toasts(page).filter(has_text="For the group").count() > 0

    wait_until(is_heard)
