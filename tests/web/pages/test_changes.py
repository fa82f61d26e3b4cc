"""Read, unread, seen, deleted, restored: as JSON, as fragments for htmx, and as forms without JavaScript."""

import re

import pytest
from conftest import state_of


@pytest.mark.parametrize(("verb", "path", "read"), [("PUT", "read", True), ("DELETE", "read", False)])
def test_read_and_unread_answer_with_the_state_and_the_count(browser, user, send, verb, path, read):
    notification_id = send(user).id
    response = browser.open(verb, f"/notifications/{notification_id}/{path}", form="json")
    assert response.json == {"notificationId": notification_id, "read": read, "unreadCount": 0 if read else 1}


def test_delete_and_restore_answer_with_the_state_and_the_count(browser, user, send):
    path = f"/notifications/{(notification_id := send(user).id)}"
    gone = browser.delete(path, form="json")
    assert gone.json == {"notificationId": notification_id, "deleted": True, "unreadCount": 0}
    assert browser.get("/notifications", form="json").json["notifications"] == []
    assert browser.delete(path, form="json").status_code == 200, "deleting twice is no fault"
    back = browser.post(f"{path}/restore", form="json")
    assert back.json == {"notificationId": notification_id, "deleted": False, "unreadCount": 1}


def test_read_all_spares_what_came_after_the_page_was_shown(browser, user, send):
    shown, later = send(user).id, send(user).id
    response = browser.put("/notifications/read-all", form="json", json={"before": shown})
    press = response.json["press"]
    assert response.json == {"read": True, "before": shown, "marked": 1, "press": press, "unreadCount": 1}
    unread = browser.get("/notifications?state=unread", form="json").json["notifications"]
    assert [item["id"] for item in unread] == [later]
    assert browser.put("/notifications/read-all", form="json").json["unreadCount"] == 0


@pytest.mark.parametrize("place", ["query_string", "data"])
def test_read_all_takes_its_cutoff_from_query_or_form(browser, user, send, place):
    shown = send(user).id
    send(user)
    response = browser.put("/notifications/read-all", form="htmx", **{place: {"before": shown}})
    assert f'data-before="{shown}"' in response.text
    assert 'id="notiway-badge"' in response.text
    assert browser.get("/notifications", form="json").json["unreadCount"] == 1


@pytest.mark.parametrize("before", ["x", "0' OR 1=1 --", 7, ["a"]])
def test_read_all_refuses_a_cutoff_that_is_no_id(browser, user, send, before):
    send(user)
    response = browser.put("/notifications/read-all", form="json", json={"before": before})
    assert response.status_code == 400
    assert response.json["error"]["fields"][0]["path"] == "before"
    assert browser.get("/notifications", form="json").json["unreadCount"] == 1


def unread_titles(browser):
    return [item["title"] for item in browser.get("/notifications?state=unread", form="json").json["notifications"]]


def hidden_fields(page):
    """What the form beside the heading sends, as a browser without scripts would."""
    found = re.findall(r'<input type="hidden" form="notiway-read-all" name="(\w+)" value="([^"]*)"', page)
    assert found
    return dict(found)


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ({"type": "error"}, ["An info", "Old info"]),
        ({"text": "old"}, ["New error", "An info"]),
        ({"type": "error", "state": "unread"}, ["An info", "Old info"]),
        ({"text": "zzzz"}, ["New error", "An info", "Old info", "Old error"]),
        ({"state": "read"}, ["New error", "An info", "Old info", "Old error"]),
        ({"state": "unread"}, []),
        ({}, []),
    ],
)
@pytest.mark.parametrize("by", ["form", "program"])
def test_read_all_on_a_filtered_list_marks_what_it_shows_and_nothing_else(browser, user, send, query, left, by):
    for title in ("Old error", "Old info", "An info", "New error"):
        send(user, title, type=title.rpartition(" ")[2])
    if by == "form":
        fields = hidden_fields(browser.get("/notifications", query_string=query).text)
        response = browser.put("/notifications/read-all", form="htmx", data=fields)
    else:
        response = browser.put("/notifications/read-all", form="json", json=query)
    assert response.status_code == 200
    assert unread_titles(browser) == left


def test_read_all_of_a_list_that_showed_nothing_marks_nothing_that_came_since(browser, user, send):
    fields = hidden_fields(browser.get("/notifications").text)
    send(user, "Just came")
    browser.put("/notifications/read-all", form="htmx", data=fields)
    assert unread_titles(browser) == ["Just came"]


def test_read_all_on_a_filtered_list_spares_what_matches_but_came_later(browser, user, send):
    send(user, "Seen", type="error")
    fields = hidden_fields(browser.get("/notifications?type=error").text)
    send(user, "Not seen", type="error")
    answer = browser.put("/notifications/read-all", form="htmx", data=fields).text
    assert unread_titles(browser) == ["Not seen"]
    assert 'data-notiway-event="read"' in answer
    assert "data-before" not in answer, "the page would take everything older for read"


def test_read_all_refuses_filters_that_are_not_understood(browser, user, send):
    send(user)
    response = browser.put("/notifications/read-all", form="json", json={"type": "loud"})
    assert (response.status_code, response.json["error"]["fields"][0]["path"]) == (400, "type")
    assert browser.get("/notifications", form="json").json["unreadCount"] == 1


def test_seen_keeps_items_unread(browser, user, send, rows):
    notification_id = send(user).id
    response = browser.post("/notifications/seen", form="json", json={"ids": [notification_id]})
    assert response.json == {"notificationIds": [notification_id], "seen": True, "unreadCount": 1}
    seen_at, read_at, _ = state_of(user, notification_id)
    assert seen_at
    assert read_at is None
    assert browser.post("/notifications/seen", form="htmx", data={"ids": notification_id}).status_code == 204


@pytest.mark.parametrize(
    ("action", "left"), [("read", {"read": True}), ("unread", {"read": False}), ("delete", {"deleted": True})]
)
def test_an_action_on_several_changes_just_these(browser, user, send, action, left):
    first, _, third = (send(user).id for _ in range(3))
    response = browser.post("/notifications/bulk", form="json", json={"action": action, "ids": [first, third]})
    assert response.json == {"notificationIds": [first, third], **left, "unreadCount": 3 if action == "unread" else 1}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"action": "explode", "ids": ["x"]}, "action"),
        ({"ids": ["x"]}, "action"),
        ({"action": "read"}, "ids"),
        ({"action": "read", "ids": []}, "ids"),
        ({"action": "read", "ids": "x"}, "ids"),
        ({"action": "read", "ids": [1]}, "ids"),
        ({"action": "read", "ids": [str(n) for n in range(1001)]}, "ids"),
    ],
)
def test_a_wrong_action_on_several_names_its_fault(browser, body, path):
    response = browser.post("/notifications/bulk", form="json", json=body)
    assert response.status_code == 400
    assert response.json["error"]["code"] == "WrongInput"
    assert response.json["error"]["fields"][0]["path"] == path


def test_too_many_at_once_are_refused_in_words_for_people(browser):
    fields = {"action": "delete", "ids": [str(n) for n in range(1001)]}
    response = browser.post("/notifications/bulk", form="htmx", data=fields)
    assert response.status_code == 400
    assert "Nothing was changed: the selection must be 1 to 1,000 notifications" in response.text
    assert "ids" not in response.text


def test_a_whole_long_page_is_deleted_and_brought_back_at_once(browser, user, send):
    ids = [send(user, f"Number {n}").id for n in range(201)]
    response = browser.post("/notifications/bulk", form="htmx", data={"action": "delete", "ids": ids})
    assert response.status_code == 200
    assert "201 deleted" in response.text
    assert response.text.count('name="ids"') == 201, "the way back names them all"
    response = browser.post("/notifications/bulk", form="json", json={"action": "restore", "ids": ids})
    assert response.json["unreadCount"] == 100


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"null"])
@pytest.mark.parametrize("path", ["/notifications/bulk", "/notifications/seen", "/notifications/send"])
def test_a_body_that_is_no_json_object_is_refused(browser, path, body):
    response = browser.post(path, form="json", data=body, content_type="application/json")
    assert response.status_code in (400, 422)
    assert response.json["error"]["code"] == "WrongInput"


def test_htmx_gets_the_row_again_and_the_badge(browser, user, send):
    notification_id = send(user, "Row").id
    send(user)
    response = browser.put(f"/notifications/{notification_id}/read", form="htmx")
    assert "<html" not in response.text
    assert f'data-notiway-id="{notification_id}" data-state="read"' in response.text
    assert 'hx-target="#notiway-badge"' in response.text
    assert re.search(r'id="notiway-badge"[^>]*data-count="1"', response.text)


def test_htmx_gets_an_undo_for_what_it_deleted(browser, user, send):
    notification_id = send(user, "Row").id
    response = browser.delete(f"/notifications/{notification_id}", form="htmx")
    assert f'name="ids" value="{notification_id}"' in response.text
    assert 'id="notiway-badge"' in response.text
    assert 'data-state="unread"' in browser.post(f"/notifications/{notification_id}/restore", form="htmx").text


def test_htmx_gets_the_filtered_list_again_after_an_action_on_several(browser, user, send):
    first, second = send(user, "First").id, send(user, "Second").id
    fields = {"action": "read", "ids": [first], "state": "unread"}
    text = browser.post("/notifications/bulk", form="htmx", data=fields).text
    assert "1 marked as read" in text
    assert f'data-notiway-id="{second}"' in text
    assert f'data-notiway-id="{first}"' not in text


@pytest.mark.parametrize("path", ["/notifications/{id}/read", "/notifications/{id}/delete", "/notifications/read-all"])
def test_without_javascript_a_form_leads_back_to_its_page(browser, user, send, path):
    path = path.format(id=send(user).id)
    headers = {"Referer": "http://localhost/notifications?state=unread"}
    response = browser.post(path, headers=headers)
    assert (response.status_code, response.location) == (303, "/notifications?state=unread")


@pytest.mark.parametrize(
    "evil", ["https://evil.example/x", "//evil.example", "/\\evil.example", "http://localhost@evil/"]
)
def test_a_form_never_leads_to_another_site(browser, user, send, evil):
    path = f"/notifications/{send(user).id}/read"
    assert browser.post(path, headers={"Referer": evil}, data={"next": evil}).location == "/notifications"


def test_without_javascript_a_deletion_can_be_undone_from_the_next_page(browser, user, send):
    notification_id = send(user).id
    browser.post(f"/notifications/{notification_id}/delete")
    page = browser.get("/notifications").text
    assert "Notification deleted" in page
    assert re.search(rf'name="ids" value="{notification_id}"', page)
    assert "Notification deleted" not in browser.get("/notifications").text, "it is told once"
