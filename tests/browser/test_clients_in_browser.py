"""Clients of others in a real browser, on a page of another origin: @microsoft/signalr and its own EventSource."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from clients.driver import HERE, install
from clients.producer import Producer, envelope, snippet, token
from playwright.sync_api import Browser, Page
from servers import wait_until
from serving import Site

ORDERS = 500
QUICK = [0, 200, 500, 1000, 1000, 2000, 2000, 5000, 5000, 10000]  # milliseconds between attempts
PAGE = """<!doctype html><title>Another site</title><link rel="icon" href="data:,">
<script src="/signalr.min.js"></script>
<script type="module">
  import { Hubs } from "/hub.mjs";
  import { Streams } from "/streams.mjs";
  window.reports = [];
  const report = (...values) => window.reports.push(values);
  window.hubs = new Hubs(signalR, report);
  window.streams = new Streams(EventSource, report);
</script>"""


class Shop(SimpleHTTPRequestHandler):
    """Somebody else's site: a page, the vendored client and what drives it."""

    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def translate_path(self, path: str) -> str:
        folder = install() / "@microsoft/signalr/dist/browser" if path == "/signalr.min.js" else HERE
        return str(folder / Path(path).name)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


Shop.extensions_map = {**Shop.extensions_map, ".mjs": "text/javascript"}


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """The other site's origin."""
    install()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Shop))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def gateway(shop: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that lets the other one's pages in."""
    site = Site(tmp_path_factory.mktemp("gateway"), NOTIWAY_ALLOWED_ORIGINS=shop, NOTIWAY_OPEN_GROUPS="dashboard-*")
    site.prepare("migrate")
    yield site.start()
    site.close()


@pytest.fixture(scope="module")
def producer(gateway: Site) -> Producer:
    return Producer(gateway)


@pytest.fixture
def page(chromium: Browser, shop: str) -> Iterator[Page]:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(shop)
    page.wait_for_function("window.streams !== undefined")
    yield page
    context.close()


def ask(page: Page, target: str, verb: str, **order: Any) -> Any:
    return page.evaluate("([target, verb, order]) => window[target][verb](order)", [target, verb, order])


def wait(page: Page, name: str, event: str, count: int = 1) -> list[Any]:
    """The arguments of so many reports."""
    which = [name, event, count]
    found = "([name, event]) => reports.filter(([who, what]) => who === name && what === event)"
    page.wait_for_function(
        f"([name, event, count]) => ({found})([name, event]).length >= count", arg=which, timeout=60_000
    )
    return [values for _, _, *values in page.evaluate(found, which)]


def connect(page: Page, gateway: Site, name: str, user: str, **more: Any) -> str:
    order = {"url": f"{gateway.url}/hub", "token": token(gateway, user), "delays": QUICK, **more}
    return str(ask(page, "hubs", "connect", name=name, **order))


def test_the_published_notification_hub(page: Page, gateway: Site, producer: Producer) -> None:
    code, stubs = snippet("invoice-ready"), ["updateNotificationBadge", "updateNotificationStatus"]
    gives = ["onNotificationClick", "onNotificationDismiss"]
    for device in ("one", "two"):
        connect(page, gateway, device, "user-123")
        ask(page, "hubs", "run", name=device, code=code, stubs=stubs, gives=gives)
    sent = producer.publish_as_published("invoice-ready")
    for device in ("one", "two"):
        assert wait(page, device, "updateNotificationBadge") == [[1]]
    shown = {"id": sent["id"], "audienceId": "user:user-123"}
    ask(page, "hubs", "call", name="one", path=["onNotificationClick"], values=[shown])
    ask(page, "hubs", "call", name="two", path=["onNotificationDismiss"], values=[shown])
    for device in ("one", "two"):
        changes = wait(page, device, "updateNotificationStatus", 2)
        assert changes == [[sent["id"], {"isRead": True}], [sent["id"], {"isDeleted": True}]]


def test_the_other_published_snippets(page: Page, gateway: Site, producer: Producer) -> None:
    connect(page, gateway, "page", "user-123")
    run: Callable[..., Any] = partial(ask, page, "hubs", "run", name="page")
    run(code=snippet("order-shipped"), stubs=["showToast"])
    run(code=snippet("system-announcement"), stubs=["showAnnouncementBanner"])
    run(
        code=snippet("import-progress"),
        stubs=["updateProgressBar", "updateStatusText", "showCompletionMessage", "showProgressBar", "fetch", "data"],
        answers={"fetch": {"taskId": "import-456"}},
    )
    run(code=snippet("dashboard-enter"), stubs=["updateChart"])
    for name in ("order-shipped", "import-progress", "system-announcement", "dashboard-update"):
        producer.publish_as_published(name)
    assert wait(page, "page", "showToast") == [["Your order has been shipped!"]]
    assert wait(page, "page", "updateProgressBar") == [["import-456", 45]]
    # The site's own dashboard publishes to this group too.
    page.wait_for_function("reports.some(([, what, metric]) => what === 'updateChart' && metric === 'active-users')")
    ((banner,),) = wait(page, "page", "showAnnouncementBanner")
    assert banner["severity"] == "warning"
    run(code=snippet("dashboard-leave"))


def test_after_the_server_was_killed_the_hub_replays(page: Page, gateway: Site, producer: Producer) -> None:
    connect(page, gateway, "tab", "replayed", listen=["order-shipped"])
    gateway.kill()
    wait(page, "tab", "reconnecting")
    gateway.start()
    missed = producer.publish("user:replayed", "order-shipped", persisted=True)
    heard = wait(page, "tab", "order-shipped")
    assert {shown["id"] for (shown,) in heard} == {missed}


def test_the_browsers_event_source_loses_nothing_when_the_server_is_killed(
    page: Page, gateway: Site, producer: Producer
) -> None:
    numbers = iter(range(ORDERS))

    def publish(count: int) -> None:
        producer.send(*(envelope("user:reader", "n", {"title": f"{next(numbers)}"}, True) for _ in range(count)))

    url = f"{gateway.url}/api/notifications/stream?access_token={token(gateway, 'reader')}"
    ask(page, "streams", "open", name="reader", url=url)
    wait(page, "reader", "unread")
    for _ in range(10):
        publish(ORDERS // 20)
    gateway.kill()  # while the last ones are on their way
    wait(page, "reader", "error")
    gateway.start()
    publish(ORDERS // 4)  # partly before it is back
    wait(page, "reader", "open", 2)
    publish(ORDERS // 4)

    def heard() -> list[int]:
        titles = [data["title"] for data, _ in wait(page, "reader", "notification", 1)]
        # What another test told everybody in the minute before is repeated too.
        return list(dict.fromkeys(int(title) for title in titles if title.isdigit()))

    wait_until(lambda: len(heard()) == ORDERS)
    assert heard() == list(range(ORDERS)), "in order, but for what a resume repeats"


def test_a_page_of_a_strange_origin_reads_nothing(page: Page, gateway: Site, shop: str) -> None:
    page.goto(shop.replace("127.0.0.1", "localhost"))
    page.wait_for_function("window.streams !== undefined")
    failed = page.evaluate(
        "([url, key]) => fetch(url, {headers: {Authorization: `Bearer ${key}`}}).then(() => false, () => true)",
        [f"{gateway.url}/api/notifications", token(gateway, "reader")],
    )
    assert failed
