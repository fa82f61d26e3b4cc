"""Actions: each by its own routes, over JSON, as fragments and as forms, and for several at once."""

import pytest
from conftest import state_of

from notiway.values.clock import now_ms
from notiway.web.pages.actions import ACTIONS, BACK, LEAVING

HOUR = 3_600_000


def test_every_action_that_moves_items_is_one_of_two_kinds():
    assert {*LEAVING, *BACK, "read", "unread"} == ACTIONS.keys()


def listed(browser, state="all"):
    return [item["id"] for item in browser.get(f"/notifications?state={state}", form="json").json["notifications"]]


def test_archive_and_back(browser, user, send):
    one, other = send(user).id, send(user).id
    answer = browser.put(f"/notifications/{one}/archive", form="json")
    assert answer.json == {"notificationId": one, "archived": True, "unreadCount": 1}
    assert (listed(browser), listed(browser, "archived")) == ([other], [one])
    found = browser.get("/notifications?state=archived", form="json").json["notifications"]
    assert [(item["archived"], item["read"]) for item in found] == [(True, False)]
    page = browser.get("/notifications?state=archived").text
    assert "Move to inbox" in page
    answer = browser.delete(f"/notifications/{one}/archive", form="json")
    assert answer.json == {"notificationId": one, "archived": False, "unreadCount": 2}
    assert listed(browser, "archived") == []


@pytest.mark.parametrize("form", ["json", "data"])
def test_snooze_and_back(browser, user, send, form):
    one = send(user).id
    until = now_ms() + HOUR
    answer = browser.put(f"/notifications/{one}/snooze", form="json", **{form: {"until": until}})
    assert answer.json == {"notificationId": one, "snoozedUntil": until, "unreadCount": 0}
    assert (listed(browser), listed(browser, "snoozed")) == ([], [one])
    assert "Bring back now" in browser.get("/notifications?state=snoozed").text
    answer = browser.delete(f"/notifications/{one}/snooze", form="json")
    assert answer.json == {"notificationId": one, "snoozedUntil": None, "unreadCount": 1}


def test_since_and_count_of_the_api_agree_with_the_list(browser, user, send):
    one, two, three = (send(user).id for _ in range(3))
    browser.put(f"/notifications/{one}/archive", form="json")
    browser.put(f"/notifications/{two}/snooze", form="json", json={"minutes": 60})
    answer = browser.get("/api/notifications?since=", form="json").json
    assert [item["id"] for item in answer["notifications"]] == [three]
    assert answer["unreadCount"] == 1


@pytest.mark.parametrize(
    ("path", "back"), [("archive", "unarchive"), ("snooze?minutes=60", "unsnooze"), ("delete", "restore")]
)
def test_without_javascript_forms_do_it_and_the_next_page_offers_undo(browser, user, send, path, back):
    one = send(user).id
    assert browser.post(f"/notifications/{one}/{path}").status_code == 303
    assert listed(browser) == []
    page = browser.get("/notifications").text
    assert "<button" in page[page.index("data-notiway-notice") :]
    assert 'name="action" value="restore"' in page
    assert browser.post(f"/notifications/{one}/{back}").status_code == 303
    assert listed(browser) == [one]


@pytest.mark.parametrize("action", ["archive", "snooze", "delete"])
def test_several_at_once_and_back(browser, user, send, action):
    one, two, _ = ids = [send(user).id for _ in range(3)]
    more = {"minutes": 5} if action == "snooze" else {}
    answer = browser.post("/notifications/bulk", form="json", json={"action": action, "ids": [one, two], **more})
    assert answer.json["unreadCount"] == 1
    assert listed(browser) == ids[2:]
    back = {"archive": "unarchive", "snooze": "unsnooze", "delete": "restore"}[action]
    browser.post("/notifications/bulk", form="json", json={"action": back, "ids": [one, two]})
    assert listed(browser) == ids[::-1]


@pytest.mark.parametrize("verb", ["PUT", "DELETE"])
@pytest.mark.parametrize("path", ["archive", "snooze"])
def test_another_users_item_is_not_found(browser, user, other, send, verb, path):
    his = send(other).id
    answer = browser.open(verb, f"/notifications/{his}/{path}", form="json", json={"minutes": 60})
    assert answer.status_code == 404
    assert state_of(other, his) == (None, None, None)


@pytest.mark.parametrize("token", [False, True])
def test_a_request_without_the_sessions_token_changes_nothing(browser, user, send, token):
    one = send(user).id
    answer = browser.put(f"/notifications/{one}/archive", form="json", csrf=token)
    assert answer.status_code == (200 if token else 400)
    assert listed(browser) == ([] if token else [one])


def test_a_link_to_what_is_archived_works_and_reads_it(browser, user, send):
    one = send(user, action_url="/account").id
    browser.put(f"/notifications/{one}/archive", form="json")
    assert browser.get(f"/n/{one}").location == "/account"
    assert listed(browser, "archived") == [one]
    assert state_of(user, one)[1] is not None
