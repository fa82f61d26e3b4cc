"""Errors: a code, a status and every fault at once."""

import pytest

from notiway.values import errors
from notiway.values.errors import Fault, InvalidNotification, NotFound, NotiwayError, Throttled, Unavailable

CODES = [
    (errors.WrongInput, "WrongInput", 400),
    (errors.InvalidNotification, "WrongInput", 422),
    (errors.Unauthorized, "Unauthorized", 401),
    (errors.Forbidden, "Forbidden", 403),
    (errors.NotFound, "NotFound", 404),
    (errors.TooLarge, "TooLarge", 413),
]


@pytest.mark.parametrize(("kind", "code", "status"), CODES)
def test_each_error_has_the_code_and_status_of_the_contract(kind, code, status):
    assert issubclass(kind, NotiwayError)
    assert (kind.code, kind.status) == (code, status)
    assert kind("no").as_dict() == {"error": {"code": code, "message": "no", "fields": []}}


def test_throttled_says_after_how_many_seconds_to_come_back():
    error = Throttled("slowly", 30)
    assert (error.code, error.status, error.retry_after) == ("Throttled", 429, 30)


def test_unavailable_says_when_to_try_again_and_keeps_the_reason_for_the_log():
    error = Unavailable("not now", "the disk is full")
    assert (error.code, error.status, error.retry_after, error.reason) == ("Unavailable", 503, 5, "the disk is full")
    assert error.as_dict() == {"error": {"code": "Unavailable", "message": "not now", "fields": []}}
    assert Unavailable("not now").reason == "not now"


def test_an_error_names_every_fault():
    error = InvalidNotification("not valid", [Fault("title", "must not be empty"), Fault("type", "must be one of …")])
    assert str(error) == "not valid (title: must not be empty; type: must be one of …)"
    assert error.as_dict()["error"]["fields"] == [
        {"path": "title", "message": "must not be empty"},
        {"path": "type", "message": "must be one of …"},
    ]


def test_an_error_without_faults_is_its_message():
    assert str(NotFound("There is no such notification")) == "There is no such notification"
