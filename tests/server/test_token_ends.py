"""What a client token opened ends when its user or its key does, on every wire, and does not come back."""

import pytest
import requests
from clients.producer import token
from clients.wires import hub, socket, stream
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server.talk import PATIENCE_SECONDS, open_socket

JOBS = {"NOTIWAY_JOBS": "web"}  # commands reach the server through the queue of the background work


@pytest.fixture(scope="module")
def own_site(make_site):
    return make_site(**JOBS).start()


def made(site, key, user_id):
    """A client token from the site, and the key that asked for it."""
    headers = {"Authorization": f"Bearer {key}"}
    answer = requests.post(f"{site.url}/api/tokens", json={"userId": user_id}, headers=headers, timeout=60)
    assert answer.status_code == 201, answer.text
    return answer.json()["token"]


def new_key(site, name):
    return site.command("key", "add", name, "--scope", "token").split()[0]


def close_code(opened):
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            opened.recv(timeout=PATIENCE_SECONDS)
    return closed.value.rcvd.code


def is_refused(site, given):
    """Whether the token opens nothing any more, over HTTP and on every wire."""
    headers = {"Authorization": f"Bearer {given}"}
    for path in ("/api/notifications", "/api/notifications/stream", "/notifications"):
        assert requests.get(site.url + path, headers=headers, timeout=60).status_code == 401, path
    with pytest.raises(InvalidStatus) as refused, hub(site, given):
        pass
    assert refused.value.response.status_code == 401
    with open_socket(site, query={"access_token": given}) as opened:
        assert close_code(opened) == 4001
    return True


def test_a_revoked_key_closes_what_its_tokens_opened_and_nothing_else(own_site):
    new = [made(own_site, new_key(own_site, name), "key-eve") for name in ("lost", "kept")]
    lost, kept = new
    with (
        socket(own_site, lost, format="json") as first,
        socket(own_site, lost, format="html") as page,
        hub(own_site, lost) as signalr,
        stream(own_site, lost) as events,
        socket(own_site, kept, format="json") as other,
        socket(own_site, token(own_site, "key-eve"), format="json") as own,
    ):
        events.next("connected")
        own_site.command("key", "revoke", "lost")
        assert first.close_code() == close_code(page.socket) == close_code(signalr.socket) == 4009
        with pytest.raises(EOFError):
            while True:
                events.event()
        assert other.ask("ping")["event"] == own.ask("ping")["event"] == "pong"
    assert is_refused(own_site, lost)


def test_a_connection_lives_by_the_token_that_renewed_it(own_site):
    first, second = (made(own_site, new_key(own_site, name), "key-renewed") for name in ("first", "second"))
    with socket(own_site, first, format="json") as client:
        client.say("renew", token=second)
        assert client.ask("ping")["event"] == "pong"
        own_site.command("key", "revoke", "first")
        client.say("renew", token=first)
        assert client.hear()["data"]["code"] == "Unauthorized"
        own_site.command("key", "revoke", "second")
        assert client.close_code() == 4009


def test_signing_out_everywhere_ends_the_tokens_too(own_site):
    with own_site.sign_in("staff@example.com") as staff:
        user_id = next(
            line.split("\t")[0] for line in own_site.command("user", "list").splitlines() if "staff@" in line
        )
        given = token(own_site, user_id)
        with socket(own_site, given, format="json") as client, hub(own_site, given) as signalr:
            assert staff.post("/account/sign-out-everywhere").ok
            assert client.close_code() == close_code(signalr.socket) == 4009
    assert is_refused(own_site, given)
    with socket(own_site, token(own_site, user_id), format="json") as again:
        assert again.ask("ping")["event"] == "pong"


def test_a_deactivated_users_tokens_end_and_none_is_made_again(own_site):
    user_id = next(line.split("\t")[0] for line in own_site.command("user", "list").splitlines() if "demo@" in line)
    key = new_key(own_site, "portal")
    given = made(own_site, key, user_id)
    with socket(own_site, given, format="json") as client, hub(own_site, given) as signalr:
        own_site.command("user", "deactivate", user_id)
        assert client.close_code() == close_code(signalr.socket) == 4009
    assert is_refused(own_site, given)
    assert is_refused(own_site, token(own_site, user_id)), "though it was signed after that, by a backend of its own"
    headers = {"Authorization": f"Bearer {key}"}
    again = requests.post(f"{own_site.url}/api/tokens", json={"userId": user_id}, headers=headers, timeout=60)
    assert again.status_code == 403
