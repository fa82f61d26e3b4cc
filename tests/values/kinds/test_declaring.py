"""Declaring: what the extension takes; the rules are those of the registry."""

import pytest

from notiway.values.errors import ConfigError
from notiway.values.kinds.declaring import Declaring
from notiway.values.kinds.kind import Category, Kind


def test_each_extension_has_declarations_of_its_own():
    one, other = Declaring(), Declaring()
    kind = one.kind("order-shipped", label="Shipped", icon="check", category="orders", priority="low", mutable=False)
    assert kind == Kind("order-shipped", "Shipped", "check", "orders", "low", mutable=False)
    assert one.declared.all() == [kind]
    assert other.declared.all() == []


def test_a_category_has_a_label_and_faults_are_told():
    notiway = Declaring()
    assert notiway.category("orders", label="Your orders", mutable=False) == Category("orders", "Your orders", False)
    with pytest.raises(ConfigError):
        notiway.category("two words", label="")
