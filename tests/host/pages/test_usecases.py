"""The use cases of the dashboard: envelopes, announcements, the import and the live numbers."""

import pytest

from notiway.host import contacts
from notiway.store import inbox, membership
from notiway.values.audience import Audience

GROUP = "group:dashboard-ops"
SCOPED = "group:acme:dashboard-ops"


def banners(browser, path="/dashboard"):
    return browser.get(path).text.count('class="notiway-banner"')


def start(browser, form="htmx", **fields):
    return browser.post("/dashboard/import", form=form, data={"source": "sample", **fields})


def test_the_form_puts_the_import_on_the_queue_and_a_reload_shows_it_waiting(app, browser):
    assert start(browser).status_code == 202
    assert len(app.extensions["notiway"].huey) == 1
    page = browser.get("/dashboard").text
    assert 'data-status="queued"' in page
    assert start(browser).status_code == 409
    assert start(browser, form="page").status_code == 303


def test_the_form_wants_a_file_where_one_is_to_be_imported(app, browser):
    assert start(browser, source="file").status_code == 422
    assert len(app.extensions["notiway"].huey) == 0


def test_the_sample_can_be_downloaded(browser):
    response = browser.get("/dashboard/sample.csv")
    assert response.mimetype == "text/csv"
    assert len(contacts.read(response.data)) == 10_000


def test_the_present_state_is_json_for_who_is_signed_in(browser, visitor):
    answer = browser.get("/dashboard/numbers", form="json").json
    assert answer["audience"] == GROUP
    assert isinstance(answer["samples"], list)
    assert visitor.get("/dashboard/numbers").location.startswith("/login")


@pytest.mark.parametrize("tenant", ["%00", "a:b", "x" * 300, "%ED%A0%80%00", "%E2%80%A8"])
def test_numbers_of_what_can_be_no_tenant_are_refused(browser, tenant):
    answer = browser.get(f"/dashboard/numbers?tenant={tenant}", form="json")
    assert answer.status_code == 400
    assert [fault["path"] for fault in answer.json["error"]["fields"]] == ["tenant"]
    assert browser.get(f"/dashboard?tenant={tenant}").status_code == 200


def test_a_tenant_s_numbers_are_for_its_group(app, browser, user):
    assert browser.get("/dashboard/numbers?tenant=acme", form="json").status_code == 403
    assert 'class="row scopes"' not in browser.get("/dashboard?tenant=acme").text
    with app.app_context():
        membership.join(user.id, Audience.group("dashboard-ops", tenant="acme"))
    assert browser.get("/dashboard/numbers?tenant=acme", form="json").json["audience"] == SCOPED
    assert 'data-source="/dashboard/numbers?tenant=acme"' in browser.get("/dashboard?tenant=acme").text


@pytest.mark.parametrize(("kind", "stored"), [("regular", 0), ("hub", 1)])
def test_the_cards_publish_through_the_gateway_s_door(app, browser, user, kind, stored):
    assert browser.post("/dashboard/publish", form="htmx", data={"kind": kind}).status_code == 200
    with app.app_context():
        items = inbox.feed(user.id).items
    assert len(items) == stored
    for item in items:
        assert (item.name, item.producer, item.title) == ("invoice-ready", "billing-service", "Invoice ready")
        assert item.expires_at is not None


def test_a_card_that_is_none_publishes_nothing(browser):
    assert browser.post("/dashboard/publish", form="htmx", data={"kind": "all"}).status_code == 422
    assert browser.post("/dashboard/publish", form="htmx", data={"kind": "hub"}, csrf=False).status_code == 400


@pytest.mark.parametrize("to", ["global", "tenant:acme", "group:x", "user:somebody"])
def test_who_is_not_staff_announces_to_nobody_else(browser, to):
    response = browser.post("/dashboard/announce", form="htmx", data={"title": "Hi", "audience": to})
    assert response.status_code == 403
    assert banners(browser) == 0


def test_anybody_may_try_it_on_oneself(browser, other, auth):
    response = browser.post("/dashboard/announce", data={"title": "Hi", "severity": "critical", "minutes": "1"})
    assert response.status_code == 303
    assert (banners(browser), banners(auth(other))) == (1, 0)


def test_staff_announces_to_everybody_and_to_its_tenants(app, make_user, auth, browser):
    boss = make_user("boss@example.com", is_staff=True)
    with app.app_context():
        membership.join(boss.id, Audience.tenant("acme"))
    staff = auth(boss)
    for to in ("global", "tenant:acme"):
        response = staff.post("/dashboard/announce", form="htmx", data={"title": "Hi", "audience": to})
        assert response.status_code == 200, response.text
    assert (banners(browser), banners(staff)) == (1, 2)


@pytest.mark.parametrize(
    "fault",
    [{"title": ""}, {"severity": "loud"}, {"minutes": "7"}, {"minutes": "soon"}, {"action_url": "javascript:alert(1)"}],
)
def test_a_bad_form_announces_nothing(browser, fault):
    response = browser.post("/dashboard/announce", form="htmx", data={"title": "Hi", **fault})
    assert response.status_code == 422
    assert "Not announced" in response.text
    assert banners(browser) == 0


def test_a_fault_names_the_field_as_the_form_does(browser):
    response = browser.post(
        "/dashboard/announce", form="htmx", data={"title": "Hi", "action_url": "javascript:alert(1)"}
    )
    assert "Not announced: Link must be an https:" in response.text
    assert "action_url" not in response.text


def test_an_import_for_one_tab_reports_to_that_tab_alone(app, browser, user, heard):
    assert start(browser, report="tab", connection="this-tab").status_code == 202
    assert [event.audience for event in heard] == ["connection:this-tab"]
    assert 'data-status="queued"' not in browser.get("/dashboard").text, "other tabs do not show it"


@pytest.mark.parametrize("connection", ["", "x" * 500])
def test_an_import_for_a_tab_without_a_connection_goes_to_all_tabs_or_is_refused(browser, user, heard, connection):
    status = start(browser, report="tab", connection=connection).status_code
    told = [event.audience for event in heard]
    assert (status, told) == ((422, []) if connection else (202, [f"user:{user.id}"]))


def test_another_users_import_is_none_of_mine(browser, other, auth):
    assert start(auth(other)).status_code == 202
    assert start(browser).status_code == 202


@pytest.mark.parametrize(
    ("path", "method"), [("publish", "POST"), ("announce", "POST"), ("import", "POST"), ("sample.csv", "GET")]
)
def test_nobody_tries_it_without_signing_in(visitor, path, method):
    visitor.read_token("/login")
    assert visitor.open(method, f"/dashboard/{path}").location.startswith("/login")
