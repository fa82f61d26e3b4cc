"""Draft: everything that is wrong with a notification, at once."""

import logging
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notiway.values.clock import EARLIEST_MS, LATEST_MS
from notiway.values.draft import BODY_DEPTH_LIMIT, BODY_LIMIT_BYTES, Draft, is_safe_url
from notiway.values.errors import Fault, InvalidNotification

NOW = 1_000
RECURSIVE: dict = {}
RECURSIVE["me"] = RECURSIVE


def nested(levels):
    """A body so many levels deep, itself counted."""
    body = {}
    for _ in range(levels - 1):
        body = {"in": body}
    return body


WRONG = [
    ("title", ""),
    ("title", "   "),
    ("title", "x" * 201),
    ("title", None),
    ("title", 7),
    ("title", "a\x00b"),
    ("title", "\ud800"),
    ("message", "x" * 2_001),
    ("message", None),
    ("message", b"bytes"),
    ("message", "\x00"),
    ("type", "loud"),
    ("type", ""),
    ("type", None),
    ("type", "INFO"),
    ("type", ["info"]),
    ("priority", "asap"),
    ("priority", None),
    ("priority", {}),
    ("name", ""),
    ("name", "two words"),
    ("name", "-dash"),
    ("name", "x" * 201),
    ("name", "a\n"),
    ("name", "MarkAsRead"),
    ("name", "eventdeletedstatuschange"),
    ("name", None),
    ("group_key", ""),
    ("group_key", "x" * 201),
    ("source", 5),
    ("source", " "),
    ("actor", "\x00"),
    ("dedupe_key", ""),
    ("dedupe_key", "x" * 201),
    ("dedupe_key", 5),
    ("body", "text"),
    ("body", ["list"]),
    ("body", {"x": float("nan")}),
    ("body", {"x": float("inf")}),
    ("body", {"x": object()}),
    ("body", {"x": b"bytes"}),
    ("body", {"x": "\ud800"}),
    ("body", {(1, 2): "key"}),
    ("body", {"x": "y" * BODY_LIMIT_BYTES}),
    ("body", RECURSIVE),
    ("body", MappingProxyType({"a": 1})),
    ("body", {"x": "a\x00b"}),
    ("body", {"x": [{"a\x00": 1}]}),
    ("body", {"x": "\\\x00"}),
    ("body", {"\ud800": 1}),
    ("body", {"x": 10**5_000}),
    ("body", nested(BODY_DEPTH_LIMIT + 1)),
    ("body", {"x": [[{}] * 3] * 5} | {"y": nested(BODY_DEPTH_LIMIT)}),
    ("body", nested(100_000)),
    ("expires_at", NOW),
    ("expires_at", NOW - 1),
    ("expires_at", LATEST_MS + 1),
    ("sent_at", EARLIEST_MS - 1),
    ("sent_at", LATEST_MS + 1),
    ("producer", ""),
    ("producer", "a\x00b"),
    ("producer", "x" * 201),
]

SAFE_URLS = [
    "/",
    "/orders/7?tab=lines#total",
    "/a//b",
    "https://example.com",
    "HTTPS://EXAMPLE.COM/x",
    "http://example.com:8080/a?b=c",
    "https://[::1]/x",
    "https://пример.рф/путь",
]
UNSAFE_URLS = [
    "",
    " ",
    "orders/7",
    "?q=1",
    "#top",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "java\tscript:alert(1)",
    " javascript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,<script>",
    "vbscript:x",
    "file:///etc/passwd",
    "ftp://example.com",
    "blob:https://example.com/x",
    "mailto:a@b.c",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/path with space",
    "/\x00",
    "/\u2028",
    "/\u202e",
    "https:",
    "https:/evil",
    "https:evil",
    "https://",
    "https:///path",
    "http://[::1",
    "https://ex\\ample.com",
    "https://example.com/\r\nSet-Cookie: x",
    "/" + "x" * 2_000,
    "https://user:password@example.com/",
    "https://user@example.com/",
    "http://:password@example.com/",
    "https://@example.com/",
    "https://bank.example@evil.example/",
    7,
    b"/bytes",
    ["/list"],
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_value_is_named(field, value):
    values = {"title": "Hi", field: value}
    assert [fault.path for fault in Draft(**values).faults(NOW)] == [field]


@pytest.mark.parametrize("url", UNSAFE_URLS)
def test_an_unsafe_link_is_refused(url):
    assert not is_safe_url(url)
    assert [fault.path for fault in Draft("Hi", action_url=url).faults(NOW)] == ["action_url"]


@pytest.mark.parametrize("url", SAFE_URLS)
def test_a_safe_link_is_taken(url):
    assert is_safe_url(url)
    assert Draft("Hi", action_url=url).faults(NOW) == []


@given(st.text())
def test_whatever_the_link_it_never_leads_to_another_scheme_or_host_by_a_trick(url):
    if is_safe_url(url):
        assert url.startswith(("/", "http", "HTTP", "Http")) or url.lower().startswith("http")
        assert not url.startswith("//")
        assert "\\" not in url


@pytest.mark.parametrize(
    "values",
    [
        {"title": "x" * 200, "message": "y" * 2_000},
        {"title": "x", "message": ""},
        {"title": "<script>alert(1)</script>", "message": "'; DROP TABLE notiway_user; --"},
        {"title": "ünï 🔔", "message": "line\nline"},
        {"title": "x", "body": {}},
        {"title": "x", "body": {"deep": [{"er": None}], "n": 1.5}},
        {"title": "x", "body": {"text": "a backslash and its digits: \\u0000"}},
        {"title": "x", "body": nested(BODY_DEPTH_LIMIT)},
        {"title": "x", "expires_at": NOW + 1},
        {"title": "x", "expires_at": LATEST_MS, "sent_at": EARLIEST_MS},
        {"title": "x", "name": "order-shipped.v2_x"},
        {"title": "x", "type": "error", "priority": "urgent", "group_key": "g", "source": "s", "actor": "a"},
    ],
)
def test_a_good_draft_has_no_faults(values):
    assert Draft(**values).faults(NOW) == []


def test_its_dict_is_shallow():
    body = {"lines": [1]}
    values = Draft("Hi", body=body).as_dict()
    assert values["body"] is body
    assert Draft(**values) == Draft("Hi", body=body)


def test_a_body_at_the_limit_is_taken():
    exact = {"x": "y" * (BODY_LIMIT_BYTES - len('{"x": ""}'))}
    assert Draft("Hi", body=exact).faults(NOW) == []
    assert Draft("Hi", body={"x": exact["x"] + "y"}).faults(NOW) != []


def test_the_limit_of_the_body_counts_bytes():
    assert [fault.path for fault in Draft("Hi", body={"x": "é" * (BODY_LIMIT_BYTES // 2)}).faults(NOW)] == ["body"]


def test_every_fault_is_named_at_once():
    wrong = Draft(
        title="", message=None, type="loud", name="", priority="x", action_url="//e", source="", body=[], expires_at=1
    )
    with pytest.raises(InvalidNotification) as caught:
        wrong.check(NOW, [Fault("to", "there is no user 7")])
    assert {fault.path for fault in caught.value.faults} == {
        "title", "message", "type", "name", "priority", "action_url", "source", "body", "expires_at", "to",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("title", "message", "hinted"),
    [("x" * 50, "y" * 200, False), ("x" * 51, "", True), ("x", "y" * 201, True)],
)
def test_long_texts_are_taken_with_a_hint_in_the_log(title, message, hinted, caplog):
    with caplog.at_level(logging.INFO, "notiway.values.draft"):
        Draft(title, message).check(NOW)
    assert ("Concise" in caplog.text) is hinted
    assert "y" * 50 not in caplog.text
