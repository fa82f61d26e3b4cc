"""The Redis user of docs/how-to/several-processes.md may do all that Notiway asks for, and nothing else."""

import re
from contextlib import ExitStack

import pytest
import redis
from clients.producer import Producer
from servers import redis_process
from serving import ROOT

from server.talk import inbox, listen, new_visitor

RULES = re.compile(r"^ACL SETUSER notiway on '>a password' (.+)$", re.MULTILINE)
WORKERS = 2

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def server():
    with redis_process() as running:
        yield running


@pytest.fixture(scope="module")
def admin(server):
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        yield client


@pytest.fixture(scope="module")
def user(server, admin):
    """The URL of a user with the rights that the page names."""
    (rules,) = RULES.findall((ROOT / "docs" / "how-to" / "several-processes.md").read_text())
    admin.execute_command("ACL", "SETUSER", "notiway", "on", ">a password", *rules.split())
    return server.url.replace("redis://", "redis://notiway:a%20password@")


@pytest.fixture(scope="module")
def site(make_site, user):
    return make_site(WEB_CONCURRENCY=WORKERS, NOTIWAY_BROKER_URL=user, NOTIWAY_JOBS="web").start()


def test_everything_works_with_these_rights(site, admin):
    producer = Producer(site)
    with new_visitor(site, "rights") as ada, ExitStack() as doors:
        tabs = [doors.enter_context(listen(ada)) for _ in range(4)]
        ada.notify("Stored")
        producer.publish(f"user:{ada.id}", "passing", {"title": "Passing"})
        producer.publish("group:rights", "kept", {"title": "Kept"}, True)
        for tab in tabs:
            assert {tab.hear_only("notification")["title"] for _ in range(3)} == {"Stored", "Passing", "Kept"}
        assert ada.post("/dashboard/import", data={"source": "broken"}).status_code == 202  # a job, and its progress
        tabs[0].hear_all(until=lambda message: message.get("data", {}).get("body", {}).get("status") == "failed")
        staff = site.sign_in("staff@example.com")
        assert staff.get("/staff/send").ok  # the reach
        site.command("doctor", "--url", site.url)
        assert inbox(ada)[1] >= 2
        assert ada.post("/logout").ok
        assert {tab.close_code() for tab in tabs} == {4009}
    assert admin.execute_command("ACL", "LOG") == []


@pytest.mark.parametrize(
    "words",
    [
        ("SUBSCRIBE", "somebody:else"),
        ("PUBLISH", "somebody:else", "x"),
        ("GET", "somebody:else"),
        ("FLUSHALL",),
        ("KEYS", "*"),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
    ],
    ids=" ".join,
)
def test_nothing_else_is_allowed(user, words):
    with redis.Redis.from_url(user) as client, pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*words)
