"""Attention: do not disturb, topics, browser notifications, sound and the settings page, in tabs and on devices."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import BrowserContext, Locator, Page, Route, expect
from servers import wait_until

from browser.conftest import Browse, Console
from browser.person import Person
from browser.sights import (
    bell,
    expect_unread,
    history,
    open_panel,
    panel,
    row,
    toasts,
    toasts_shown,
    visit,
    watch_toasts,
)
from browser.test_live import hide
from browser.test_toasts import break_line

SETTINGS = "/notifications/settings"
SECONDS = 45.0
# Records what a page shows outside of itself; a browser without a screen shows nothing.
RECORD = """
class Recorded extends EventTarget {
  static permission = "granted";
  static requestPermission() {
    Recorded.permission = window.answer ?? "granted";
    return Promise.resolve(Recorded.permission);
  }
  constructor(title, options) {
    super();
    Object.assign(this, { title, ...options });
    window.notified.push(this);
  }
  close() { this.closed = true; }
}
window.notified = [];
window.Notification = Recorded;
"""


def quiet(page: Page) -> Locator:
    return page.locator(".notiway-bell[data-quiet]")


def change(person: Person, **changes: Any) -> None:
    """Change settings as another device would."""
    answer = person.visitor.put(SETTINGS, json=changes)
    assert answer.status_code == 200, answer.text


def held(page: Page, count: int) -> None:
    """Wait until this browser keeps so many notifications for the summary."""
    kept = """() => Object.entries(localStorage).filter(([key]) => key.startsWith("notiway:quieted"))
      .reduce((sum, [, ids]) => sum + JSON.parse(ids).length, 0)"""
    wait_until(lambda: page.evaluate(kept) == count, SECONDS)


def saved(page: Page) -> Locator:
    return page.get_by_role("status").filter(has_text=re.compile("^Saved$"))


def test_do_not_disturb_holds_in_every_tab_and_on_every_device_and_ends_with_one_summary(
    browse: Browse, ada: Person
) -> None:
    laptop = browse(ada)
    settings, tab = visit(laptop, SETTINGS), visit(laptop, "/account")
    phone = visit(browse(ada), "/account")
    for page in (settings, tab, phone):
        watch_toasts(page)
    settings.get_by_role("button", name="For 1 hour").click()
    for page in (settings, tab, phone):
        expect(quiet(page)).to_have_count(1)
        expect(bell(page)).to_have_accessible_description(re.compile(r"Do not disturb is on until \d"))
    for n in range(1, 4):
        ada.notify(f"Number {n}", type="error")
    for page in (settings, tab, phone):
        expect_unread(page, 3)
        held(page, 3)
    assert [toasts_shown(page) for page in (settings, tab, phone)] == [0, 0, 0]
    open_panel(phone).get_by_role("button", name="Turn off").click()
    for page in (settings, tab, phone):
        expect(quiet(page)).to_have_count(0)
    summary = "3 notifications came while Do not disturb was on"
    expect(toasts(phone).filter(has_text=summary)).to_have_count(1)
    held(tab, 0)
    wait_until(lambda: toasts_shown(settings) + toasts_shown(tab) == 1, SECONDS)
    ada.notify("Loud again")
    expect(toasts(phone).filter(has_text="Loud again")).to_be_visible()


def test_the_panel_turns_it_on_by_keyboard_and_escape_closes_only_its_menu(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada, timezone_id="Asia/Tokyo"), "/account")
    dropdown = open_panel(page)
    moon = dropdown.locator("summary")
    expect(moon).to_have_accessible_name("Do not disturb")
    moon.focus()
    page.keyboard.press("Enter")
    expect(dropdown.get_by_role("button", name="For 1 hour")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dropdown.get_by_role("button", name="For 1 hour")).to_be_hidden()
    expect(moon).to_be_focused()
    expect(dropdown).to_be_visible()
    page.keyboard.press("Enter")
    dropdown.get_by_role("button", name="Until tomorrow, 8:00").press("Enter")
    expect(quiet(page)).to_have_count(1)
    expect(dropdown.get_by_text("Do not disturb is on until")).to_be_visible()
    expect(dropdown.get_by_role("button", name="For 1 hour")).to_be_hidden()
    until = datetime.fromtimestamp(ada.visitor.get(SETTINGS).json()["quietUntil"] / 1000, ZoneInfo("Asia/Tokyo"))
    assert f"{until:%H:%M}" == "08:00"


def test_what_was_changed_while_a_page_was_away_holds_when_it_is_back(
    browse: Browse, ada: Person, console: Console
) -> None:
    console.expect("ERR_INTERNET_DISCONNECTED|WebSocket connection|htmx:ws:error")
    context = browse(ada)
    page = visit(context, "/account")
    context.set_offline(True)
    page.evaluate("document.querySelector('[data-notiway-socket]')._htmx.ws.connection.socket.close()")
    expect(page.locator(".notiway-bell")).not_to_have_attribute("data-connection", "connected")
    change(ada, pause="1h")
    context.set_offline(False)
    expect(quiet(page)).to_have_count(1)


def test_quiet_hours_begin_and_end_by_the_servers_clock_without_another_request(
    browse: Browse, ada: Person, console: Console
) -> None:
    """The browser's own clock is hours behind, and nobody answers when it asks."""
    console.expect("ERR_FAILED")
    begins = datetime.now(UTC) + timedelta(minutes=10)
    hours = {"from": f"{begins:%H:%M}", "to": f"{begins + timedelta(minutes=10):%H:%M}"}
    change(ada, zone="UTC", schedule={"on": True, **hours})
    page = browse(ada, timezone_id="America/New_York").new_page()
    page.clock.install(time=datetime.now(UTC) - timedelta(hours=5))
    visit(page, "/account")
    page.route(f"**{SETTINGS}", lambda route: route.abort())
    expect(quiet(page)).to_have_count(0)
    page.clock.fast_forward("11:00")
    expect(quiet(page)).to_have_count(1)
    page.clock.fast_forward("10:00")
    expect(quiet(page)).to_have_count(0)


def test_what_is_urgent_breaks_through_only_where_that_is_allowed(browse: Browse, ada: Person) -> None:
    change(ada, pause="1h")
    page = visit(browse(ada), "/account")
    ada.store("Kept for later", priority="urgent")
    break_line(page)
    held(page, 1)
    expect(toasts(page)).to_have_count(0)
    change(ada, urgentBreaksThrough=True)
    ada.store("Payment gateway is down", priority="urgent")
    ada.store("Only important", priority="high")
    break_line(page)
    expect(toasts(page).filter(has_text="Payment gateway is down")).to_be_visible()
    held(page, 2)
    expect(toasts(page)).to_have_count(1)


def test_a_topic_that_is_muted_from_its_notification_pops_up_nowhere_and_is_in_the_list(
    browse: Browse, ada: Person
) -> None:
    page, phone = visit(browse(ada), "/notifications"), visit(browse(ada), "/account")
    ada.notify("Invoice paid", type="success")
    listed = history(page)
    row(listed, "Invoice paid").hover()
    with page.expect_request("**/why"):  # with nothing of the form around it
        listed.get_by_role("button", name="Why do I see this? Invoice paid").click()
    why = listed.get_by_role("region", name="Why you see this: Invoice paid")
    expect(why).to_be_focused()
    expect(why).to_contain_text("Sent to you")
    why.get_by_role("button", name=re.compile("^Mute ")).click()
    expect(why).to_contain_text("You have muted these")
    expect(why.get_by_role("button", name=re.compile("^Unmute "))).to_be_visible()
    page.keyboard.press("Escape")
    expect(why).to_have_count(0)
    watch_toasts(phone)
    ada.notify("Another invoice", type="success")
    expect_unread(phone, 2)
    ada.notify("Disk full", type="error")
    expect(toasts(phone).filter(has_text="Disk full")).to_be_visible()
    assert toasts_shown(phone) == 1
    expect(row(open_panel(phone), "Another invoice")).to_be_visible()


def test_a_control_saves_at_once_and_every_tab_follows(browse: Browse, ada: Person) -> None:
    context = browse(ada, timezone_id="Asia/Tokyo")
    page, other = visit(context, SETTINGS), visit(context, SETTINGS)
    page.get_by_role("switch", name=re.compile("^Keyboard shortcuts")).uncheck()
    expect(saved(page)).to_be_visible()
    expect(other.get_by_role("switch", name=re.compile("^Keyboard shortcuts"))).not_to_be_checked()
    for each in (page, other):
        expect(each.locator("html")).to_have_attribute("data-notiway-shortcuts", "off")
    page.get_by_label("Every week, at these times").check()
    page.get_by_role("checkbox", name="Mon").click()
    expect(other.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    expect(other.get_by_role("checkbox", name="Mon")).not_to_be_checked()
    page.get_by_role("radio", name="Until closed").click()
    expect(other.get_by_role("radio", name="Until closed")).to_be_checked()
    told = ada.visitor.get(SETTINGS).json()
    assert (told["shortcuts"], told["zone"], told["toastSeconds"]) == (False, "Asia/Tokyo", 0)
    assert (told["schedule"]["on"], "mon" in told["schedule"]["days"]) == (True, False)
    page.get_by_label("Every week, at these times").uncheck()  # it may be night in Tokyo
    expect(other.get_by_label("Every week, at these times")).not_to_be_checked()
    page.close()
    other.clock.install()
    ada.notify("It stays")
    other.clock.run_for(1_000)
    expect(toasts(other).filter(has_text="It stays")).to_be_visible()
    other.clock.run_for(200_000)
    expect(toasts(other).filter(has_text="It stays")).to_be_visible()


def test_what_cannot_be_saved_goes_back_and_says_so(browse: Browse, ada: Person, console: Console) -> None:
    console.expect("ERR_FAILED|status of 422")
    page = visit(browse(ada), SETTINGS)
    page.route(f"**{SETTINGS}", lambda route: route.abort() if route.request.method == "PUT" else route.continue_())
    page.get_by_role("switch", name=re.compile("^Sound")).click()
    expect(toasts(page)).to_contain_text("could not be reached")
    expect(page.get_by_role("switch", name=re.compile("^Sound"))).not_to_be_checked()
    page.unroute(f"**{SETTINGS}")
    page.get_by_label("Every week, at these times").check()
    expect(saved(page)).to_be_visible()
    for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"):
        page.get_by_role("checkbox", name=day).click()
    expect(toasts(page).filter(has_text="at least one day")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Sun")).to_be_checked()


def recording(context: BrowserContext) -> BrowserContext:
    context.add_init_script(RECORD)
    return context


def notified(page: Page) -> list[dict[str, Any]]:
    told = "({ title, tag, requireInteraction, closed }) => ({ title, tag, requireInteraction, closed: !!closed })"
    return list(page.evaluate(f"notified.map({told})"))


def test_the_browser_notifies_of_what_is_grave_while_no_tab_is_in_view(browse: Browse, ada: Person) -> None:
    change(ada, browser=True)
    context = recording(browse(ada))
    first, second = visit(context, "/account"), visit(context, "/account")
    for page in (first, second):
        hide(page)
    urgent = ada.store("Payment gateway is down", priority="urgent")
    ada.store("Ordinary", type="success")
    high = ada.store("Important", priority="high", type="warning")
    for page in (first, second):
        break_line(page)
        expect_unread(page, 3)
    wait_until(lambda: len(notified(first)) + len(notified(second)) == 2, SECONDS)
    second.evaluate("navigator.locks.request('turn', () => {})")
    shown = notified(first) + notified(second)
    assert sorted((each["title"], each["tag"], each["requireInteraction"]) for each in shown) == [
        ("Important", high, False), ("Payment gateway is down", urgent, True),
    ]  # fmt: skip
    ada.visitor.put(f"/notifications/{urgent}/read")

    def closed() -> set[str]:
        return {each["title"] for each in notified(first) + notified(second) if each["closed"]}

    wait_until(lambda: closed() == {"Payment gateway is down"}, SECONDS)
    owner = first if any(each["tag"] == high for each in notified(first)) else second
    owner.evaluate("id => notified.find(({ tag }) => tag === id).dispatchEvent(new Event('click'))", high)
    expect(owner).to_have_url(re.compile(rf"/notifications#n-{high}$"))


def test_a_tab_in_view_keeps_them_on_the_page_and_many_at_once_are_one_outside_of_it(
    browse: Browse, ada: Person
) -> None:
    change(ada, browser=True)
    page = visit(recording(browse(ada)), "/account")
    ada.store("Payment gateway is down", priority="urgent")
    break_line(page)
    expect(toasts(page)).to_be_visible()
    assert notified(page) == []
    hide(page)
    ada.store_many([f"Number {n}" for n in range(5)], priority="high")
    break_line(page)
    wait_until(lambda: notified(page), SECONDS)
    assert [each["title"] for each in notified(page)] == ["5 important notifications"]


def test_permission_is_asked_for_on_a_click_and_each_state_has_its_words(browse: Browse, ada: Person) -> None:
    page = recording(browse(ada)).new_page()
    page.add_init_script(
        "Notification.permission = 'default'; window.answer = 'denied'; window.asked = 0;"
        "const ask = Notification.requestPermission; Notification.requestPermission = () => (asked++, ask());"
    )
    visit(page, SETTINGS)
    words = page.locator("[data-notiway-permission]")
    expect(words).to_have_text("This browser has not been asked yet.")
    assert page.evaluate("asked") == 0
    page.get_by_role("switch", name=re.compile("^Notify me")).click()
    expect(words).to_contain_text("Blocked in this browser")
    assert page.evaluate("asked") == 1
    page.evaluate("Notification.permission = 'granted'; document.dispatchEvent(new Event('notiway:settings'))")
    expect(words).to_have_text("Allowed in this browser.")


def chimes(page: Page) -> list[int]:
    """The volume of each sound since `listen`."""
    return list(page.evaluate("window.chimes"))


def listen(page: Page) -> None:
    page.evaluate("chimes = []; document.addEventListener('notiway:chime', ({ detail }) => chimes.push(detail))")


def test_one_tab_sounds_where_the_reader_wants_it(browse: Browse, ada: Person) -> None:
    context = browse(ada)
    page, other = visit(context, SETTINGS), visit(context, "/account")
    for each in (page, other):
        listen(each)
    hide(other)  # Playwright calls every page focused, and one that nobody has clicked on may not sound
    page.get_by_role("button", name="Listen").click()
    wait_until(lambda: chimes(page) == [50], SECONDS)
    page.get_by_role("switch", name=re.compile("^Sound")).click()
    expect(saved(page)).to_be_visible()
    ada.notify("Ring")
    wait_until(lambda: chimes(page) == [50, 50], SECONDS)
    assert chimes(other) == []
    change(ada, pause="1h")
    expect(quiet(page)).to_have_count(1)
    ada.notify("Hush")
    held(page, 1)
    assert chimes(page) == [50, 50]


def test_the_doctor_finds_what_works_and_says_what_does_not_open(browse: Browse, ada: Person, console: Console) -> None:
    console.expect("ERR_FAILED|WebSocket connection|status of 404")
    page = visit(browse(ada), SETTINGS)
    page.get_by_role("button", name="Run the checks").click()
    for name, words in (("socket", "Works"), ("stream", "Works"), ("clock", "Agrees"), ("test", "Arrived after")):
        expect(page.locator(f"[data-notiway-check={name}]")).to_contain_text(words)
    expect(toasts(page).filter(has_text="This is a test")).to_be_visible()
    expect_unread(page, 0)

    def refuse(route: Route) -> None:
        route.abort()

    page.route("**/api/notifications/stream*", refuse)
    page.evaluate("document.querySelector('[data-notiway-doctor]').dataset.socket = '/nothing-here'")
    page.get_by_role("button", name="Run the checks").click()
    for name in ("socket", "stream"):
        expect(page.locator(f"[data-notiway-check={name}]")).to_contain_text("Does not open")


def test_without_javascript_the_page_is_a_form(browse: Browse, ada: Person) -> None:
    page = browse(ada, java_script_enabled=False).new_page()
    page.goto(SETTINGS)
    page.get_by_role("button", name="For 30 minutes").click()
    expect(page.get_by_text("It is on.")).to_be_visible()
    page.get_by_role("switch", name=re.compile("^Sound")).click()
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    expect(page.get_by_role("switch", name=re.compile("^Sound"))).to_be_checked()
    assert panel(page).count() == 0
