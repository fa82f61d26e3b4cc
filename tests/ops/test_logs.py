"""Logs tell what happened, and never a secret."""

import io
import json
import logging
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from notiway.ops import logs

KEY = "nw_" + "k3y" * 12
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        (f"GET /ws/notifications?access_token={JWT}&since=1", JWT),
        ("GET /ws?since=1&access_token=opaque-token", "opaque-token"),
        (f"Authorization: Bearer {KEY}", KEY),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", "dXNlcjpwYXNz"),
        ("Cookie: notiway_session=abc.def; theme=dark", "abc.def"),
        ("Cookie: theme=dark; session=abc.def", "abc.def"),
        ("Set-Cookie: remember_token=42|abc; HttpOnly", "42|abc"),
        ('{"email": "a@example.com", "password": "hunter2"}', "hunter2"),
        ('{"message": "{\\"password\\": \\"hunter2\\"}"}', "hunter2"),
        ("email=a%40example.com&password=hunter2&next=/", "hunter2"),
        ("SECRET_KEY=0123456789abcdef", "0123456789abcdef"),
        ("X-CSRFToken: IjEyMyI.abc", "IjEyMyI"),
        ("csrf_token=IjEyMyI.abc", "IjEyMyI"),
        (f"made the key {KEY}", KEY),
        (f"token {JWT} expired", JWT),
        ("redis://user:hunter2@cache:6379/0 is down", "hunter2"),
        ("postgresql://app:hunter2@db/notiway", "hunter2"),
        ("postgresql://u:hunter/2@h/db", "hunter/2"),
        ("redis://:hunt@er2@cache:6379/0 is down", "hunt@er2"),
        ("NOTIWAY_TOKEN_SECRET=hunter2", "hunter2"),
        ("NOTIWAY_METRICS_TOKEN='hunter2'", "hunter2"),
        ('{"connectionToken":"hunter2-abc.def","x":1}', "hunter2-abc.def"),
        ("POST /hub?id=hunter2.abc HTTP/1.1", "hunter2.abc"),
        ("wss://h/hub?a=1&id=hunter2", "hunter2"),
        ('{"token": "hunter2"}', "hunter2"),
        ("client_secret: 'hunter2'", "hunter2"),
        ("notiway_session=abc.def-ghi", "abc.def-ghi"),
        ("remember_token=42|abc", "42|abc"),
    ],
)
def test_a_secret_is_hidden_and_the_rest_is_kept(line, secret):
    hidden = logs.redact(line)
    assert secret not in hidden
    assert logs.HIDDEN in hidden
    assert logs.redact(hidden) == hidden


@pytest.mark.parametrize(
    "line",
    [
        "cleanup removed 3 old and 1 expired notifications, 9 inbox items",
        "GET /notifications?type=info&before=0192f3c4-1111-7000-8000-000000000000",
        "http://127.0.0.1:5000/healthz",
        "token bucket is full",
        "SECRET_KEY: set it to a long random text",
        "GET /notifications/0192f3c4-1111-7000-8000-000000000000/read",
        "https://app.example.com/path?email=ada@example.com",
        "NOTIWAY_TOKEN_RATE=600 per minute",
        "user_id=42",
    ],
)
def test_what_is_no_secret_stays_as_it_is(line):
    assert logs.redact(line) == line


@contextmanager
def set_up(**options):
    """A root logger without pytest's handlers, set up as a fresh process would; yields what it writes."""
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    root.handlers[:] = []
    stream = io.StringIO()
    try:
        logs.set_up(**options)
        logs.set_up(**options)
        root.handlers[0].setStream(stream)
        yield stream
    finally:
        root.handlers[:] = kept
        root.setLevel(level)


def test_production_writes_one_json_object_per_line_with_extra_fields():
    with set_up(development=False) as stream:
        logging.getLogger("notiway.test").warning("slow %s", "query", extra={"seconds": 3})
    line = json.loads(stream.getvalue())
    assert (line["levelname"], line["name"], line["message"]) == ("WARNING", "notiway.test", "slow query")
    assert line["seconds"] == 3
    age = datetime.now() - datetime.strptime(line["asctime"], "%Y-%m-%d %H:%M:%S,%f")  # noqa: DTZ005, DTZ007 - local
    assert abs(age) < timedelta(hours=1)


@pytest.mark.parametrize("development", [True, False])
def test_secrets_in_arguments_fields_and_tracebacks_are_hidden_too(development):
    with set_up(development=development) as stream:
        try:
            raise ValueError(f"bad key {KEY}")
        except ValueError:
            logging.getLogger("notiway.test").exception("Bearer %s", JWT, extra={"authorization": f"Bearer {KEY}"})
    assert "bad key" in stream.getvalue()
    assert KEY not in stream.getvalue()
    assert JWT not in stream.getvalue()


def test_a_handler_of_the_host_stays_and_hides_secrets_from_now_on():
    stream = io.StringIO()
    logger = logging.Logger("host")
    logger.addHandler(logging.StreamHandler(stream))
    logger.handlers[0].setFormatter(logging.Formatter("HOST %(message)s"))
    logs.protect(logger)
    logs.protect(logger)
    logger.error("password=hunter2")
    assert stream.getvalue() == f"HOST password={logs.HIDDEN}\n"
