"""Kind: a declared sort of notification, and the category that it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from notiway.values.errors import ConfigError, Fault
from notiway.values.kinds.action import NAME_LIMIT
from notiway.values.kinds.details import ACTION, ACTION_FAULT

Function = TypeVar("Function", bound=Callable[[str, Any], Any])


@dataclass(frozen=True, slots=True)
class Handler:
    """What runs when an action is pressed; `atomic`: in one transaction of Notiway's database with its answer."""

    function: Callable[[str, Any], Any]
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class Category:
    """What preferences are about: a name for programs, a label for people, and whether it may be muted.

    `toast`, `browser` and `sound` are what holds for users who have not chosen.
    """

    name: str
    label: str
    mutable: bool = True
    toast: bool = True
    browser: bool = True
    sound: bool = True

    @property
    def channels(self) -> dict[str, bool]:
        """Whether it uses each channel, where a user has not chosen."""
        return {"toast": self.toast, "browser": self.browser, "sound": self.sound}


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of notification, as `Notiway.kind` declared it.

    `priority`, `icon` and `category` hold where the call or the envelope does not say otherwise.
    """

    name: str
    label: str
    icon: str | None = None
    category: str | None = None
    priority: str = "medium"
    mutable: bool = True
    handlers: dict[str, Handler] = field(default_factory=dict, compare=False)  # of its actions, by name

    def action(self, name: str, *, atomic: bool = False) -> Callable[[Function], Function]:
        """Declare the function that runs when a `post` action of this name is pressed.

        >>> @order_shipped.action("approve")  # doctest: +SKIP
        ... def approve(user_id, notification):
        ...     orders.approve(notification.body["orderId"], by=user_id)
        ...     return Undo("withdraw")

        It gets the id of whoever pressed and the notification (`id`, `title`, `body`, …). What it raises is logged, and
        readers see that it failed; `ActionFailed` says why. It may return an `Undo`, naming another handler. It can run
        a second time with the same notification if the process died while it ran.

        With `atomic`, what it writes to Notiway's database is committed together with the answer, or not at all. Then
        it must be quick: on SQLite nobody else writes meanwhile.
        """
        if len(name) > NAME_LIMIT or not ACTION.fullmatch(name):
            raise ConfigError(f"The action {name!r} of {self.name} is not valid", [Fault("name", ACTION_FAULT)])

        def declare(function: Function) -> Function:
            if self.handlers.setdefault(name, Handler(function, atomic)) != Handler(function, atomic):
                raise ConfigError(f"The action {name!r} of {self.name} has a handler already")
            return function

        return declare
