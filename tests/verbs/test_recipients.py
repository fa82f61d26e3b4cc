"""Recipients: whom and what moment a caller of send_notification may give, and how."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from fresh import stored

from notiway.live.runtime import current
from notiway.store import inbox
from notiway.store.tables import InboxItem, Notification
from notiway.values.audience import Audience
from notiway.values.errors import InvalidNotification
from notiway.verbs.send import send_notification

EVERYONE = Audience.everyone()

pytestmark = pytest.mark.usefixtures("broker")


@dataclass
class Named:
    id: object

    def __iter__(self):
        raise AssertionError("an object with an id is one user, even when it is iterable")

    def get_id(self):
        return f"{self.id}|session-token"


class OnlyGetId:
    def get_id(self):
        return "ada"


@pytest.mark.parametrize(
    ("to", "users"),
    [
        ("ada", ["ada"]),
        (SimpleNamespace(id="ada"), ["ada"]),
        (Named("ada"), ["ada"]),
        (OnlyGetId(), ["ada"]),
        (Audience.user("ada"), ["ada"]),
        (["ada", "bob"], ["ada", "bob"]),
        (("bob", Named("ada")), ["bob", "ada"]),
        ({"ada"}, ["ada"]),
        (["ada", SimpleNamespace(id="ada"), "bob", "ada"], ["ada", "bob"]),
        ({"ada": 1, "bob": 2}.keys(), ["ada", "bob"]),
        (7, ["7"]),
        (0, ["0"]),
        ([7, "7", "8"], ["7", "8"]),
        (uuid.UUID(int=5), [str(uuid.UUID(int=5))]),
        (SimpleNamespace(id=uuid.UUID(int=5)), [str(uuid.UUID(int=5))]),
        ("o'hara; --", ["o'hara; --"]),
    ],
)
def test_recipients_may_be_given_in_many_ways(to, users, broker):
    current().unknown_users = lambda ids: set()
    sent = send_notification(to, "Hi")
    assert {row.user_id for row in InboxItem.select()} == set(users)
    assert broker.kinds == [("created", f"user:{user_id}") for user_id in users]
    assert Notification.select().count() == 1
    assert all(inbox.get(user_id, sent.id).audience == f"user:{user_id}" for user_id in users)


def test_recipients_may_come_from_a_generator(broker):
    send_notification((name for name in ("ada", "bob")), "Hi")
    assert broker.kinds == [("created", "user:ada"), ("created", "user:bob")]


@pytest.mark.parametrize(
    "to",
    [
        None, "", [], (), iter(()), "nobody", ["ada", "nobody"], 1.5, True, b"ada", object(), [None], ["ada", None],
        ["ada", ["bob"]], "x" * 201, "a\x00b", "line\nbreak", SimpleNamespace(id=None), SimpleNamespace(id=""),
        Audience.user("nobody"), [EVERYONE], {"": 1},
    ],
)  # fmt: skip
def test_whoever_is_not_there_is_refused_and_nobody_gets_it(to, broker):
    with pytest.raises(InvalidNotification) as caught:
        send_notification(to, "Hi")
    assert {fault.path for fault in caught.value.faults} == {"to"}
    assert stored() == (0, 0)
    assert broker.events == []


def test_unknown_users_are_named_but_not_by_the_thousand():
    with pytest.raises(InvalidNotification, match=r"no user u0, u1, u10, u100, u1000 …"):
        send_notification([f"u{number}" for number in range(2_000)], "Hi")


@pytest.mark.parametrize(
    ("moment", "milliseconds"),
    [
        (datetime(2100, 1, 1, tzinfo=UTC), 4_102_444_800_000),
        (datetime(2100, 1, 1), 4_102_444_800_000),  # noqa: DTZ001 - a naive one is taken as UTC
        (datetime(2100, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), 4_102_444_800_000),
        (datetime(2100, 1, 1, microsecond=123_999, tzinfo=UTC), 4_102_444_800_123),
        (datetime.max.replace(year=9998, tzinfo=UTC), 253_370_764_799_999),
    ],
)
def test_an_expiry_is_kept_in_milliseconds(moment, milliseconds):
    assert send_notification("ada", "Hi", expires_at=moment).expires_at == milliseconds


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2020, 1, 1, tzinfo=UTC),
        datetime.min,  # noqa: DTZ901
        datetime.max.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))),
        5,
        "2100-01-01",
    ],
)
def test_an_expiry_in_the_past_or_never_or_of_another_kind_is_refused(moment):
    with pytest.raises(InvalidNotification, match="expires_at"):
        send_notification("ada", "Hi", expires_at=moment)
    assert stored() == (0, 0)


@pytest.mark.parametrize("to", ["a\x00b", "line\nbreak", "x" * 201, "", True, None, b"ada"])
def test_what_can_be_no_id_is_refused_even_where_any_id_exists(to):
    current().unknown_users = lambda ids: set()
    with pytest.raises(InvalidNotification, match="not a user id"):
        send_notification([to, "ada"], "Hi")
    assert stored() == (0, 0)
