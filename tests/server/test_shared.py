"""Three workers that share a Redis count together: connections, ids, rates, metrics, and who is there."""

import os
import re
import signal
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests
from clients.producer import Producer, envelope
from prometheus_client.parser import text_string_to_metric_families
from servers import redis_process, wait_until
from websockets.exceptions import ConnectionClosed

from server.talk import listen, new_visitor

WORKERS = 3
MOST = 6  # connections of a user
pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def redis():
    """A Redis of these tests: one of them kills a worker, which others should not hear of."""
    with redis_process() as running:
        yield running


@pytest.fixture(scope="module")
def together(make_site, redis):
    """Three workers with small limits."""
    limits = {"NOTIWAY_MAX_CONNECTIONS_PER_USER": MOST, "NOTIWAY_TOKEN_RATE": "10 per minute", "NOTIWAY_JOBS": "web"}
    return make_site(WEB_CONCURRENCY=WORKERS, NOTIWAY_BROKER_URL=redis.url, **limits).start()


@pytest.fixture(scope="module")
def producer(together):
    return Producer(together)


@pytest.fixture
def ada(together):
    with new_visitor(together) as visitor:
        yield visitor


@contextmanager
def tabs_of(visitor, count, **options):
    with ExitStack() as doors:
        yield [doors.enter_context(listen(visitor, **options)) for _ in range(count)]


def workers(site):
    children = Path(f"/proc/{site.process.pid}/task/{site.process.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


def ask(site, path, **options):
    """On a connection of its own, so that any worker may get it."""
    return requests.request(options.pop("method", "GET"), f"{site.url}{path}", timeout=60, **options)


def measured(site):
    answer = ask(site, "/metrics")
    assert answer.ok, answer.text
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for each in family.samples:
            found[each.name] = found.get(each.name, 0) + each.value
    return found


def test_a_user_has_no_more_connections_than_allowed_wherever_they_are(together, ada):
    with tabs_of(ada, 18, connected=False) as tabs:
        codes = []

        def is_settled():
            for tab in list(tabs):
                try:
                    tab.hear(seconds=0)
                except TimeoutError:
                    pass
                except ConnectionClosed as closed:
                    codes.append(closed.rcvd.code)
                    tabs.remove(tab)
            return len(tabs) <= MOST

        wait_until(is_settled)
        assert set(codes) == {4008}
        assert len(tabs) == MOST
        for tab in tabs:
            tab.say("ping")
            assert tab.hear_all(until=lambda message: message["event"] == "pong")


def test_an_unstored_envelope_is_taken_once_whoever_gets_it(together, producer):
    envelopes = [envelope("global", "chat", {"text": str(number)}) for number in range(20)]
    headers = dict(producer.http.headers)
    for number, each in enumerate(envelopes):
        answers = [ask(together, "/api/notifications", method="POST", json=each, headers=headers) for _ in range(3)]
        assert [answer.json()["duplicate"] for answer in answers] == [False, True, True], number
    other = {**envelopes[0], "body": {"text": "something else"}}
    told = [ask(together, "/api/notifications", method="POST", json=other, headers=headers).json() for _ in range(6)]
    assert all(each["duplicate"] for each in told)
    assert all("body" in str(each["warnings"]) for each in told), "each worker knows what the first one said"


def test_a_rate_holds_over_all_workers(together):
    headers = dict(Producer(together).http.headers)
    body = {"userId": "demo"}
    answers = [ask(together, "/api/tokens", method="POST", json=body, headers=headers) for _ in range(25)]
    codes = [answer.status_code for answer in answers]
    assert codes.count(429) == 15, codes


def test_metrics_are_those_of_all_workers(together, ada):
    with tabs_of(ada, MOST):
        for _ in range(12):
            assert measured(together)["notiway_connections"] >= MOST
        found = {measured(together)["notiway_connects_refused_total"] for _ in range(6)}
        assert found == {0.0}
    wait_until(lambda: measured(together)["notiway_connections"] == 0)


def test_the_staff_page_counts_who_is_online_at_any_worker(together):
    staff = together.sign_in("staff@example.com")
    with ExitStack() as doors:
        for _ in range(6):
            visitor = doors.enter_context(new_visitor(together))
            doors.enter_context(listen(visitor))
        wait_until(lambda: {online(staff) for _ in range(6)} == {6})
    wait_until(lambda: online(staff) == 0)


def online(staff):
    with requests.Session() as another:  # which another worker may answer
        another.headers, another.cookies = staff.headers, staff.cookies
        answer = another.post(
            f"{staff.site.url}/staff/preview", json={"to": ["global"], "title": "Hi"}, timeout=60, headers=staff.headers
        )
    assert answer.ok, answer.text
    return answer.json()["online"]


def test_the_dashboards_numbers_are_those_of_all_workers(together, ada):
    with tabs_of(ada, MOST) as tabs:
        for tab in tabs:
            tab.say("subscribe", audience="group:dashboard-ops")
        for tab in tabs:

            def counts_all(message):
                shown = message["data"].get("body") or {}
                return message["event"] == "notification" and shown.get("connections") == MOST

            assert tab.hear_all(until=counts_all)


def test_a_user_who_is_deactivated_is_closed_at_every_worker_and_not_let_in_again(together, ada):
    with tabs_of(ada, MOST) as tabs:
        together.command("user", "deactivate", ada.email)
        assert [tab.close_code() for tab in tabs] == [4009] * MOST
    for _ in range(6):
        assert ask(together, "/notifications", cookies=ada.cookies, allow_redirects=False).status_code in (
            302,
            303,
            401,
        )


def test_the_doctor_sees_every_worker_and_an_event_of_its_own(together):
    found = together.command("doctor", "--url", together.url)
    nodes = re.search(r"nodes +(.*)", found).group(1)
    assert {int(pid) for pid in re.findall(r":(\d+) version", nodes)} == set(workers(together))
    assert re.search(r"events +one of this process arrived", found)


def test_whoever_was_at_a_worker_that_is_killed_is_gone_in_seconds_and_nothing_counted_is(together):
    staff = together.sign_in("staff@example.com")
    with ExitStack() as doors:
        tabs = [doors.enter_context(listen(doors.enter_context(new_visitor(together)))) for _ in range(30)]
        wait_until(lambda: online(staff) == len(tabs))
        before = measured(together)
        assert before["notiway_connections"] == len(tabs)
        killed = workers(together)[0]
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: killed not in workers(together) and len(workers(together)) == WORKERS)
        left = [tab for tab in tabs if is_open(tab)]
        assert 0 < len(left) < len(tabs), "the kernel spreads connections"
        wait_until(lambda: online(staff) == len(left))
        after = measured(together)
        assert after["notiway_connections"] == len(left)
        assert after["notiway_database_queries_total"] >= before["notiway_database_queries_total"], (
            "counters never fall"
        )
    wait_until(lambda: online(staff) == 0)


def is_open(tab):
    try:
        return tab.ask("ping")["event"] == "pong"
    except ConnectionClosed:
        return False


def test_the_folder_of_metrics_is_gone_when_the_server_is(together):
    maps = Path(f"/proc/{workers(together)[0]}/maps").read_text()
    folder = Path(re.search(r"(/\S*/notiway-metrics-[^/]+)/", maps).group(1))
    assert folder.is_dir()
    together.stop()  # the last test here
    assert not folder.exists()
