"""The hub's routes: negotiation gives a token that opens one connection, of one user, for a short time."""

import pytest
from itsdangerous import URLSafeTimedSerializer

from notiway.values.errors import NotFound
from notiway.values.principal import Principal
from notiway.web.sockets import handshake, signalr


@pytest.fixture
def negotiate(client, token):
    def ask(user_id="ada", query="negotiateVersion=1"):
        headers = {"Authorization": f"Bearer {token(user_id)}"}
        return client.post(f"/hub/negotiate?{query}", headers=headers)

    return ask


@pytest.fixture
def enter(knock, token):
    """Asks for the upgrade: `enter("id=…")`; who comes in under which id, or the status of the refusal."""

    def ask(query="", user_id="ada", **headers):
        given = {"Authorization": f"Bearer {token(user_id)}"} if user_id else {}
        status, environ = knock(f"/hub?{query}", **(given | headers))
        if status is not None:
            return status
        principal, connection_id = environ[handshake.VISITOR]
        since.append(environ[signalr.SINCE])
        return principal.user_id, connection_id

    since = []
    ask.since = since
    return ask


def test_what_a_client_has_is_named_at_the_socket_or_remembered_by_its_token(negotiate, enter):
    for version in (0, 1):
        for at_negotiation, at_socket in (("&since=a", ""), ("", "&since=a"), ("&since=b", "&since=a"), ("", "")):
            answer = negotiate(query=f"negotiateVersion={version}{at_negotiation}").json
            enter(f"id={answer.get('connectionToken', answer['connectionId'])}{at_socket}")
    enter("since=a")
    enter("")
    assert enter.since == ["a", "a", "a", None] * 2 + ["a", None]


def test_negotiation_offers_websockets_with_a_token_that_is_not_the_id(negotiate):
    answer = negotiate()
    assert answer.status_code == 200
    assert answer.json["negotiateVersion"] == 1
    assert answer.json["connectionToken"] != answer.json["connectionId"]
    assert answer.json["availableTransports"] == [{"transport": "WebSockets", "transferFormats": ["Text"]}]


@pytest.mark.parametrize("query", ["", "negotiateVersion=0", "negotiateVersion=x"])
def test_an_old_client_knows_only_one_id(negotiate, enter, query):
    answer = negotiate(query=query).json
    assert (answer["negotiateVersion"], "connectionToken" in answer) == (0, False)
    assert enter(f"id={answer['connectionId']}") == ("ada", answer["connectionId"])


def test_the_token_opens_the_connection_that_was_promised_once(negotiate, enter):
    answer = negotiate().json
    assert enter(f"id={answer['connectionToken']}") == ("ada", answer["connectionId"])
    assert enter(f"id={answer['connectionToken']}") == 404


def test_two_negotiations_promise_two_connections(negotiate):
    first, second = negotiate().json, negotiate().json
    assert first["connectionId"] != second["connectionId"]
    assert negotiate(query="").json["connectionId"] != negotiate(query="").json["connectionId"]


def test_the_token_of_another_user_opens_nothing_and_stays_good(negotiate, enter):
    made = negotiate("bob").json["connectionToken"]
    assert enter(f"id={made}") == 404
    assert enter(f"id={made}", user_id="bob")[0] == "bob"


def test_a_token_is_good_for_half_a_minute(app, negotiate, monkeypatch):
    made = negotiate().json["connectionToken"]
    ages = []
    loads = URLSafeTimedSerializer.loads
    monkeypatch.setattr(
        URLSafeTimedSerializer, "loads", lambda self, text, max_age: (ages.append(max_age), loads(self, text, -1))[1]
    )
    with app.test_request_context(), pytest.raises(NotFound):
        signalr._spend(made, Principal("ada"))
    assert ages == [signalr.TOKEN_SECONDS] == [30]


@pytest.mark.parametrize("given", ["", "x", "made up.by.somebody"])
def test_an_unknown_token_is_not_found(enter, given):
    assert enter(f"id={given}") == 404


def test_a_client_may_skip_the_negotiation(enter):
    assert enter() == ("ada", None)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"user_id": None}, 401),
        ({"Authorization": "Bearer nonsense"}, 401),
        ({"user_id": None, "Origin": "https://evil.test"}, 403),
        ({"Sec-WebSocket-Version": "8"}, 426),
        ({"Sec-WebSocket-Key": "x"}, 400),
    ],
)
def test_who_may_not_come_in_is_refused_before_the_upgrade(enter, options, status):
    assert enter(**options) == status


def test_without_a_token_or_a_session_nobody_negotiates(client):
    assert client.post("/hub/negotiate").status_code == 401


def test_a_draining_server_sends_new_clients_elsewhere(negotiate, enter, app):
    app.extensions["notiway"].begin_drain()
    assert negotiate().status_code == 503
    assert enter() == 503


def test_negotiating_is_no_activity_of_a_person(browser):
    answer = browser.post("/hub/negotiate", form="json")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
