"""Live numbers: what is counted, and that nobody is told while nobody listens."""

from notiway import metrics
from notiway.host.live_numbers import EDGES_SECONDS, KEPT, LiveNumbers
from notiway.live.shared.node import Node

GROUP = "group:dashboard-ops"
SCOPED = "group:acme:dashboard-ops"


class StandIn:
    """A hub's side that a numbers sees."""

    def __init__(self, **listeners):
        self.counts = {key.replace("__", ":").replace("_", "-"): count for key, count in listeners.items()}
        self.listeners = self
        self.delivered = []

    def __len__(self):
        return 7

    def audiences(self, suffix):
        return [key for key in self.counts if key.endswith(suffix)]

    def audiences_of(self, prefix):
        return [key for key in self.counts if key.startswith(prefix)]

    def count(self, key):
        return self.counts.get(key, 0)

    def deliver(self, event):
        self.delivered.append(event)


class Peers:
    """What this process tells others, and what those told."""

    def __init__(self, *others):
        self.numbers = {}
        self.others = list(others)


def samples(hub):
    return {event.audience: event.data["notification"]["body"] for event in hub.delivered}


def test_nobody_is_told_while_nobody_listens_but_the_present_is_known():
    hub = StandIn(global_=3)
    numbers = LiveNumbers(hub, Peers())
    numbers.tick()
    assert hub.delivered == []
    assert numbers.history()[0]["connections"] == 7


def test_who_listens_gets_one_sample_a_tick_stored_nowhere():
    hub = StandIn(group__dashboard_ops=1)
    numbers = LiveNumbers(hub, Peers())
    numbers.tick()
    numbers.tick()
    assert [event.audience for event in hub.delivered] == [GROUP, GROUP]
    item = hub.delivered[0].data["notification"]
    assert (item["name"], item["persisted"]) == ("dashboard-update", False)
    assert set(item["body"]) == {"at", "connections", "deliveries", "latencyMs"}
    assert {event.data["coalesce"] for event in hub.delivered} == {"dashboard-update"}, "a newer one replaces it"


def test_a_tenant_s_dashboard_counts_the_tenant_s_connections():
    hub = StandIn(group__acme__dashboard_ops=2, tenant__acme=4)
    numbers = LiveNumbers(hub, Peers())
    numbers.tick()
    assert samples(hub)[SCOPED]["connections"] == 4
    assert numbers.history("acme")[0]["tenant"] == "acme"


def test_another_group_that_ends_alike_is_left_alone():
    hub = StandIn(group__not_dashboard_ops=1)
    hub.counts["group:my:other:dashboard-ops"] = 0
    del hub.counts["group:my:other:dashboard-ops"]
    LiveNumbers(hub, Peers()).tick()
    assert hub.delivered == []


def test_deliveries_and_latency_are_those_since_the_last_sample(monkeypatch):
    numbers = LiveNumbers(StandIn(), Peers())
    numbers.tick()
    metrics.FRAMES.inc(50)
    for _ in range(20):
        metrics.DELIVERY_SECONDS.observe(0.004)
    numbers.tick()
    sample = numbers.history()[-1]
    assert sample["deliveries"] > 0
    assert 2.5 <= sample["latencyMs"] <= 5
    numbers.tick()
    assert numbers.history()[-1]["latencyMs"] is None


def test_two_minutes_are_kept():
    numbers = LiveNumbers(StandIn(), Peers())
    for _ in range(KEPT + 5):
        numbers.tick()
    assert len(numbers.history()) == KEPT


# Several processes


def node(connections, deliveries, within, **tenants):
    told = {"connections": connections, "deliveries": deliveries, "within": within}
    return Node("n2", numbers={"live": {**told, "tenants": {f"tenant:{name}": n for name, n in tenants.items()}}})


def test_what_others_tell_is_added():
    peers = Peers(node(5, 2.5, [0.0, 0.0, 0.0, 0.0, *[20.0] * (len(EDGES_SECONDS) - 4)], acme=3))
    numbers = LiveNumbers(StandIn(tenant__acme=1), peers)
    numbers.tick()
    (sample,) = numbers.history()
    assert (sample["connections"], sample["deliveries"]) == (7 + 5, 2.5)
    assert 10 <= sample["latencyMs"] <= 25
    assert numbers.history("acme")[0]["connections"] == 1 + 3
    assert peers.numbers["live"]["connections"] == 7, "and the others add these"


def test_what_a_process_tells_is_what_another_reads():
    first, second = Peers(), Peers()
    LiveNumbers(StandIn(tenant__acme=4), first).tick()
    told = Node.read(Node("n1", numbers=first.numbers).to_text())
    second.others = [told]
    numbers = LiveNumbers(StandIn(), second)
    numbers.tick()
    assert numbers.history()[0]["connections"] == 14
    assert numbers.history("acme")[0]["connections"] == 4


def test_whoever_tells_nothing_or_something_else_is_left_out():
    others = Node("n2"), Node("n3", numbers={"live": 3}), Node("n4", numbers={"live": {"connections": 1}})
    numbers = LiveNumbers(StandIn(), Peers(*others, node(1, 1.0, [1.0])))
    numbers.tick()
    assert numbers.history()[0]["connections"] == 7


def test_no_more_than_so_many_tenants_are_told(monkeypatch):
    monkeypatch.setattr("notiway.host.live_numbers.TENANTS", 2)
    peers = Peers()
    LiveNumbers(StandIn(tenant__a=1, tenant__b=1, tenant__c=1), peers).tick()
    assert len(peers.numbers["live"]["tenants"]) == 2
