"""Takes the pictures of the documentation from the real server: `.venv/bin/python docs/screenshots.py`."""

import re
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from playwright.sync_api import Browser, Page, expect, sync_playwright  # noqa: E402
from serving import Site  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1280, "height": 760}
HOUR_MS = 60 * 60 * 1000
EARLIER = (  # title, message, type, source, hours ago
    ("New sign-in", "From Firefox on Linux, in Lisbon.", "info", "accounts", 26.0),
    ("Order shipped", "Order 2041 left the warehouse and arrives on Tuesday.", "success", "shop", 5.0),
    ("Backup failed", "The nightly backup of the billing database stopped after 14 minutes.", "error", "backup", 3.0),
    ("Disk 90 % full", "Server 7 has 12 GB left. At this pace it lasts four days.", "warning", "monitoring", 0.4),
)
READ = 2  # of these, the oldest ones
LATEST = ("Invoice paid", "John paid $500 for invoice #123.", "success", "billing")


def main() -> None:
    """Start a server, send what a day brings, and take each picture in light and dark."""
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), NOTIWAY_JOBS="web").prepare()
        for *notification, _ in EARLIER:
            send(site, *notification)
        grow_old(Path(folder) / "notiway.db")
        for queue in Path(folder).glob("jobs.db*"):
            queue.unlink()  # what was sent before the server started is no news
        site.start()
        try:
            with sync_playwright() as playwright:
                path = shutil.which("chromium")
                browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
                pages = {scheme: open_bell(browser, site, scheme) for scheme in ("light", "dark")}
                send(site, *LATEST)
                for scheme, page in pages.items():
                    expect(page.locator(".notiway-toast")).to_be_visible()
                    save(page, f"bell-{scheme}")
                for scheme, page in pages.items():
                    page.goto("/notifications")
                    live(page)
                    save(page, f"history-{scheme}")
                    page.goto("/dashboard")
                    live(page)
                    save(page, f"dashboard-{scheme}")
                    page.goto("/notifications/settings")
                    live(page)
                    save(page, f"settings-{scheme}")
                use_cases(browser, site)
                browser.close()
        finally:
            site.close()


def send(site: Site, title: str, message: str, kind: str, source: str) -> None:
    """Ring the demo user's bell from the command line."""
    words = ("--title", title, "--message", message, "--type", kind, "--source", source)
    site.command("send", "demo@example.com", *words)


def grow_old(database: Path) -> None:
    """Let what was sent a moment ago have come in the course of the day."""
    with closing(sqlite3.connect(database)) as connection, connection:
        for count, (title, *_, hours) in enumerate(EARLIER):
            connection.execute(
                "UPDATE notiway_notification SET created_at = created_at - ? WHERE title = ?", (hours * HOUR_MS, title)
            )
            if count < READ:
                connection.execute(
                    "UPDATE notiway_inbox_item SET read_at = created_at WHERE notification_id ="
                    " (SELECT id FROM notiway_notification WHERE title = ?)",
                    (title,),
                )


def open_bell(browser: Browser, site: Site, scheme: str) -> Page:
    """Sign in, in a browser of its own, and open the bell."""
    page = browser.new_page(base_url=site.url, viewport=SIZE, color_scheme=scheme, device_scale_factor=1.5)
    page.goto("/login")
    page.get_by_label("E-mail").fill("demo@example.com")
    page.get_by_label("Password").fill("notiway")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Notifications").click()
    expect(page.locator("#notiway-panel [data-notiway-id]").first).to_be_visible()
    return page


def use_cases(browser: Browser, site: Site) -> None:
    """One picture of each use case, from the dashboard at work."""
    page = open_bell(browser, site, "light")
    show(page, "progress")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator(".notiway-progress__percent")).to_have_text(re.compile(r"[4-9]\d %"), timeout=60_000)
    save_part(page, "progress", "usecase-progress")
    expect(page.locator(".notiway-progress")).to_have_attribute("data-status", "completed", timeout=60_000)
    show(page, "live")
    page.wait_for_timeout(20_000)  # until there is something to draw
    save_part(page, "live", "usecase-live-dashboard")
    show(page, "publish")
    page.get_by_role("button", name="Publish order-shipped").click()
    page.get_by_role("button", name="Publish invoice-ready").click()
    expect(page.locator(".notiway-toast")).to_have_count(2)
    save(page, "usecase-notifications")
    show(page, "announcement")
    page.get_by_role("button", name="Announce").click()
    expect(page.locator(".notiway-banner")).to_be_visible()
    page.goto("/dashboard")
    expect(page.locator(".notiway-banner")).to_be_visible()
    save(page, "usecase-announcement")


def show(page: Page, demo: str) -> None:
    """One demo of the dashboard."""
    page.goto(f"/dashboard#{demo}")
    page.reload()
    live(page)


def live(page: Page) -> None:
    expect(page.locator(".notiway-bell")).to_have_attribute("data-connection", "connected")


def save_part(page: Page, section: str, name: str) -> None:
    """One section of the dashboard, without the bar above it."""
    page.locator(f"#{section}").screenshot(path=IMAGES / f"{name}.png")


def save(page: Page, name: str) -> None:
    """One PNG, when fonts and transitions have settled."""
    page.evaluate(
        "Promise.all([document.fonts.ready,"
        " ...document.getAnimations().map((each) => each.finished.catch(() => null))])"
    )
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
