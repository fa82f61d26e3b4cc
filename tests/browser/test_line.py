"""The line to the server: lost, restarted, refused, signed out; afterwards the page shows what the database holds."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, Route, WebSocketRoute, expect
from server.talk import metric
from servers import wait_until
from serving import Site

from browser.conftest import DEAD_SERVER, Browse, Console
from browser.person import Person
from browser.sights import (
    bell,
    expect_live,
    expect_unread,
    forget_session,
    history,
    open_panel,
    panel,
    row,
    rows,
    toasts,
    visit,
)

MISSED = 5_000
PATIENCE_MS = 60_000


def expect_state(page: Page, state: str, words: str) -> None:
    expect(page.locator(".notiway-bell")).to_have_attribute("data-connection", state)
    expect(page.locator("[data-notiway-connection]")).to_have_text(words)


def test_nothing_is_missed_when_the_server_dies_and_comes_back(
    browse: Browse, mortal_site: Site, console: Console
) -> None:
    console.expect(DEAD_SERVER)
    console.expect(r"404 .*/notifications/seen")  # one to be noted as seen was deleted meanwhile
    site = mortal_site
    ada = Person(site, "Ada")
    first, second = ada.store_many(["Before one", "Before two"])
    page, tab = visit(browse(ada)), visit(browse(ada), "/notifications")
    open_panel(page)
    expect_state(page, "connected", "Live")
    site.kill()
    expect_state(page, "reconnecting", "Reconnecting…")
    # Meanwhile: one by the command line, several into the database, one read, one deleted.
    site.command("send", ada.email, "--title", "By command", "--type", "warning")
    ada.store_many([f"Meanwhile {n}" for n in range(3)])
    ada.change("UPDATE notiway_inbox_item SET read_at = 1 WHERE notification_id = ?", first)
    ada.change("UPDATE notiway_inbox_item SET deleted_at = 1 WHERE notification_id = ?", second)
    site.start()
    for place in (page, tab):
        expect_state(place, "connected", "Live")
        expect_unread(place, 4)
        expect(toasts(place)).to_have_count(1)
        # As news where the break was short, which the machine decides.
        expect(toasts(place)).to_contain_text(re.compile("4 (while you were away|new notifications)"))
    for rows_of in (panel(page), history(tab)):
        expect(rows(rows_of)).to_have_count(5)
        expect(row(rows_of, "By command")).to_be_visible()
        expect(row(rows_of, "Before one")).to_have_attribute("data-state", "read")
        expect(row(rows_of, "Before two")).to_have_count(0)
    # And it goes on from there.
    ada.visitor.notify("Afterwards")
    expect_unread(page, 5)
    expect(rows(panel(page)).first).to_contain_text("Afterwards")


def test_a_server_that_restarts_in_order_is_found_again_without_a_sound(
    browse: Browse, mortal_site: Site, console: Console
) -> None:
    console.expect(DEAD_SERVER)
    site = mortal_site
    ada = Person(site, "Ada")
    ada.store("Before")
    page = visit(browse(ada))
    site.stop()
    expect_state(page, "reconnecting", "Reconnecting…")
    site.start()
    expect_live(page)
    expect_unread(page, 1)
    ada.visitor.notify("Afterwards")
    expect_unread(page, 2)
    expect(toasts(page)).to_have_count(1)  # nothing that was there before is told again
    expect(toasts(page)).to_contain_text("Afterwards")


def test_offline_shows_and_what_came_meanwhile_is_there_when_online_again(
    browse: Browse, ada: Person, console: Console
) -> None:
    console.expect(r"ERR_INTERNET_DISCONNECTED|WebSocket connection to .* failed")
    context = browse(ada)
    page = visit(context)
    context.set_offline(True)
    expect_state(page, "offline", "Offline")
    ada.notify("Meanwhile")
    context.set_offline(False)
    expect_live(page)
    expect_unread(page, 1)
    expect(toasts(page)).to_contain_text("Meanwhile")
    expect(row(open_panel(page), "Meanwhile")).to_be_visible()


def test_whoever_missed_thousands_gets_all_of_them_though_the_line_breaks_again_meanwhile(
    browse: Browse, ada: Person, console: Console
) -> None:
    console.expect(r"ERR_INTERNET_DISCONNECTED|WebSocket connection to .* failed")
    ada.store("Before")
    context = browse(ada)
    page = context.new_page()
    lines: list[WebSocketRoute] = []
    heard: list[set[str]] = []  # what each line brought

    def listen(line: WebSocketRoute) -> None:
        server = line.connect_to_server()
        lines.append(line)
        mine: set[str] = set()
        heard.append(mine)
        is_second = len(lines) == 2

        def pass_on(text: str | bytes) -> None:
            if is_second and len(mine) >= MISSED // 10:
                return  # it hangs in the middle of the replay
            mine.update(re.findall(r'data-notiway-id="([^"]+)"', str(text)))
            line.send(text)

        server.on_message(pass_on)

    page.route_web_socket("**/ws/notifications*", listen)
    visit(page, "/notifications")
    expect_live(page)
    sent = ada.store_many([f"Number {number:04}" for number in range(MISSED)])
    with page.expect_response(lambda answer: answer.url.endswith("/notifications"), timeout=PATIENCE_MS):
        lines[0].close(code=1012)  # dialled again, the page fetches its newest rows, beside the line
    assert sent[-1] not in heard[1]
    lines[1].close(code=1012)
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not set(sent) <= set.union(*heard) and time.monotonic() < deadline:
        page.wait_for_timeout(100)  # lets the lines be heard
    assert set(sent) - set.union(*heard) == set()
    expect_unread(page, "99+")
    page.get_by_role("button", name="999+ new").click()
    expect(rows(history(page)).first).to_contain_text(f"Number {MISSED - 1:04}")
    shown = history(page).locator("[data-notiway-id]").evaluate_all("rows => rows.map((row) => row.dataset.notiwayId)")
    assert shown == sent[::-1][: len(shown)]


def test_what_happens_between_the_page_and_its_socket_is_not_missed(browse: Browse, ada: Person) -> None:
    ada.store("On the page")
    page = browse(ada).new_page()

    def happen_meanwhile(route: Route) -> None:
        ada.notify("In the gap")
        route.continue_()

    page.route("**/hx-ws.min.js", happen_meanwhile)  # without it there is no socket yet
    visit(page)
    expect_unread(page, 2)
    expect(toasts(page)).to_contain_text("In the gap")


def test_what_is_read_and_deleted_between_the_page_and_its_socket_is_not_missed(browse: Browse, ada: Person) -> None:
    read, deleted, _ = ada.store_many(["Read elsewhere", "Deleted elsewhere", "Left alone"])
    page = browse(ada).new_page()

    def happen_meanwhile(route: Route) -> None:
        ada.visitor.put(f"/notifications/{read}/read").raise_for_status()
        ada.visitor.delete(f"/notifications/{deleted}").raise_for_status()
        route.continue_()

    page.route("**/hx-ws.min.js", happen_meanwhile)  # without it there is no socket yet
    visit(page, "/notifications")
    expect(row(history(page), "Deleted elsewhere")).to_have_count(0)
    expect(row(history(page), "Read elsewhere")).to_have_attribute("data-state", "read")
    expect(row(history(page), "Left alone")).to_have_attribute("data-state", "unread")
    expect_unread(page, 1)


def test_a_badge_that_drifted_heals_with_the_heartbeat(browse: Browse, beating_site: Site) -> None:
    ada = Person(beating_site, "Ada")
    ids = ada.store_many(["One", "Two", "Three"])
    page = visit(browse(ada))
    expect_unread(page, 3)
    ada.change("UPDATE notiway_inbox_item SET read_at = 1 WHERE notification_id = ?", ids[0])
    expect_unread(page, 2)


def test_a_page_from_before_a_restart_gets_the_right_badge(
    browse: Browse, beating_site: Site, console: Console
) -> None:
    console.expect(DEAD_SERVER)
    site = beating_site
    ada = Person(site, "Ada")
    ada.store_many(["One", "Two", "Three"])
    page = visit(browse(ada))
    expect_unread(page, 3)
    site.kill()
    ada.change("UPDATE notiway_inbox_item SET read_at = 1 WHERE user_id = ?", ada.id)
    site.start()
    expect_unread(page, 0)


def test_a_silent_line_is_given_up_and_dialled_again(browse: Browse, beating_site: Site) -> None:
    ada = Person(beating_site, "Ada")
    page = browse(ada).new_page()
    first: list[WebSocketRoute] = []

    def swallow(line: WebSocketRoute) -> None:
        """Of the first line nothing but the greeting arrives, as on a network that drops packets."""
        server = line.connect_to_server()
        if first:
            return
        first.append(line)
        greeted: list[bool] = []

        def pass_once(text: str | bytes) -> None:
            if not greeted:
                greeted.append(True)
                line.send(text)

        server.on_message(pass_once)

    page.route_web_socket("**/ws/notifications*", swallow)
    visit(page)
    ada.notify("Swallowed at first")
    expect_unread(page, 1)


def open_lines(site: Site) -> float:
    return metric(site, 'notiway_connections{wire="html"}')


def test_sign_out_closes_the_sockets_of_both_tabs(site: Site, browse: Browse, ada: Person) -> None:
    context, other_browser = browse(ada), visit(browse(ada))
    before = open_lines(site)
    tabs = [context.new_page() for _ in range(2)]
    for tab in tabs:
        visit(tab)
    wait_until(lambda: open_lines(site) == before + 2)
    tabs[0].get_by_role("button", name="Sign out").click()
    expect(tabs[0].get_by_role("heading", name="Sign in")).to_be_visible()
    expect_state(tabs[1], "offline", "Signed out")
    expect(toasts(tabs[1])).to_contain_text("You have been signed out")
    # Counted by the server: Playwright forgets the sockets of a page that has navigated.
    wait_until(lambda: open_lines(site) == before)
    expect_live(other_browser)  # another login session of the same user stays
    ada.notify("For those who stayed")
    expect_unread(other_browser, 1)
    expect(tabs[1].locator("#notiway-badge")).to_be_hidden()


def test_sign_out_everywhere_closes_every_browser(browse: Browse, ada: Person, console: Console) -> None:
    here, there = visit(browse(ada), "/account"), visit(browse(ada))
    here.get_by_role("button", name="Sign out everywhere").click()
    expect(here.get_by_role("heading", name="Sign in")).to_be_visible()
    expect_state(there, "offline", "Signed out")
    there.reload()
    expect(there.get_by_role("heading", name="Sign in")).to_be_visible()


def test_going_back_brings_a_live_page(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    page.goto("/account")
    ada.notify("While away")
    page.go_back()
    expect_live(page)
    expect_unread(page, 1)
    ada.notify("Once back")
    expect_unread(page, 2)


def test_a_page_out_of_the_back_forward_cache_dials_again(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    # The cache freezes pages with their sockets closed; this is what it fires when it brings one back.
    with page.expect_websocket():
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect_live(page)
    ada.notify("After the thaw")
    expect_unread(page, 1)
    expect(toasts(page)).to_have_count(1)


def test_an_old_page_after_sign_out_says_what_to_do_instead_of_failing_silently(
    browse: Browse, ada: Person, console: Console
) -> None:
    console.expect(r"status of 40[013]")
    context = browse(ada)
    page = visit(context)
    forget_session(page)
    bell(page).click()
    expect(panel(page).get_by_text("You are signed out")).to_be_visible()


def test_what_an_outage_said_is_gone_when_it_is_over(browse: Browse, mortal_site: Site, console: Console) -> None:
    console.expect(DEAD_SERVER)
    site = mortal_site
    ada = Person(site, "Ada")
    ada.store("Before")
    page, other = visit(browse(ada), "/notifications"), visit(browse(ada))
    site.kill()
    history(page).get_by_role("button", name="Mark as read: Before", exact=True).click()
    expect(toasts(page)).to_contain_text("The server could not be reached")
    bell(other).click()
    expect(other.get_by_text("Your notifications could not be loaded")).to_be_visible()
    site.start()
    expect_live(page)
    expect(toasts(page)).to_have_count(0)
    expect_live(other)
    expect(row(panel(other), "Before")).to_be_visible()
    expect(other.get_by_text("Your notifications could not be loaded")).to_be_hidden()


def test_the_head_of_the_panel_keeps_its_height_when_the_line_is_lost(
    browse: Browse, mortal_site: Site, console: Console
) -> None:
    console.expect(DEAD_SERVER)
    ada = Person(mortal_site, "Ada")
    pages = [visit(browse(ada, viewport={"width": width, "height": 800})) for width in (1280, 390, 320)]
    height = "document.querySelector('.notiway-panel__head').offsetHeight"
    heights = []
    for page in pages:
        open_panel(page)
        heights.append(page.evaluate(height))
    mortal_site.kill()
    for page, before in zip(pages, heights, strict=True):
        expect_state(page, "reconnecting", "Reconnecting…")
        assert page.evaluate(height) == before
    assert heights[0] < 60  # px: one row


def test_a_fault_of_the_server_is_not_blamed_on_the_reader(browse: Browse, ada: Person, console: Console) -> None:
    console.expect("status of 500")
    page = visit(browse(ada))
    page.route("**/notifications/recent", lambda route: route.fulfill(status=500, body="Boom"))
    bell(page).click()
    expect(panel(page).get_by_text("Something went wrong on the server. Try again in a moment.")).to_be_visible()
    page.unroute("**/notifications/recent")
    panel(page).get_by_role("button", name="Try again").click()
    expect(panel(page)).to_have_attribute("data-status", "ready")


def test_an_old_page_after_sign_out_offers_to_sign_in(browse: Browse, ada: Person, console: Console) -> None:
    console.expect(r"status of 40[01]")
    context = browse(ada)
    page = visit(context)
    forget_session(page)
    bell(page).click()
    expect(panel(page).get_by_text("You are signed out.")).to_be_visible()
    expect(panel(page).get_by_role("button", name="Try again")).to_be_hidden()
    panel(page).get_by_role("link", name="Sign in").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_refusal_after_sign_out_leads_to_sign_in_too(browse: Browse, ada: Person, console: Console) -> None:
    console.expect(r"status of 40[01]")
    ada.store("Old")
    context = browse(ada)
    page = visit(context, "/notifications")
    forget_session(page)
    history(page).get_by_role("button", name="Mark as read: Old", exact=True).click()
    expect(toasts(page).get_by_role("link", name="Sign in")).to_be_visible()


BLOCKED = """
window.RealWebSocket = window.WebSocket;
window.dials = 0;
window.WebSocket = class extends EventTarget {
  static CONNECTING = 0; static OPEN = 1; static CLOSING = 2; static CLOSED = 3;
  constructor(url) {
    super();
    if (window.unblocked) return new window.RealWebSocket(url);
    window.dials += 1;
    this.url = url;
    this.readyState = 0;
    setTimeout(() => {
      this.readyState = 3;
      for (const event of [new Event("error"), new CloseEvent("close", { code: %d })]) {
        this.dispatchEvent(event);
        this[`on${event.type}`]?.(event);
      }
    }, 10);
  }
  close() {}
};
"""


def blocked_page(context: BrowserContext, path: str = "/dashboard", code: int = 1006) -> Page:
    """A page in a network where no WebSocket comes about."""
    context.add_init_script(BLOCKED % code)
    page = context.new_page()
    page.goto(path)
    return page


def test_who_was_signed_out_is_told_so_where_websockets_are_blocked(
    browse: Browse, ada: Person, console: Console
) -> None:
    console.expect("htmx:ws:error|status of 401")
    page = blocked_page(browse(ada))
    ada.change("DELETE FROM notiway_session WHERE user_id = ?", ada.id)
    expect_state(page, "offline", "Signed out")
    expect(toasts(page).get_by_role("link", name="Sign in")).to_be_visible()


def test_a_tab_that_was_one_too_many_hears_a_stream_and_dials_again_when_the_clock_has_jumped(
    browse: Browse, ada: Person, console: Console
) -> None:
    console.expect("htmx:ws:error")
    context = browse(ada)
    context.clock.install()
    page = blocked_page(context, code=4008)
    expect_state(page, "streaming", "Live over SSE")
    expect(toasts(page)).to_have_count(0)
    page.evaluate("window.unblocked = true")
    page.clock.fast_forward("05:00")  # as after a lid was closed
    expect_live(page)
    ada.notify("Once back")
    expect_unread(page, 1)


def test_what_a_page_remembers_of_ids_is_bounded(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    kept = page.evaluate("""async () => {
      const { remembered } = await import("/notiway/static/notiway/js/page/remembered.js");
      const met = remembered(3);
      for (const id of ["a", "b", "c", "d"]) met.add(id);
      return [met.size, met.has("a"), met.has("b"), met.has("d")];
    }""")
    assert kept == [3, False, True, True]


def test_a_notification_that_the_look_after_a_break_finds_first_is_news_all_the_same(
    browse: Browse, ada: Person
) -> None:
    """Its frame waits to be drawn while the list is fetched that has it already."""
    page = browse(ada).new_page()
    lines: list[WebSocketRoute] = []
    held: list[str | bytes] = []

    def relay(line: WebSocketRoute) -> None:
        lines.append(line)
        server = line.connect_to_server()
        server.on_message(lambda told: held.append(told) if "Meanwhile" in str(told) else line.send(told))

    page.route_web_socket("**/ws/notifications*", relay)
    looks: list[Route] = []
    visit(page)
    page.route("**/notifications/recent*", lambda route: looks.append(route))
    lines[0].close(code=1012, reason="restarting")
    wait_for(page, lambda: bool(looks))
    ada.notify("Meanwhile")
    wait_for(page, lambda: bool(held))
    looks[0].continue_()
    expect(page.locator("[data-notiway-list=recent] > [data-notiway-id]")).to_have_count(1)
    lines[-1].send(held[0])
    expect(toasts(page)).to_have_count(1)
    lines[-1].send(held[0])
    page.wait_for_timeout(300)
    expect(toasts(page)).to_have_count(1)


def wait_for(page: Page, is_so: Callable[[], bool]) -> None:
    while not is_so():
        page.wait_for_timeout(20)
