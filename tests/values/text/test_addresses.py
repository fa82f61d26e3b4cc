"""Addresses: which of them a rule allows."""

import pytest

from notiway.values.text.addresses import is_known, lies_in


@pytest.mark.parametrize(
    ("address", "rules", "allowed"),
    [
        ("127.0.0.1", ["private"], True),
        ("::1", ["private"], True),
        ("::ffff:127.0.0.1", ["private"], True),
        ("172.17.0.2", ["private"], True),
        ("fe80::1%eth0", ["private"], True),
        ("8.8.8.8", ["private"], False),
        ("2a00:1450::1", ["private"], False),
        ("8.8.8.8", ["8.8.0.0/16"], True),
        ("8.8.8.8", ["10.0.0.1"], False),
        ("2a00:1450::1", ["2a00::/16"], True),
        ("8.8.8.8", ["all"], True),
        ("127.0.0.1", [], False),
        ("", ["private"], False),
        (None, ["private"], False),
        (None, ["all"], True),
    ],
)
def test_an_address_is_allowed_by_its_network(address, rules, allowed):
    assert lies_in(address, rules) is allowed


@pytest.mark.parametrize(("rule", "known"), [("private", True), ("10.0.0.0/8", True), ("::1", True), ("home", False)])
def test_a_rule_is_a_network_or_a_word(rule, known):
    assert is_known(rule) is known
