"""Plain envelopes: what is recognised at once says the same as what is looked at closely."""

from __future__ import annotations

from typing import Any

import pytest
from clients import producer
from hypothesis import given
from hypothesis import strategies as st

from notiway.gateway import envelope as module
from notiway.gateway.envelope import DEFAULT_TTL_MS, Envelope
from notiway.gateway.plain_envelope import plain
from notiway.values.draft import RESERVED_NAMES
from notiway.values.errors import InvalidNotification
from notiway.values.kinds.registry import Kinds

NOW_MS = 1_800_000_000_000
KINDS = Kinds()
KINDS.declare("order-shipped", label="Order shipped", priority="high", icon="truck", category="orders")
GOOD: dict[str, Any] = producer.envelope("user:me", "order-shipped", persisted=True, producer="orders")


def quickly(raw: object) -> Envelope | None:
    found = plain(raw, "tests", NOW_MS, "key:1", DEFAULT_TTL_MS, KINDS)
    return None if found is None else Envelope(*found)


def closely(raw: object) -> Envelope | None:
    try:
        return module._parse_closely(raw, "tests", NOW_MS, "key:1", KINDS)
    except InvalidNotification:
        return None


def words() -> st.SearchStrategy[Any]:
    return st.one_of(
        st.none(), st.booleans(), st.integers(-1, 7), st.floats(), st.text(max_size=5), st.just("a" * 201),
        st.sampled_from(["x", " x", "order-1", "acme", "a:b", "info", "critical", "urgent", "Subscribe", "é", "\x00",
                         "2026-01-15T09:00:00Z", "2026-02-30T09:00:00Z", "2030-01-15T09:00:00.5+01:00",
                         "9999-12-31T23:59:59Z", "1969-01-01T00:00:00Z", "https://x.example/", "javascript:x"]),
    )  # fmt: skip


def objects(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from([*names, "more"]), words(), max_size=5)


BODIES = st.one_of(
    objects("title", "message", "severity", "actionUrl"),
    st.dictionaries(st.text(max_size=3), st.recursive(words(), lambda inner: st.lists(inner, max_size=3)), max_size=3),
)
ENVELOPES = st.fixed_dictionaries(
    {
        "id": st.one_of(st.just("order-1"), words()),
        "type": st.one_of(st.just("order-shipped"), words()),
        "routing": st.one_of(
            st.just({"audienceType": 4, "audienceValue": "me"}), objects("audienceType", "audienceValue", "tenantId")
        ),
    },
    optional={
        "body": BODIES,
        "metadata": st.one_of(
            objects("producer", "timeStamp", "isPersisted", "persistedTTL", "replaces"),
            st.just({"isPersisted": True, "persistedTTL": "2030-01-15T09:00:00Z"}),
        ),
        "priority": words(),
        "groupKey": words(),
        "more": words(),
    },
)


@given(ENVELOPES)
def test_what_is_recognised_is_good_and_means_the_same(raw: dict[str, Any]) -> None:
    found = quickly(raw)
    if found is not None:
        assert found == closely(raw)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"routing": {"audienceType": 1, "audienceValue": None, "tenantId": None}},
        {"routing": {"audienceType": 2, "audienceValue": "acme"}},
        {"routing": {"audienceType": 3, "audienceValue": "ops", "tenantId": "acme"}},
        {"routing": {"audienceType": 5, "audienceValue": "c1"}, "metadata": {}},
        {"metadata": {"timeStamp": "2026-01-15T09:00:00.123+01:00", "replaces": "import:42"}},
        {"metadata": {"isPersisted": True, "persistedTTL": "2030-01-15T09:00:00Z"}},
        {"body": {"title": "Shipped", "message": "m" * 3_000, "severity": "critical", "actionUrl": "/orders/1"}},
        {"body": {"lines": [{"price": 1.5, "count": 10**30}], "note": "é 🔔 \u2028"}},
        {"body": {}, "priority": "urgent", "groupKey": "order:1"},
    ],
)
def test_what_producers_mostly_send_is_recognised(changes: dict[str, Any]) -> None:
    raw = GOOD | changes
    assert quickly(raw) == closely(raw) is not None


@pytest.mark.parametrize(
    "changes",
    [
        *({"type": name} for name in sorted(RESERVED_NAMES)[:2]),
        {"id": "order\x00"},
        {"id": " "},
        {"unknown": 1},
        {"body": {"severity": "loud"}},
        {"body": {"note": "\x00"}},
        {"body": {"note": "\ud800"}},
        {"body": {"price": float("inf")}},
        {"body": {"actionUrl": "javascript:x"}},
        {"body": {"text": "x" * 40_000}},
        {"body": {"deep": [[[[]]] * 20]}},
        {"routing": {"audienceType": True, "audienceValue": "me"}},
        {"routing": {"audienceType": 2, "audienceValue": "a:b"}},
        {"routing": {"audienceType": 4}},
        {"metadata": {"isPersisted": True, "replaces": "x"}},
        {"metadata": {"isPersisted": True, "persistedTTL": "2020-01-15T09:00:00Z"}},
        {"metadata": {"timeStamp": "2026-02-30T09:00:00Z"}},
        {"metadata": {"timeStamp": "9999-12-31T23:59:59Z"}},
    ],
)
def test_what_may_be_wrong_or_deserves_a_warning_is_looked_at_closely(changes: dict[str, Any]) -> None:
    assert quickly(GOOD | changes) is None


@pytest.mark.parametrize("raw", [None, [], "x", 5])
def test_what_is_no_object_is_looked_at_closely(raw: object) -> None:
    assert quickly(raw) is None
