"""Node: what a process tells of itself is read by others, newer and older ones."""

import json
import os

import pytest

from notiway.live.shared.node import Node, compare, this_process
from notiway.values.version import VERSION


def test_what_is_told_is_read_again():
    node = this_process("n1", connections=3, ahead=-1.5, numbers={"deliveries": 2.5})
    assert (node.version, node.pid) == (VERSION, os.getpid())
    assert Node.read(node.to_text()) == node


def test_a_newer_version_may_tell_more_and_an_older_one_less():
    assert Node.read(json.dumps({"id": "n1", "mood": "good"})) == Node("n1")


def test_what_is_no_node_is_none():
    for text in ("", "[]", "3", "{}", '{"id": 7}', '"n1"', b"\xff"):
        assert Node.read(text) is None, text


def test_nodes_that_agree_need_nothing():
    text, remedy = compare([Node("n1", "1.0", "web1", 7, 3), Node("n2", "1.0", "web2", 9, 4)])
    assert "web1:7 version 1.0, 3 connections" in text
    assert "web2:9" in text
    assert remedy == ""


@pytest.mark.parametrize(
    ("nodes", "word"),
    [
        ([], "NOTIWAY_BROKER_URL"),
        ([Node("n1", "1.0"), Node("n2", "1.1")], "older version"),
        ([Node("n1", host="web1", pid=7, ahead=3_600_000.0)], "clocks of web1:7"),
        ([Node("n1", host="web1", pid=7, ahead=-3_000.0)], "clocks of web1:7"),
        ([Node("n1", host="web1", pid=7, answer=2_000.0)], "late at web1:7"),
        ([Node("n1", host="web1", pid=7, oldest=2_000.0)], "late at web1:7"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(nodes, word):
    assert word in compare(nodes)[1]
