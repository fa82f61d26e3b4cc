"""Tabs of one reader at three workers that share a Redis: one voice, and all agree on what is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from servers import redis_server
from serving import Site

from browser.conftest import Browse
from browser.person import Person
from browser.sights import expect_live, expect_unread, open_panel, panel, press, row, toasts, toasts_shown, watch_toasts

WORKERS = 3
RELOADS = 200  # the kernel gives a connection to any worker
CONNECTED = re.compile(r'data-connection-id="([^".]+)\.')
pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with redis_server() as url:
        folder = tmp_path_factory.mktemp("several")
        site = Site(folder, NOTIWAY_BROKER_URL=url, WEB_CONCURRENCY=WORKERS, NOTIWAY_MAX_CONNECTIONS_PER_USER=1000)
        site.prepare("migrate")
        yield site.start()
        site.close()


@pytest.fixture
def ada(several: Site) -> Person:
    return Person(several, "Ada")


class Tab:
    """A page, and the worker that holds its line."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.worker = ""
        self.page.on("websocket", lambda line: line.on("framereceived", self._look))

    def _look(self, frame: Any) -> None:
        if found := CONNECTED.search(str(frame)):
            self.worker = found[1]

    def connect(self) -> str:
        """Load the page; the worker that its line came to."""
        self.page.goto("/dashboard")
        expect_live(self.page)
        return self.worker


@pytest.fixture
def tabs(browse: Browse, ada: Person) -> list[Page]:
    """A tab at each worker, in one browser."""
    context = browse(ada)
    taken: set[str] = set()
    opened = []
    for _ in range(WORKERS):
        tab = Tab(context)
        for _ in range(RELOADS):
            if tab.connect() not in taken:
                break
        taken.add(tab.worker)
        opened.append(tab.page)
    assert len(taken) == WORKERS
    return opened


def test_of_tabs_at_several_workers_one_shows_the_toast_and_all_the_badge(ada: Person, tabs: list[Page]) -> None:
    for tab in tabs:
        tab.clock.install()
        watch_toasts(tab)
    for number in (1, 2, 3):
        ada.notify(f"Order {number}")
        for tab in tabs:
            expect_unread(tab, number)
        for tab in tabs:
            tab.clock.run_for(1000)  # past the longest time that any tab waits before it asks
        for tab in tabs:
            tab.evaluate("navigator.locks.request('turn', () => {})")  # locks are given in turn: all were decided
        assert sum(map(toasts_shown, tabs)) == number


def test_what_is_read_in_one_tab_is_read_in_those_at_the_other_workers(ada: Person, tabs: list[Page]) -> None:
    ada.notify("Invoice paid")
    for tab in tabs:
        expect_unread(tab, 1)
    for tab in tabs:
        open_panel(tab)
        expect(row(panel(tab), "Invoice paid")).to_have_attribute("data-state", "unread")
    press(panel(tabs[0]), "Mark as read", "Invoice paid")
    for tab in tabs:
        expect(row(panel(tab), "Invoice paid")).to_have_attribute("data-state", "read")
        expect_unread(tab, 0)
        expect(toasts(tab)).to_have_count(0)  # whichever had it
