"""What the server writes to its logs holds no password, cookie, token or text of a notification."""

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server.talk import listen, open_socket

TYPED = "correct-horse-battery"
TOKEN = "tok-3f9c0b7e5a"
TOKEN_SECRET = "tsc-a secret of plain words and 32 bytes"
METRICS_TOKEN = "mtr-a secret of plain words and 32 bytes"
MARKED = (TOKEN_SECRET, METRICS_TOKEN, "plain words")
BEARER = "brr-77d1e2c4aa"


def test_no_secret_is_ever_logged(start):
    site = start(
        NOTIWAY_ENV="production",
        NOTIWAY_HEARTBEAT_SECONDS=0.2,
        NOTIWAY_TOKEN_SECRET=TOKEN_SECRET,
        NOTIWAY_METRICS_TOKEN=METRICS_TOKEN,
    )
    key = site.command("key", "add", "portal", "--scope", "token").strip()
    asked = {"json": {"userId": "somebody"}, "headers": {"Authorization": f"Bearer {key}"}, "timeout": 10}
    jwt = requests.post(f"{site.url}/api/tokens", **asked).json()["token"]
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
        for given in (jwt, f"{jwt}x", key):
            requests.get(f"{site.url}/notifications", headers={"Authorization": f"Bearer {given}"}, timeout=60)
            requests.get(f"{site.url}/metrics?token={given}", headers={"Authorization": METRICS_TOKEN}, timeout=60)
            requests.post(f"{site.url}/hub/negotiate?id={given}&access_token={given}", timeout=60)
        demo.post("/logout")
    said = [
        site.command(*words)
        for words in (("config",), ("key", "list"), ("user", "list"), ("doctor", "--url", site.url))
    ]
    site.stop()
    log = site.log.read_text() + "".join(said)
    assert "/ws/notifications" in log, "there is an access log"
    for secret in (
        cookie,
        cookie.split(".")[-1],
        token,
        TYPED,
        TOKEN,
        BEARER,
        "A private matter",
        "a secret of the",
        *MARKED,
        key,
        jwt,
    ):
        assert secret not in log
    assert "Traceback" not in log
