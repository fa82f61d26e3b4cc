"""Declaring: the part of the extension that takes declarations of kinds and tabs, before or after `init_app`."""

from __future__ import annotations

from notiway.values.kinds.kind import Category, Kind
from notiway.values.kinds.registry import Kinds
from notiway.values.lists.tabs import Tab, Tabs


class Declaring:
    """What `Notiway` inherits to declare kinds, categories and tabs.

    >>> notiway = Declaring()
    >>> notiway.kind("order-shipped", label="Order shipped", category="orders", priority="high").priority
    'high'
    >>> [each.label for each in notiway.declared.categories()]
    ['Orders']
    """

    def __init__(self) -> None:
        self._declared = Kinds()
        self.tabs = Tabs()

    @property
    def declared(self) -> Kinds:
        """All kinds and categories, for preferences and the like."""
        return self._declared

    def kind(
        self,
        name: str,
        *,
        label: str,
        icon: str | None = None,
        category: str | None = None,
        priority: str = "medium",
        mutable: bool = True,
    ) -> Kind:
        """Declare a kind of notification; before or after `init_app`.

        >>> shipped = notiway.kind("order-shipped", label="Order shipped", icon="success")  # doctest: +SKIP

        `name` is what `send_notification(name=…)` and the `type` of an envelope say. `label` is its name for people,
        `icon` the name of a symbol or the address of a picture. `category` is what users mute; `mutable=False` lets
        nobody mute this kind. `priority` is urgent, high, medium or low. Returns the kind, which declares what its
        buttons do (`Kind.action`). `ConfigError` names every fault, also if it was declared differently before.
        """
        return self._declared.declare(
            name, label=label, icon=icon, category=category, priority=priority, mutable=mutable
        )

    def category(
        self,
        name: str,
        *,
        label: str,
        mutable: bool = True,
        toast: bool = True,
        browser: bool = True,
        sound: bool = True,
    ) -> Category:
        """Give a category a label, and say whether users may mute it; without this its name makes the label.

        >>> notiway.category("orders", label="Your orders", sound=False)  # doctest: +SKIP

        `toast`, `browser` and `sound` are the channels that it uses for users who have not chosen. `ConfigError` names
        every fault, also if it was declared differently before.
        """
        return self._declared.declare_category(
            name, label=label, mutable=mutable, toast=toast, browser=browser, sound=sound
        )

    def tab(self, label: str, **filters: str) -> Tab:
        """Declare a tab of the bell's panel, beside "All" and "Unread"; before or after `init_app`.

        >>> notiway.tab("Mentions", category="mentions")  # doctest: +SKIP

        `filters` are those of the history: `state`, `type`, `source`, `priority`, `category` and `text`. There may be
        four tabs, with labels of up to 20 characters. `ConfigError` names every fault, also if it was declared
        differently before.
        """
        return self.tabs.declare(label, filters)
