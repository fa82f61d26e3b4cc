"""Telling: what pages and clients see; they need no arithmetic of time zones."""

import json

from notiway.values.attention.attention import Attention
from notiway.values.attention.schedule import Schedule
from notiway.values.attention.telling import told, told_in_full
from notiway.values.kinds.registry import Kinds

MONDAY = 1_780_315_200_000  # 1 June 2026, 12:00 UTC
HOUR = 3_600_000


def test_windows_are_moments():
    values = told(Attention(schedule=Schedule(on=True, days=("mon",))), 4, Kinds(), MONDAY)
    monday = {"from": MONDAY + 10 * HOUR, "until": MONDAY + 19 * HOUR}
    assert values["quiet"] == [monday, {name: at + 7 * 24 * HOUR for name, at in monday.items()}]
    assert (values["quietUntil"], values["revision"], values["now"]) == (None, 4, MONDAY)


def test_only_topics_that_do_not_use_every_channel_are_told():
    kinds = Kinds()
    kinds.declare_category("orders", label="Orders")
    kinds.declare_category("news", label="News", sound=False)
    values = told(Attention(categories={"a/info": {"toast": False}}), 1, kinds, 0)
    assert values["categories"] == {
        "news": {"toast": True, "browser": True, "sound": False},
        "a/info": {"toast": False, "browser": True, "sound": True},
    }


def test_whoever_asks_gets_every_topic_with_its_label():
    kinds = Kinds()
    kinds.declare_category("orders", label="Orders", mutable=False)
    listed = told_in_full(Attention(), 1, kinds, 0, ("/info",))["topics"]
    assert listed[0] == {
        "name": "orders", "label": "Orders", "mutable": False, "toast": True, "browser": True, "sound": True,
    }  # fmt: skip
    assert listed[1]["name"] == "/info"


def test_it_is_json():
    values = told(Attention(schedule=Schedule(on=True)), 1, Kinds(), MONDAY)
    assert json.loads(json.dumps(values)) == values
