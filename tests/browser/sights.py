"""Sights: where things are on a page, found as a reader finds them, by role and name."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Locator, Page, expect

UNREAD_PREFIX = re.compile(r"^\(\d+\+?\) ")


def visit(place: BrowserContext | Page, path: str = "/dashboard") -> Page:
    """Open a page and wait until its bell is live."""
    page = place if isinstance(place, Page) else place.new_page()
    page.goto(path)
    expect_live(page)
    return page


def expect_live(page: Page) -> None:
    expect(page.locator(".notiway-bell")).to_have_attribute("data-connection", "connected")


def forget_session(page: Page) -> None:
    """Clear the cookies once all requests are answered: a later answer would bring the session's cookie back."""
    page.wait_for_load_state("networkidle")
    page.context.clear_cookies()


def bell(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile(r"^Notifications(,|$)"))


def panel(page: Page) -> Locator:
    return page.get_by_role("region", name="Notifications", exact=True)


def open_panel(page: Page) -> Locator:
    """Click the bell; the panel, when its list has come."""
    bell(page).click()
    expect(panel(page)).to_have_attribute("data-status", "ready")
    return panel(page)


def history(page: Page) -> Locator:
    return page.locator("[data-notiway-list=history]")


def rows(place: Locator) -> Locator:
    """The notifications in a list that can be seen, the newest first."""
    return place.locator("[data-notiway-id]:not([hidden])")


def row(place: Locator, title: str) -> Locator:
    return rows(place).filter(has_text=title)


def press(place: Locator, action: str, title: str) -> None:
    """Press `Mark as read`, `Mark as unread` or `Delete` of one notification; its buttons show when it is hovered."""
    row(place, title).hover()
    place.get_by_role("button", name=f"{action}: {title}", exact=True).click()


def bar(page: Page) -> Locator:
    """What says what was just done, and offers Undo."""
    return page.locator("#notiway-undo")


def undo(page: Page) -> Locator:
    return bar(page).get_by_role("button", name="Undo")


def toasts(page: Page) -> Locator:
    return page.get_by_role("region", name="New notifications").get_by_role("listitem")


def watch_toasts(page: Page) -> None:
    """Count every toast that this page shows, also those that go again at once."""
    page.evaluate("""() => {
      window.toastsShown = 0;
      new MutationObserver((changes) => changes.forEach((change) => (window.toastsShown += change.addedNodes.length)))
        .observe(document.querySelector("[data-notiway-toasts] ol"), { childList: true });
    }""")


def toasts_shown(page: Page) -> int:
    """How many toasts a page has shown since `watch_toasts`."""
    return int(page.evaluate("window.toastsShown"))


def hide(page: Page) -> None:
    """Playwright shows every page as visible and focused; this one says that it is in the background."""
    page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
      Object.defineProperty(document, "visibilityState", { get: () => "hidden", configurable: true });
      document.hasFocus = () => false;
      document.dispatchEvent(new Event("visibilitychange"));
    }""")


def show(page: Page) -> None:
    """The opposite of `hide`: somebody looks at it again."""
    page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { get: () => false, configurable: true });
      Object.defineProperty(document, "visibilityState", { get: () => "visible", configurable: true });
      document.hasFocus = () => true;
      document.dispatchEvent(new Event("visibilitychange"));
    }""")


def fresh(place: Locator) -> Locator:
    """The button above a list that says how many are new."""
    return place.get_by_role("button", name=re.compile(r"^\d+ new$"))


def expect_unread(page: Page, count: int | str) -> None:
    """Badge, name of the bell and title of the tab agree."""
    badge = page.locator("#notiway-badge")
    if count:
        expect(badge).to_have_text(str(count))
        expect(badge).to_be_visible()
        expect(bell(page)).to_have_accessible_name(f"Notifications, {count} unread")
        expect(page).to_have_title(re.compile(rf"^\({re.escape(str(count))}\) "))
    else:
        expect(badge).to_be_hidden()
        expect(bell(page)).to_have_accessible_name("Notifications")
        expect(page).to_have_title(re.compile(r"^(?!\()"))
