"""Tabs: filters that an application declares for the bell's panel, beside "All" and "Unread"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from notiway.values.errors import ConfigError, Fault
from notiway.values.lists.filtering import NAMES, filter_faults, narrowing
from notiway.values.text.checks import text_faults

MOST_TABS = 4  # more do not fit a phone
LABEL_LIMIT = 20  # characters


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab: its label, and what its list is narrowed to."""

    label: str
    filters: Mapping[str, str]

    @property
    def query(self) -> str:
        """Its filters as they stand in an address.

        >>> Tab("Mentions", {"category": "mentions", "state": "unread"}).query
        'category=mentions&state=unread'
        """
        return urlencode(self.filters)


class Tabs:
    """The tabs that an application has declared, in their order."""

    def __init__(self) -> None:
        self._tabs: dict[str, Tab] = {}

    def declare(self, label: str, filters: Mapping[str, str]) -> Tab:
        """Take a tab; see `Declaring.tab`."""
        faults = text_faults("label", label, LABEL_LIMIT, required=True)
        faults += [
            Fault(name, f"is no filter; there are {', '.join(NAMES)}") for name in sorted(filters.keys() - {*NAMES})
        ]
        faults += [Fault(name, "must be text") for name, value in filters.items() if not isinstance(value, str)]
        if not faults:
            faults += filter_faults(filters)
            if not narrowing(filters):
                faults.append(Fault("filters", "must narrow the list by something"))
        if label not in self._tabs and len(self._tabs) == MOST_TABS:
            faults.append(Fault("label", f"is one too many: there may be {MOST_TABS} tabs"))
        if faults:
            raise ConfigError(f"The tab {label!r} is not valid", faults)
        tab = Tab(label, narrowing(filters))
        known = self._tabs.setdefault(label, tab)
        if known != tab:
            raise ConfigError(f"The tab {label!r} was declared before, and differently: {dict(known.filters)}")
        return known

    def all(self) -> list[Tab]:
        """Every tab, in the order of their declaration."""
        return list(self._tabs.values())
