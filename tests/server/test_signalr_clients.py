"""The published clients of SignalR, npm's @microsoft/signalr in Node and PyPI's signalrcore, against gunicorn."""

from functools import partial

import pytest
from clients.driver import Refused, open_driver
from clients.producer import Producer, snippet, token
from servers import wait_until

ME = "user-123"  # as in the published examples
STATUSES = ["EventReadStatusChange", "EventDeletedStatusChange"]
QUICK = [0, 100, 200, 300, 500, 1000, 1000, 2000, 2000, 5000, 5000]  # milliseconds between attempts
IMPORT = {"taskId": "import-456"}


@pytest.fixture(scope="module")
def hub_site(make_site):
    return make_site(NOTIWAY_OPEN_GROUPS="dashboard-*", NOTIWAY_HEARTBEAT_SECONDS=1).start()


@pytest.fixture(scope="module")
def producer(hub_site):
    return Producer(hub_site)


@pytest.fixture(scope="module", params=["node", "signalrcore"])
def client(request):
    """Either library."""
    with open_driver(request.param) as driver:
        driver.kind = request.param
        yield driver


@pytest.fixture(scope="module")
def node():
    with open_driver("node") as driver:
        yield driver


@pytest.fixture
def connect_with(hub_site, request):
    """Connects a device of a user, without a name one of this test's own; the name of the connection."""
    names = []

    def open_one(driver, device, user=None, site=hub_site, options=None, listen=(), delays=None, **claims):
        name = f"{request.node.name} {device}"
        own = user or request.node.name
        key = token(site, own, **claims)
        order = {"url": f"{site.url}/hub", "token": key, "listen": [*listen], "options": options or {}}
        driver.ask("connect", name=name, delays=delays, **order)
        names.append((driver, name))
        return name

    yield open_one
    for driver, name in names:
        driver.ask("stop", name=name)


@pytest.fixture
def connect(connect_with, client):
    """With either library: `connect("phone", listen=["order-shipped"])`."""
    return partial(connect_with, client)


@pytest.fixture
def open_tab(connect_with, node):
    """With npm's alone."""
    return partial(connect_with, node)


def test_it_hears_its_events_by_name(connect, client, producer, request):
    phone = connect("phone", listen=["order-shipped", "invoice-ready"])
    sent = producer.publish(f"user:{request.node.name}", "order-shipped", {"message": "Your order has been shipped!"})
    ((heard,),) = client.wait(phone, "order-shipped")
    assert heard["id"] == sent
    assert heard["body"] == {"message": "Your order has been shipped!"}
    assert heard["audienceId"] == f"user:{request.node.name}"
    assert heard["metadata"]["isPersisted"] is False
    assert client.heard(phone, "invoice-ready") == []


def test_what_is_persisted_is_replayed_on_connect_and_nothing_else(connect, client, producer, request):
    audience = f"user:{request.node.name}"
    producer.publish(audience, "invoice-ready", {"passing": True})
    kept = [producer.publish(audience, "invoice-ready", persisted=True) for _ in range(3)]
    phone = connect("phone", listen=["invoice-ready"])
    assert [heard["id"] for (heard,) in client.wait(phone, "invoice-ready", 3)] == kept


def test_read_and_deleted_reach_the_other_device(connect, client, producer, request):
    audience = f"user:{request.node.name}"
    kept = producer.publish(audience, "invoice-ready", persisted=True)
    phone = connect("phone", listen=["invoice-ready", *STATUSES])
    laptop = connect("laptop", listen=STATUSES)
    assert client.invoke(phone, "MarkAsRead", audience, kept) is None
    for device in (phone, laptop):
        ((change,),) = client.wait(device, "EventReadStatusChange")
        assert change == {"eventId": kept, "audienceId": audience, "isRead": True}
    assert client.invoke(laptop, "MarkAsDeleted", audience, kept) is None
    for device in (phone, laptop):
        ((change,),) = client.wait(device, "EventDeletedStatusChange")
        assert change == {"eventId": kept, "audienceId": audience, "isDeleted": True}


def test_subscribing_replays_and_unsubscribing_ends_it(connect, client, producer, request):
    group = "dashboard-" + request.node.name.encode().hex()[-40:]
    routing = {"audienceType": 3, "audienceValue": group}
    kept = producer.publish(f"group:{group}", "dashboard-update", {"kept": True}, persisted=True)
    page = connect("page", listen=["dashboard-update", "fence"])
    client.invoke(page, "Subscribe", routing)
    assert [heard["id"] for (heard,) in client.wait(page, "dashboard-update")] == [kept]
    live = producer.publish(f"group:{group}", "dashboard-update")
    assert [heard["id"] for (heard,) in client.wait(page, "dashboard-update", 2)] == [kept, live]
    client.invoke(page, "Unsubscribe", routing)
    producer.publish(f"group:{group}", "dashboard-update")
    producer.publish(f"user:{request.node.name}", "fence")
    client.wait(page, "fence")
    assert len(client.heard(page, "dashboard-update")) == 2


FAULTS = {
    "Unauthorized": ("Renew", ["no token"]),
    "Forbidden": ("Subscribe", [{"audienceType": 3, "audienceValue": "admins"}]),
    "WrongInput": ("Subscribe", [{"audienceType": 9}]),
    "NotSupported": ("Subscribe", [{"audienceType": 1}]),
    "NotFound": ("MarkAsRead", ["user:somebody-else", "order-1"]),
}


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_completes_the_invocation_with_its_code(connect, client, code):
    phone = connect("phone")
    method, values = FAULTS[code]
    with pytest.raises(Refused, match=rf"\b{code}: "):
        client.invoke(phone, method, *values)


def test_after_the_server_was_killed_it_comes_back_and_gets_what_it_missed(connect, client, start, request):
    site = start()
    producer = Producer(site)
    audience = f"user:{request.node.name}"
    first = producer.publish(audience, "invoice-ready", persisted=True)
    phone = connect("phone", site=site, listen=["invoice-ready"])
    client.wait(phone, "invoice-ready")
    site.kill()
    if client.kind == "node":
        client.wait(phone, "reconnecting")
    site.start()
    missed = producer.publish(audience, "invoice-ready", persisted=True)
    if client.kind == "signalrcore":
        # Its automatic reconnection tries once, at once: 1.0.2 stumbles over an attribute of its own after that.
        phone = connect("phone again", site=site, listen=["invoice-ready"])
        client.wait(phone, "invoice-ready", 2)
    wait_until(lambda: missed in [heard["id"] for (heard,) in client.wait(phone, "invoice-ready")], 60)
    assert {heard["id"] for (heard,) in client.wait(phone, "invoice-ready")} == {first, missed}
    assert client.invoke(phone, "MarkAsRead", audience, missed) is None


def test_skipping_negotiation_works_too(connect, client, producer, request):
    skip = {"skipNegotiation": True, "transport": 1} if client.kind == "node" else {"skip_negotiation": True}
    phone = connect("phone", options=skip, listen=["order-shipped"])
    producer.publish(f"user:{request.node.name}", "order-shipped")
    client.wait(phone, "order-shipped")


def test_a_bad_token_ends_before_there_is_a_connection(client, hub_site):
    order = {"name": "stranger", "url": f"{hub_site.url}/hub", "token": "no token"}
    with pytest.raises(Refused, match=r"401|UnAuthorized"):
        client.ask("connect", **order)


def test_one_too_many_is_told_so(node, start):
    site = start(NOTIWAY_MAX_CONNECTIONS_PER_USER=1)
    order = {"url": f"{site.url}/hub", "token": token(site, "crowd")}
    node.ask("connect", name="the one", **order)
    with pytest.raises(Refused, match="too many connections"):
        node.ask("connect", name="one too many", **order)
    node.ask("stop", name="the one")


def test_a_stream_invocation_is_answered_with_an_error(open_tab, node):
    phone = open_tab("phone")
    with pytest.raises(Refused, match="NotSupported"):
        node.ask("stream", name=phone, method="Counter")


def test_a_producer_reaches_one_tab_by_its_connection_id(node, hub_site, producer):
    order = {"url": f"{hub_site.url}/hub", "token": token(hub_site, "tabs"), "listen": ["import-progress", "fence"]}
    one, _two = [node.ask("connect", name=name, **order) for name in ("one", "two")]
    producer.publish(f"connection:{one}", "import-progress", {"progress": 45})
    producer.publish("user:tabs", "fence")
    node.wait("one", "fence")
    node.wait("two", "fence")
    assert [len(node.heard(name, "import-progress")) for name in ("one", "two")] == [1, 0]


def test_when_the_server_restarts_clients_are_told_to_come_back(open_tab, node, start):
    site = start(NOTIWAY_DRAIN_SECONDS=2)
    phone = open_tab("phone", site=site, delays=QUICK)
    site.stop()
    node.wait(phone, "reconnecting")
    site.start()
    node.wait(phone, "reconnected")
    assert node.heard(phone, "closed") == []


def test_a_connection_ends_with_its_token_unless_it_is_renewed(open_tab, node, hub_site, producer):
    gone = open_tab("gone", user="renewer", ttl=2, listen=["fence"])
    stays = open_tab("stays", user="renewer", ttl=2, listen=["fence"])
    assert node.invoke(stays, "Renew", token(hub_site, "renewer")) is None
    node.wait(gone, "closed")
    producer.publish("user:renewer", "fence")
    node.wait(stays, "fence")
    assert (node.heard(stays, "closed"), node.heard(gone, "fence")) == ([], [])


# The snippets of the documentation, as they were published


def test_published_regular_notification(open_tab, node, producer):
    page = open_tab("page", user=ME)
    node.ask("run", name=page, code=snippet("order-shipped"), stubs=["showToast"])
    producer.publish_as_published("order-shipped")
    assert node.wait(page, "showToast") == [["Your order has been shipped!"]]


def test_published_notification_hub(open_tab, node, producer):
    code, stubs = snippet("invoice-ready"), ["updateNotificationBadge", "updateNotificationStatus"]
    gives = ["notifications", "onNotificationClick", "onNotificationDismiss"]
    page = open_tab("page", user=ME)
    node.ask("run", name=page, code=code, stubs=stubs, gives=gives)
    sent = producer.publish_as_published("invoice-ready")
    assert node.wait(page, "updateNotificationBadge") == [[1]]
    shown = {"id": sent["id"], "audienceId": f"user:{ME}"}
    second = open_tab("second device", user=ME)
    node.ask("run", name=second, code=code, stubs=stubs, gives=gives)
    node.ask("call", name=page, path=["onNotificationClick"], values=[shown])
    node.ask("call", name=second, path=["onNotificationDismiss"], values=[shown])
    for device in (page, second):
        changes = node.wait(device, "updateNotificationStatus", 2)
        assert changes == [[sent["id"], {"isRead": True}], [sent["id"], {"isDeleted": True}]]


def test_published_progress(open_tab, node, producer):
    page = open_tab("page", user=ME)
    functions = ["updateProgressBar", "updateStatusText", "showCompletionMessage", "showProgressBar", "fetch", "data"]
    node.ask("run", name=page, code=snippet("import-progress"), stubs=functions, answers={"fetch": IMPORT})
    assert node.wait(page, "showProgressBar") == [["import-456"]]
    raw = producer.publish_as_published("import-progress")
    assert node.wait(page, "updateProgressBar") == [["import-456", 45]]
    assert node.wait(page, "updateStatusText") == [["import-456", "Processing row 4500 of 10000..."]]
    assert node.heard(page, "showCompletionMessage") == []
    producer.publish_as_published("import-progress", id="done", body={**raw["body"], "status": "completed"})
    assert node.wait(page, "showCompletionMessage") == [["import-456"]]


def test_published_announcement(open_tab, node, producer):
    page = open_tab("page", user=ME)
    device = open_tab("second device", user="user-124", listen=["system-announcement", *STATUSES])
    other = open_tab("same user", user=ME, listen=STATUSES)
    node.ask("run", name=page, code=snippet("system-announcement"), stubs=["showAnnouncementBanner"])
    sent = producer.publish_as_published("system-announcement")
    ((banner,),) = node.wait(page, "showAnnouncementBanner")
    assert (banner["severity"], banner["actionUrl"]) == ("warning", "/status")
    assert node.wait(device, "system-announcement")
    node.ask("call", name=page, path=["showAnnouncementBanner", 0, "onDismiss"])
    ((change,),) = node.wait(other, "EventReadStatusChange")
    assert change == {"eventId": sent["id"], "audienceId": "global", "isRead": True}
    assert node.heard(device, "EventReadStatusChange") == [], "read is each user's own"


def test_published_dashboard(open_tab, node, producer):
    page = open_tab("page", user=ME, listen=["fence"])
    node.ask("run", name=page, code=snippet("dashboard-enter"), stubs=["updateChart"])
    shown = ["active-users", 1284, "2025-03-10T10:05:00Z"]
    producer.publish_as_published("dashboard-update")
    # The site's own dashboard publishes to this group too.
    wait_until(lambda: shown in node.heard(page, "updateChart"))
    node.ask("run", name=page, code=snippet("dashboard-leave"))
    producer.publish_as_published("dashboard-update", id="after leaving")
    producer.publish(f"user:{ME}", "fence")
    node.wait(page, "fence")
    assert node.heard(page, "updateChart").count(shown) == 1
