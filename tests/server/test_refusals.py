"""Nobody subscribes, reads, marks or resolves outside what they may: every method, every wire, every false token."""

import time

import jwt
import pytest
import requests
from clients.producer import Producer, join, token
from clients.wires import hub, socket, stream
from websockets.exceptions import ConnectionClosed, InvalidStatus

from notiway.gateway import client_tokens
from server.talk import open_socket

SOON = 10  # seconds
AUDIENCES = ("tenant:acme", "tenant:globex", "group:ops", "group:acme:ops", "group:globex:ops", "user:refused-bob")


@pytest.fixture(scope="module")
def own_site(make_site):
    site = make_site(NOTIWAY_OPEN_GROUPS="dashboard-*").start()
    join(site, "refused-bob", "tenant:acme", "group:ops", "group:acme:ops")
    return site


@pytest.fixture(scope="module")
def bobs(own_site):
    """What bob has: by audience, the producer's id and ours."""
    producer = Producer(own_site)
    sent = {audience: producer.publish(audience, "secret", persisted=True) for audience in AUDIENCES}
    sent["global"] = producer.publish("global", "known", persisted=True)
    found = notifications(own_site, token(own_site, "refused-bob"))
    ours = {each["audienceId"]: each["id"] for each in found if each["name"] in ("secret", "known")}
    return {audience: (public, ours.get(audience)) for audience, public in sent.items()}


def notifications(site, key):
    answer = requests.get(f"{site.url}/api/notifications?access_token={key}&limit=200", timeout=SOON)
    return answer.json()["notifications"]


def _secret(site):
    return client_tokens.derive_secret(site.environment["SECRET_KEY"])


def _claims(**changes):
    now = int(time.time())
    good = {"sub": "refused-bob", "exp": now + 600, "iat": now, "iss": "notiway", "aud": "notiway", "jti": "1"}
    return {name: value for name, value in (good | changes).items() if value is not None}


FALSE_TOKENS = {
    "expired": lambda site: token(site, "refused-bob", ttl=-1),
    "unsigned": lambda site: jwt.encode(_claims(), None, algorithm="none"),
    "with the wrong secret": lambda site: jwt.encode(_claims(), "x" * 32, algorithm="HS256"),
    "with another algorithm": lambda site: jwt.encode(_claims(), _secret(site), algorithm="HS512"),
    "without an end": lambda site: jwt.encode(_claims(exp=None), _secret(site), algorithm="HS256"),
    "for another service": lambda site: jwt.encode(_claims(aud="billing"), _secret(site), algorithm="HS256"),
    "by another issuer": lambda site: jwt.encode(_claims(iss="billing"), _secret(site), algorithm="HS256"),
    "without an id": lambda site: jwt.encode(_claims(jti=None), _secret(site), algorithm="HS256"),
    "of nobody": lambda site: jwt.encode(_claims(sub=""), _secret(site), algorithm="HS256"),
    "nonsense": lambda site: "nonsense",
}


@pytest.mark.parametrize("fault", FALSE_TOKENS)
def test_no_wire_takes_a_false_token(own_site, fault):
    false = FALSE_TOKENS[fault](own_site)
    with pytest.raises(InvalidStatus) as refused, hub(own_site, false):
        pass
    assert refused.value.response.status_code == 401
    for way in ({"headers": {"Authorization": f"Bearer {false}"}}, {"params": {"access_token": false}}):
        assert requests.post(f"{own_site.url}/hub/negotiate", timeout=SOON, **way).status_code == 401
        assert requests.get(f"{own_site.url}/api/notifications", timeout=SOON, **way).status_code == 401
        assert requests.get(f"{own_site.url}/api/notifications/stream", timeout=SOON, **way).status_code == 401
    for wire in ("json", "html"):
        with open_socket(own_site, query={"access_token": false, "format": wire}) as opened:
            assert _close_code(opened) == 4001


@pytest.mark.parametrize("fault", FALSE_TOKENS)
def test_no_connection_is_renewed_with_a_false_token(own_site, fault):
    false = FALSE_TOKENS[fault](own_site)
    with hub(own_site, token(own_site, "refused-bob")) as client:
        assert client.invoke("Renew", false).startswith("Unauthorized: ")
    with socket(own_site, token(own_site, "refused-bob"), format="json") as client:
        assert client.ask("renew", token=false)["data"]["code"] == "Unauthorized"


def test_a_connection_is_not_renewed_with_somebody_elses_token(own_site):
    others = token(own_site, "refused-bob", audiences=("tenant:acme",))
    with hub(own_site, token(own_site, "refused-eve")) as client:
        assert client.invoke("Renew", others).startswith("Forbidden: ")
        assert client.invoke("Subscribe", {"audienceType": 2, "audienceValue": "acme"}).startswith("Forbidden: ")
    with socket(own_site, token(own_site, "refused-eve"), format="json") as client:
        assert client.ask("renew", token=others)["data"]["code"] == "Forbidden"


ROUTINGS = {
    "tenant:acme": {"audienceType": 2, "audienceValue": "acme"},
    "group:ops": {"audienceType": 3, "audienceValue": "ops"},
    "group:acme:ops": {"audienceType": 3, "audienceValue": "ops", "tenantId": "acme"},
    "group:acme:dashboard-ops": {"audienceType": 3, "audienceValue": "dashboard-ops", "tenantId": "acme"},
}
AUTOMATIC = {
    "global": {"audienceType": 1},
    "user:refused-bob": {"audienceType": 4, "audienceValue": "refused-bob"},
    "connection:abc": {"audienceType": 5, "audienceValue": "abc"},
}


@pytest.mark.parametrize("audience", ROUTINGS)
def test_nobody_subscribes_where_they_do_not_belong(own_site, audience):
    key = token(own_site, "refused-eve", tenant_id="globex", audiences=("group:globex:ops",))
    with hub(own_site, key) as client:
        assert client.invoke("Subscribe", ROUTINGS[audience]).startswith("Forbidden: ")
    with socket(own_site, key, format="json") as client:
        assert client.ask("subscribe", audience=audience)["data"]["code"] == "Forbidden"


@pytest.mark.parametrize("audience", AUTOMATIC)
def test_nobody_subscribes_to_what_comes_by_itself(own_site, audience):
    key = token(own_site, "refused-eve")
    with hub(own_site, key) as client:
        assert client.invoke("Subscribe", AUTOMATIC[audience]).startswith("NotSupported: ")
        assert client.invoke("Unsubscribe", AUTOMATIC[audience]).startswith("NotSupported: ")
    with socket(own_site, key, format="json") as client:
        for action in ("subscribe", "unsubscribe"):
            assert client.ask(action, audience=audience)["data"]["code"] == "NotSupported"


@pytest.mark.parametrize("method", ["MarkAsRead", "MarkAsDeleted"])
@pytest.mark.parametrize("audience", AUDIENCES)
def test_nobody_marks_what_is_not_theirs_over_the_hub(own_site, bobs, method, audience):
    public, ours = bobs[audience]
    with hub(own_site, token(own_site, "refused-eve")) as client:
        for name in (public, ours or public):
            for claimed in (audience, "user:refused-eve", "global"):
                assert client.invoke(method, claimed, name).startswith("NotFound: ")


@pytest.mark.parametrize("action", ["markAsRead", "markAsUnread", "delete", "restore"])
def test_nobody_marks_what_is_not_theirs_over_a_socket(own_site, bobs, action):
    ids = [ours for audience, (_, ours) in bobs.items() if ours and audience != "global"]
    assert len(ids) == 4
    with socket(own_site, token(own_site, "refused-eve"), format="json") as client:
        for notification_id in ids:
            assert client.ask(action, notificationId=notification_id)["data"]["code"] == "NotFound"


def test_after_all_that_bob_has_everything_and_eve_has_what_is_for_all(own_site, bobs):
    mine = {each["audienceId"] for each in notifications(own_site, token(own_site, "refused-bob"))}
    assert mine == {"tenant:acme", "group:ops", "group:acme:ops", "user:refused-bob", "global"}
    assert {each["audienceId"] for each in notifications(own_site, token(own_site, "refused-eve"))} == {"global"}
    assert not any(each["read"] for each in notifications(own_site, token(own_site, "refused-bob")))


def test_a_token_opens_what_it_names_and_an_open_group_is_open(own_site, bobs):
    key = token(own_site, "refused-tom", audiences=("group:acme:ops",))
    with hub(own_site, key) as client:
        client.call("Subscribe", ROUTINGS["group:acme:ops"])
        heard = [client.hear() for _ in range(3)]
        assert {each["arguments"][0]["audienceId"] for each in heard if each["type"] == 1} == {
            "global",
            "group:acme:ops",
        }
        assert client.invoke("Subscribe", {"audienceType": 3, "audienceValue": "dashboard-ops"}) is None
        public, _ = bobs["group:acme:ops"]
        assert client.invoke("MarkAsRead", "group:acme:ops", public) is None
    assert not any(each["read"] for each in notifications(own_site, token(own_site, "refused-bob"))), "eachs own state"


def test_a_tenants_token_hears_its_tenant(own_site, bobs):
    with hub(own_site, token(own_site, "refused-tess", tenant_id="globex")) as client:
        heard = {client.hear()["arguments"][0]["audienceId"] for _ in range(2)}
    assert heard == {"global", "tenant:globex"}


def test_a_stream_shows_nobody_elses(own_site, bobs):
    with stream(own_site, token(own_site, "refused-eve"), lastEventId="0") as reader:
        reader.next("reset")
        assert reader.next("unread")[1] == {"unreadCount": 1}


@pytest.mark.parametrize("wire", ["json", "html"])
def test_a_socket_closes_when_its_token_ends_unless_it_is_renewed(own_site, wire):
    with (
        socket(own_site, token(own_site, "refused-ann", ttl=2), format=wire) as ends,
        socket(own_site, token(own_site, "refused-ann", ttl=2), format=wire) as stays,
    ):
        stays.say("renew", token=token(own_site, "refused-ann"))
        assert _close_code(ends.socket) == 4009
        stays.say("ping")
        assert stays.socket.recv(timeout=SOON)


def _close_code(opened):
    with pytest.raises(ConnectionClosed):
        while True:
            opened.recv(timeout=SOON)
    return opened.close_code
