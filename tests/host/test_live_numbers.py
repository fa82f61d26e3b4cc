"""Live numbers: what is counted, and that nobody is told while nobody listens."""

from notiway import metrics
from notiway.host.live_numbers import KEPT, LiveNumbers

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

    def count(self, key):
        return self.counts.get(key, 0)

    def deliver(self, event):
        self.delivered.append(event)


def samples(hub):
    return {event.audience: event.data["notification"]["body"] for event in hub.delivered}


def test_nobody_is_told_while_nobody_listens_but_the_present_is_known():
    hub = StandIn(global_=3)
    numbers = LiveNumbers(hub)
    numbers.tick()
    assert hub.delivered == []
    assert numbers.history()[0]["connections"] == 7


def test_who_listens_gets_one_sample_a_tick_stored_nowhere():
    hub = StandIn(group__dashboard_ops=1)
    numbers = LiveNumbers(hub)
    numbers.tick()
    numbers.tick()
    assert [event.audience for event in hub.delivered] == [GROUP, GROUP]
    item = hub.delivered[0].data["notification"]
    assert (item["name"], item["persisted"]) == ("dashboard-update", False)
    assert set(item["body"]) == {"at", "connections", "deliveries", "latencyMs"}
    assert {event.data["coalesce"] for event in hub.delivered} == {"dashboard-update"}, "a newer one replaces it"


def test_a_tenant_s_dashboard_counts_the_tenant_s_connections():
    hub = StandIn(group__acme__dashboard_ops=2, tenant__acme=4)
    numbers = LiveNumbers(hub)
    numbers.tick()
    assert samples(hub)[SCOPED]["connections"] == 4
    assert numbers.history("acme")[0]["tenant"] == "acme"


def test_another_group_that_ends_alike_is_left_alone():
    hub = StandIn(group__not_dashboard_ops=1)
    hub.counts["group:my:other:dashboard-ops"] = 0
    del hub.counts["group:my:other:dashboard-ops"]
    LiveNumbers(hub).tick()
    assert hub.delivered == []


def test_deliveries_and_latency_are_those_since_the_last_sample(monkeypatch):
    numbers = LiveNumbers(StandIn())
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
    numbers = LiveNumbers(StandIn())
    for _ in range(KEPT + 5):
        numbers.tick()
    assert len(numbers.history()) == KEPT
