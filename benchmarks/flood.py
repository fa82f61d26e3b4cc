"""What a flood costs an open page: the longest task of its main thread, and how long a click waits.

    python benchmarks/flood.py              2,000 notifications in 3 s on the history page, 1,000 in 1 s on another page

It needs Chromium and the development requirements, and a machine that does nothing else: the figures are by the clock.
The tests (tests/browser/test_flood.py) look at the same floods by CPU time. README.md beside this file tells more.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

import requests
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browser.person import Person  # noqa: E402
from serving import Site  # noqa: E402

PARTS = 20  # requests in which a flood is published
SETTLE_MS = 3_000
FLOODS = (("/notifications", 2_000, 3.0, 100, 100), ("/account", 1_000, 1.0, 200, 100))  # path, count, s, goals in ms
WATCH = """() => {
  window.longest = 0; window.clicks = []; window.most = 0;
  const note = (entry) => (longest = Math.max(longest, entry.duration));
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type: "longtask" });
  addEventListener("click", ({ timeStamp }) => clicks.push(performance.now() - timeStamp), true);
  const stack = document.querySelector("[data-notiway-toasts] ol");
  new MutationObserver(() => (most = Math.max(most, stack.childElementCount))).observe(stack, { childList: true });
}"""


def publish(site: Site, key: str, person: Person, numbers: range) -> None:
    """What a service would do: one request, each envelope an event of its own."""
    envelopes = [
        {
            "id": f"{person.id}-{number}",
            "type": "notification",
            "body": {"title": f"Number {number}", "message": "Something happened, and this is what."},
            "routing": {"audienceType": 4, "audienceValue": person.id},
            "metadata": {"producer": "flood", "isPersisted": True},
        }
        for number in numbers
    ]
    headers = {"Authorization": f"Bearer {key}"}
    requests.post(f"{site.url}/api/notifications", json=envelopes, headers=headers, timeout=60).raise_for_status()


def flood(browser: Browser, site: Site, key: str, path: str, count: int, seconds: float) -> dict[str, float]:
    """Open a page, let so many come in so long, click meanwhile; what the page says of it, in milliseconds."""
    ada = Person(site, "Ada")
    ada.store_many([f"Old {number}" for number in range(30)])
    page = ada.context(browser).new_page()
    page.goto(path)
    page.locator(".notiway-bell[data-connection=connected]").wait_for(state="attached")
    page.wait_for_timeout(1_000)
    page.evaluate(WATCH)
    began, part = time.monotonic(), count // PARTS
    for start in range(0, count, part):
        publish(site, key, ada, range(start, start + part))
        page.mouse.click(5, 5)
        page.wait_for_timeout(max(0.0, began + seconds * (start + part) / count - time.monotonic()) * 1_000)
    took = time.monotonic() - began
    page.wait_for_timeout(SETTLE_MS)
    longest, clicks, most = page.evaluate("[longest, clicks, most]")
    rows = page.locator("[data-notiway-list] > [data-notiway-id]").count()
    return {"took": took, "longest": longest, "click": max(clicks), "toasts": most, "rows": rows}


def main() -> int:
    """Print a row and a verdict for each flood; 1 if a goal is missed."""
    site = Site(Path(tempfile.mkdtemp()))
    site.command("migrate")
    key = site.command("key", "add", "flood", "--scope", "publish").split()[0]
    site.start()
    missed = False
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for path, count, seconds, task_ms, click_ms in FLOODS:
                found = flood(browser, site, key, path, count, seconds)
                is_met = found["longest"] <= task_ms and found["click"] <= click_ms
                missed = missed or not is_met
                print(
                    f"{'met   ' if is_met else 'MISSED'} {path}: {count:,} in {found['took']:.1f} s; longest task"
                    f" {found['longest']:.0f} ms (goal {task_ms}), slowest click {found['click']:.0f} ms"
                    f" (goal {click_ms}),"
                    f" at most {found['toasts']:.0f} toasts, {found['rows']:.0f} rows"
                )
            browser.close()
    finally:
        site.close()
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
