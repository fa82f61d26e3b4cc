"""Whatever a producer sends is refused with every fault named, or comes out on all wires, in lists and pages.

The real application takes it over HTTP, and four devices hear it: live, and once more when they come back.
"""

from __future__ import annotations

import json
import logging
import shutil
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stateful.by_hand import World, migrate, time_by_hand
from stateful.devices import HtmlDevice, JsonDevice, SignalRDevice, SseDevice

from notiway.store.credentials import api_keys
from notiway.values.audience import Audience
from notiway.values.clock import EARLIEST_MS, EPOCH, LATEST_MS
from notiway.verbs import membership

PAGES = {
    "/notifications": {"Accept": "text/html"},
    "/notifications/recent": {"Accept": "text/html", "HX-Request": "true", "HX-Request-Type": "partial"},
}
LIMIT_BYTES, LIMIT_LEVELS = 32 * 1024, 32
LONG = "x" * 200
HALF, NUL = "\ud800", "a\0b"


def nested(levels):
    return {"a": nested(levels - 1)} if levels > 1 else {}


def of_bytes(size):
    return {"a": "x" * (size - len('{"a": ""}'))}


def moment(local, minutes):
    """A date in a zone as text, and whether it can be kept: that is reckoned in whole numbers."""
    since = local.replace(tzinfo=UTC) - EPOCH - timedelta(minutes=minutes)
    at_ms = since // timedelta(milliseconds=1)
    text = local.replace(tzinfo=timezone(timedelta(minutes=minutes))).isoformat()
    return text, at_ms


MOMENTS = st.builds(moment, st.datetimes(), st.integers(-23 * 60 - 59, 23 * 60 + 59)) | st.sampled_from(
    [
        ("9999-12-31T23:59:59.9999999+00:00", LATEST_MS + 1),  # .NET's DateTimeOffset.MaxValue
        ("9999-12-31T23:59:59-14:00", LATEST_MS + 1),
        ("0001-01-01T00:00:00+14:00", EARLIEST_MS - 1),
        ("0001-01-01T00:00:00Z", EARLIEST_MS - 1),
        ("9998-12-31T23:59:59.999Z", LATEST_MS),
        ("9998-12-31T23:59:59.999999+23:59", LATEST_MS - 1),
        ("9999-01-01T00:00:00Z", LATEST_MS + 1),
        ("1970-01-01T00:00:00Z", EARLIEST_MS),
        ("1969-12-31T23:59:59.999Z", EARLIEST_MS - 1),
    ]
)


def choice(path, good, bad):
    """A value of a field, and the faults that it has."""
    return st.sampled_from([(value, set()) for value in good] + [(value, {path}) for value in bad])


def labels(path):
    return choice(
        path,
        [
            "a",
            LONG,
            "é🎉\u202e",
            "\u2028\ufffe",
            "<script>alert(1)</script>",
            "a\x7f\x1b\r\nid: 7\r\n",
            "a\x1eb",
            "'; --",
        ],
        ["", " ", "\x1e", "\x00", NUL, HALF, LONG + "x", 7, True, {}, [], 1.5],
    )


def timed(path, after=EARLIEST_MS):
    good = MOMENTS.map(lambda each: (each[0], set() if max(after, EARLIEST_MS) <= each[1] <= LATEST_MS else {path}))
    return good | choice(path, [], ["", "x", "2026-13-01T00:00:00Z", 5, True, {}, NUL, HALF])


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
GOOD_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OWN_NAMES = {"actionUrl"}  # of a body, that are asked for more than being JSON
BODIES = st.dictionaries(TEXTS, GOOD_JSON, max_size=4).map(
    lambda body: ({name: value for name, value in body.items() if name not in OWN_NAMES}, set())
)
BODIES |= choice(
    "body",
    [
        {},
        nested(LIMIT_LEVELS),
        of_bytes(LIMIT_BYTES),
        {"a": 2**64, "b": -(2**200), "c": 1e308, "d": -0.0, "e": 5e-324},
        {"title": LONG * 2, "message": "m" * 3_000},
        {"title": 5, "message": [], "severity": {}},
        {"title": "\u202e</li>", "message": "\n\n", "severity": "critical"},
        {"": "", "\\u0000": "\\ud800", "a": "\ufffe"},
        {"actionUrl": "/a"},
        {"actionUrl": "https://example.com/" + "x" * 1_900},
        {"taskId": "", "status": "\x01", "progress": 10**30},
    ],
    [
        [],
        "x",
        7,
        nested(LIMIT_LEVELS + 1),
        of_bytes(LIMIT_BYTES + 1),
        {"a": [NUL]},
        {HALF: 1},
        {"a": {"b": HALF}},
    ],
)
BODIES |= choice(
    "body.actionUrl", [], [{"actionUrl": each} for each in ("javascript:x", "//a", 5, "", "/\\a", {}, "/" + LONG * 10)]
)
ROUTINGS = st.sampled_from(
    [
        ({"audienceType": 1}, set()),
        ({"audienceType": 4, "audienceValue": "ada"}, set()),
        ({"audienceType": 2, "tenantId": "acme"}, set()),
        ({"audienceType": 3, "audienceValue": "ops", "tenantId": "acme"}, set()),
        ({"audienceType": 1, "tenantId": "acme"}, {"routing.tenantId"}),
        ({"audienceType": 2}, {"routing.audienceValue"}),
        ({"audienceType": 2, "audienceValue": "a", "tenantId": "b"}, {"routing.tenantId"}),
        ({"audienceType": 3, "audienceValue": "a:b"}, {"routing.audienceValue"}),
        ({"audienceType": 3, "audienceValue": "a", "tenantId": "b:c"}, {"routing.tenantId"}),
        ({"audienceType": 4}, {"routing.audienceValue"}),
        ({"audienceType": 4, "audienceValue": NUL}, {"routing.audienceValue"}),
        ({"audienceType": 4, "audienceValue": HALF, "tenantId": 5}, {"routing.audienceValue", "routing.tenantId"}),
        ({"audienceType": 6}, {"routing.audienceType"}),
        ({"audienceType": True, "audienceValue": "ada"}, {"routing.audienceType"}),
        ({"audienceType": 10**30}, {"routing.audienceType"}),
        ({}, {"routing.audienceType"}),
        ([], {"routing"}),
    ]
)
NOW_MS = 1_736_931_600_000  # of the clock by hand


@st.composite
def envelopes(draw):
    """An envelope, and the paths of everything that is wrong with it."""
    raw, faults = {}, set()

    def put(target, name, values, optional=False):
        if not optional or draw(st.booleans()):
            value, found = draw(values)
            target[name] = value
            faults.update(found)

    put(raw, "id", labels("id"))
    names = choice(
        "type",
        ["a", LONG, "a.b-c_d", "system-announcement", "__proto__x"[2:]],
        ["", "-", "a b", LONG + "x", "Renew", 5, NUL],
    )
    put(raw, "type", names)
    put(raw, "routing", ROUTINGS)
    put(raw, "body", BODIES, optional=True)
    put(raw, "priority", choice("priority", ["urgent", "low"], ["", "highest", 5, {}]), optional=True)
    put(raw, "groupKey", labels("groupKey"), optional=True)
    metadata = {}
    put(metadata, "isPersisted", choice("metadata.isPersisted", [True, True, True, False], ["yes", 1]))
    put(metadata, "persistedTTL", timed("metadata.persistedTTL", NOW_MS + 1), optional=True)
    put(metadata, "timeStamp", timed("metadata.timeStamp"), optional=True)
    put(metadata, "producer", labels("metadata.producer"), optional=True)
    raw["metadata"] = metadata
    raw |= draw(st.dictionaries(st.sampled_from(["x", "groupkey", "bodies"]), GOOD_JSON, max_size=2))
    return raw, faults


class Place:
    """An application with four devices of one user, and a producer's key."""

    def __init__(self, world):
        self.world, self.number = world, 0
        self.key = world.call(api_keys.add, "shop", ["publish"])[1]
        self.devices = [HtmlDevice("ada"), JsonDevice("ada"), SseDevice("ada"), SignalRDevice("ada")]
        world.call(_join_all)
        self.come_back()

    def come_back(self):
        """All that the user has, as devices are told it that have nothing."""
        for device in self.devices:
            device.disconnect(self.world.process)
            device.__init__("ada")
            device.is_loaded = True
            if device.wire == "sse":
                device.last_event_id = (
                    f"{NOW_MS - 1:012x}"[:8] + "-" + f"{NOW_MS - 1:012x}"[8:] + "-7000-8000-000000000000"
                )
            device.dial(self.world.process)
            self.world.process.settle()
            device.hear(self.world.process)

    def publish(self, raw):
        text = json.dumps(raw).encode()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        return self.world.process.request("POST", "/api/notifications", "ada", data=text, headers=headers)

    def hear(self):
        self.world.process.settle()
        for device in self.devices:
            device.hear(self.world.process)

    def told(self):
        """How much each device was told of: what is stored, and what is not."""
        return [(len(device.items), len(device.passing)) for device in self.devices]


def _join_all():
    membership.join("ada", Audience.tenant("acme"))
    membership.join("ada", Audience.group("ops", tenant="acme"))


@pytest.fixture(scope="module")
def migrated(tmp_path_factory, compiled_templates):
    return migrate(tmp_path_factory.mktemp("migrated"), compiled_templates)


@pytest.fixture
def somewhere(place, migrated, compiled_templates):
    """The same on both databases."""
    url = place
    if not isinstance(place, str):
        shutil.copy(migrated, place / "any.db")
        url = f"sqlite:///{place}/any.db"
    with time_by_hand() as clock:
        world = World(url, clock, compiled_templates)
        made = Place(world)
        yield made
        for device in made.devices:
            device.disconnect(world.process)
        world.close()


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(envelopes())
def test_an_envelope_is_refused_with_all_its_faults_or_comes_out_everywhere(somewhere, caplog, drawn):
    raw, faults = drawn
    somewhere.number += 1
    if "id" not in faults:
        raw["id"] = f"{somewhere.number} {raw['id']}"[:200]  # each is a new one
    caplog.clear()
    before = somewhere.told()
    status, body = somewhere.publish(raw)
    somewhere.hear()
    answer = json.loads(body)
    if faults:
        assert status == 422, answer
        assert {fault["path"] for fault in answer["error"]["fields"]} == faults
        assert all(fault["message"] for fault in answer["error"]["fields"])
        assert somewhere.told() == before
        return
    assert status == 201, answer
    persisted = raw["metadata"]["isPersisted"]
    assert somewhere.told() == [(stored + persisted, passing + (not persisted)) for stored, passing in before]
    if persisted:
        _is_everywhere(somewhere, raw)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def _is_everywhere(place, raw):
    process = place.world.process
    [html, json_device, sse, signalr] = place.devices
    fetched, _ = json_device.fetch(process)
    newest = max(fetched)
    _, answer = process.request("GET", f"/api/notifications?since={sorted(['', *fetched])[-2]}&limit=200", "ada")
    [item] = [each for each in json.loads(answer)["notifications"] if each["id"] == newest]
    assert item["body"] == json.loads(json.dumps(raw.get("body", {})))
    for path, headers in PAGES.items():
        status, page = process.page(path, headers | {"X-User": "ada"})
        assert status == 200
        assert newest in page.decode()
        assert 'id="notiway-badge"' in page.decode()
    place.come_back()
    assert set(html.items) == set(json_device.items) == set(sse.items) == set(fetched)
    assert len(signalr.items) == len(fetched)


@pytest.mark.parametrize("text", [b'{"id": NaN}', b"[Infinity]", b"\xff", b'{"a": ' * 300, b"[" * 100_000, b"", b"nul"])
def test_what_is_no_json_is_refused_as_a_whole(somewhere, text):
    headers = {"Authorization": f"Bearer {somewhere.key}", "Content-Type": "application/json"}
    status, body = somewhere.world.process.request("POST", "/api/notifications", "ada", data=text, headers=headers)
    assert status == 400
    assert json.loads(body)["error"]["code"] == "WrongInput"


def test_a_number_beyond_all_floats_is_a_fault_of_the_body(somewhere):
    text = b'{"id": "1", "type": "a", "routing": {"audienceType": 1}, "body": {"a": [1e400]}}'
    headers = {"Authorization": f"Bearer {somewhere.key}", "Content-Type": "application/json"}
    status, body = somewhere.world.process.request("POST", "/api/notifications", "ada", data=text, headers=headers)
    assert status == 422
    assert [fault["path"] for fault in json.loads(body)["error"]["fields"]] == ["body"]


def test_the_moments_of_these_tests_are_reckoned_right():
    assert moment(datetime(2025, 1, 15, 9, tzinfo=UTC), 0) == ("2025-01-15T09:00:00+00:00", NOW_MS)
    assert (datetime(2025, 1, 15, 9, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1) == NOW_MS
