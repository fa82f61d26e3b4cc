"""Too many live connects at once are refused before anything is read for them, on each wire in words it understands."""

import pytest

from notiway import metrics
from notiway.live.limits.gate import Gate

STREAM = "/api/notifications/stream"


@pytest.fixture
def crowded(app):
    """The gate of an application that has just let in all that it takes."""
    gate = app.extensions["notiway"].gate = Gate(1, clock=lambda: 0.0)
    gate.admit()


@pytest.fixture
def refused(app, crowded, browser):
    """Asks as somebody who is signed in; the answer, after no statement at all."""

    def ask(method, path, **headers):
        before = metrics.DATABASE_QUERIES._value.get()
        response = browser.client.open(path, method=method, headers=headers)
        assert metrics.DATABASE_QUERIES._value.get() == before
        return response

    return ask


@pytest.mark.parametrize("path", ["/ws/notifications", "/ws/notifications?format=html", "/hub"])
def test_a_socket_is_refused_before_the_upgrade(knock, crowded, path):
    before = metrics.DATABASE_QUERIES._value.get()
    assert knock(path)[0] == 503
    assert metrics.DATABASE_QUERIES._value.get() == before


@pytest.mark.parametrize(
    ("method", "path", "accept"), [("POST", "/hub/negotiate", "*/*"), ("GET", STREAM, "application/json")]
)
def test_others_are_told_when_to_come_back(refused, method, path, accept):
    response = refused(method, path, Accept=accept)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
    assert response.get_json()["error"]["code"] == "Unavailable"


def test_an_event_source_which_any_other_status_would_end_for_ever_gets_its_retry_time(refused):
    response = refused("GET", STREAM, Accept="text/event-stream")
    assert (response.status_code, response.mimetype) == (200, "text/event-stream")
    name, _, milliseconds = response.get_data(as_text=True).strip().partition(": ")
    assert (name, int(milliseconds) >= 1_000) == ("retry", True)


def test_a_negotiation_that_was_admitted_opens_its_connection(app, browser, knock):
    connection = browser.client.post("/hub/negotiate").get_json()
    gate = app.extensions["notiway"].gate = Gate(1, clock=lambda: 0.0)
    gate.admit()
    cookie = f"notiway_session={browser.client.get_cookie('notiway_session').value}"
    negotiated = f"/hub?id={connection.get('connectionToken')}"
    assert knock(negotiated, Cookie=cookie)[0] != 503
    assert knock("/hub", Cookie=cookie)[0] == 503


def test_a_page_is_answered_all_the_same(app, crowded, browser):
    assert browser.client.get("/notifications").status_code == 200
