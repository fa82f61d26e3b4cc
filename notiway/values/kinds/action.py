"""Action: a button of a notification."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

METHODS = ("get", "post")
STYLES = ("secondary", "primary", "danger")
NAME_LIMIT = 40  # characters
NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Action:
    """A button: a link (`get`), or something that is done once for everyone (`post`).

    >>> Action("Approve", "/orders/7/approve", method="post", style="primary").as_dict()["name"]
    'approve'

    `label` has 1 to 40 characters. A link leads to `url`: https:, http: or a path on this site. With `method="post"`
    the function that the kind declares for `name` is called (`@kind.action("approve")`), else `url`, a path of this
    application, with the session of whoever pressed. `style` is secondary, primary or danger. `name` is made from the
    label where it is left out.
    """

    label: str
    url: str | None = None
    method: str = "get"
    style: str = "secondary"
    name: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As it is stored and sent."""
        made = self.name is None and isinstance(self.label, str)
        return asdict(self) | ({"name": name_of(self.label)} if made else {})


@dataclass(frozen=True, slots=True)
class Undo:
    """What a handler returns if it can be taken back: the name of the handler that does it, and the button's label.

    >>> Undo("withdraw").label
    'Undo'
    """

    action: str
    label: str = "Undo"


def name_of(label: str) -> str:
    """The name that is made from a label; empty where it has no letter or digit that a name can hold.

    >>> name_of("Ship it now!")
    'ship-it-now'
    """
    return NOT_IN_NAMES.sub("-", label.lower())[:NAME_LIMIT].strip("-")
