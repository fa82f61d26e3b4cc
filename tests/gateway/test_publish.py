"""The gateway's verb: in one transaction, once for each id, told after the commit."""

from contextlib import contextmanager
from threading import Thread

import psycopg
import pytest
from clients import producer
from flask import current_app
from fresh import verbs
from servers import wait_until

from notiway import metrics
from notiway.gateway.envelope import parse
from notiway.gateway.publish import publish_envelopes
from notiway.live import runtime
from notiway.store import inbox, retention
from notiway.store.database import db
from notiway.store.engine.faults import DatabaseUnavailable
from notiway.store.tables import InboxItem, Notification
from notiway.values.audience import Audience
from notiway.values.clock import DAY_MS, now_ms
from notiway.values.ids import new_id
from notiway.verbs.send import send_notification

HALF_AN_HOUR_MS = 30 * 60 * 1000  # an envelope without a TTL lives so long


@pytest.fixture(autouse=True)
def context(app):
    with app.app_context():
        yield


@pytest.fixture
def heard(monkeypatch):
    events = []
    monkeypatch.setattr(runtime.current().broker, "publish", events.extend)
    return events


def envelope(number=1, audience="user:me", persisted=True, publisher="app", **changes):
    raw = producer.envelope(audience, "order-shipped", persisted=persisted, producer="orders")
    return parse(raw | {"id": f"order-{number}"} | changes, "tests", now_ms(), publisher)


def paths(outcome):
    return {warning.path for warning in outcome.warnings}


def publish(*envelopes):
    return publish_envelopes(runtime.current(), envelopes)


@pytest.mark.parametrize("audience", ["global", "tenant:acme", "group:ops", "group:acme:ops"])
def test_a_broadcast_costs_one_row(heard, audience):
    publish(envelope(audience=audience))
    assert (Notification.select().count(), InboxItem.select().count()) == (1, 0)
    assert [event.audience for event in heard] == [audience]


def test_what_is_for_one_is_pushed_with_the_count(heard):
    publish(envelope(1), envelope(2))
    assert inbox.unread_count("me") == 2
    assert [event.data["unread"] for event in heard] == [2, 2]


def test_what_is_not_to_be_kept_is_told_and_stored_nowhere(heard):
    publish(envelope(persisted=False))
    assert Notification.select().count() == 0
    assert heard[0].data["notification"]["persisted"] is False


@pytest.mark.parametrize("persisted", [True, False])
def test_the_same_id_is_taken_once_in_one_batch_too(heard, persisted):
    outcomes = publish(*[envelope(persisted=persisted)] * 3) + publish(envelope(persisted=persisted))
    assert [outcome.duplicate for outcome in outcomes] == [False, True, True, True]
    assert len(heard) == 1


@pytest.mark.parametrize("again", [True, False])
def test_an_id_stays_taken_for_days_after_its_notification_is_gone(heard, again):
    now = now_ms()
    first = publish(envelope(body={"n": 1}))[0].notification_id
    assert retention.clean_expired(now=now + HALF_AN_HOUR_MS + 60_000).expired == 1
    assert Notification.select().count() == 0
    (outcome,) = publish(envelope(persisted=again, body={"n": 1}))
    assert outcome.duplicate
    assert len(heard) == 1
    assert Notification.select().count() == 0
    assert paths(outcome) == (set() if again else {"metadata.isPersisted"})
    (other,) = publish(envelope(persisted=again, audience="group:ops", type="order-lost"))
    assert paths(other) >= {"routing", "type"}
    assert send_notification(Audience.everyone(), "Hi", dedupe_key="order-1", persist=again).id == first
    assert len(heard) == 1
    retention.clean_expired(now=now + 8 * DAY_MS)
    assert not publish(envelope(persisted=again))[0].duplicate


def test_an_id_that_another_publisher_used_is_free_after_removal_too(heard):
    publish(envelope(publisher="key:1"))
    retention.clean_expired(now=now_ms() + HALF_AN_HOUR_MS + 60_000)
    assert not publish(envelope(publisher="key:2"))[0].duplicate


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("first", [True, False])
def test_the_same_id_is_taken_once_kept_or_not(heard, first, together):
    both = envelope(persisted=first), envelope(persisted=not first)
    outcomes = publish(*both) if together else publish(both[0]) + publish(both[1])
    assert [outcome.duplicate for outcome in outcomes] == [False, True]
    assert len(heard) == 1
    assert Notification.select().count() == first
    assert paths(outcomes[1]) == {"metadata.isPersisted"}


@pytest.mark.parametrize("persisted", [True, False])
def test_another_publisher_has_ids_of_its_own_whatever_it_calls_itself(heard, persisted):
    one, other = (envelope(persisted=persisted, publisher=name) for name in ("key:1", "key:2"))
    assert one.draft.producer == other.draft.producer
    assert [outcome.duplicate for outcome in publish(one, other)] == [False, False]
    assert len(heard) == 2


@pytest.mark.parametrize("persisted", [True, False])
@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({}, set()),
        ({"audience": "user:other"}, {"routing"}),
        ({"body": {"n": 2}}, {"body"}),
        ({"body": {"m": [1], "n": 1}}, set()),
        ({"type": "order-lost"}, {"type"}),
        ({"audience": "group:ops", "body": {}}, {"routing", "body"}),
        ({"priority": "urgent"}, set()),
    ],
)
def test_a_duplicate_that_says_something_else_says_so(heard, persisted, changes, warned):
    publish(envelope(persisted=persisted, body={"n": 1, "m": [1]}))
    (again,) = publish(envelope(persisted=persisted, **{"body": {"m": [1], "n": 1}, **changes}))
    assert again.duplicate
    assert paths(again) == warned
    assert len(heard) == 1


def test_an_id_whose_transaction_failed_is_free_again(heard, monkeypatch):
    both = envelope(1, persisted=False), envelope(2)

    def fail(*_):
        raise RuntimeError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr("notiway.store.batches.insert", fail)
        with pytest.raises(RuntimeError):
            publish(*both)
    assert heard == []
    assert [outcome.duplicate for outcome in publish(*both)] == [False, False]
    assert len(heard) == 2


@pytest.mark.parametrize("persisted", [True, False])
def test_nothing_is_told_before_the_commit_nor_after_a_rollback(heard, persisted):
    with pytest.raises(RuntimeError), db.atomic():
        publish(envelope(1, persisted=persisted))
        assert heard == []
        raise RuntimeError
    assert heard == []
    assert Notification.select().count() == 0


@pytest.mark.parametrize(
    "changes", [{"body": {"taskId": "7"}}, {"body": {"metric": "cpu"}}, {"groupKey": "post:1"}, {"body": {}}]
)
def test_nothing_is_replaced_unless_that_is_asked_for(heard, changes):
    publish(envelope(persisted=False, **changes))
    assert "coalesce" not in heard[0].data


def test_what_replaces_another_says_what(heard):
    raw = producer.envelope("user:me", "import-progress", replaces="import:42")
    publish(parse(raw, "tests", now_ms()))
    assert heard[0].data["coalesce"] == "import:42"


@pytest.fixture
def rival(postgres):
    """The verbs on a PostgreSQL, and another producer's open transaction in it."""
    url = postgres.fresh()
    with verbs(url), psycopg.connect(url) as connection:
        connection.execute("SET lock_timeout = '500ms'")  # PostgreSQL looks for a deadlock after a second
        yield connection
    postgres.give_back(url)


def take_id(rival, number):
    """What that transaction does to publish this envelope."""
    rival.execute(
        "INSERT INTO notiway_notification (id, audience, name, title, message, type, priority, created_at, producer,"
        " publisher, dedupe_key) VALUES (%s, 'user:me', 'order-shipped', 'x', '', 'info', 'medium', 1, 'orders',"
        " 'app', %s)",
        (new_id(), f"order-{number}"),
    )


@contextmanager
def publishing(rival, *envelopes, work=None):
    """Publish in a thread, which has come upon the rival's lock when this begins; what became of it."""
    app, found = current_app._get_current_object(), []

    def run():
        with app.app_context():
            try:
                found.extend(publish(*envelopes) if work is None else work())
            except DatabaseUnavailable as error:
                found.append(error)
            finally:
                db.close()

    def is_waiting():
        return rival.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)").fetchone()[0]

    thread = Thread(target=run)
    thread.start()
    try:
        wait_until(is_waiting, 30)
        yield found
    finally:
        rival.rollback()
        thread.join()


@pytest.mark.postgresql
def test_ids_are_taken_in_one_order_whatever_the_order_of_a_batch(rival):
    take_id(rival, 1)
    with publishing(rival, envelope(2), envelope(1)) as outcomes:
        take_id(rival, 2)  # nobody holds it
        rival.commit()
    assert [outcome.duplicate for outcome in outcomes] == [True, True]


@pytest.mark.postgresql
def test_a_batch_is_stored_in_the_order_it_was_given_in(rival):
    outcomes = publish(*(envelope(number) for number in (3, 1, 2)))
    assert [row.dedupe_key for row in Notification.select().order_by(Notification.id)] == [
        "order-3",
        "order-1",
        "order-2",
    ]
    assert [outcome.notification_id for outcome in outcomes] == [
        row.id for row in Notification.select().order_by(Notification.id)
    ]
    db.close()


def insist(rival):
    """From now on it waits for as long as it takes, and looks for no deadlock: whoever else is in one gives way."""
    rival.execute("SET lock_timeout = 0")
    rival.execute("SET deadlock_timeout = '1h'")


@pytest.mark.postgresql
def test_a_deadlock_is_tried_again(rival):
    take_id(rival, 2)
    with publishing(rival, envelope(1), envelope(2), envelope(3)) as outcomes:
        insist(rival)
        take_id(rival, 1)  # one of the two has to give way
        rival.commit()
    assert [outcome.duplicate for outcome in outcomes] == [True, True, False]
    assert runtime.current().broker.kinds == [("created", "user:me")], "told once, of what it stored"


@pytest.mark.postgresql
def test_a_deadlock_inside_somebody_s_transaction_is_unavailable_and_nothing_is_told(rival):
    take_id(rival, 2)

    def inside():
        with db.atomic():
            return publish_envelopes(runtime.current(), [envelope(1), envelope(2)])

    with publishing(rival, work=inside) as outcomes:
        insist(rival)
        take_id(rival, 1)
        rival.commit()
    assert [type(each) for each in outcomes] == [DatabaseUnavailable]
    assert runtime.current().broker.kinds == []


def test_nobody_is_told_what_nobody_hears_and_no_count_is_read_for_it(heard, monkeypatch):
    counted = []
    several, one = inbox.unread_counts, inbox.arrive
    monkeypatch.setattr(inbox, "unread_counts", lambda users: counted.append(sorted(users)) or several(users))
    monkeypatch.setattr(inbox, "arrive", lambda user_id: counted.append([user_id]) or one(user_id))
    monkeypatch.setattr(runtime.current().hub, "is_heard", lambda audience: audience in ("user:me", "group:ops"))
    monkeypatch.setattr(runtime.current(), "_started", True)
    publish(envelope(1, "user:you"), envelope(2, "global"))
    assert (heard, counted) == ([], [])
    publish(envelope(3, "user:you"), envelope(4), envelope(5, "group:ops"), envelope(6, "group:ops", persisted=False))
    assert [event.audience for event in heard] == ["user:me", "group:ops", "group:ops"]
    assert counted == [["me"]]
    assert (one("me"), one("you")) == (2, 3), "with what went to everybody"


def test_a_long_batch_takes_as_many_statements_as_a_short_one():
    def statements(*batch):
        before = metrics.DATABASE_QUERIES._value.get()
        publish(*batch)
        return metrics.DATABASE_QUERIES._value.get() - before

    inbox.arrive("you")  # no newcomer any more
    alone = statements(envelope(0, "user:you"))
    assert statements(*(envelope(number, "user:you") for number in range(1, 200))) == alone
