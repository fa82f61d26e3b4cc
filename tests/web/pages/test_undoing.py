"""Undoing: the way back leads to where items were, in a bar for htmx, in a notice for forms."""

import re

import pytest

from notiway.values.clock import now_ms
from notiway.values.item import Item
from notiway.web.pages.undoing import way_back

HOUR = 3_600_000


def item(id="a", **state):
    return Item(id, "user:1", "n", "info", "medium", "T", "", 1, **state)


def test_the_way_back_of_items_is_where_they_all_were():
    later = now_ms() + HOUR
    archived = item(deleted_at=1, archived_at=1)
    snoozed = item(deleted_at=1, snoozed_until=later)
    assert way_back([item(), item("b")]) == ("/notifications/bulk", {"action": "restore"}, ["a", "b"])
    assert way_back([archived]).fields == {"action": "archive"}
    assert way_back([snoozed, snoozed]).fields == {"action": "snooze", "until": str(later)}
    assert way_back([snoozed, archived]).fields == {"action": "restore"}
    assert way_back([item(deleted_at=1, snoozed_until=1)]).fields == {"action": "restore"}, "its time has passed"


def fields_of(text):
    form = text[text.index('hx-target="#notiway-undo"') :]
    path = re.search(r'hx-post="([^"]+)"', form)[1]
    return path, dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


MOVES = [("DELETE", ""), ("PUT", "/archive"), ("PUT", "/snooze?minutes=60")]


def where(browser):
    found = {}
    for state in ("all", "archived", "snoozed"):
        for each in browser.get(f"/notifications?state={state}", form="json").json["notifications"]:
            found[each["id"]] = (state, each["snoozedUntil"], each["read"])
    return found


@pytest.mark.parametrize(("verb", "path"), MOVES)
@pytest.mark.parametrize(("first_verb", "first"), [(None, None), *MOVES[1:]])
def test_the_bars_undo_brings_an_item_to_where_it_was(browser, user, send, verb, path, first_verb, first):
    one = send(user, "Here & <there>").id
    if first is not None:
        browser.open(first_verb, f"/notifications/{one}{first}", form="json")
    before = where(browser)
    text = browser.open(verb, f"/notifications/{one}{path}", form="htmx").text
    assert f'data-notiway-event="deleted" data-ids="{one}"' in text
    assert 'id="notiway-badge"' in text
    path, fields = fields_of(text)
    answer = browser.post(path, form="htmx", data=fields)
    assert answer.status_code == 200
    assert 'hx-target="#notiway-undo"' not in answer.text, "an Undo offers none"
    assert where(browser) == before


@pytest.mark.parametrize("back", ["archive", "snooze"])
def test_bringing_back_can_be_undone_too(browser, user, send, back):
    one = send(user).id
    browser.put(f"/notifications/{one}/{back}", form="json", json={"minutes": 60})
    before = where(browser)
    text = browser.delete(f"/notifications/{one}/{back}", form="htmx").text
    assert f'data-notiway-id="{one}"' in text, "the row comes with the answer"
    path, fields = fields_of(text)
    browser.post(path, form="htmx", data=fields)
    assert where(browser) == before


@pytest.mark.parametrize("query", [{}, {"type": "error"}, {"state": "unread"}])
def test_the_bars_undo_of_mark_all_brings_back_just_what_it_marked(browser, user, send, query):
    read, *_ = ids = [send(user, str(number), type="error").id for number in range(4)]
    browser.put(f"/notifications/{read}/read", form="json")
    before = where(browser)
    text = browser.put("/notifications/read-all", form="htmx", data={"before": ids[2], **query}).text
    assert "Marked 2 as read" in text
    path, fields = fields_of(text)
    assert f'data-ids="{ids[1]} {ids[2]}"' in browser.post(path, form="htmx", data=fields).text
    assert where(browser) == before
    nothing = browser.put("/notifications/read-all", form="htmx", data={"before": read}).text
    assert "Nothing was unread" in nothing
    assert "data-notiway-undo" not in nothing


def test_programs_undo_a_press_by_its_name_and_only_by_that(browser, user, send):
    sent = [send(user).id for _ in range(3)]
    press = browser.put("/notifications/read-all", form="json").json["press"]
    answer = browser.delete("/notifications/read-all", form="json", json={"press": press})
    assert answer.json == {"read": False, "marked": 3, "unreadCount": 3}
    assert {each for each, (_, _, is_read) in where(browser).items() if not is_read} == set(sent)
    for wrong in ("", "7", "x" * 99, "1." + "0" * 36 + "." + "0" * 36):
        refused = browser.delete("/notifications/read-all", form="json", json={"press": wrong})
        assert (refused.status_code, refused.json["error"]["fields"][0]["path"]) == (400, "press")


def test_a_press_is_undone_without_javascript(browser, user, send):
    send(user)
    browser.post("/notifications/read-all")
    page = browser.get("/notifications").text
    assert "Marked 1 as read" in page
    press = re.search(r'name="press" value="([^"]+)"', page)[1]
    assert browser.post("/notifications/read-all/undo", data={"press": press}).status_code == 303
    assert "1 marked as unread" in browser.get("/notifications").text
    assert browser.get("/notifications", form="json").json["unreadCount"] == 1


def test_a_notice_that_would_not_fit_the_cookie_offers_no_undo(browser, user, send):
    ids = [send(user, str(number)).id for number in range(41)]
    browser.post("/notifications/bulk", data={"action": "archive", "ids": ids})
    page = browser.get("/notifications").text
    assert "41 archived" in page
    assert "data-notiway-undo" not in page
