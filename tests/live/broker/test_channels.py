"""Channels: each audience has one, the connections of a node share one, and databases keep apart."""

import pytest

from notiway.live.broker.channels import Channels, new_node, node_of


@pytest.mark.parametrize(
    ("url", "database"),
    [
        ("redis://host", "0"),
        ("redis://host/2", "2"),
        ("rediss://host:1?db=3", "3"),
        ("unix:///run/redis.sock", "0"),
        ("unix:///run/redis.sock?db=4", "4"),
        ("redis+sentinel://a,b/mymaster/5", "5"),
    ],
)
def test_the_database_is_in_the_name(url, database):
    assert Channels(url).told("global") == [f"notiway:{database}:global"]


def test_a_connection_is_told_at_its_node_and_by_itself_and_heard_at_one_of_them():
    channels = Channels("redis://host")
    assert channels.told("connection:n1.abc") == ["notiway:0:node:n1", "notiway:0:connection:n1.abc"]
    assert channels.heard("connection:n1.abc", "n1") == channels.of_node("n1")
    assert channels.heard("connection:n1.abc", "n2") == "notiway:0:connection:n1.abc"
    assert channels.told("connection:old") == ["notiway:0:connection:old"]
    assert channels.heard("user:a.b", "a") == "notiway:0:user:a.b"


def test_a_channel_names_its_audience():
    channels = Channels("redis://host")
    assert channels.audience("notiway:0:group:acme:ops") == "group:acme:ops"
    assert channels.audience(channels.of_node("n1")) is None


def test_a_node_is_found_again_in_the_ids_that_it_gives():
    node = new_node()
    assert node_of(f"connection:{node}.{new_node()}") == node
    assert node_of("connection:old") is None
    assert node_of("user:42.5") is None
    assert len({new_node() for _ in range(100)}) == 100
