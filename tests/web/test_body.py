"""A JSON body is read in one way, wherever it is sent: what is none is a 400 that says why."""

import json

import pytest

from notiway.store.credentials import api_keys
from notiway.values import json_text, pausing
from notiway.web import body

DEEP = "[" * 50_000
PARSED_BUT_DEEP = "[" * 900 + "]" * 900
PAGES = ["/notifications/bulk", "/notifications/seen", "/notifications/read-all", "/notifications/send"]
STAFF = ["/staff/send", "/staff/preview"]
API = ["/api/notifications", "/api/tokens"]
NO_JSON = {
    "too deep to be read": DEEP,
    "too deep to be walked through": PARSED_BUT_DEEP,
    "deep in a field": f'{{"ids": {PARSED_BUT_DEEP}, "userId": "a", "audiences": [{PARSED_BUT_DEEP}]}}',
    "not finished": "{",
    "no number": '{"title": NaN}',
    "no text": b"\xff",
    "nothing": "",
}


@pytest.fixture
def post(app, staff):
    """Posts to any of these paths as somebody who may."""
    with app.app_context():
        key = api_keys.add("key", ["publish", "token"])[1]

    def send(path, data):
        options = {"data": data, "content_type": "application/json"}
        if path in API:
            return app.test_client().post(path, headers={"Authorization": f"Bearer {key}"}, **options)
        return staff.post(path, form="json", **options)

    return send


@pytest.mark.parametrize("text", NO_JSON.values(), ids=NO_JSON)
@pytest.mark.parametrize("path", [*PAGES, *STAFF, *API])
def test_what_is_no_json_is_refused_with_a_reason(post, path, text):
    response = post(path, text)
    error = response.json["error"]
    assert (response.status_code, error["code"]) == (400, "WrongInput")
    assert error["message"] == "The body is not JSON"
    assert [fault["path"] for fault in error["fields"]] == ["body"]
    assert error["fields"][0]["message"]


@pytest.mark.parametrize("text", ["5", "null", "[]", '"text"'])
@pytest.mark.parametrize("path", [*PAGES, *STAFF])
def test_what_is_no_object_is_refused(post, path, text):
    response = post(path, text)
    assert response.status_code == 400
    assert response.json["error"]["message"] == "The body is not a JSON object"


@pytest.fixture
def pauses(monkeypatch):
    """Counts pauses, each as if the work before it had taken long."""
    seen = []
    monkeypatch.setattr(pausing, "pause", lambda: seen.append("others"))
    monkeypatch.setattr(pausing.in_stretches, "__defaults__", (-1.0, pausing.time.monotonic))
    return seen


def test_a_long_list_is_read_checked_and_stored_in_parts(post, pauses):
    envelope = {"type": "n", "routing": {"audienceType": 1}, "body": {"lines": ["x" * 14_000]}}
    many = [{"id": str(number), **envelope} for number in range(80)]
    response = post("/api/notifications", json.dumps(many))
    assert [each["id"] for each in response.json] == [each["id"] for each in many]
    assert len(pauses) >= 4 * (len(many) - 1), "read, checked, stored, told"


@pytest.mark.parametrize("text", ["{" + " " * json_text.PIECE + "}", '["' + "x" * 4 * json_text.PIECE + '"]'])
@pytest.mark.parametrize("path", API)
def test_what_could_not_be_read_in_parts_is_too_large(post, path, text):
    response = post(path, text)
    assert (response.status_code, response.json["error"]["code"]) == (413, "TooLarge")


def test_a_body_that_is_there_already_is_read_in_parts(post, monkeypatch):
    pauses = []
    monkeypatch.setattr(body, "pause", lambda: pauses.append("others"))
    monkeypatch.setattr(body, "PAUSE_BYTES", 100_000)
    text = json.dumps([{"id": "x" * 200}] * 5_000)
    assert len(post("/api/notifications", text).json["error"]["message"]) > 0, "too many"
    assert len(pauses) >= len(text) // 200_000
