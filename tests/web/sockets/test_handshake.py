"""Handshake: what an opening request must bring before it is upgraded, and what is refused before that."""

import base64
import time
from types import SimpleNamespace

import pytest
from flask import Flask

from notiway.gateway import client_tokens
from notiway.values.errors import WrongInput
from notiway.web.sockets import handshake

KEY = base64.b64encode(bytes(16)).decode()


@pytest.fixture
def refusal():
    """The refusal of a request with these headers."""

    def refuse(**headers):
        given = {f"Sec-WebSocket-{name.title()}": value for name, value in headers.items()}
        with Flask("handshake").test_request_context("/ws", headers=given):
            return handshake.refusal(SimpleNamespace(holds_sockets=True))

    return refuse


def test_a_good_one_is_not_refused(refusal):
    assert refusal(version="13", key=KEY) is None


@pytest.mark.parametrize("version", ["", "8", "12", "14", "013", "13, 8", "x"])
def test_another_version_is_told_which_one_is_spoken(refusal, version):
    body, status, headers = refusal(version=version, key=KEY)
    assert (status, headers["Sec-WebSocket-Version"]) == (426, "13")
    assert body.json["error"]["code"] == "WrongInput"


def test_a_plain_request_is_told_to_upgrade(refusal):
    _, status, headers = refusal()
    assert (status, headers["Upgrade"]) == (426, "websocket")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "x",
        base64.b64encode(bytes(15)).decode(),
        base64.b64encode(bytes(17)).decode(),
        KEY[:-1],
        KEY[:-1] + "!",
        "é" + KEY,
        "!" + KEY,
        f"{KEY[:5]} {KEY[5:]}",
        bytes(16).hex(),
    ],
)
def test_a_key_that_is_not_sixteen_bytes_is_refused(refusal, key):
    with pytest.raises(WrongInput, match="16 bytes"):
        refusal(version="13", key=key)


@pytest.mark.parametrize("path", ["/ws/notifications", "/hub"])
@pytest.mark.parametrize("token", [True, False])
def test_a_socket_is_refused_before_the_upgrade(app, user, browser, running, exhausted, path, token):
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
    }
    if token:
        with app.app_context():
            claims = client_tokens.Claims(user.id, time.time() + 60)
            headers["Authorization"] = f"Bearer {client_tokens.mint(running.token_secret, claims)}"
    client = app.test_client() if token else browser.client
    answer = client.get(path, headers=headers | {"Accept": "application/json"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json["error"]["code"] == "Unavailable"
