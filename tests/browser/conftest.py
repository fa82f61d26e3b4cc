"""Fixtures: one Chromium and one server for all of these tests; people, contexts and a clean console for each."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect, sync_playwright
from serving import Site

from browser.person import WAIT_MS, Person

HERE = Path(__file__).parent
# Chromium without the windows and services around its pages: a new context takes a sixth of the CPU time, and tests
# make hundreds. `TEST_BROWSER=chromium` runs them in the whole of it.
BROWSER = os.environ.get("TEST_BROWSER", "chromium-headless-shell")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Chromium logs a refused policy by itself; this also catches what it only reports.
REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.effectiveDirective} refused ${event.blockedURI} in ${event.sourceFile}`));
"""

Browse = Callable[..., BrowserContext]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


# Chromium's word for a page that was left while its socket was still opening: no fault of the page.
LEFT_EARLY = "WebSocket is closed before the connection is established"
# What a server that was killed leaves in the console: its sockets, and requests that were on their way.
DEAD_SERVER = r"WebSocket connection to .* failed|htmx:ws:error|net::ERR_|Failed to (fetch|load resource)"


class Console:
    """What pages complained about: console errors, uncaught exceptions, refused content."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.expected: list[str] = [LEFT_EARLY]

    def listen(self, context: BrowserContext) -> None:
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._message)
        context.on("weberror", lambda error: self.errors.append(f"uncaught: {error.error}"))

    def expect(self, pattern: str) -> None:
        """These errors belong to the test: a dead server, a refused request."""
        self.expected.append(pattern)

    def _message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def check(self) -> None:
        """Fail with everything that was not expected."""
        found = {text for text in self.errors if not any(re.search(pattern, text) for pattern in self.expected)}
        assert not found, "\n".join(sorted(found))


# For the package, not the session: the event loop that Playwright keeps in this thread must not outlive these tests.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = shutil.which(BROWSER)
    assert path, f"these tests need Chromium: apt-get install {BROWSER}"
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    site.prepare("migrate")
    yield site.start()
    site.close()


@pytest.fixture(scope="package")
def sites_to_kill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """Servers that tests may kill, one for each set of settings; running, whatever a test before did."""
    made: dict[str, Site] = {}

    def give(**settings: Any) -> Site:
        site = made.get(repr(settings))
        if site is None:
            site = made[repr(settings)] = Site(tmp_path_factory.mktemp("mortal"), **settings)
            site.prepare("migrate")
        return site if site.process is not None else site.start()

    yield give
    for site in made.values():
        site.close()


@pytest.fixture
def mortal_site(sites_to_kill: Callable[..., Site]) -> Site:
    return sites_to_kill(NOTIWAY_DRAIN_SECONDS=1)


@pytest.fixture
def beating_site(sites_to_kill: Callable[..., Site]) -> Site:
    """Its heart beats every second."""
    return sites_to_kill(NOTIWAY_HEARTBEAT_SECONDS=1)


@pytest.fixture
def console() -> Iterator[Console]:
    """Every test ends with an empty console, but for what it expected."""
    console = Console()
    yield console
    console.check()


@pytest.fixture
def browse(chromium: Browser, console: Console) -> Iterator[Browse]:
    """Opens browsers: `browse(ada)`, `browse(ada, java_script_enabled=False)`."""
    opened: list[BrowserContext] = []

    def make(person: Person, *, signed_in: bool = True, **options: Any) -> BrowserContext:
        context = person.context(chromium, signed_in=signed_in, **options)
        console.listen(context)
        opened.append(context)
        return context

    yield make
    for context in opened:
        for page in context.pages:
            _leave(page)
        context.close()


def _leave(page: Page) -> None:
    try:
        page.evaluate("0")  # console messages on their way arrive before the answer
    except Error:
        return


@pytest.fixture
def person(site: Site) -> Callable[..., Person]:
    """Makes users: `person("Ada")`."""

    def make(name: str, **values: Any) -> Person:
        return Person(site, name, **values)

    return make


@pytest.fixture
def ada(person: Callable[..., Person]) -> Person:
    return person("Ada")


@pytest.fixture
def bob(person: Callable[..., Person]) -> Person:
    return person("Bob")
