"""Every notification route of CONTRACT §2: only for who is signed in, only one's own, only with a CSRF token."""

import pytest
from conftest import PASSWORD, Browser, state_of

from notiway.host import accounts, passwords
from notiway.store import inbox
from notiway.values.ids import new_id

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


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("method", "path", "data"), WITH_AN_ID)
def test_another_users_id_is_404_and_nothing_changes(browser, other, send, rows, method, path, data, form):
    theirs = send(other, "For Bob only").id
    response = call(browser, method, path, data, form, theirs)
    assert response.status_code == 404
    assert "For Bob only" not in response.text
    assert state_of(other, theirs) == (None, None, None)


@pytest.mark.parametrize("unknown", ["no-such-id", "1' OR '1'='1", "%00", "read-all", "../../etc", "😀", "well formed"])
@pytest.mark.parametrize(("method", "path", "data"), WITH_AN_ID)
def test_an_unknown_id_is_404(browser, method, path, data, unknown):
    unknown = new_id() if unknown == "well formed" else unknown
    other_route = unknown == "read-all" or "/" in unknown
    for form in FORMS:
        response = call(browser, method, path, data, form, unknown)
        assert response.status_code in ((400, 404, 405) if other_route else (404,)), form


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


@pytest.mark.usefixtures("picky")
@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("POST", "/login", {"email": "a\0b", "password": "x\0"}, 401),
        ("POST", "/notifications/tasks/a%00b/follow", {"connection": "c"}, 404),
        ("POST", "/notifications/tasks/a/follow", {"connection": "c\0"}, 400),
        ("POST", f"/notifications/tasks/{'x' * 300}/follow", {"connection": "c"}, 404),
        ("GET", "/dashboard/numbers?tenant=%00", {}, 400),
        ("GET", "/dashboard/numbers?tenant=a:b", {}, 400),
        ("GET", f"/dashboard/numbers?tenant={'x' * 300}", {}, 400),
        ("GET", "/dashboard?tenant=%00", {}, 200),
        ("GET", "/notifications?text=%00", {}, 400),
        ("GET", "/notifications?source=%00&type=%00", {}, 400),
        ("GET", "/notifications?before=%00", {}, 400),
        ("GET", "/n/a%00b", {}, 404),
        ("PUT", "/notifications/a%00b/read", {}, 404),
        ("POST", "/notifications/bulk", {"action": "read", "ids": "a\0b"}, 404),
        ("POST", "/notifications/send", {"title": "a\0b"}, 422),
        ("POST", "/dashboard/announce", {"title": "a\0b"}, 422),
        ("GET", "/api/notifications?since=%00", {}, 400),
    ],
)
def test_what_postgresql_cannot_store_is_refused_before_it_gets_there(browser, method, path, data, status):
    assert browser.open(method, path, form="json", data=data).status_code == status


@pytest.mark.usefixtures("picky")
@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("GET", "/staff/audiences?q=%00", {}, 200),
        ("GET", "/staff/send?before=%00", {}, 200),
        ("POST", "/staff/preview", {"to": "user:a\0b", "title": "a\0", "form_key": "\0"}, 200),
        ("POST", "/staff/send", {"to": "user:a\0b", "title": "Hi"}, 422),
        ("POST", "/staff/sent/a%00b/recall", {}, 404),
    ],
)
def test_nor_does_it_from_staff(staff, method, path, data, status):
    assert staff.open(method, path, form="json", data=data).status_code == status


@pytest.fixture
def on_postgresql(make_app, postgres):
    """A browser of somebody who is signed in to an application on PostgreSQL."""
    app = make_app(NOTIWAY_DATABASE_URL=postgres.empty())
    with app.app_context():
        ada = accounts.add("ada@example.com", "Ada", passwords.hash_password(PASSWORD))
    browser = Browser(app)
    assert browser.sign_in(ada.email).status_code == 303
    return browser


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("GET", "/notifications/tasks/a%00b", {}, 400),
        ("POST", "/notifications/tasks/a%00b/close", {}, 400),
        ("POST", "/login", {"email": "a\0b", "password": "x\0"}, 401),
        ("POST", "/notifications/tasks/a%00b/follow", {"connection": "c"}, 404),
        ("GET", "/notifications?text=%00", {}, 400),
        ("PUT", "/notifications/a%00b/read", {}, 404),
        ("PUT", "/notifications/read-all", {"before": "\0"}, 400),
    ],
)
def test_the_real_one_makes_no_fault_of_the_server_of_it(on_postgresql, method, path, data, status):
    assert on_postgresql.open(method, path, form="json", data=data).status_code == status
