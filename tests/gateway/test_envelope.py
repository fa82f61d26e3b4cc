"""An envelope is taken whole or refused with every fault named by its path."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notiway.gateway import envelope
from notiway.gateway.envelope import DEFAULT_TTL_MS
from notiway.values.errors import InvalidNotification
from notiway.values.kinds.registry import Kinds

NOW = int(datetime(2026, 1, 15, tzinfo=UTC).timestamp() * 1000)
LATER = "2026-02-15T00:00:00Z"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("id", "type", "body", "routing", "metadata", "priority", "groupKey")
ROUTING = st.fixed_dictionaries(
    {"audienceType": st.integers(-1, 7) | JSON},
    optional={"audienceValue": st.text(max_size=8) | JSON, "tenantId": st.text(max_size=8) | JSON},
)


def good(**changes):
    return {
        "id": "billing-invoice-ready-2025-01-15",
        "type": "invoice-ready",
        "body": {"invoiceId": "INV-789", "amount": 149.99, "currency": "USD"},
        "routing": {"audienceType": 4, "audienceValue": "user-123", "tenantId": None},
        "metadata": {"producer": "billing-service", "isPersisted": True, "persistedTTL": LATER},
    } | changes


def parse(raw):
    return envelope.parse(raw, "key-name", NOW)


def paths(raw):
    with pytest.raises(InvalidNotification) as caught:
        parse(raw)
    assert caught.value.faults
    return {fault.path for fault in caught.value.faults}


def test_the_contracts_example_is_taken():
    parsed = parse(good())
    assert parsed.audience.key == "user:user-123"
    assert parsed.persisted
    assert parsed.draft.producer == "billing-service"
    assert parsed.draft.dedupe_key == parsed.id == "billing-invoice-ready-2025-01-15"
    assert parsed.draft.title == "Invoice ready"
    assert parsed.draft.body["amount"] == 149.99


@pytest.mark.parametrize(
    ("routing", "key"),
    [
        ({"audienceType": 1}, "global"),
        ({"audienceType": 1, "audienceValue": "global"}, "global"),
        ({"audienceType": 2, "audienceValue": "acme"}, "tenant:acme"),
        ({"audienceType": 2, "tenantId": "acme"}, "tenant:acme"),
        ({"audienceType": 2, "audienceValue": "acme", "tenantId": "acme"}, "tenant:acme"),
        ({"audienceType": 3, "audienceValue": "ops"}, "group:ops"),
        ({"audienceType": 3, "audienceValue": "ops", "tenantId": "acme"}, "group:acme:ops"),
        ({"audienceType": 3, "audienceValue": "ops", "tenantId": ""}, "group:ops"),
        ({"audienceType": 4, "audienceValue": "42"}, "user:42"),
        ({"audienceType": 4, "audienceValue": "urn:user:42"}, "user:urn:user:42"),
    ],
)
def test_routing_names_an_audience(routing, key):
    assert parse(good(routing=routing)).audience.key == key


def test_a_connection_hears_what_is_not_stored():
    parsed = parse(good(routing={"audienceType": 5, "audienceValue": "abc"}, metadata={}))
    assert parsed.audience.key == "connection:abc"
    assert not parsed.persisted


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"id": ""}, "id"),
        ({"id": 1}, "id"),
        ({"id": "x" * 201}, "id"),
        ({"type": ""}, "type"),
        ({"type": "two words"}, "type"),
        ({"type": None}, "type"),
        ({"body": []}, "body"),
        ({"body": {"a": "x" * 40_000}}, "body"),
        ({"body": {"actionUrl": "javascript:alert(1)"}}, "body.actionUrl"),
        ({"body": {"actionUrl": "//evil.test"}}, "body.actionUrl"),
        ({"body": {"actionUrl": 5}}, "body.actionUrl"),
        ({"priority": "asap"}, "priority"),
        ({"groupKey": ""}, "groupKey"),
        ({"routing": None}, "routing"),
        ({"routing": {}}, "routing.audienceType"),
        ({"routing": {"audienceType": 0}}, "routing.audienceType"),
        ({"routing": {"audienceType": 6}}, "routing.audienceType"),
        ({"routing": {"audienceType": True}}, "routing.audienceType"),
        ({"routing": {"audienceType": "4", "audienceValue": "x"}}, "routing.audienceType"),
        ({"routing": {"audienceType": 1, "tenantId": "acme"}}, "routing.tenantId"),
        ({"routing": {"audienceType": 2}}, "routing.audienceValue"),
        ({"routing": {"audienceType": 2, "audienceValue": "a", "tenantId": "b"}}, "routing.tenantId"),
        ({"routing": {"audienceType": 3}}, "routing.audienceValue"),
        ({"routing": {"audienceType": 3, "audienceValue": "a:b"}}, "routing.audienceValue"),
        ({"routing": {"audienceType": 4}}, "routing.audienceValue"),
        ({"routing": {"audienceType": 4, "audienceValue": ""}}, "routing.audienceValue"),
        ({"routing": {"audienceType": 4, "audienceValue": "a\nb"}}, "routing.audienceValue"),
        ({"routing": {"audienceType": 5, "audienceValue": "abc"}}, "metadata.isPersisted"),
        ({"metadata": {"isPersisted": "yes"}}, "metadata.isPersisted"),
        ({"metadata": {"timeStamp": "yesterday"}}, "metadata.timeStamp"),
        ({"metadata": {"timeStamp": 5}}, "metadata.timeStamp"),
        ({"metadata": {"isPersisted": True, "persistedTTL": "2020-01-01T00:00:00Z"}}, "metadata.persistedTTL"),
        (
            {"metadata": {"isPersisted": True, "persistedTTL": "9999-12-31T23:59:59.9999999+00:00"}},
            "metadata.persistedTTL",
        ),
        ({"metadata": {"isPersisted": True, "persistedTTL": "9999-12-31T23:59:59-05:00"}}, "metadata.persistedTTL"),
        ({"metadata": {"persistedTTL": "9999-01-01T00:00:00Z"}}, "metadata.persistedTTL"),
        ({"metadata": {"timeStamp": "9999-12-31T23:59:59-14:00"}}, "metadata.timeStamp"),
        ({"metadata": {"timeStamp": "0001-01-01T00:00:00+14:00"}}, "metadata.timeStamp"),
        ({"metadata": {"timeStamp": "1969-12-31T23:59:59.999Z"}}, "metadata.timeStamp"),
        ({"metadata": {"producer": ""}}, "metadata.producer"),
        ({"metadata": {"producer": "a\x00b"}}, "metadata.producer"),
        ({"metadata": {"producer": "\ud800"}}, "metadata.producer"),
        ({"id": "\ud800"}, "id"),
        ({"id": "a\x00b"}, "id"),
        ({"groupKey": "a\x00b"}, "groupKey"),
        ({"body": {"a": "\ud800"}}, "body"),
        ({"body": {"\x00": 1}}, "body"),
        ({"body": {"a": json.loads("[" * 32 + "]" * 32)}}, "body"),
        ({"body": {"a": json.loads("[" * 400 + "]" * 400)}}, "body"),
        ({"body": {"a": float("inf")}}, "body"),
    ],
)
def test_a_fault_is_named_by_its_path(changes, path):
    assert path in paths(good(**changes))


@pytest.mark.parametrize("raw", [None, 5, "text", [], [good()], {}])
def test_what_is_no_envelope_is_refused(raw):
    assert paths(raw)


def test_every_fault_is_named_at_once():
    assert paths(good(id="", type="", priority="x", routing={"audienceType": 9})) == {
        "id",
        "type",
        "priority",
        "routing.audienceType",
    }


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (
            {"id": "", "type": 7, "routing": {"audienceType": 4}, "metadata": {}},
            {"id", "type", "routing.audienceValue"},
        ),
        (
            good(
                priority="asap",
                body={"actionUrl": "javascript:alert(1)"},
                routing={"audienceType": 3},
                metadata={"isPersisted": True, "persistedTTL": "2020-01-01T00:00:00Z", "producer": "a\x00b"},
            ),
            {
                "priority", "body.actionUrl", "routing.audienceValue", "metadata.persistedTTL", "metadata.producer",
            },
        ),
        (
            good(id=5, routing={"audienceType": 5, "audienceValue": "c"}, groupKey=""),
            {"id", "groupKey", "metadata.isPersisted"},
        ),
        (good(type=None, body={"a": "\x00"}, metadata=None), {"type", "body", "metadata"}),
        (good(routing={"audienceType": 3, "audienceValue": "a\nb", "tenantId": "a:b"}), {
            "routing.audienceValue", "routing.tenantId",
        }),
        (good(routing={"audienceType": 3, "audienceValue": 5, "tenantId": "a:b"}), {
            "routing.audienceValue", "routing.tenantId",
        }),
        (good(routing={"audienceType": 2, "tenantId": 5}), {"routing.tenantId"}),
        (good(routing={"audienceType": 2, "audienceValue": "x" * 201}), {"routing.audienceValue"}),
        (good(routing={"audienceType": 9, "audienceValue": 5}), {"routing.audienceType", "routing.audienceValue"}),
        ({}, {"id", "type", "routing"}),
        (good(type="subscribe", priority=5), {"type", "priority"}),
    ],
)  # fmt: skip
def test_faults_of_the_shape_do_not_hide_faults_of_the_rules(raw, named):
    assert paths(raw) == named


FOREIGN_WORDS = ("pydantic", "model", "instance", "input should", "field required", "value error", "string")


@given(raw=st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSON) | {"routing": ROUTING | JSON}))
def test_faults_are_told_in_our_own_words(raw):
    try:
        parse(raw)
    except InvalidNotification as error:
        for fault in error.faults:
            assert not [word for word in FOREIGN_WORDS if word in fault.message.lower()], fault


@pytest.mark.parametrize(
    "name",
    [
        "EventReadStatusChange", "eventreadstatuschange", "EventDeletedStatusChange", "ReplayIncomplete", "SUBSCRIBE",
        "Unsubscribe", "MarkAsRead", "MarkAsDeleted", "ConnectionId", "Renew",
    ],
)  # fmt: skip
def test_the_hubs_own_names_are_no_types(name):
    assert paths(good(type=name)) == {"type"}


def test_a_persisted_envelope_without_an_end_lives_thirty_minutes():
    assert parse(good(metadata={"isPersisted": True})).draft.expires_at == NOW + DEFAULT_TTL_MS


def test_an_end_without_a_zone_is_utc():
    moment = datetime(2026, 2, 15, tzinfo=UTC) + timedelta(hours=3)
    parsed = parse(good(metadata={"isPersisted": True, "persistedTTL": "2026-02-15T03:00:00"}))
    assert parsed.draft.expires_at == int(moment.timestamp() * 1000)


@pytest.mark.parametrize("replaces", ["", 5, "x" * 201, "a\x00b", "\ud800", ["k"]])
def test_what_it_replaces_is_a_label(replaces):
    assert paths(good(metadata={"replaces": replaces})) == {"metadata.replaces"}


def test_only_what_is_not_kept_can_be_replaced():
    assert parse(good(metadata={"replaces": "import:42"})).replaces == "import:42"
    assert parse(good(metadata={"replaces": None, "isPersisted": True})).replaces is None
    assert paths(good(metadata={"replaces": "import:42", "isPersisted": True})) == {"metadata.replaces"}
    assert paths(good(metadata={"replaces": "import:42", "isPersisted": "yes"})) == {"metadata.isPersisted"}


def test_the_last_moment_that_may_be_named_is_kept_exactly():
    parsed = parse(good(metadata={"isPersisted": True, "persistedTTL": "9998-12-31T23:59:59.9999999Z"}))
    assert parsed.draft.expires_at == 253_370_764_799_999


@pytest.mark.parametrize(
    ("severity", "type_"),
    [("info", "info"), ("warning", "warning"), ("critical", "error"), ("loud", "info"), (5, "info")],
)
def test_severity_feeds_the_bell(severity, type_):
    assert parse(good(body={"severity": severity})).draft.type == type_


@pytest.mark.parametrize(
    ("body", "warned"),
    [
        ({}, set()),
        ({"severity": "critical"}, set()),
        ({"severity": None}, set()),
        ({"severity": "loud"}, {"body.severity"}),
        ({"severity": 5}, {"body.severity"}),
        ({"severity": ["info"]}, {"body.severity"}),
    ],
)
def test_a_severity_that_is_not_known_is_warned_of(body, warned):
    assert {each.path for each in parse(good(body=body)).warnings} == warned


def test_title_message_and_link_of_the_body_feed_the_bell():
    draft = parse(good(body={"title": "T", "message": "M", "actionUrl": "/status"})).draft
    assert (draft.title, draft.message, draft.action_url) == ("T", "M", "/status")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"future": 1, "metadata": {"isPersisted": False, "trace": "x"}}, {"future", "metadata.trace"}),
        ({"metadata": {"ispersisted": True}}, {"metadata.ispersisted"}),
        ({"routing": {"audienceType": 1, "audiencevalue": "x"}}, {"routing.audiencevalue"}),
        ({"Priority": "urgent", "": 1}, {"Priority", ""}),
        ({"body": {"anything": 1}}, set()),
        ({"half \ud800": 1}, {"half \\ud800"}),
        ({"x" * 300: 1}, {"x" * 50}),
    ],
)
def test_unknown_fields_are_passed_over_and_named(changes, named):
    assert {each.path for each in parse(good(**changes)).warnings} == named


def test_a_field_that_is_only_written_wrong_is_recognised():
    (warning,) = parse(good(metadata={"ispersisted": True})).warnings
    assert "isPersisted" in warning.message


def test_not_every_one_of_a_thousand_unknown_fields_is_named():
    warnings = parse(good(**{f"field{number}": 1 for number in range(1_000)})).warnings
    assert len(warnings) <= 20


@given(raw=JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSON) | {"routing": ROUTING | JSON}))
def test_whatever_comes_is_taken_or_refused_with_paths(raw):
    try:
        parsed = parse(raw)
    except InvalidNotification as error:
        assert all(fault.path and fault.message for fault in error.faults)  # noqa: PT017
        assert error.faults  # noqa: PT017
    else:
        assert parsed.audience.key
        assert not parsed.draft.faults(NOW)


@given(
    body=st.dictionaries(st.text(max_size=10), JSON, max_size=5),
    kind=st.integers(1, 4),
    value=st.text(min_size=1, max_size=20),
)
def test_good_shapes_keep_their_bodies(body, kind, value):
    try:
        parsed = parse(good(body=body, routing={"audienceType": kind, "audienceValue": value}))
    except InvalidNotification as error:
        assert {fault.path.split(".")[0] for fault in error.faults} <= {"routing", "body"}  # noqa: PT017
    else:
        assert parsed.draft.body == body


KINDS = Kinds()
KINDS.declare("invoice-ready", label="Invoice", icon="euro", category="billing", priority="high").action("pay")(print)
RICH = {
    "image": "https://cdn.example/invoice.png",
    "actor": {"name": "Ada", "image": "/ada.png"},
    "actions": [{"label": "Pay", "method": "post", "style": "primary"}, {"label": "Look", "url": "/invoices/789"}],
}


def test_a_kind_says_what_an_envelope_does_not():
    plain = envelope.parse(good(), "key-name", NOW, kinds=KINDS).draft
    assert (plain.priority, plain.details) == ("high", {"icon": "euro", "category": "billing"})
    own = envelope.parse(good(priority="low", icon="bell"), "key-name", NOW, kinds=KINDS).draft
    assert (own.priority, own.details) == ("low", {"icon": "bell", "category": "billing"})


def test_an_envelope_carries_pictures_and_actions():
    parsed = envelope.parse(good(**RICH), "key-name", NOW, kinds=KINDS)
    assert parsed.warnings == ()
    assert parsed.draft.actor == "Ada"
    assert parsed.draft.details["actor"] == {"image": "/ada.png"}
    assert [each["name"] for each in parsed.draft.details["actions"]] == ["pay", "look"]


def test_a_service_cannot_have_readers_call_what_it_names():
    actions = [
        {"label": "Pay", "url": "/account/delete", "method": "post"},
        {"label": "Refund", "method": "post"},
        {"label": "Run", "url": "javascript:alert(1)"},
    ]
    with pytest.raises(InvalidNotification) as caught:
        envelope.parse(good(actions=actions[:2]), "key-name", NOW, kinds=KINDS)
    assert [fault.path for fault in caught.value.faults] == ["actions[0].url", "actions[1]"]
    assert paths(good(actions=actions, image="data:x", actor={"name": 7}, metadata={})) >= {
        "actions[2].url",
        "image",
        "actor",
    }


def test_an_answer_needs_an_envelope_that_is_kept():
    with pytest.raises(InvalidNotification) as caught:
        envelope.parse(good(**RICH, metadata={}), "key-name", NOW, kinds=KINDS)
    assert [fault.path for fault in caught.value.faults] == ["actions"]
