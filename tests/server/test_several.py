"""Three workers that share a Redis are as one: whatever one of them does reaches the clients of all."""

import os
import signal
import time
from contextlib import ExitStack, contextmanager

import pytest
from clients.producer import Producer, envelope
from servers import free_port, redis_process, wait_until

from notiway.values.ids import new_id
from server.conftest import GENEROUS
from server.talk import burst, inbox, listen, new_visitor

WORKERS = 3
pytestmark = pytest.mark.redis


@contextmanager
def tabs_everywhere(visitor, **query):
    """Tabs of one user: at least one at each worker."""
    with ExitStack() as doors:
        tabs = []
        while len({node(tab) for tab in tabs}) < WORKERS:
            tabs.append(doors.enter_context(listen(visitor, **query)))
            assert len(tabs) < 200, "the kernel spreads connections"
        yield tabs


def node(tab):
    return tab.connected["connectionId"].partition(".")[0]


# Of its own: a node that is killed here closes clients at the others, and a new user has what others sent to all.
@pytest.fixture(scope="module")
def redis():
    with redis_process() as running:
        yield running


@pytest.fixture(scope="module")
def several(make_site, redis):
    return make_site(WEB_CONCURRENCY=WORKERS, NOTIWAY_BROKER_URL=redis.url, NOTIWAY_JOBS="web", **GENEROUS).start()


@pytest.fixture
def ada(several):
    with new_visitor(several, "several") as visitor:
        yield visitor


def hear(tab, event):
    return tab.hear_all(until=lambda message: message["event"] == event)[-1]["data"]


def test_each_tab_hears_all_in_order_and_nothing_twice(ada):
    with tabs_everywhere(ada) as tabs:
        ids = [each for _ in range(5) for each in burst(ada, 20)]
        for tab in tabs:
            assert [tab.hear_only("notification")["id"] for _ in ids] == ids


def test_reading_and_deleting_change_all_tabs(ada):
    with tabs_everywhere(ada) as tabs:
        item = ada.notify("Hi")["id"]
        for tab in tabs:
            assert hear(tab, "notification")["unreadCount"] == 1
        assert ada.put(f"/notifications/{item}/read").ok
        assert {hear(tab, "markedAsRead")["unreadCount"] for tab in tabs} == {0}
        tabs[0].say("delete", notificationId=item)
        assert {hear(tab, "deleted")["notificationId"] for tab in tabs} == {item}


def test_a_sign_out_closes_the_tabs_of_that_session_at_every_worker(ada):
    with ada.site.sign_in(ada.email) as phone, tabs_everywhere(ada) as tabs, listen(phone) as on_the_phone:
        assert ada.post("/logout").ok
        assert {tab.close_code() for tab in tabs} == {4009}
        assert on_the_phone.ask("ping")["event"] == "pong"


def test_a_group_that_is_joined_is_heard_by_all_tabs_and_a_broadcast_counts_once(several, ada):
    staff = several.sign_in("staff@example.com")
    with tabs_everywhere(ada) as tabs:
        sent = staff.post("/staff/send", json={"to": ["group:several"], "title": "To us"})
        assert sent.status_code == 201, sent.text
        assert {hear(tab, "notification")["title"] for tab in tabs} == {"To us"}
        wait_until(lambda: inbox(ada)[1] == 1)
        assert staff.post(f"/staff/sent/{sent.json()['notificationId']}/recall").ok
        for tab in tabs:
            hear(tab, "recalled")
            assert tab.ask("ping")["data"]["unreadCount"] == 0


def test_progress_reaches_all_tabs_and_ends_with_its_end(ada):
    with tabs_everywhere(ada) as tabs:
        assert ada.post("/dashboard/import", data={"source": "broken"}).status_code == 202
        for tab in tabs:
            statuses = []
            while statuses[-1:] not in (["failed"], ["completed"]):
                statuses.append(hear(tab, "notification")["body"]["status"])


def test_a_resume_at_another_worker_goes_on_where_the_first_ended(ada):
    seen, since = set(), new_id()
    for _ in range(WORKERS * 2):
        ids = set(burst(ada, 3))
        with listen(ada, since=since) as tab:
            ids |= set(burst(ada, 3))
            seen |= set(tab.hear_news(seen, 6))
        assert ids <= seen
        since = max(ids)


def test_one_connection_is_reached_wherever_it_is(several, ada):
    producer = Producer(several)
    with tabs_everywhere(ada) as tabs:
        for number, tab in enumerate(tabs):
            producer.publish(f"connection:{tab.connected['connectionId']}", "here", {"title": f"to {number}"})
        assert [tab.hear_only("notification")["title"] for tab in tabs] == [f"to {each}" for each in range(len(tabs))]


def test_what_nobody_hears_is_heard_by_no_process(several, ada, redis):
    from notiway.live.broker.redis_client import open_client

    with open_client(redis.url) as client, listen(ada):
        key = f"notiway:0:user:{ada.id}"
        assert client.pubsub_numsub(key)[0][1] == 1, "of three processes one"
    with open_client(redis.url) as client:
        wait_until(lambda: client.pubsub_numsub(key)[0][1] == 0)


def test_when_a_worker_is_killed_those_at_the_others_resume_to_whom_something_was_sent(ada):
    with tabs_everywhere(ada) as tabs:
        ada.notify("Perhaps untold")
        os.kill(ada.site.worker_pid(), signal.SIGKILL)
        assert {tab.close_code() for tab in tabs} == {None, 1012}


@pytest.fixture
def machine(several):
    """Another server of the same application, as on a second machine."""
    other = several.beside()
    other.environment |= {"PORT": str(other.port), "WEB_CONCURRENCY": "1"}
    yield other
    other.close()


def test_when_a_whole_node_is_killed_those_at_others_resume_to_whom_something_was_sent(ada, machine, redis):
    from notiway.live.broker.redis_client import open_client

    with open_client(redis.url) as client, listen(ada) as tab:
        known = set(client.zrange("notiway:nodes", 0, -1))
        machine.start()
        wait_until(lambda: set(client.zrange("notiway:nodes", 0, -1)) - known)
        ada.notify("Perhaps untold")
        machine.kill()
        assert tab.close_code() == 1012


@pytest.fixture(scope="module")
def fragile(make_site):
    """Two workers, and a Redis that comes and goes at one port."""
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    with redis_process(port) as running:
        site = make_site(WEB_CONCURRENCY=2, NOTIWAY_BROKER_URL=url, NOTIWAY_CONNECT_RATE=200).start()
        yield site, port, running


def told_until_closed(tab):
    """Titles until the server closes, and the code."""
    heard, code = tab.read_to_end()
    return [each["data"]["title"] for each in heard if each["event"] == "notification"], code


def test_while_redis_is_away_everything_is_stored_and_then_everybody_has_it(fragile):
    site, port, running = fragile
    producer = Producer(site)
    with new_visitor(site) as ada, listen(ada) as tab:
        first = ada.notify("Before")["id"]
        assert tab.hear_only("notification")["title"] == "Before"
        running.stop()
        began = time.monotonic()
        kept = envelope(f"user:{ada.id}", "kept", {"title": "Kept"}, True)
        passing = envelope(f"user:{ada.id}", "passing", {"title": "Passing"})
        titles = [ada.notify(f"Away {number}")["title"] for number in range(3)]
        assert producer.post("/api/notifications", kept).status_code == 201
        refused = producer.post("/api/notifications", passing)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        mixed = producer.post("/api/notifications", [kept | {"id": "kept-too"}, passing]).json()
        assert [each.get("persisted", each.get("error", {}).get("code")) for each in mixed] == [True, "Unavailable"]
        assert time.monotonic() - began < 20
        assert ada.get("/readyz").ok, "pages and sends work"
        with listen(ada, since=first) as late:  # who comes meanwhile gets what is stored
            assert {late.hear_only("notification")["title"] for _ in range(5)} == {*titles, "Kept"}
            with redis_process(port):
                assert told_until_closed(tab)[1] == 1012
                assert told_until_closed(late)[1] == 1012
                wait_until(lambda: producer.post("/api/notifications", passing).status_code == 201)
                with listen(ada, since=first) as again:
                    news = [again.hear_only("notification")["title"] for _ in range(5)]
                    assert sorted(news) == sorted([*titles, "Kept", "Kept"])
                    ada.notify("After")
                    assert again.hear_only("notification")["title"] == "After"
