"""The access log: its lines are those that gunicorn's logger and the formatters would write, only cheaper."""

from __future__ import annotations

import io
import json
import logging
import re
import runpy
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn import glogging
from gunicorn.config import Config
from hypothesis import given
from hypothesis import strategies as st
from pythonjsonlogger.json import JsonFormatter

from notiway.ops import access_log, logs

MOMENT = re.compile(r'"asctime": "[^"]*"')
SECRET = "nw_" + "k3y" * 12
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl"


class Quiet(glogging.Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's logger, which would set up the logging of the whole process."""

    def setup(self, cfg: Any) -> None:
        self.stream = io.StringIO()
        self.access_log = logging.Logger(access_log.NAME)
        self.access_log.propagate = False
        handler = logging.StreamHandler(self.stream)
        handler.setFormatter(JsonFormatter(logs.JSON_FIELDS, style="{"))
        self.access_log.addHandler(handler)
        logs.protect(self.access_log)


def made(**settings: Any) -> Any:
    cfg = Config()
    cfg.set("accesslog", "-")
    for name, value in ({"access_log_format": access_log.FORMAT} | settings).items():
        cfg.set(name, value)
    return Quiet(cfg)


def request(path: Any = "/plain", method: str = "GET", address: Any = "127.0.0.1", **response: Any) -> list[Any]:
    environ = {"REMOTE_ADDR": address, "REQUEST_METHOD": method, "PATH_INFO": path, "RAW_URI": path}
    environ |= {"SERVER_PROTOCOL": "HTTP/1.1", "QUERY_STRING": f"access_token={JWT}"}
    answer = SimpleNamespace(**({"status": "200 OK", "sent": 5, "headers": []} | response))
    return [answer, SimpleNamespace(headers=[]), environ, timedelta(milliseconds=12, microseconds=900)]


def both(arguments: list[Any]) -> tuple[str, str]:
    """The line as usual, and the quick one, without their times."""
    written = []
    for change in (lambda log: True, access_log.quicken):
        log = made()
        assert change(log)
        log.access(*arguments)
        assert log.stream.getvalue().count("\n") == 1
        written.append(MOMENT.sub("", log.stream.getvalue()))
    return written[0], written[1]


PATHS = st.one_of(
    st.text(),
    st.from_regex(r"/[A-Za-z0-9/._~-]*", fullmatch=True),
    st.from_regex(
        r"/(password|token|cookie|bearer|session|nw_\w{8,}|eyJ\w{5,}\.\w+\.\w*)?[=: \"&?]*\w*", fullmatch=True
    ),
)


@given(
    path=PATHS,
    method=st.sampled_from(["GET", "DELETE", "BEARER", "nw_abcdefgh", "PROPFIND"]),
    address=st.one_of(st.none(), st.ip_addresses().map(str), st.text()),
    status=st.sampled_from(["404 NOT FOUND", 500, "101"]),
    sent=st.one_of(st.none(), st.integers(min_value=0)),
)
def test_it_writes_what_the_formatters_would(path: str, method: str, address: Any, status: Any, sent: Any) -> None:
    usual, quick = both(request(path, method, address, status=status, sent=sent))
    assert quick == usual


@pytest.mark.parametrize(
    "path",
    [
        f"/reset/{SECRET}",
        f"/t/{JWT}",
        "/x?access_token=hunter2",
        "/x;password=hunter2",
        "/Authorization: Basic hunter2",
    ],
)
def test_a_secret_in_a_path_is_hidden(path: str) -> None:
    usual, quick = both(request(path))
    assert quick == usual
    assert logs.HIDDEN in quick
    assert not any(secret in quick for secret in (SECRET, JWT, "hunter2"))


def test_a_line_is_one_json_object_with_the_time_and_no_query() -> None:
    log = made()
    access_log.quicken(log)
    log.access(*request("/plain/page"))
    read = json.loads(log.stream.getvalue())
    assert read["message"] == '127.0.0.1 "GET /plain/page" 200 5 12ms'
    assert (read["levelname"], read["name"]) == ("INFO", "gunicorn.access")
    age = datetime.now() - datetime.strptime(read["asctime"], "%Y-%m-%d %H:%M:%S,%f")  # noqa: DTZ005, DTZ007 - local
    assert abs(age) < timedelta(hours=1)


def test_a_plain_line_is_searched_for_no_secret_and_builds_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []
    monkeypatch.setattr(access_log, "redact", lambda text: searched.append(text) or text)
    log = made()
    access_log.quicken(log)
    monkeypatch.setattr(log, "atoms", lambda *_: pytest.fail("gunicorn's sixty values were collected"))
    for path in ("/plain", "/notifications/0192f3c4-1111-7000-8000-000000000000/read", "/notiway/static/js/bell.js"):
        log.access(*request(path))
    assert searched == []
    log.access(*request("/with=sign"))
    assert len(searched) == 1


def test_a_stream_that_fails_costs_no_request() -> None:
    log = made()
    access_log.quicken(log)
    told: list[Any] = []
    handler = log.access_log.handlers[0]
    handler.handleError = told.append
    handler.stream.close()
    log.access(*request())
    assert len(told) == 1


def other_format(log: Any) -> None:
    log.cfg.set("access_log_format", "%(r)s")


def no_log(log: Any) -> None:
    log.cfg.set("accesslog", None)
    log._access_log_enabled = False


def own_formatter(log: Any) -> None:
    log.access_log.handlers[0].setFormatter(logging.Formatter("HOST %(message)s"))


def own_handler(log: Any) -> None:
    log.access_log.addHandler(logging.NullHandler())


def own_filter(log: Any) -> None:
    log.access_log.addFilter(lambda record: False)


def unprotected(log: Any) -> None:
    log.access_log.handlers[0].setFormatter(JsonFormatter(logs.JSON_FIELDS, style="{"))


def quieter(log: Any) -> None:
    log.access_log.setLevel(logging.WARNING)


@pytest.mark.parametrize("change", [other_format, no_log, own_formatter, own_handler, own_filter, unprotected, quieter])
def test_a_log_that_is_set_up_in_another_way_stays_as_it_is(change: Callable[[Any], None]) -> None:
    log = made()
    change(log)
    assert not access_log.quicken(log)
    assert "access" not in vars(log)


def test_it_is_made_for_the_format_that_gunicorn_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIWAY_ENV", raising=False)
    given = runpy.run_path(str(Path(__file__).parents[2] / "gunicorn.conf.py"))
    assert given["access_log_format"] == access_log.FORMAT
    assert given["logconfig_dict"]["formatters"]["json"]["fmt"] == logs.JSON_FIELDS
