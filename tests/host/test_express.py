"""Express: the plain case is answered as the route itself would answer it, and every other case by the route."""

from __future__ import annotations

import io
from typing import Any

import pytest
from clients import producer
from flask import Flask

from notiway.host import express
from notiway.store import inbox
from notiway.store.credentials import api_keys
from notiway.store.tables import Notification
from notiway.web import publishing

Answer = tuple[int, dict[str, str], Any]


class Lane:
    """Posts one envelope either way, and knows how often the application itself was asked."""

    def __init__(self, app: Flask, key: str) -> None:
        self.app, self.key, self.asked = app, key, 0
        self.express: Any = app.wsgi_app
        assert isinstance(self.express, express.Express)
        inner = self.express._inner

        def count(environ: Any, start_response: Any) -> Any:
            self.asked += 1
            return inner(environ, start_response)

        self.express._inner = count

    def post(self, given: Any, *, usually: bool = False, **options: Any) -> Answer:
        """Post it; `usually` with a query, which only the route reads."""
        headers = {"Authorization": f"Bearer {self.key}"} | options.pop("headers", {})
        path = publishing.PATH + ("?x=1" if usually else "")
        response = self.app.test_client().post(path, json=given, headers=headers, **options)
        found = {name: value for name, value in response.headers.items() if name != "Vary"}
        found |= {"Vary": " ".join(sorted(response.headers["Vary"].split(", ")))}
        return response.status_code, found, response.json


@pytest.fixture
def lane(app: Flask) -> Lane:
    with app.app_context():
        key = api_keys.add("billing", ["publish:user:*", "publish:global"])[1]
    app.test_client().get("/healthz")  # the first request starts what both need
    return Lane(app, key)


def envelope(number: int = 1, audience: str = "user:me", **changes: Any) -> dict[str, Any]:
    raw = producer.envelope(audience, "order-shipped", persisted=True, producer="orders")
    return raw | {"id": f"order-{number}"} | changes


@pytest.mark.parametrize("audience", ["user:me", "global"])
@pytest.mark.parametrize("tls", [False, True])
def test_the_plain_case_is_answered_as_the_route_answers_it(
    lane: Lane, make_user: Any, audience: str, tls: bool
) -> None:
    user = make_user("me@example.com")
    address = audience.replace("me", str(user.id))
    base = {"base_url": "https://localhost"} if tls else {}
    one = lane.post(envelope(1, address), **base)
    assert lane.asked == 0
    other = lane.post(envelope(2, address), usually=True, **base)
    assert lane.asked == 1
    assert one[2] == other[2] | {"id": "order-1"}
    assert one[:2] == other[:2]
    assert one[0] == 201


def test_a_duplicate_and_its_warnings_are_told_as_well(lane: Lane) -> None:
    first = lane.post(envelope(1))
    assert first[2]["warnings"][0]["path"] == "routing.audienceValue", "no user here has this id"
    again = lane.post(envelope(1, body={"other": 1}))
    assert (again[0], again[2]["duplicate"], lane.asked) == (200, True, 0)
    assert again == lane.post(envelope(1, body={"other": 1}), usually=True)
    assert "body" in {warning["path"] for warning in again[2]["warnings"]}


@pytest.mark.parametrize(
    ("given", "options", "status"),
    [
        (envelope(type="not a name"), {}, 422),
        (envelope(audience="group:ops"), {}, 403),
        ([envelope(1), envelope(2)], {}, 200),
        ("no envelope", {}, 422),
        (envelope(), {"headers": {"Authorization": "Bearer nw_unknown"}}, 401),
        (envelope(), {"headers": {"Authorization": "Basic x"}}, 401),
        (envelope(), {"headers": {"Origin": "https://elsewhere.example"}}, 201),
    ],
)
def test_whatever_else_it_is_goes_to_the_route_with_its_body(
    lane: Lane, given: Any, options: dict[str, Any], status: int
) -> None:
    answer = lane.post(given, **options)
    assert (answer[0], lane.asked) == (status, 1)
    assert answer[2]


def test_what_is_no_json_is_told_by_the_route(lane: Lane) -> None:
    headers = {"Authorization": f"Bearer {lane.key}"}
    response = lane.app.test_client().post(publishing.PATH, data="{", headers=headers, content_type="application/json")
    assert (response.status_code, lane.asked) == (400, 1)
    assert response.json["error"]["message"] == "The body is not JSON"


def test_a_fault_on_the_way_is_answered_as_the_route_would(lane: Lane) -> None:
    running = lane.app.extensions["notiway"]
    running.throttle.take("publish", running.config.publish_rate, _key_id(lane), 10**6)
    refused = lane.post(envelope())
    assert (refused[0], refused[2]["error"]["code"], lane.asked) == (429, "Throttled", 0)
    assert int(refused[1]["Retry-After"]) >= 1
    usual = lane.post(envelope(), usually=True)
    assert refused[1].keys() == usual[1].keys()


def test_a_fault_that_nobody_foresaw_is_a_500_and_changes_nothing(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError("the disk is full")

    lane.app.config["PROPAGATE_EXCEPTIONS"] = False
    with monkeypatch.context() as broken:
        broken.setattr("notiway.store.batches.insert", fail)
        assert lane.post(envelope())[0] == 500
    with lane.app.app_context():
        assert Notification.select().count() == 0
    assert lane.post(envelope())[0] == 201


def test_it_ends_its_context_and_holds_no_connection(lane: Lane) -> None:
    from notiway.store.database import db

    lane.post(envelope())
    assert db.is_closed()
    with lane.app.app_context():
        assert inbox.unread_count("me") == 1


def test_before_the_first_request_nothing_is_taken_this_way(make_app: Any) -> None:
    app = make_app()
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": publishing.PATH, "HTTP_AUTHORIZATION": "Bearer x"}
    assert not app.wsgi_app._fits(environ | {"wsgi.input": io.BytesIO()})


def _key_id(lane: Lane) -> str:
    with lane.app.app_context():
        found = api_keys.find(lane.key)
    assert found is not None
    return found.id
