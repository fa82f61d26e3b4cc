"""Views: searches that a user has saved, as tabs above the history: a name, and the filters that narrow the list."""

from __future__ import annotations

from collections.abc import Mapping

from notiway.values.errors import Fault
from notiway.values.lists.filtering import NAMES, filter_faults, narrowing
from notiway.values.text.checks import text_faults

MOST_VIEWS = 12  # of one user
NAME_LIMIT = 40  # characters

Views = Mapping[str, Mapping[str, str]]  # the filters, by the name of the view


def view_faults(views: Views, given: object) -> list[Fault]:
    """Everything that is wrong with what a user wants to save (filters) or to remove (None), by the views' names."""
    if not isinstance(given, Mapping):
        return [Fault("views", "must be an object")]
    found: list[Fault] = []
    for name, filters in given.items():
        found += text_faults(f"views.{name}", name, NAME_LIMIT, required=True)
        found += [] if filters is None else _faults(f"views.{name}", filters)
    if not found and len(with_views(views, given)) > MOST_VIEWS:
        found.append(Fault("views", f"must be at most {MOST_VIEWS}"))
    return found


def with_views(views: Views, given: Mapping[str, Mapping[str, str] | None]) -> dict[str, Mapping[str, str]]:
    """The views with these added, replaced, or (None) removed; a new one comes last.

    >>> with_views({"Failed": {"type": "error"}}, {"Billing": {"source": "billing", "state": "all"}, "Failed": None})
    {'Billing': {'source': 'billing'}}
    """
    kept = dict(views)
    for name, filters in given.items():
        if filters is None:
            kept.pop(name, None)
        else:
            kept[name.strip()] = narrowing(filters)
    return kept


def _faults(path: str, filters: object) -> list[Fault]:
    if not isinstance(filters, Mapping) or not all(isinstance(value, str) for value in filters.values()):
        return [Fault(path, f"must be an object with any of {', '.join(NAMES)}, each a text")]
    unknown = sorted(filters.keys() - {*NAMES})
    found = [Fault(f"{path}.{name}", f"is no filter; there are {', '.join(NAMES)}") for name in unknown]
    found += [Fault(f"{path}.{fault.path}", fault.message) for fault in filter_faults(filters)]
    if not found and not narrowing(filters):
        found.append(Fault(path, "must narrow the list by something"))
    return found
