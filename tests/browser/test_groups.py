"""Groups: several notifications of one group key are one row, live, and open to their members."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Page, expect

from browser.conftest import Browse
from browser.person import Person
from browser.sights import expect_unread, history, open_panel, row, rows, visit

LIKES = "post:42:likes"


@pytest.fixture
def like(ada: Person) -> Callable[..., None]:
    """Several like Ada's post at once: `like("Ann", "Ben")`."""
    key = ada.site.command("key", "add", f"likes of {ada.id}", "--scope", "publish").split()[-1]

    def publish(*actors: str) -> None:
        envelopes = [
            {
                "id": f"{actor}-{ada.id}",
                "type": "liked",
                "body": {"title": f"{actor} liked your post"},
                "routing": {"audienceType": 4, "audienceValue": ada.id},
                "metadata": {"isPersisted": True},
                "groupKey": LIKES,
                "actor": {"name": actor},
            }
            for actor in actors
        ]
        headers = {"Authorization": f"Bearer {key}"}
        answer = requests.post(f"{ada.site.url}/api/notifications", json=envelopes, headers=headers, timeout=30)
        assert answer.ok, answer.text

    return publish


def members(page: Page) -> list[str]:
    return page.locator("[data-notiway-members] .notiway-item__title").all_inner_texts()


def test_a_group_is_one_row_that_grows_live_and_opens(browse: Browse, ada: Person, like: Callable[..., None]) -> None:
    like("Ann")
    ada.notify("Something else")
    page = visit(browse(ada), "/notifications")
    expect(rows(history(page))).to_have_count(2)
    like("Ben")
    expect(row(history(page), "liked your post")).to_contain_text("Ben and Ann liked your post")
    expect(rows(history(page))).to_have_count(2)
    expect(rows(history(page)).first).to_contain_text("liked your post")  # where its newest member is
    like("Cy", "Dan", "Eve")
    group = row(history(page), "liked your post")
    expect(group).to_contain_text("Eve, Dan and 3 others liked your post")
    expect_unread(page, 6)
    group.get_by_role("button", name="Show all 5").click()
    expect(page.locator("[data-notiway-members] [data-notiway-id]")).to_have_count(5)
    like("Flo")
    expect(row(history(page), "others liked your post")).to_contain_text("Flo, Eve and 4 others")
    expect(page.locator("[data-notiway-members] [data-notiway-id]")).to_have_count(6)  # it stays open
    assert "Flo liked your post" in members(page)[0]
    group.get_by_role("button", name="Show less").click()
    expect(page.locator("[data-notiway-members]")).to_have_count(0)


def test_a_member_that_is_read_elsewhere_is_counted_in_its_row(
    browse: Browse, ada: Person, like: Callable[..., None]
) -> None:
    like("Ann", "Ben", "Cy")
    laptop, phone = (visit(browse(ada), "/notifications") for _ in range(2))
    row(history(laptop), "liked").get_by_role("button", name="Show all 3").click()
    laptop.locator("[data-notiway-members] [data-notiway-id]", has_text="Ann").hover()
    laptop.get_by_role("button", name="Mark as read: Ann liked your post").click()
    for page in (laptop, phone):
        expect(row(history(page), "Cy, Ben")).to_contain_text("2 unread")
        expect_unread(page, 2)
    panel = open_panel(phone)
    expect(row(panel, "Cy, Ben")).to_contain_text("Show all 3")


def test_a_burst_of_a_group_is_one_row(browse: Browse, ada: Person, like: Callable[..., None]) -> None:
    page = visit(browse(ada), "/notifications")
    like(*(f"Person {number:02}" for number in range(60)))
    expect(row(history(page), "liked your post")).to_contain_text("Person 59, Person 58 and 58 others")
    expect(rows(history(page))).to_have_count(1)
    expect_unread(page, 60)


def test_without_scripts_a_group_leads_to_its_members(browse: Browse, ada: Person, like: Callable[..., None]) -> None:
    like("Ann", "Ben")
    page = browse(ada, java_script_enabled=False).new_page()
    page.goto("/notifications")
    page.get_by_role("link", name="Show all 2").click()
    expect(page.get_by_role("link", name="Ann liked your post")).to_be_visible()
    expect(page.get_by_role("link", name="Ben liked your post")).to_be_visible()


def test_a_group_is_archived_as_one_and_comes_back_as_one(
    browse: Browse, ada: Person, like: Callable[..., None]
) -> None:
    like("Ann", "Ben", "Cy")
    laptop, phone = (visit(browse(ada), "/notifications") for _ in range(2))
    row(history(laptop), "Cy, Ben").hover()
    history(laptop).get_by_role("button", name="Archive: Cy, Ben and 1 other liked your post").click()
    for page in (laptop, phone):
        expect(rows(history(page))).to_have_count(0)
        expect_unread(page, 0)
    laptop.get_by_role("button", name="Undo").click()
    for page in (laptop, phone):
        expect(row(history(page), "Cy, Ben and 1 other liked your post")).to_be_visible()
        expect(rows(history(page))).to_have_count(1)
        expect_unread(page, 3)
