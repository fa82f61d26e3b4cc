"""Fields: what a request that changes items says, as a form, a query or a JSON object."""

from __future__ import annotations

from typing import Any

from flask import g, request

from notiway.values.clock import now_ms
from notiway.values.errors import Fault, WrongInput
from notiway.web import body

MAX_IDS = 1_000  # at once; a page holds about half as many
MINUTE_MS = 60_000
MAX_MINUTES = 366 * 24 * 60
LARGEST = 2**53  # what JavaScript counts to


def text(name: str) -> str:
    """A field's text; empty where it is not given."""
    given = _given(name)
    if given is not None and not isinstance(given, str):
        raise WrongInput("The request is not understood", [Fault(name, "must be text")])
    return given or ""


def ids() -> list[str]:
    """The ids of the items that are meant, each once."""
    given = body.read_object().get("ids") if request.is_json else " ".join(request.values.getlist("ids")).split()
    if not isinstance(given, list) or not all(isinstance(part, str) for part in given):
        raise WrongInput("Nothing was changed", [Fault("ids", "must be a list of ids")])
    found = list(dict.fromkeys(given))
    if not 0 < len(found) <= MAX_IDS:
        raise WrongInput("Nothing was changed", [Fault("ids", f"must be 1 to {MAX_IDS:,} notifications")])
    return found


def until() -> int:
    """Until when to snooze, in ms since the epoch: `until` says it, or `minutes` from now, for forms without scripts.

    The same moment each time it is asked for in one request.
    """
    if "notiway_until" not in g:
        moment, minutes = _number("until", LARGEST), _number("minutes", MAX_MINUTES)
        if (moment is None) == (minutes is None):
            fault = Fault("until", "must be given, in milliseconds since the epoch; or minutes, from now")
            raise WrongInput("Nothing was snoozed", [fault])
        g.notiway_until = moment if minutes is None else now_ms() + minutes * MINUTE_MS
    return int(g.notiway_until)


def _number(name: str, largest: int) -> int | None:
    given = _given(name)
    if given is None or given == "":
        return None
    digits = str(given) if type(given) is int else given
    if not isinstance(digits, str) or not digits.isascii() or not digits.isdigit() or int(digits[:20]) > largest:
        raise WrongInput("Nothing was snoozed", [Fault(name, "must be a whole number that is not negative")])
    return int(digits)


def _given(name: str) -> Any:
    return body.read_object().get(name) if request.is_json else request.values.get(name)
