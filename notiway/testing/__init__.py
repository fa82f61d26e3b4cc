"""Testing: what an application's own tests ask of Notiway. No server is needed.

>>> from notiway.testing import outbox
>>> with outbox() as sent:  # doctest: +SKIP
...     client.post("/orders")
>>> sent.assert_sent(to="ada", title="Order placed")  # doctest: +SKIP

Imported when it is first asked for: pytest loads the plugin of this package before everything else.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from notiway.testing.bell import Bell, ring
    from notiway.testing.outbox import Outbox, outbox
    from notiway.testing.sent import Sent
    from notiway.testing.surroundings import clock, eager_jobs, prepared

__all__ = ["Bell", "Outbox", "Sent", "clock", "eager_jobs", "outbox", "prepared", "ring"]
PLACES = {
    "Bell": "bell",
    "Outbox": "outbox",
    "Sent": "sent",
    "clock": "surroundings",
    "eager_jobs": "surroundings",
    "outbox": "outbox",
    "prepared": "surroundings",
    "ring": "bell",
}


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{PLACES[name]}"), name)
    globals()[name] = found  # also where a module has the same name: `outbox` is the function
    return found
