"""Snoozes: out of list and count until their moment, and back once."""

import threading

import pytest
from fresh import verbs

from notiway.store import inbox, writing
from notiway.store.changes import snoozes
from notiway.store.changes.archive import archive, put_back
from notiway.store.database import db
from notiway.store.tables import Notification
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.verbs.send import send_notification

HOUR = 3_600_000


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


@pytest.fixture(params=["direct", "broadcast"])
def sent(request):
    to = ["ada", "bob"] if request.param == "direct" else Audience.everyone()
    found = send_notification(to, "Hi").id
    for user in ("ada", "bob"):
        inbox.catch_up(user)
    return found


def ids_in(state="all", user="ada"):
    return [item.id for item in inbox.feed(user, state=state).items]


def wake(user="ada"):
    due = snoozes.due().get(user)
    if due is None:
        return []
    with db.atomic():
        return [item.id for item in snoozes.wake(user, due)]


def test_it_is_away_until_its_moment_and_back_unread(sent):
    inbox.mark_read("ada", [sent])
    until = now_ms() + HOUR
    snoozes.snooze("ada", [sent], until)
    assert ids_in() == ids_in("read") == ids_in("archived") == []
    assert ids_in("snoozed") == [sent]
    assert inbox.get("ada", sent).snoozed_until == snoozes.next_due() == until
    assert inbox.arrive("ada") == 0
    assert snoozes.due() == {}
    assert wake() == []
    assert ids_in(user="bob") == [sent], "only hers is snoozed"
    snoozes.snooze("ada", [sent], now_ms() - 1)
    assert snoozes.due() == {"ada": [sent]}
    assert wake() == [sent]
    assert ids_in("unread") == [sent]
    assert inbox.arrive("ada") == 1
    assert snoozes.due() == {}
    assert snoozes.next_due() is None


def test_of_two_that_look_at_once_one_brings_it_back(sent):
    snoozes.snooze("ada", [sent], now_ms() - 1)
    seen = [snoozes.due(), snoozes.due()]
    woken = []
    for due in seen:
        with db.atomic():
            woken += snoozes.wake("ada", due["ada"])
    assert [item.id for item in woken] == [sent]


def test_two_connections_at_once_bring_each_back_once(place, broker):
    ids = [send_notification("ada", str(number)).id for number in range(30)]
    inbox.catch_up("ada")
    snoozes.snooze("ada", ids, now_ms() - 1)
    due, woken, together = snoozes.due()["ada"], [], threading.Barrier(2)

    def work():
        with db.connection_context():
            together.wait(20)
            with db.atomic():
                woken.extend(snoozes.wake("ada", due))

    # Outside the fixture's connection: each has its own.
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert sorted(item.id for item in woken) == sorted(ids)


@pytest.mark.parametrize("how", ["expired", "recalled"])
def test_what_is_over_by_then_does_not_come_back(sent, how):
    snoozes.snooze("ada", [sent], now_ms() - 1)
    if how == "recalled":
        with db.atomic():
            writing.recall(sent)
    else:
        Notification.update(expires_at=now_ms() - 1).where(Notification.id == sent).execute()
    assert wake() == []
    assert ids_in() == ids_in("snoozed") == []
    assert snoozes.due() == {}, "it is not looked at again"


@pytest.mark.parametrize("change", [archive, inbox.delete, inbox.restore, put_back])
def test_whatever_else_is_done_with_it_ends_the_snooze(sent, change):
    snoozes.snooze("ada", [sent], now_ms() - 1)
    change("ada", [sent])
    assert snoozes.due() == {}
    assert ids_in("snoozed") == []


def test_a_look_is_bounded_and_takes_the_oldest_first(sent):
    ids = [send_notification("ada", str(number)).id for number in range(5)]
    for number, each in enumerate(ids):
        snoozes.snooze("ada", [each], now_ms() - 1_000 + number)
    assert snoozes.due(limit=2) == {"ada": ids[:2]}
