"""Tabs: what may be declared, and what is wrong with the rest."""

import pytest

from notiway.values.errors import ConfigError
from notiway.values.kinds.declaring import Declaring
from notiway.values.lists.tabs import MOST_TABS, Tab, Tabs


def test_tabs_stand_in_the_order_in_which_they_were_declared():
    tabs = Tabs()
    tabs.declare("Mentions", {"category": "mentions", "state": "all"})
    tabs.declare("Failures", {"type": "error"})
    tabs.declare("Mentions", {"category": "mentions"})  # as it is
    assert tabs.all() == [Tab("Mentions", {"category": "mentions"}), Tab("Failures", {"type": "error"})]


def test_each_extension_has_its_own():
    one, other = Declaring(), Declaring()
    assert one.tab("Failures", type="error") == Tab("Failures", {"type": "error"})
    assert (len(one.tabs.all()), other.tabs.all()) == (1, [])


@pytest.mark.parametrize(
    ("label", "filters", "paths"),
    [
        ("", {"type": "loud", "state": "odd"}, ["label"]),
        ("Odd", {"type": "loud", "state": "odd"}, ["state", "type"]),
        ("x" * 21, {"kind": "order", "type": 1}, ["label", "kind", "type"]),
        ("Everything", {"state": "all"}, ["filters"]),
        ("None", {}, ["filters"]),
    ],
)
def test_every_fault_is_named(label, filters, paths):
    with pytest.raises(ConfigError) as raised:
        Tabs().declare(label, filters)
    assert sorted(fault.path for fault in raised.value.faults) == sorted(paths)


def test_a_tab_cannot_be_changed_and_there_are_four_at_most():
    tabs = Tabs()
    for number in range(MOST_TABS):
        tabs.declare(f"Tab {number}", {"source": str(number)})
    with pytest.raises(ConfigError, match="declared before"):
        tabs.declare("Tab 0", {"source": "1"})
    with pytest.raises(ConfigError, match="one too many"):
        tabs.declare("Another", {"source": "1"})
