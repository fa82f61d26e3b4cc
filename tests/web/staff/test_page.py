"""The staff page: for staff only, sends once, says every fault, tells whom it reaches and who read it."""

import re

import pytest

from notiway.host.tables import User
from notiway.store import audit, inbox
from notiway.store.tables import AuditEntry, Notification
from notiway.values.ids import new_id

SEND = "/staff/send"
FORMS = ("page", "htmx", "json")
ROUTES = [
    ("GET", "/staff/send", {}),
    ("GET", "/staff/audiences?q=a", {}),
    ("GET", "/staff/sent", {}),
    ("POST", "/staff/send", {"to": "global", "title": "Hello", "confirm": "global"}),
    ("POST", "/staff/preview", {"title": "Hello"}),
    ("POST", "/staff/sent/{id}/recall", {}),
]
UNSAFE = [route for route in ROUTES if route[0] == "POST"]


def call(browser, method, path, data, form, notification_id="", **options):
    body = {"json": data} if form == "json" and data else {"data": data}
    return browser.open(method, path.format(id=notification_id), form=form, **body, **options)


def titles(app, user):
    with app.app_context():
        return [item.title for item in inbox.feed(user.id).items]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("method", "path", "data"), ROUTES)
def test_everybody_else_is_refused_in_every_form(app, browser, user, send, method, path, data, form):
    mine = send(user, "Untouched").id
    response = call(browser, method, path, data, form, mine)
    assert response.status_code == 403
    if form == "json":
        assert response.json["error"]["code"] == "Forbidden"
    assert titles(app, user) == ["Untouched"]


@pytest.mark.parametrize("form", ["htmx", "json"])
@pytest.mark.parametrize(("method", "path", "data"), ROUTES)
def test_who_is_not_signed_in_is_told_so(visitor, method, path, data, form):
    visitor.read_token("/login")
    assert call(visitor, method, path, data, form, new_id()).status_code == 401


def test_who_is_not_signed_in_comes_back_here_from_the_sign_in_page(visitor):
    assert visitor.get(SEND).location == "/login?next=%2Fstaff%2Fsend"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("method", "path", "data"), UNSAFE)
def test_no_post_works_without_a_csrf_token(app, staff, user, send, method, path, data, form):
    mine = send(user, "Untouched").id
    assert call(staff, method, path, data, form, mine, csrf=False).status_code in (400, 403)
    assert titles(app, user) == ["Untouched"]


def test_who_is_no_longer_staff_is_refused_at_once(app, staff, staff_member):
    assert staff.get(SEND).status_code == 200
    with app.app_context():
        User.update(is_staff=False).where(User.id == staff_member.id).execute()
    assert staff.get(SEND).status_code == 403


def test_only_staff_see_the_way_to_the_page(staff, browser):
    assert 'href="/staff/send"' in staff.get("/dashboard").text
    assert "/staff/send" not in browser.get("/dashboard").text


def test_a_form_is_sent_and_answers_with_what_became_of_it(app, staff, staff_member, user, other):
    fields = {"to": [f"user:{user.id}", f"user:{other.id}"], "title": "Hello", "message": "a\r\nb", "type": "warning",
              "priority": "high", "action_url": "/reports", "group_key": "disk:7", "source": "ops", "name": "other",
              "other_name": "disk-full", "form_key": new_id(), "do": "send"}  # fmt: skip
    response = staff.post(SEND, data=fields)
    assert (response.status_code, response.location) == (303, SEND)
    page = staff.get(SEND).text
    assert "Sent “Hello” to 2 people, 0 online now." in page
    assert "Sent “Hello”" not in staff.get(SEND).text, "it is told once"
    assert "Ada, Bob" in page
    with app.app_context():
        row = Notification.get(Notification.title == "Hello")
        assert (row.message, row.type, row.priority, row.action_url) == ("a\nb", "warning", "high", "/reports")
        assert (row.group_key, row.source, row.name, row.expires_at) == ("disk:7", "ops", "disk-full", None)
        [entry] = audit.sends()
        assert (entry.actor_id, entry.notification_id, entry.audience) == (staff_member.id, row.id, "users")
    assert titles(app, user) == titles(app, other) == ["Hello"]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_form_sends_once_however_often_it_is_sent(app, staff, user, form):
    fields = {"to": f"user:{user.id}", "title": "Hello", "form_key": new_id()}
    answers = [call(staff, "POST", SEND, fields, form) for _ in range(3)]
    assert [answer.status_code for answer in answers] == {
        "page": [303] * 3,
        "htmx": [200] * 3,
        "json": [201, 200, 200],
    }[form]
    if form == "json":
        assert [answer.json["duplicate"] for answer in answers] == [False, True, True]
    if form == "htmx":
        assert "had already been sent" in answers[1].text
    assert titles(app, user) == ["Hello"]


def test_after_sending_the_form_is_a_new_one(staff, user):
    text = staff.post(SEND, form="htmx", data={"to": f"user:{user.id}", "title": "Hello", "form_key": new_id()}).text
    first, second = (re.search(r'name="form_key" value="([^"]+)"', page)[1] for page in (text, staff.get(SEND).text))
    assert first != second
    assert "<html" not in text
    assert 'hx-target="#staff-sent"' in text, "the log comes along"
    assert 'name="csrf_token" value=""' not in text


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        ({}, {"to", "title"}),
        ({"to": "global", "title": "x"}, {"confirm"}),
        ({"to": "group:a:b:c", "title": "x"}, {"to"}),
        ({"to": "connection:abc", "title": "x"}, {"to"}),
        ({"to": "user:nobody", "title": "x"}, {"to"}),
        ({"to": ["group:a", "tenant:b"], "title": "x"}, {"to"}),
        ({"to": ["global", "user:1"], "title": "x"}, {"to"}),
        ({"to": [f"user:{number}" for number in range(501)], "title": "x"}, {"to"}),
        ({"to": "group:a", "title": "x" * 201, "message": "y" * 2001}, {"title", "message"}),
        ({"to": "group:a", "title": "x", "type": "loud", "priority": "now"}, {"type", "priority"}),
        ({"to": "group:a", "title": "x", "action_url": "javascript:alert(1)"}, {"action_url"}),
        ({"to": "group:a", "title": "x", "name": "other", "other_name": "no spaces"}, {"other_name"}),
        ({"to": "group:a", "title": "x", "expires_at": "tomorrow"}, {"expires_at"}),
        ({"to": "group:a", "title": "x", "expires_at": "2020-01-01T00:00"}, {"expires_at"}),
        ({"to": "group:a", "title": "x", "expires_at": "2099-01-01T00:00", "offset": "9999"}, {"expires_at"}),
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_every_fault_is_named_beside_its_field_and_nothing_is_sent(app, staff, fields, paths, form):
    response = call(staff, "POST", SEND, fields, form)
    assert response.status_code == 422
    if form == "json":
        assert {fault["path"] for fault in response.json["error"]["fields"]} == paths
    else:
        assert ("<html" in response.text) is (form == "page")
        told = re.findall(r'id="staff-(\w+)-fault" data-staff-fault>[^<]+<', response.text)
        assert set(told) == paths
    with app.app_context():
        assert Notification.select().count() == AuditEntry.select().count() == 0


@pytest.mark.parametrize("body", [[], "x", {"title": 7}, {"to": 7, "title": "x"}, {"to": [7], "title": "x"}])
def test_json_of_another_shape_is_refused(staff, body):
    for path in (SEND, "/staff/preview"):
        assert staff.post(path, form="json", json=body).status_code in (400, 422)


def test_what_was_typed_and_chosen_stays_after_a_refusal(staff, user):
    fields = {"to": f"user:{user.id}", "message": "Kept", "type": "error", "source": "ops", "form_key": new_id()}
    text = staff.post(SEND, data=fields).text
    assert f'value="user:{user.id}" checked' in text
    assert ">Kept</textarea>" in text
    assert 'value="error" checked' in text
    assert fields["form_key"] in text
    assert re.search(r'<details class="staff-more" open', text)


@pytest.mark.parametrize(("more", "words"), [(0, "1 user<"), (1, "2 users<")])
def test_everybody_is_told_as_a_number(staff, make_user, more, words):
    for number in range(more):
        make_user(f"more-{number}@example.com")
    assert words in staff.get("/staff/send").text


def test_everybody_needs_a_confirmation(app, staff, user):
    assert staff.post(SEND, data={"to": "global", "title": "Hello"}).status_code == 422
    assert staff.post(SEND, data={"to": "global", "title": "Hello", "confirm": "global"}).status_code == 303
    assert titles(app, user) == ["Hello"]


def test_the_moment_of_expiry_is_the_browsers(app, staff):
    fields = {"to": "group:ops", "title": "x", "expires_at": "2099-07-01T12:00", "offset": "-120"}
    assert staff.post(SEND, data=fields).status_code == 303
    with app.app_context():
        assert Notification.get().expires_at == 4_086_583_200_000  # 10:00 UTC


def test_what_is_not_kept_is_stored_nowhere_and_still_in_the_log(app, staff, user):
    fields = {"to": f"user:{user.id}", "title": "Lunch", "transient": "1", "form_key": new_id()}
    for _ in range(2):
        assert staff.post(SEND, data=fields).status_code == 303
    assert titles(app, user) == []
    [row] = staff.get("/staff/sent", form="json").json["sent"]
    assert (row["title"], row["state"]) == ("Lunch", "transient")


def test_the_preview_is_drawn_by_the_real_templates_and_sends_nothing(app, staff, user):
    fields = {
        "to": f"user:{user.id}",
        "title": "<b>Bold</b>",
        "name": "system-announcement",
        "action_url": "javascript:x",
    }
    text = staff.post("/staff/preview", form="htmx", data=fields).text
    assert 'class="notiway-item"' in text
    assert 'class="notiway-toast"' not in text, "announcements ring no toast"
    assert "As a banner" in text
    assert "&lt;b&gt;Bold" in text
    assert "<b>" not in text
    assert 'href="javascript' not in text
    assert 'id="staff-action_url-fault" data-staff-fault>Must be' in text
    assert "1 person, 0 online now." in text
    assert titles(app, user) == []


def test_the_preview_does_not_complain_of_what_is_still_to_come(staff):
    response = staff.post("/staff/preview", form="json", json={"to": [], "title": ""})
    assert response.json == {"people": None, "online": None, "faults": {}}
    assert staff.post("/staff/preview", form="json", json={"to": "global"}).json["faults"] == {}


def test_without_javascript_one_searches_and_previews_with_a_button(staff, user, other):
    fields = {"to": f"user:{user.id}", "title": "Hello", "q": "BOB@", "do": "preview"}
    response = staff.post(SEND, data=fields)
    assert response.status_code == 200
    assert f'value="user:{user.id}" checked' in response.text
    assert re.search(rf'value="user:{other.id}">', response.text)
    assert "1 person, 0 online now." in response.text


def test_the_page_runs_no_foreign_or_inline_code(staff, user):
    for response in (staff.get(SEND), staff.post(SEND, data={"do": "preview", "to": f"user:{user.id}", "title": "x"})):
        assert not re.search(r"<script(?![^>]*\bsrc=)", response.text)
        assert "<style" not in response.text
        assert not re.search(r"<[^>]+\s(style|on\w+)=", response.text)
        assert "unsafe" not in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("form", FORMS)
def test_staff_are_asked_to_wait_while_events_wait_for_too_long(app, staff, monkeypatch, form):
    monkeypatch.setattr(type(app.extensions["notiway"].hub.waiting), "is_too_long", True)
    data = {"to": "global", "title": "Hello", "confirm": "global"}
    response = call(staff, "POST", SEND, data, form)
    assert response.status_code == 503
    with app.app_context():
        assert Notification.select().count() == 0
