"""Security events: who came in, who was refused, and who changed what others may do (ASVS 5.0, 16.3).

A log of its own, `notiway.security`, so that it can be kept and watched apart. Names and fields stay as they are:
docs/reference/security-events.md.
"""

from __future__ import annotations

import json
import logging

log = logging.getLogger("notiway.security")


def note(event: str, **fields: str | None) -> None:
    """Write one event; fields that are None are left out. Never pass a secret.

    >>> note("signed_in", user="42", address="192.0.2.7")
    """
    known = {name: value for name, value in fields.items() if value is not None}
    # As JSON text: a line break in a value must not begin another line of the log.
    text = " ".join([event, *(f"{name}={json.dumps(value)}" for name, value in known.items())])
    level = logging.WARNING if event.endswith(("refused", "throttled")) else logging.INFO
    log.log(level, "%s", text, extra={"event": event, **known})
