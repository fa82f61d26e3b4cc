"""Every notification route of CONTRACT §2, as a page, as a fragment for htmx, and as JSON."""

import itertools
import re

import pytest

from notiway import inbox
from notiway.database import db
from notiway.errors import InvalidNotification
from notiway.ids import new_id
from notiway.models import InboxItem, Notification

CHANGES = [
    ("PUT", "/notifications/{id}/read"),
    ("POST", "/notifications/{id}/read"),
    ("DELETE", "/notifications/{id}/read"),
    ("POST", "/notifications/{id}/unread"),
    ("DELETE", "/notifications/{id}"),
    ("POST", "/notifications/{id}/delete"),
    ("POST", "/notifications/{id}/restore"),
]
SEVERAL = [
    ("POST", "/notifications/seen", {"ids": ["{id}"]}),
    ("POST", "/notifications/bulk", {"action": "read", "ids": ["{id}"]}),
    ("POST", "/notifications/bulk", {"action": "unread", "ids": ["{id}"]}),
    ("POST", "/notifications/bulk", {"action": "delete", "ids": ["{id}"]}),
    ("POST", "/notifications/bulk", {"action": "restore", "ids": ["{id}"]}),
]
WITH_AN_ID = [*((method, path, {}) for method, path in CHANGES), *SEVERAL, ("GET", "/n/{id}", {})]
UNSAFE = [
    *((method, path, {}) for method, path in CHANGES),
    *SEVERAL,
    ("PUT", "/notifications/read-all", {}),
    ("POST", "/notifications/read-all", {}),
    ("POST", "/notifications/send", {"title": "Hello"}),
]
READS = [("GET", "/notifications", {}), ("GET", "/notifications/recent", {}), ("GET", "/n/{id}", {})]
FORMS = ("page", "htmx", "json")


def call(browser, method, path, data, form, notification_id, **options):
    fields = {
        name: [part.format(id=notification_id) for part in value] if isinstance(value, list) else value
        for name, value in data.items()
    }
    body = {"json": fields} if form == "json" and fields else {"data": fields}
    return browser.open(method, path.format(id=notification_id), form=form, **body, **options)


def state_of(user, notification_id):
    row = InboxItem.get((InboxItem.user_id == user.id) & (InboxItem.notification == notification_id))
    return row.seen_at, row.read_at, row.deleted_at


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("method", "path", "data"), WITH_AN_ID)
def test_another_users_id_is_404_and_nothing_changes(browser, other, send, rows, method, path, data, form):
    theirs = send(other, "For Bob only").id
    response = call(browser, method, path, data, form, theirs)
    assert response.status_code == 404
    assert "For Bob only" not in response.text
    assert state_of(other, theirs) == (None, None, None)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("unknown", ["no-such-id", "1' OR '1'='1", "%00", "read-all", "../../etc", "😀", "known+1"])
@pytest.mark.parametrize(("method", "path", "data"), WITH_AN_ID)
def test_an_unknown_id_is_404(browser, method, path, data, unknown, form):
    unknown = new_id() if unknown == "known+1" else unknown
    response = call(browser, method, path, data, form, unknown)
    assert response.status_code in ((404, 405) if "/" in unknown or unknown == "read-all" else (404,))


@pytest.mark.parametrize(("method", "path", "data"), SEVERAL)
def test_one_foreign_id_among_ones_own_changes_nothing(browser, user, other, send, rows, method, path, data):
    mine, theirs = send(user).id, send(other).id
    fields = {**data, "ids": [mine, theirs]}
    assert browser.open(method, path, form="json", json=fields).status_code == 404
    assert state_of(user, mine) == (None, None, None)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("method", "path", "data"), UNSAFE)
def test_an_unsafe_request_without_a_csrf_token_is_refused(browser, user, send, rows, method, path, data, form):
    mine = send(user).id
    response = call(browser, method, path, data, form, mine, csrf=False)
    assert response.status_code in (400, 403)
    assert state_of(user, mine) == (None, None, None)
    assert inbox.unread_count(user.id) == 1


@pytest.mark.parametrize(("method", "path", "data"), UNSAFE)
def test_the_csrf_token_of_another_session_is_refused(browser, auth, other, user, send, method, path, data):
    browser.token = auth(other).token
    assert call(browser, method, path, data, "json", send(user).id).status_code in (400, 403)


@pytest.mark.parametrize(("method", "path", "data"), UNSAFE + READS)
def test_signed_out_json_gets_a_401_body(visitor, user, send, method, path, data):
    visitor.read_token("/login")
    response = call(visitor, method, path, data, "json", send(user).id)
    assert response.status_code == 401
    assert response.json["error"]["code"] == "Unauthorized"


@pytest.mark.parametrize(("method", "path", "data"), UNSAFE + READS)
def test_signed_out_htmx_gets_a_401_fragment_to_read(visitor, user, send, method, path, data):
    visitor.read_token("/login")
    response = call(visitor, method, path, data, "htmx", send(user).id)
    assert response.status_code == 401
    assert "<html" not in response.text
    assert "sign" in response.text.lower()


@pytest.mark.parametrize(("method", "path", "data"), READS)
def test_signed_out_pages_lead_to_the_sign_in_page_and_back(visitor, user, send, method, path, data):
    wanted = path.format(id=send(user).id)
    response = call(visitor, method, wanted, data, "page", "")
    assert response.status_code == 302
    assert response.location == f"/login?next={wanted}".replace("/", "%2F").replace("%2Flogin", "/login")


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
    assert response.json == {"read": True, "before": shown, "unreadCount": 1}
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
        ({"action": "read", "ids": [str(n) for n in range(201)]}, "ids"),
    ],
)
def test_a_wrong_action_on_several_names_its_fault(browser, body, path):
    response = browser.post("/notifications/bulk", form="json", json=body)
    assert response.status_code == 400
    assert response.json["error"]["code"] == "WrongInput"
    assert response.json["error"]["fields"][0]["path"] == path


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
    assert f"/notifications/{notification_id}/restore" in response.text
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


def test_the_list_is_paged_by_a_cursor_without_gap_or_double(browser, user, send):
    sent = [send(user, f"Number {number}").id for number in range(45)]
    seen, before = [], ""
    for _ in range(3):
        page = browser.get(f"/notifications?before={before}", form="json").json
        seen += [item["id"] for item in page["notifications"]]
        before = page["nextCursor"]
    assert before is None
    assert seen == sent[::-1]


def test_a_whole_page_an_htmx_part_and_a_link_without_javascript_show_the_same_rows(browser, user, send):
    for number in range(21):
        send(user, f"Number {number}")
    first = browser.get("/notifications")
    more = re.search(r'href="(/notifications\?[^"]*before=[^"]+)"', first.text).group(1).replace("&amp;", "&")
    part, page = browser.get(more, form="htmx").text, browser.get(more).text
    assert first.text.count('class="notiway-item"') == 20
    assert part.count('class="notiway-item"') == page.count('class="notiway-item"') == 1
    assert "<html" in page
    assert "<html" not in part


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["d", "c", "b", "a"]),
        ("state=unread", ["d", "c", "b"]),
        ("state=read", ["a"]),
        ("type=error", ["b"]),
        ("priority=urgent", ["c"]),
        ("source=billing", ["d"]),
        ("text=needle", ["c"]),
        ("text=%25", []),
        ("state=unread&type=info&text=c", ["c"]),
        ("state=&type=&source=&priority=&text=", ["d", "c", "b", "a"]),
    ],
)
def test_filters_narrow_the_list(browser, user, send, query, titles):
    first = send(user, "a").id
    send(user, "b", type="error")
    send(user, "c", "a needle", priority="urgent")
    send(user, "d", source="billing")
    browser.put(f"/notifications/{first}/read")
    listed = browser.get(f"/notifications?{query}", form="json").json["notifications"]
    assert [item["title"] for item in listed] == titles
    assert browser.get(f"/notifications?{query}").text.count('class="notiway-item"') == len(titles)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "query", ["state=bogus", "type=loud", "priority=1", "before=x", "text=" + "a" * 201, "text=%00", "source=%00"]
)
def test_a_filter_that_is_not_understood_is_named(browser, query, form):
    response = browser.get(f"/notifications?{query}", form=form)
    assert response.status_code == 400
    assert query.partition("=")[0] in response.text


def test_the_dropdown_shows_the_newest_twenty(browser, user, send):
    for number in range(22):
        send(user, f"Number {number}")
    listed = browser.get("/notifications/recent", form="json").json
    assert [item["title"] for item in listed["notifications"]] == [f"Number {number}" for number in range(21, 1, -1)]
    assert listed["unreadCount"] == 22
    fragment = browser.get("/notifications/recent", form="htmx").text
    assert fragment.count('class="notiway-item"') == 20
    assert "<html" not in fragment
    assert browser.get("/notifications/recent").location == "/notifications"


@pytest.mark.parametrize(
    ("action_url", "target"),
    [
        ("/servers/7?a=1", "/servers/7?a=1"),
        ("https://docs.example/x", "https://docs.example/x"),
        (None, "/notifications"),
    ],
)
def test_the_link_of_a_notification_marks_it_read_and_leads_on(browser, user, send, rows, action_url, target):
    notification_id = send(user, action_url=action_url).id
    response = browser.get(f"/n/{notification_id}")
    assert (response.status_code, response.location) == (302, target)
    assert state_of(user, notification_id)[1]


@pytest.mark.parametrize("evil", ["javascript:alert(1)", "//evil.example", "/\\evil.example", "data:text/html,x", "x"])
def test_a_stored_address_that_was_never_checked_is_not_followed(browser, user, send, rows, evil):
    notification_id = send(user).id
    Notification.update(action_url=evil).where(Notification.id == notification_id).execute()
    assert browser.get(f"/n/{notification_id}").location == "/notifications"


def test_a_browser_that_fetches_ahead_has_read_nothing(browser, user, send, rows):
    notification_id = send(user, action_url="/x").id
    assert browser.get(f"/n/{notification_id}", headers={"Sec-Purpose": "prefetch;prerender"}).status_code == 302
    assert browser.open("HEAD", f"/n/{notification_id}").status_code == 302
    assert state_of(user, notification_id)[1] is None


def test_htmx_follows_the_link_as_a_whole_page(browser, user, send):
    response = browser.get(f"/n/{send(user, action_url='/x').id}", form="htmx")
    assert (response.status_code, response.headers["HX-Redirect"]) == (204, "/x")


NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE notiway_notification; --",
    "{{ 7 * 7 }} {% raw %}",
    "</li></ul><hx-partial hx-target='body'>",
    "\u202eevil\u202c & <b>bold</b>",
]


@pytest.mark.parametrize("text", NASTY)
def test_sql_html_and_script_come_out_as_the_words_they_are(browser, user, send, text):
    sent = send(user, text, text, source=text, action_url="https://x.example/?q='%22%3E%3Cscript%3E")
    listed = browser.get("/notifications", form="json").json["notifications"]
    assert [(item["id"], item["title"]) for item in listed] == [(sent.id, text)]
    fragment = browser.put(f"/notifications/{sent.id}/read", form="htmx").text
    pages = [browser.get("/notifications").text, browser.get("/notifications/recent", form="htmx").text, fragment]
    pages.append(browser.delete(f"/notifications/{sent.id}", form="htmx").text)
    for page, danger in itertools.product(pages, ["<script>alert", "<img src=x", "<b>bold", "hx-target='body'", "49 "]):
        assert danger not in page


@pytest.mark.parametrize("text", NASTY)
def test_filters_take_any_text_as_words(browser, user, send, rows, text):
    send(user, text)
    for name in ("text", "source"):
        response = browser.get("/notifications", query_string={name: text})
        assert response.status_code == 200
        assert "<script>alert" not in response.text
        assert "<img src=x" not in response.text
    assert db.table_exists("notiway_notification")


@pytest.mark.parametrize(
    "action_url", ["javascript:alert(1)", "//evil.example", "/\\evil", "data:text/html,x", "ftp://x", "java\nscript:x"]
)
def test_a_dangerous_address_is_never_stored(user, send, action_url):
    with pytest.raises(InvalidNotification, match="action_url"):
        send(user, action_url=action_url)


def test_a_boosted_link_and_going_back_in_the_history_get_whole_pages(browser):
    for extra in ({"HX-Request-Type": "full"}, {"HX-History-Restore-Request": "true"}):
        assert "<html" in browser.get("/notifications", form="htmx", headers=extra).text
