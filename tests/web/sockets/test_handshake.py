"""The opening request of a socket: what cannot be served is said before the upgrade, as an HTTP status."""

import time

import pytest

from notiway.gateway import client_tokens


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
