"""Bells in Chromium ring for what Celery sends, with the live process beside sync workers, at an origin of its own.

Once with SQLite alone and a folder between Celery and its worker, once with a Redis for both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from celery_app import worker
from meddler import Meddler
from playwright.sync_api import Page, expect
from servers import redis_server
from serving import Site

from browser.conftest import DEAD_SERVER, Browse, Console
from browser.person import Person

LATEST_SECONDS = 30.0  # a second is promised, and printed; a busy machine may take longer


@pytest.fixture(scope="module", params=["no Redis", pytest.param("Redis", marks=pytest.mark.redis)])
def redis_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where Redis is, or nothing."""
    if request.param == "no Redis":
        yield ""
        return
    with redis_server() as url:
        yield url


@pytest.fixture(scope="module")
def proxy() -> Iterator[Meddler]:
    """Stands before the live process; it passes everything on until a test says otherwise."""
    with Meddler() as proxy:
        proxy.refuses = False
        yield proxy


@pytest.fixture(scope="module")
def sites(redis_url: str, proxy: Meddler, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site]]:
    """The application under gunicorn's sync workers, and its live process under another name."""
    broker = {"NOTIWAY_BROKER_URL": redis_url} if redis_url else {}
    folder = tmp_path_factory.mktemp("beside")
    host = Site(folder, "loud_app:app", NOTIWAY_JOBS="web", NOTIWAY_DRAIN_SECONDS=1, **broker)
    live = host.beside()
    proxy.target = live.port
    for site in (host, live):
        # Another origin: the cookie of 127.0.0.1 is not sent there.
        site.environment["NOTIWAY_LIVE_URL"] = f"http://localhost:{proxy.port}"
    host.prepare("migrate")
    host.start("-k", "sync", "-w", "4")
    yield host, live.hold()
    for site in (host, live):
        site.close()


@pytest.fixture(scope="module")
def celery(sites: tuple[Site, Site], redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Celery]:
    """Has a real Celery worker at work, with Redis or a folder for a broker."""
    with worker(sites[0], redis_url or "filesystem://", tmp_path_factory.mktemp("celery")) as client:
        yield client


@pytest.fixture
def ada(sites: tuple[Site, Site]) -> Person:
    return Person(sites[0], "Ada")


@pytest.fixture
def page(ada: Person, browse: Browse) -> Page:
    page = browse(ada).new_page()
    page.goto("/dashboard")
    expect(page.locator(".notiway-bell")).to_have_attribute("data-connection", "connected")
    return page


# When the bell rang, by the clock that the sender has too.
WATCH = """
window.rang = []; window.rowsSeen = new Set();
new MutationObserver(() => document.querySelectorAll(".notiway-toast").forEach((toast) => {
  const key = toast.textContent.match(/Order \\d+/)?.[0];
  if (key && !window.rowsSeen.has(key)) { window.rowsSeen.add(key); window.rang.push([key, Date.now() / 1000]); }
})).observe(document.body, {subtree: true, childList: true, characterData: true});
"""


def test_what_a_celery_task_sends_rings_in_chromium(
    sites: tuple[Site, Site], celery: Celery, ada: Person, page: Page
) -> None:
    page.evaluate(WATCH)
    for number in (1, 2, 3):
        celery.send_task("celery_app.ship", [ada.id, f"Order {number}"])
    expect(page.locator(".notiway-toast")).to_have_count(3)
    rang = page.evaluate("window.rang")
    # Each is a task of its own; this transport keeps no order among those of one millisecond.
    assert sorted(title for title, _ in rang) == ["Order 1", "Order 2", "Order 3"]
    sent = stored_at(sites[0].folder, ada.id)
    late = [moment - sent[title] for title, moment in rang]
    print("rang after", [f"{each:.2f} s" for each in late])
    assert max(late) < LATEST_SECONDS
    expect(page.locator("#notiway-badge")).to_have_text("3")


def stored_at(folder: Path, user_id: str) -> dict[str, float]:
    """When each notification was sent, in seconds since the epoch."""
    with sqlite3.connect(folder / "notiway.db") as database:
        rows = database.execute(
            "SELECT title, created_at FROM notiway_notification WHERE audience = ?", (f"user:{user_id}",)
        ).fetchall()
    return {title: created_at / 1000 for title, created_at in rows}


def test_a_page_comes_back_with_a_new_ticket_when_the_live_process_was_killed(
    sites: tuple[Site, Site], ada: Person, page: Page, console: Console
) -> None:
    console.expect(DEAD_SERVER)
    sites[1].kill()
    expect(page.locator(".notiway-bell")).to_have_attribute("data-connection", "reconnecting")
    ada.notify("While it was away")
    sites[1].hold()
    expect(page.locator(".notiway-bell")).to_have_attribute("data-connection", "connected")
    expect(page.locator("#notiway-badge")).to_have_text("1")


def test_where_websockets_are_refused_there_a_stream_opens_with_a_ticket(
    proxy: Meddler, ada: Person, browse: Browse, console: Console
) -> None:
    console.expect(DEAD_SERVER)
    proxy.refuses = True
    page = browse(ada).new_page()
    page.goto("/dashboard")
    expect(page.locator(".notiway-bell")).to_have_attribute("data-connection", "streaming")
    ada.notify("Over the stream")
    expect(page.locator(".notiway-toast")).to_contain_text("Over the stream")
    proxy.refuses = False
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator(".notiway-bell")).to_have_attribute("data-connection", "connected")
    expect(page.locator("#notiway-badge")).to_have_text("1")


def test_signing_out_ends_the_line_at_the_other_origin(ada: Person, browse: Browse, page: Page) -> None:
    other = page.context.new_page()
    other.goto("/account")
    other.get_by_role("button", name="Sign out").first.click()
    expect(page.locator("[data-notiway-connection]").first).to_have_text("Signed out")


def test_no_ticket_is_in_any_log(sites: tuple[Site, Site], page: Page) -> None:
    for site in sites:
        assert "ticket=" not in site.log.read_text()


def test_the_doctor_of_the_settings_page_reaches_the_live_process(page: Page) -> None:
    page.goto("/notifications/settings")
    page.get_by_role("button", name="Run the checks").click()
    for name, words in (("socket", "Works"), ("stream", "Works"), ("test", "Arrived after")):
        expect(page.locator(f"[data-notiway-check={name}]")).to_contain_text(words)
