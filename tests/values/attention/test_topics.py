"""Topics: what is declared, what a user chose, and what nobody can turn off."""

import pytest

from notiway.values.attention import topics
from notiway.values.attention.attention import Attention
from notiway.values.kinds.registry import Kinds

OFF = {"toast": False, "browser": False, "sound": False}


@pytest.fixture
def kinds():
    kinds = Kinds()
    kinds.declare_category("orders", label="Your orders", sound=False)
    kinds.declare_category("security", label="Security", mutable=False)
    kinds.declare("order-shipped", label="Order shipped", category="orders")
    kinds.declare("recall", label="Product recall", category="orders", mutable=False)
    return kinds


def test_a_declared_topic_has_the_channels_that_were_declared(kinds):
    orders = topics.topic_of(kinds, Attention(), "orders")
    assert (orders.label, orders.mutable, orders.is_muted) == ("Your orders", True, False)
    assert orders.channels == {"toast": True, "browser": True, "sound": False}


def test_what_a_user_chose_holds(kinds):
    chosen = Attention(categories={"orders": {"toast": False, "browser": False}})
    assert topics.topic_of(kinds, chosen, "orders").is_muted


def test_what_cannot_be_muted_is_as_declared_whatever_is_stored(kinds):
    stored = Attention(categories={"security": OFF})
    assert all(topics.topic_of(kinds, stored, "security").channels.values())


def test_a_kind_that_nobody_mutes_is_named_with_its_channels(kinds):
    assert topics.always(kinds) == {"recall": {"toast": True, "browser": True, "sound": False}}


def test_declared_ones_are_listed_first_then_those_that_were_met(kinds):
    listed = topics.topics(kinds, Attention(categories={"billing/info": OFF}), ["/error", "orders"])
    assert [each.label for each in listed] == ["Security", "Your orders", "billing, info", "Other, error"]


def test_only_what_differs_from_the_declaration_is_kept(kinds):
    muted = topics.chosen(kinds, Attention(), {"orders": OFF})
    assert muted == {"orders": {"toast": False, "browser": False}}
    again = topics.chosen(kinds, Attention(categories=muted), {"orders": {"toast": True, "browser": True}})
    assert again == {}


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"security": {"toast": False}}, "categories.security.toast"),
        ({"orders": {"smell": True}}, "categories.orders.smell"),
        ({"orders": {"toast": "no"}}, "categories.orders.toast"),
        ({"orders": []}, "categories.orders"),
        ({"": OFF}, "categories."),
        ({"x" * 301: OFF}, "categories." + "x" * 301),
        ({"a\0b": OFF}, "categories.a\0b"),
        ({f"topic-{n}": OFF for n in range(101)}, "categories"),
    ],
)
def test_every_fault_is_named(kinds, given, path):
    assert [fault.path for fault in topics.choice_faults(kinds, Attention(), given)] == [path]


def test_what_cannot_be_muted_may_be_said_to_be_on(kinds):
    assert topics.choice_faults(kinds, Attention(), {"security": {"toast": True}}) == []
