"""Registry: what is declared, once, and what holds where nothing was said."""

import pytest

from notiway.values.errors import ConfigError
from notiway.values.kinds.action import Action
from notiway.values.kinds.details import details_of
from notiway.values.kinds.kind import Category
from notiway.values.kinds.registry import Kinds


@pytest.fixture
def kinds():
    return Kinds()


def test_a_kind_says_what_a_notification_does_not(kinds):
    kinds.declare("order-shipped", label="Order shipped", icon="truck", category="orders", priority="high")
    assert kinds.priority_of("order-shipped") == "high"
    assert kinds.details_of("order-shipped", {}) == {"icon": "truck", "category": "orders"}
    assert kinds.details_of("order-shipped", {"icon": "check"}) == {"icon": "check", "category": "orders"}


@pytest.mark.parametrize("name", ["order-lost", None, 7, [], {}])
def test_what_is_not_declared_is_as_it_was(kinds, name):
    assert kinds.priority_of(name) == "medium"
    assert kinds.details_of(name, {}) is None
    assert kinds.details_of(name, {"icon": "truck"}) == {"icon": "truck"}


def test_a_declaration_may_be_repeated_and_not_changed(kinds):
    first = kinds.declare("order-shipped", label="Order shipped")
    first.action("track")(print)
    again = kinds.declare("order-shipped", label="Order shipped")
    assert again is first
    assert kinds.all() == [first]
    with pytest.raises(ConfigError, match="declared before, and differently"):
        kinds.declare("order-shipped", label="Order sent")
    kinds.declare_category("orders", label="Orders")
    kinds.declare_category("orders", label="Orders")
    with pytest.raises(ConfigError, match="declared before, and differently"):
        kinds.declare_category("orders", label="Orders", mutable=False)


def test_every_fault_of_a_declaration_is_named(kinds):
    with pytest.raises(ConfigError) as caught:
        kinds.declare("two words", label="", icon="A B", category="../x", priority="loud", mutable=1)
    assert [fault.path for fault in caught.value.faults] == ["name", "label", "icon", "category", "mutable", "priority"]
    with pytest.raises(ConfigError) as caught:
        kinds.declare_category("../x", label="", mutable=None)
    assert [fault.path for fault in caught.value.faults] == ["category", "label", "mutable"]
    with pytest.raises(ConfigError, match="hub's own"):
        kinds.declare("Subscribe", label="Subscribe")


def test_categories_have_labels_and_say_whether_they_may_be_muted(kinds):
    kinds.declare_category("billing", label="Your invoices", mutable=False)
    kinds.declare("invoice-ready", label="Invoice", category="billing")
    kinds.declare("order-shipped", label="Shipped", category="my-orders")
    kinds.declare("order-lost", label="Lost", category="my-orders", mutable=False)
    kinds.declare("password-changed", label="Password", category="security", mutable=False)
    assert kinds.categories() == [
        Category("billing", "Your invoices", mutable=False),
        Category("my-orders", "My orders"),
        Category("security", "Security", mutable=False),
    ]
    muted = {kind.name: kinds.may_mute(kind.name) for kind in kinds.all()}
    assert muted == {"invoice-ready": False, "order-shipped": True, "order-lost": False, "password-changed": False}
    assert kinds.may_mute("undeclared")


def test_an_answer_needs_somebody_who_carries_it_out(kinds):
    kind = kinds.declare("access-request", label="Access request")
    kind.action("approve")(print)
    details = details_of(
        actions=[
            Action("Approve", method="post"),
            Action("Refuse", method="post"),
            Action("Ask", "/ask", method="post"),
            Action("Look", "/look"),
        ]
    )
    own = kinds.answer_faults("access-request", details)
    assert [fault.path for fault in own] == ["actions[1]"]
    assert '@kind.action("refuse")' in own[0].message
    assert [fault.path for fault in kinds.answer_faults("undeclared", details)] == ["actions[0]", "actions[1]"]
    others = kinds.answer_faults("access-request", details, is_own=False)
    assert [fault.path for fault in others] == ["actions[1]", "actions[2].url"]
    assert kinds.answer_faults("access-request", None) == []
    assert kinds.answer_faults("access-request", details_of(actions=[7])) == []  # the other checks name it


def test_what_is_declared_later_is_known_too():
    kinds = Kinds()
    kinds.declare("order-shipped", label="Order shipped", category="orders", mutable=False)
    assert [(each.name, each.mutable) for each in kinds.categories()] == [("orders", False)]
    kinds.declare("order-late", label="Order late", category="orders")
    assert kinds.category("orders").mutable
    kinds.declare_category("orders", label="Your orders", sound=False)
    assert kinds.category("orders").channels == {"toast": True, "browser": True, "sound": False}
    assert kinds.category("nothing") is None


@pytest.mark.parametrize("name", ["toast", "browser", "sound"])
def test_a_channel_is_on_or_off(name):
    with pytest.raises(ConfigError, match=name):
        Kinds().declare_category("orders", label="Orders", **{name: "sometimes"})
