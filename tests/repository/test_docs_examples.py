"""What the documentation shows works as printed: its requests and snippets are run against a real server."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from clients.driver import install
from foreign.tutorial import ROOT, Block, blocks
from servers import redis_server, wait_until
from serving import Site

from notiway.gateway.stream_consumer import Consumer

pytestmark = pytest.mark.server

DOCS = ROOT / "docs"
ADDRESS = "http://127.0.0.1:5000"
REDIS_ADDRESS = "redis://127.0.0.1:6379/0"
SECRET = "a secret that the backend of the tests knows as well"
USER = "user-123"
WITH_CURL = [
    ROOT / "README.md",
    *(DOCS / name for name in ("reference/http.md", "how-to/publish.md", "how-to/clients.md")),
]
CURL = argparse.ArgumentParser()
CURL.add_argument("url")
CURL.add_argument("-N", action="store_true")
CURL.add_argument("-H", action="append", default=[])
CURL.add_argument("-d")
CURL.add_argument("-X")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    # signalrcore's stop() waits for a last message from the server.
    settings = {"NOTIWAY_TOKEN_SECRET": SECRET, "NOTIWAY_HEARTBEAT_SECONDS": 1, "NOTIWAY_USERS": "external"}
    started = Site(tmp_path_factory.mktemp("docs"), **settings).prepare().start()
    yield started
    started.close()


@pytest.fixture(scope="module")
def key(site: Site) -> str:
    return site.command("key", "add", "everything", "--scope", "publish", "--scope", "token").strip()


@pytest.fixture(scope="module")
def token(site: Site, key: str) -> str:
    wanted = {"userId": USER, "audiences": ["group:acme:ops"]}
    answer = requests.post(f"{site.url}/api/tokens", json=wanted, headers=bearer(key), timeout=60)
    return str(answer.json()["token"])


@pytest.fixture
def publish(site: Site, key: str) -> Callable[..., None]:
    """Publishes to the user of the documentation: `publish("order-1", "order-shipped", orderId=1)`."""

    def post(public_id: str, name: str, **body: Any) -> None:
        routing = {"audienceType": 4, "audienceValue": USER}
        envelope = {"id": public_id, "type": name, "body": body, "routing": routing, "metadata": {"isPersisted": True}}
        answer = requests.post(f"{site.url}/api/notifications", json=envelope, headers=bearer(key), timeout=60)
        assert answer.status_code == 201, answer.text

    return post


def bearer(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


def snippet(page: str, title: str) -> str:
    """The Python block of that title."""
    return next(each.text for each in blocks(DOCS / page) if (each.language, each.title) == ("python", title))


def run(site: Site, page: str, title: str, **names: Any) -> dict[str, Any]:
    """Run a snippet against the site; the names that it leaves."""
    text = snippet(page, title).replace(ADDRESS, site.url)
    exec(compile(text, f"{page}:{title}", "exec"), names)
    return names


class Shell:
    """Does what a page says to type; `curl` is played, so that no machine needs it."""

    def __init__(self, site: Site, **variables: str) -> None:
        self.site = site
        self.variables = variables

    def follow(self, block: Block) -> requests.Response | None:
        """Run a block; the answer to its request."""
        text = block.text.replace("\\\n", " ")
        first, _, rest = text.partition("\n")
        if first.startswith("KEY=$("):
            words = shlex.split(first.removeprefix("KEY=$(").removesuffix(")"))
            self.variables["KEY"] = self.site.command(*words[words.index("notiway") + 1 :]).strip()
            text = rest
        if not text.startswith("curl "):
            return None
        for name, value in self.variables.items():
            text = text.replace(f"${name}", value)
        asked = CURL.parse_args(shlex.split(text)[1:])
        headers = dict(line.split(": ", 1) for line in asked.H)
        url, method = asked.url.replace(ADDRESS, self.site.url), asked.X or ("POST" if asked.d else "GET")
        return requests.request(method, url, headers=headers, data=asked.d, stream=asked.N, timeout=60)


@pytest.mark.parametrize("page", WITH_CURL, ids=lambda page: page.name)
def test_what_a_page_says_to_type_gets_the_answer_that_it_shows(site: Site, key: str, token: str, page: Path) -> None:
    shell = Shell(site, KEY=key, TOKEN=token)
    shown = blocks(page)
    answers = 0
    for block, after in zip(shown, [*shown[1:], Block("text", None, "")], strict=True):
        answer = shell.follow(block) if block.language == "sh" else None
        if answer is None:
            continue
        answers += 1
        assert answer.ok, answer.text
        if after.language == "json":
            assert shape(answer.json()) == shape(json.loads(after.text))
    assert answers


def shape(value: Any) -> Any:
    """Which keys there are; a `body` is anybody's."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items() if name != "body"}
    return [shape(each) for each in value[:1]] if isinstance(value, list) else None


def test_the_faults_of_an_envelope_are_told_as_shown(site: Site, key: str) -> None:
    shown = [json.loads(block.text) for block in blocks(DOCS / "reference/http.md") if block.language == "json"]
    wrong = {"id": "x", "type": "ping", "routing": {"audienceType": 4}}
    answer = requests.post(f"{site.url}/api/notifications", json=wrong, headers=bearer(key), timeout=60)
    assert answer.status_code == 422
    assert answer.json() in shown


def test_a_stream_from_a_shell_begins_as_shown(site: Site, token: str) -> None:
    command, begin = (block for block in blocks(DOCS / "reference/sse.md") if block.language in ("sh", "text"))
    answer = Shell(site, TOKEN=token).follow(command)
    assert answer is not None
    with answer:
        lines = answer.iter_lines(chunk_size=1, decode_unicode=True)
        heard = [next(lines).partition(":")[0] for _ in begin.text.splitlines()]
    assert heard == [line.partition(":")[0] for line in begin.text.splitlines()]


def test_the_python_of_publishing_publishes(site: Site, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_KEY", key)
    names = run(site, "how-to/publish.md", "publish")
    for title in ("batch", "retry", "batch"):
        names = run(site, "how-to/publish.md", title, **names)
    names["gateway"].close()


def test_a_token_made_by_hand_opens_the_api(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIWAY_TOKEN_SECRET", SECRET)
    make = run(site, "how-to/clients.md", "token")["notification_token"]
    for made in (make(USER), make(USER, "acme", ["group:acme:ops"])):
        assert requests.get(f"{site.url}/api/notifications", headers=bearer(made), timeout=60).ok


def test_the_python_client_listens(
    site: Site, token: str, publish: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_TOKEN", token)
    listen = run(site, "how-to/clients.md", "listen")["listen"]
    heard: list[dict[str, Any]] = []

    def show(notification: dict[str, Any]) -> None:
        heard.append(notification)
        raise InterruptedError

    def until_heard() -> None:
        with pytest.raises(InterruptedError):
            listen(show)

    thread = threading.Thread(target=until_heard)
    thread.start()
    attempts = iter(range(1_000))
    wait_until(lambda: heard or publish(f"listen-{next(attempts)}", "tea-ready", cups=2))
    thread.join()
    assert heard[0]["payload"] == {"cups": 2}


def test_the_python_client_of_signalr_hears_and_marks_read(
    site: Site, token: str, publish: Callable[..., None]
) -> None:
    said: list[Any] = []
    publish("order-INV-789-signalr", "order-shipped", orderId="INV-789")
    hub = run(site, "reference/signalr.md", "signalrcore", fetch_token=lambda: token, print=said.append)["hub"]
    try:
        wait_until(lambda: "INV-789" in said)
        wait_until(lambda: is_read(site, token, "order-shipped"))
    finally:
        hub.stop()
    assert not [text for text in said if text.startswith("Forbidden")]


def is_read(site: Site, token: str, name: str) -> bool:
    page = requests.get(f"{site.url}/api/notifications?limit=200", headers=bearer(token), timeout=60).json()
    return any(each["read"] for each in page["notifications"] if each["name"] == name)


@pytest.mark.redis
def test_what_is_put_on_the_stream_is_taken_and_the_mended_put_back(app: Any) -> None:
    with redis_server() as url, redis.Redis.from_url(url) as client:

        def follow(title: str, **names: Any) -> dict[str, Any]:
            exec(snippet("how-to/consume.md", title).replace(REDIS_ADDRESS, url), names)
            return names

        def consume() -> Any:
            with app.app_context():
                return Consumer(app.extensions["notiway"], url, "notiway").run(is_done)

        def is_done() -> bool:
            groups = client.xinfo_groups("notiway")
            return bool(groups) and groups[0]["pending"] == 0 and groups[0]["lag"] == 0

        names = follow("produce")
        client.xadd("notiway", {"envelope": "{"})
        tally = consume()
        assert (tally.taken, tally.dead) == (1, 1)
        follow("again", **names)
        assert (client.xlen("notiway:dead"), client.xlen("notiway")) == (0, 3)
        names["stream"].close()


IN_NODE = """
import WS from "ws";
import {{ EventSource as Source }} from "eventsource";

const site = {url}, mine = {token}, key = `access_token=${{mine}}`, real = fetch;
const ours = {{ "/notification-token": () => Response.json({{ token: mine }}) }};
globalThis.fetch = (url, ...more) => (ours[url] ?? real)(url, ...more);
globalThis.WebSocket = class extends WS {{
  constructor(path) {{ super(new URL(`${{path}}&${{key}}`, site.replace("http", "ws"))); }}
}};
globalThis.EventSource = class extends Source {{
  constructor(path) {{ super(new URL(path.includes(key) ? path : `${{path}}?${{key}}`, site)); }}
}};
"""


@pytest.fixture
def node(site: Site, token: str, key: str, tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Starts a JavaScript block of a page in Node, with what browsers have of their own; the file of what it prints."""
    (tmp_path / "node_modules").symlink_to(install())
    environment = os.environ | {"GATEWAY_KEY": key, "NOTIWAY_TOKEN_SECRET": SECRET}
    started = []

    def start(page: str, title: str, more: str = "") -> Path:
        text = next(each.text for each in blocks(DOCS / page) if (each.language, each.title) == ("js", title))
        text = text.replace(ADDRESS, site.url).replace("https://app.example.com", site.url)
        script, output = tmp_path / f"{title}.mjs", tmp_path / f"{title}.txt"
        script.write_text(IN_NODE.format(url=json.dumps(site.url), token=json.dumps(token)) + text + more)
        with output.open("wb") as out:
            started.append(subprocess.Popen(["node", script], env=environment, stdout=out, stderr=out))
        return output

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("page", "title", "name", "says"),
    [
        ("reference/signalr.md", "signalr", "order-shipped", "JS-7"),
        ("reference/sse.md", "eventsource", "tea-ready", "Tea ready { orderId: 'JS-7' }"),
        ("reference/websocket.md", "websocket", "tea-ready", "Tea ready"),
    ],
)
def test_the_javascript_clients_hear(
    node: Callable[..., Path], publish: Callable[..., None], page: str, title: str, name: str, says: str
) -> None:
    output = node(page, title)
    attempts = iter(range(1_000))

    def is_heard() -> bool:
        publish(f"{title}-{next(attempts)}", name, orderId="JS-7")
        return says in output.read_text()

    wait_until(is_heard)
    assert "rror" not in output.read_text()


def test_a_stream_of_another_origin_opens_with_its_token(node: Callable[..., Path]) -> None:
    more = 'stream.addEventListener("connected", () => console.log("it is open"));'
    output = node("reference/sse.md", "eventsource-token", more)
    wait_until(lambda: "it is open" in output.read_text())


def test_the_javascript_of_publishing_publishes(node: Callable[..., Path]) -> None:
    output = node(
        "how-to/publish.md",
        "publish",
        'console.log(await publish({ id: "js", type: "x", routing: { audienceType: 1 } }));',
    )
    wait_until(lambda: "duplicate: false" in output.read_text())


def test_a_token_made_in_javascript_opens_the_api(site: Site, node: Callable[..., Path]) -> None:
    output = node("how-to/clients.md", "token", f'console.log(notificationToken("{USER}"));')
    made = wait_until(lambda: output.read_text().endswith("\n") and output.read_text().strip())
    assert requests.get(f"{site.url}/api/notifications", headers=bearer(made), timeout=60).ok
