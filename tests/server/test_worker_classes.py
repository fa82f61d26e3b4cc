"""Under a gunicorn worker that every open socket would hold, sockets are refused at once and the pages go on."""

import pytest
import requests

from notiway.ops.probe import Probe, Refused
from server.raw import upgrade

pytestmark = pytest.mark.server
REMEDY = "--worker-class gevent"


@pytest.fixture(scope="module", params=[("sync",), ("gthread", "--threads", "2")], ids=["sync", "gthread"])
def site(request, make_site):
    site = make_site("app:app").start("-k", *request.param)
    yield site
    site.close()


def test_pages_answer_however_many_bells_try_to_open_a_socket(site):
    visitor = site.sign_in()
    for _ in range(4):  # more than there are threads
        # The client leaves, as browsers do: for one that stays gunicorn waits 2 s, and a sync worker with it.
        with upgrade(site, "?format=html", Cookie=visitor.cookie) as (status, _client):
            assert status == 503
        assert visitor.get("/dashboard").status_code == 200
    assert requests.get(f"{site.url}/healthz", timeout=5).ok


def test_streams_and_signalr_are_refused_with_words(site):
    visitor = site.sign_in()
    stream = visitor.get("/api/notifications/stream", headers={"Accept": "text/event-stream"}, timeout=5)
    negotiation = visitor.post("/hub/negotiate?negotiateVersion=1", timeout=5)
    for answer in (stream, negotiation):
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "Unavailable"
        assert "live connections" in answer.json()["error"]["message"]


def test_the_log_names_the_remedy_at_the_start_and_at_the_first_refusal_only(site):
    visitor = site.sign_in()
    for _ in range(3):
        with upgrade(site, "", Cookie=visitor.cookie) as (status, _client):
            assert status == 503
    assert site.log.read_text().count(REMEDY) == 2


def test_the_doctor_names_it_too(site):
    with pytest.raises(AssertionError) as told:
        site.command("doctor", "--url", site.url)
    assert REMEDY in str(told.value)


def test_a_probe_is_told_why(site):
    headers = {"Cookie": site.sign_in().cookie, "Origin": site.url}
    with pytest.raises(Refused) as refusal, Probe(f"{site.url}/ws/notifications", headers, 5):
        pass
    assert refusal.value.code == 503
    assert "live connections" in refusal.value.reason
