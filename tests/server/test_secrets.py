"""What the server writes to its logs holds no password, cookie, token or text of a notification."""

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server.talk import listen, open_socket

TYPED = "correct-horse-battery"
TOKEN = "tok-3f9c0b7e5a"
BEARER = "brr-77d1e2c4aa"


def test_no_secret_is_ever_logged(start):
    site = start(NOTIWAY_ENV="production", NOTIWAY_HEARTBEAT_SECONDS=0.2)
    with site.sign_in() as demo:
        cookie = demo.cookies["notiway_session"]
        token = demo.headers["X-CSRFToken"]
        demo.notify("A private matter")
        demo.post("/login", data={"email": "demo@example.com", "password": TYPED})  # without its token: refused
        demo.get(f"/notifications?access_token={TOKEN}&text=private", headers={"Authorization": f"Bearer {BEARER}"})
        demo.get(f"/no-such-page?password={TYPED}")
        with listen(demo) as tab:
            tab.socket.send(f'{{"action": "{TOKEN}"')
            tab.hear_only("error")
            tab.hear_only("pong")
        with open_socket(site, demo.cookie, {"access_token": TOKEN}) as socket, pytest.raises(ConnectionClosed):
            socket.recv(30)  # a bad token: the session is no second try
        for origin in ("https://evil.example", f"https://{TOKEN}.example"):
            with pytest.raises(InvalidStatus), open_socket(site, demo.cookie, origin=origin):
                pass
        demo.post("/logout")
    site.stop()
    log = site.log.read_text()
    assert "/ws/notifications" in log, "there is an access log"
    for secret in (cookie, cookie.split(".")[-1], token, TYPED, TOKEN, BEARER, "A private matter", "a secret of the"):
        assert secret not in log
    assert "Traceback" not in log
