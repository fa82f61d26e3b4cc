"""States: what the pages can look like, each brought about as a reader would; the looks are checked in all of them."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from browser.person import Person
from browser.sights import bell, forget_session, history, open_panel, panel, press, row, toasts, undo, visit

LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


def store_one_of_each(person: Person) -> None:
    for number, kind in enumerate(("info", "success", "warning", "error")):
        person.store(f"A notification of type {kind}", type=kind, message="With a message.", source="billing",
                     priority=("low", "medium", "high", "urgent")[number], age_ms=number * 3_600_000)  # fmt: skip
    person.visitor.put(f"/notifications/{person.store('One that is read', message='Long ago')}/read")


def empty_history(page: Page, person: Person) -> None:
    visit(page, "/notifications")
    expect(page.get_by_text("Nothing here yet")).to_be_visible()


def full_history(page: Page, person: Person) -> None:
    person.store_many([f"Number {n}" for n in range(20)])
    store_one_of_each(person)
    visit(page, "/notifications")
    history(page).get_by_role("checkbox").first.check()
    expect(page.get_by_role("link", name="Load more")).to_be_visible()


def history_after_a_deletion(page: Page, person: Person) -> None:
    store_one_of_each(person)
    visit(page, "/notifications")
    press(history(page), "Delete", "One that is read")
    expect(undo(page)).to_be_visible()


def history_after_a_bulk_deletion(page: Page, person: Person) -> None:
    store_one_of_each(person)
    visit(page, "/notifications")
    history(page).get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("1 deleted")).to_be_visible()


def history_where_nothing_matches(page: Page, person: Person) -> None:
    visit(page, "/notifications?text=nothing")
    expect(page.locator(".notiway-empty__title", has_text="Nothing matches")).to_be_visible()


def dashboard(page: Page, person: Person) -> None:
    visit(page)


def dashboard_with_a_fault(page: Page, person: Person) -> None:
    visit(page)
    page.get_by_label("Message").fill("m" * 201)
    page.get_by_role("button", name="Send notification").click()
    expect(page.get_by_label("Title")).to_have_attribute("aria-invalid", "true")


def open_dropdown(page: Page, person: Person) -> None:
    store_one_of_each(person)
    visit(page)
    open_panel(page)
    row(panel(page), "One that is read").hover()
    person.notify("Another")
    expect(page.get_by_role("button", name="1 new")).to_be_visible()


def empty_dropdown(page: Page, person: Person) -> None:
    visit(page)
    open_panel(page)


def broken_dropdown(page: Page, person: Person) -> None:
    visit(page)
    page.route("**/notifications/recent", lambda route: route.abort())
    bell(page).click()
    expect(page.get_by_text("Your notifications could not be loaded")).to_be_visible()


def toasts_shown(page: Page, person: Person) -> None:
    visit(page, "/account")
    for kind in ("success", "warning", "error"):
        person.notify(f"A toast of type {kind}", "With a message.", kind)
        expect(toasts(page).filter(has_text=kind)).to_be_visible()


def account(page: Page, person: Person) -> None:
    visit(page, "/account")


def account_with_devices(page: Page, person: Person) -> None:
    for agent in ("curl/8.5 " + "x" * 200, "Mozilla/5.0 (Windows NT 10.0) Chrome/139.0 Edg/139.0"):
        person.site.sign_in(person.email, user_agent=agent).close()
    visit(page, "/account")
    expect(page.get_by_role("button", name="Sign out this device: Edge on Windows")).to_be_visible()


def refused_password(page: Page, person: Person) -> None:
    account_with_devices(page, person)
    page.get_by_label("Current password").fill("wrong")
    page.get_by_label("New password").fill("unusual words like zwieback")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_have_text("This is not your password.")


def error_page(page: Page, person: Person) -> None:
    visit(page, "/nothing-here")
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()


def sign_in(page: Page, person: Person) -> None:
    forget_session(page)
    page.goto("/login")


def refused_sign_in(page: Page, person: Person) -> None:
    sign_in(page, person)
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()


def settings(page: Page, person: Person) -> None:
    person.store("Invoice paid", source="billing", type="success")
    visit(page, "/notifications/settings")
    page.get_by_role("button", name="For 1 hour").click()
    expect(page.get_by_text("Do not disturb is on").first).to_be_visible()
    page.get_by_role("button", name="Run the checks").click()
    expect(page.locator("[data-notiway-check=test]")).to_contain_text("Arrived after")


def why(page: Page, person: Person) -> None:
    person.visitor.post("/notifications/settings/pause", json={"for": "1h"})
    person.store(LONG_WORD, source=LONG_WORD, type="success")
    visit(page, "/notifications")
    row(history(page), LONG_WORD).hover()
    history(page).get_by_role("button", name=f"Why do I see this? {LONG_WORD}").click()
    expect(history(page).get_by_role("button", name="Mute")).to_be_visible()
    open_panel(page).locator("summary").click()


def snooze_choice(page: Page, person: Person) -> None:
    store_one_of_each(person)
    visit(page, "/notifications")
    press(history(page), "Snooze", "One that is read")
    expect(page.get_by_role("dialog", name="Snooze until").get_by_role("button").first).to_be_focused()


def snoozed(page: Page, person: Person) -> None:
    person.visitor.put(f"/notifications/{person.store('Call back')}/snooze", json={"minutes": 90})
    visit(page, "/notifications?state=snoozed")
    expect(history(page).get_by_text("until")).to_be_visible()


def group_opened(page: Page, person: Person) -> None:
    for name in ("Ann", "Ben", "Cy"):
        person.store(f"{name} liked your post")
    person.change("UPDATE notiway_inbox_item SET group_key = 'post:42' WHERE user_id = ?", person.id)
    person.change("UPDATE notiway_notification SET group_key = 'post:42' WHERE audience = ?", f"user:{person.id}")
    visit(page, "/notifications")
    row(history(page), "liked your post").get_by_role("button", name="Show all 3").click()
    expect(history(page).locator("[data-notiway-members] .notiway-item")).to_have_count(3)


def banners_shown(page: Page, person: Person) -> None:
    for kind in ("info", "warning", "error"):
        person.store(f"Closed on Monday ({kind})", name="system-announcement", type=kind, message="For stock-taking.")
    visit(page)
    expect(page.locator("[data-notiway-banners] > [data-notiway-id]")).to_have_count(3)


def cut_off(page: Page, person: Person) -> None:
    person.store("Invoice paid")
    visit(page)
    open_panel(page)
    page.context.set_offline(True)
    expect(panel(page).locator("[data-notiway-connection]")).to_have_text("Offline")


def flooded(page: Page, person: Person) -> None:
    person.store_many([f"Number {n}" for n in range(20)])
    visit(page, "/notifications")
    history(page).get_by_role("link").first.focus()
    for number in range(3):
        person.notify(f"Meanwhile {number}")
    expect(page.get_by_role("button", name="3 new")).to_be_visible()


def filters_chosen(page: Page, person: Person) -> None:
    store_one_of_each(person)
    visit(page, "/notifications?type=error&priority=urgent")
    page.get_by_text("Save as a tab").click()
    expect(page.get_by_label("Name of the tab")).to_be_visible()


Show = Callable[[Page, Person], None]
PLACES: tuple[Show, ...] = (
    sign_in, refused_sign_in, dashboard, dashboard_with_a_fault, empty_history, full_history, history_after_a_deletion,
    history_after_a_bulk_deletion, history_where_nothing_matches, open_dropdown, empty_dropdown, broken_dropdown,
    toasts_shown, account, account_with_devices, refused_password, error_page,
    settings, why, snooze_choice, snoozed, group_opened, banners_shown, cut_off, flooded, filters_chosen,
)  # fmt: skip
