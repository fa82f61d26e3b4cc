"""Registry: the kinds and categories that an application declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notiway.values.draft import LABEL_LIMIT, name_faults, words_of
from notiway.values.errors import ConfigError, Fault
from notiway.values.item import PRIORITIES
from notiway.values.kinds.details import CATEGORY_LIMIT, detail_faults, details_of, post_actions
from notiway.values.kinds.kind import Category, Handler, Kind
from notiway.values.text.checks import text_faults


class Kinds:
    """What an application has declared. Each declaration may be repeated as it is, not changed.

    >>> kinds = Kinds()
    >>> kinds.declare("order-shipped", label="Order shipped", category="orders", priority="high").priority
    'high'
    >>> [each.label for each in kinds.categories()]
    ['Orders']
    """

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}
        self._categories: dict[str, Category] = {}
        self._known: dict[str, Category] | None = None

    def declare(
        self,
        name: str,
        *,
        label: str,
        icon: str | None = None,
        category: str | None = None,
        priority: str = "medium",
        mutable: bool = True,
    ) -> Kind:
        """Take a kind; see `Declaring.kind`."""
        kind = Kind(name, label, icon, category, priority, mutable)
        faults = [
            *name_faults(name),
            *text_faults("label", label, LABEL_LIMIT, required=True),
            *detail_faults({"icon": icon, "category": category}),
            *_flag_faults(mutable),
        ]
        if priority not in PRIORITIES:
            faults.append(Fault("priority", f"must be one of {', '.join(PRIORITIES)}"))
        if faults:
            raise ConfigError(f"The kind {name!r} is not valid", faults)
        self._known = None
        known = self._kinds.setdefault(name, kind)
        if known != kind:
            raise ConfigError(f"The kind {name!r} was declared before, and differently: {known}")
        return known

    def declare_category(self, name: str, *, label: str, mutable: bool = True, **channels: bool) -> Category:
        """Take a category; see `Declaring.category`."""
        faults = [
            *detail_faults({"category": name}),
            *text_faults("label", label, CATEGORY_LIMIT, required=True),
            *_flag_faults(mutable),
            *(fault for channel, flag in channels.items() for fault in _flag_faults(flag, channel)),
        ]
        if faults:
            raise ConfigError(f"The category {name!r} is not valid", faults)
        category = Category(name, label, mutable, **channels)
        self._known = None
        known = self._categories.setdefault(name, category)
        if known != category:
            raise ConfigError(f"The category {name!r} was declared before, and differently: {known}")
        return known

    def get(self, name: str) -> Kind | None:
        """The kind of this name; None for one that was not declared."""
        return self._kinds.get(name)

    def all(self) -> list[Kind]:
        """Every kind, in the order of their declaration."""
        return list(self._kinds.values())

    def categories(self) -> list[Category]:
        """Every category of a kind and every declared one, by name. One that has only immutable kinds is immutable."""
        return list(self._by_name().values())

    def category(self, name: str) -> Category | None:
        """The category of this name; None for one that nothing here declares."""
        return self._by_name().get(name)

    def may_mute(self, name: str) -> bool:
        """Whether users may mute notifications of this name; an undeclared one always."""
        kind = self._kinds.get(name)
        if kind is None:
            return True
        category = self._categories.get(kind.category or "")
        return kind.mutable and (category is None or category.mutable)

    def _by_name(self) -> dict[str, Category]:
        """Made once after each declaration: every page asks for all of them."""
        if self._known is None:
            mutable: dict[str, bool] = {}
            for kind in self._kinds.values():
                if kind.category is not None:
                    mutable[kind.category] = mutable.get(kind.category, False) or kind.mutable
            found = {name: Category(name, words_of(name), flag) for name, flag in mutable.items()} | self._categories
            self._known = {name: found[name] for name in sorted(found)}
        return self._known

    def priority_of(self, name: object) -> str:
        """The priority of what does not say one itself."""
        kind = self._kinds.get(name) if isinstance(name, str) else None
        return "medium" if kind is None else kind.priority

    def details_of(self, name: object, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """What is rich about a notification of this name, unchecked: as it was given, else as its kind has it."""
        kind = self._kinds.get(name) if isinstance(name, str) else None
        if kind is None:
            return details_of(**given) if given else None  # most have nothing rich at all
        icon, category = given.get("icon"), given.get("category")
        return details_of(
            **{
                **given,
                "icon": kind.icon if icon is None else icon,
                "category": kind.category if category is None else category,
            }
        )

    def answer_faults(self, name: object, details: Mapping[str, Any] | None, *, is_own: bool = True) -> list[Fault]:
        """What is wrong with `post` actions whose details are good otherwise: each needs somebody who carries it out.

        `is_own` says that the application itself sends. A service's envelope may name handlers and no paths: else
        its key could have readers do anything that this application does on request.
        """
        if not details or detail_faults(details):
            return []
        found = []
        for path, action in post_actions(details):
            if action["url"] is not None and not is_own:
                found.append(Fault(f"{path}.url", "is not allowed with post in an envelope; declare a handler"))
            elif action["url"] is None and self.handler(str(name), action["name"]) is None:
                needs = f'needs a handler: @kind.action("{action["name"]}")'
                found.append(Fault(path, f"{needs}, or a url" if is_own else needs))
        return found

    def handler(self, name: str, action: str) -> Handler | None:
        """What runs when this action of this kind is pressed; None where nothing was declared."""
        kind = self._kinds.get(name)
        return None if kind is None else kind.handlers.get(action)


def _flag_faults(flag: object, name: str = "mutable") -> list[Fault]:
    return [] if isinstance(flag, bool) else [Fault(name, "must be True or False")]
