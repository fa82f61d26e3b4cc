"""Nothing that the server says holds a secret: its logs, what its commands print, and its error pages."""

import re
import socket
import subprocess
import sys

import pytest
import requests
from servers import accepts, free_port, redis_server, wait_until
from serving import ROOT, Site
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server.talk import listen, open_socket

TYPED = "correct-horse-battery"
TOKEN = "tok-3f9c0b7e5a"
BEARER = "brr-77d1e2c4aa"
FORGED = "nw_4f0b1c9e2d7a6b5c8e3f"
COOKIE = "forged-9b2c7d.session"
PRIVATE = "A private matter"
# Words and signs that no shape tells from other text: such values are hidden by their names.
SETTINGS = {
    "SECRET_KEY": "sck-a secret of plain words and 32 bytes",
    "NOTIWAY_TOKEN_SECRET": "tsc-a secret of plain words and 32 bytes",
    "NOTIWAY_METRICS_TOKEN": "mtr-a secret of plain words and 32 bytes",
}


def said_by(site, *words):
    """What a command prints, whether it succeeds or not."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "notiway", *words],
        env=site.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def raw(site, *lines):
    """What the server answers to a request that no client library would send."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as sock:
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        sock.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: sock.recv(65_536), b"")).decode(errors="replace")


def found_in(text, secrets):
    """Each secret that is in the text, with what is around it."""
    return {
        name: text[max(0, text.index(secret) - 60) : text.index(secret) + 60]
        for name, secret in secrets.items()
        if secret in text
    }


@pytest.mark.parametrize("environment", ["production", "development"])
def test_a_run_full_of_secrets_tells_none(start, environment):
    with redis_server() as cache:
        settings = SETTINGS | {
            "NOTIWAY_ENV": environment,
            "NOTIWAY_HEARTBEAT_SECONDS": 0.2,
            "NOTIWAY_JOBS": "web",
            "NOTIWAY_JOBS_URL": cache.replace(
                "redis://", f"redis://default:{TYPED}@"
            ),  # without a password it takes any
        }
        site = start(**settings)
        secrets, answers = fill(site)
        said = [said_by(site, *words) for words in (("config",), ("key", "list"), ("user", "list"), ("doctor",))]
        said.append(said_by(site, "doctor", "--url", site.url.replace("http://", f"http://ada:{TYPED}@")))
        said.append(said_by(site, "doctor", "--url", site.url))
        site.stop()
    log = site.log.read_text()
    assert "/ws/notifications" in log or environment == "development", "there is an access log"
    assert "sign_in_refused" in log, "and one of security events"
    assert "Traceback" not in log
    assert found_in(log + "".join(said), secrets | {"private": PRIVATE, "email": "typed@example.com"}) == {}
    own = {name: secret for name, secret in secrets.items() if "csrf" not in name}  # a page carries its own, as it must
    assert found_in("".join(answers), own) == {}


def fill(site):
    """Give the server secrets in every place that takes one; the secrets, and the answers that are errors."""
    key = site.command("key", "add", "portal", "--scope", "token").strip()
    asked = {"json": {"userId": "somebody"}, "headers": {"Authorization": f"Bearer {key}"}, "timeout": 10}
    jwt = requests.post(f"{site.url}/api/tokens", **asked).json()["token"]
    answers = []
    with site.sign_in() as demo:
        cookies = {f"cookie {each.name}": each.value for each in demo.cookies}
        csrf = demo.headers["X-CSRFToken"]
        negotiated = demo.post("/hub/negotiate?negotiateVersion=1").json()["connectionToken"]
        demo.notify(PRIVATE)
        visitor = requests.Session()
        token = re.search(r'name="csrf-token" content="([^"]+)"', visitor.get(f"{site.url}/login").text)[1]
        form = {"email": "typed@example.com", "password": TYPED, "csrf_token": token}
        answers.append(visitor.post(f"{site.url}/login?password={TYPED}", data=form, timeout=10))
        answers.append(demo.post("/login", data={"email": "demo@example.com", "password": TYPED}))
        answers.append(demo.get(f"/notifications?access_token={TOKEN}", headers={"Authorization": f"Bearer {BEARER}"}))
        for accepted in ("text/html", "application/json"):
            answers.append(demo.get(f"/no-such-page?password={TYPED}&token={TOKEN}", headers={"Accept": accepted}))
        with listen(demo) as tab:
            tab.socket.send(f'{{"action": "{TOKEN}"')
            tab.hear_only("error")
            tab.hear_only("pong")
        with open_socket(site, demo.cookie, {"access_token": TOKEN}) as opened, pytest.raises(ConnectionClosed):
            opened.recv(30)  # a bad token: the session is no second try
        with pytest.raises(InvalidStatus), open_socket(site, demo.cookie, origin=f"https://ada:{TYPED}@evil.example"):
            pass
        for given in (jwt, f"{jwt}x", key, FORGED, BEARER):
            bearer = {"Authorization": f"Bearer {given}"}
            for method, path in (
                ("GET", "/api/notifications"),
                ("GET", "/api/notifications/stream?lastEventId=x"),
                ("POST", "/api/notifications"),
                ("POST", "/api/tokens"),
                ("POST", f"/hub/negotiate?id={given}&access_token={given}"),
                ("GET", f"/hub?id={negotiated}&access_token={given}"),
                ("GET", f"/metrics?token={given}"),
            ):
                answer = requests.request(method, site.url + path, headers=bearer, timeout=10, stream=True)
                answers += [] if answer.ok else [answer]
                answer.close() if answer.ok else None
        for cookie in (COOKIE, f"{cookies['cookie notiway_session']}x"):
            forged = {"Cookie": f"notiway_session={cookie}; remember_token={cookie}"}
            answers.append(requests.get(f"{site.url}/api/notifications", headers=forged, timeout=10))
        demo.post("/account/password", data={"current": TYPED, "new": TOKEN})
        texts = [each.text for each in answers if not each.ok]
        assert len(texts) > 15
        for line in (f"GET /hub?id={negotiated} HTTP/9.9", f"GET /?token={TOKEN}"):
            raw(site, line, "Host: x", f"Cookie: notiway_session={COOKIE}", f"Authorization: Bearer {jwt}")
        demo.post("/logout")
    secrets = SETTINGS | cookies | {"key": key, "jwt": jwt, "csrf": csrf, "negotiated": negotiated, "form csrf": token}
    secrets |= {"signature": cookies["cookie notiway_session"].split(".")[-1], "typed": TYPED, "token": TOKEN}
    return secrets | {"bearer": BEARER, "forged key": FORGED, "forged cookie": COOKIE}, texts


@pytest.mark.parametrize("environment", ["production", "development"])
def test_a_server_whose_services_are_away_says_so_without_their_passwords(tmp_path, environment):
    away = free_port()
    settings = SETTINGS | {
        "NOTIWAY_ENV": environment,
        "NOTIWAY_DATABASE_URL": f"postgresql://app:db-{TYPED}@127.0.0.1:{away}/none",
        "NOTIWAY_JOBS_URL": f"redis://ada:jobs-{TYPED}@127.0.0.1:{away}/1",
        "NOTIWAY_JOBS": "web",
        "NOTIWAY_LIVE_URL": f"https://ada:live-{TYPED}@live.example",
    }
    site = Site(tmp_path, "app:app", **settings)
    site._ready = lambda: requests.get(f"{site.url}/healthz", timeout=30).ok if accepts(site.port) else False
    try:
        site.start()
        bearer = {"Authorization": f"Bearer {SETTINGS['NOTIWAY_METRICS_TOKEN']}"}
        paths = ("/readyz", "/", "/login", "/notifications", "/api/notifications?access_token=x", "/metrics")
        answers = [requests.get(site.url + path, headers=bearer, timeout=30) for path in paths]
        assert answers[0].status_code == 503
        assert "reasons" in answers[0].text, "they are told to the bearer of the token"
        said = [
            said_by(site, *words) for words in (("config",), ("doctor", "--url", site.url), ("migrate",), ("cleanup",))
        ]
        wait_until(lambda: "NOTIWAY_JOBS_URL" in site.log.read_text())
    finally:
        site.close()
    text = "".join([site.log.read_text(), *said, *(each.text for each in answers)])
    assert "127.0.0.1" in text
    assert found_in(text, SETTINGS | {"passwords": TYPED}) == {}
