"""Buttons of notifications: pressed on one device, known on all."""

from __future__ import annotations

import json

import requests
from playwright.sync_api import Page, expect

from browser.conftest import Browse
from browser.person import Person
from browser.sights import expect_unread, history, open_panel, row, toasts, visit

APPROVE = {
    "name": "approve",
    "label": "Approve",
    "url": "/notifications/read-all",
    "method": "post",
    "style": "primary",
}
LOOK = {"name": "look", "label": "Look", "url": "/account", "method": "get", "style": "secondary"}


def test_a_button_that_is_pressed_on_one_device_is_done_on_all(browse: Browse, ada: Person) -> None:
    ada.store("Bob asks for access", details=json.dumps({"actions": [APPROVE, LOOK]}))
    laptop, phone = (visit(browse(ada), "/notifications") for _ in range(2))
    pressed = row(history(laptop), "Bob asks")
    panel = open_panel(phone)
    pressed.get_by_role("button", name="Approve").click()
    for place in (history(laptop), history(phone), panel):
        expect(row(place, "Bob asks")).to_contain_text("Approve: done by Ada")
        expect(row(place, "Bob asks").get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    expect_unread(phone, 0)  # the route that the button stands for was called
    pressed.get_by_role("link", name="Look").click()  # the second link in a row can be clicked
    expect(laptop).to_have_url(f"{ada.site.url}/account")


def test_a_toast_shows_pictures_and_buttons_and_follows_them(browse: Browse, ada: Person) -> None:
    page = visit(browse(ada))
    key = ada.site.command("key", "add", f"buttons of {ada.id}", "--scope", "publish").split()[-1]
    envelope = {
        "id": f"rich-{ada.id}",
        "type": "order-shipped",
        "body": {"title": "Order shipped"},
        "routing": {"audienceType": 4, "audienceValue": ada.id},
        "metadata": {"isPersisted": True},
        "image": "/static/host/icon.svg",
        "actions": [{"label": "Track", "url": "/account"}],
    }
    headers = {"Authorization": f"Bearer {key}"}
    answer = requests.post(f"{ada.site.url}/api/notifications", json=envelope, headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
    toast = toasts(page).filter(has_text="Order shipped")
    expect(toast.locator("img.nw-media")).to_have_attribute("src", "/static/host/icon.svg")
    toast.get_by_role("link", name="Track").click()
    expect(page).to_have_url(f"{ada.site.url}/account")


FRAME = """(own) => {
  const row = document.querySelector("[data-notiway-list] > [data-notiway-id]").cloneNode(true);
  row.dataset.notiwayId = "01ffffff-fb8a-73bd-9a80-6c53df77be0b";
  const quiet = document.createElement("div");
  quiet.dataset.notiwayEvent = "quiet";
  quiet.append(row);
  const incoming = document.getElementById("notiway-incoming");
  incoming.innerHTML = own;
  incoming.append(quiet);
  document.dispatchEvent(new CustomEvent("htmx:after:swap", { detail: { ctx: {} } }));
}"""


def arrive(page: Page, own: str) -> None:
    page.evaluate(FRAME, own)


def test_an_event_without_a_place_on_the_page_is_a_toast(browse: Browse, ada: Person) -> None:
    ada.store("Order shipped")
    page = visit(browse(ada), "/notifications")
    arrive(page, '<p id="order-1" data-notiway-into="#nowhere">On its way</p>')
    expect(toasts(page)).to_have_count(1)
    expect(toasts(page)).to_contain_text("Order shipped")


def test_an_event_with_a_place_on_the_page_is_shown_there_only(browse: Browse, ada: Person) -> None:
    ada.store("Order shipped")
    page = visit(browse(ada), "/notifications")
    arrive(page, '<p id="order-1" data-notiway-into="main">On its way</p>')
    expect(page.locator("main > #order-1")).to_have_text("On its way")
    ada.notify("Told later")
    expect(toasts(page)).to_have_count(1)
    expect(toasts(page)).to_contain_text("Told later")
