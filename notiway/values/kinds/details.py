"""Details: icon, category, image, actor's picture and actions, as the JSON that is stored with a notification."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from notiway.values.errors import Fault
from notiway.values.kinds.action import METHODS, NAME_LIMIT, STYLES, Action, name_of
from notiway.values.kinds.actor import Actor
from notiway.values.text.checks import URL_FAULT, is_safe_url, text_faults

MOST_ACTIONS = 5
LABEL_LIMIT = 40  # characters on a button
CATEGORY_LIMIT = 100  # characters
ICON_LIMIT = 100  # characters of the name of a symbol
ICON = re.compile(r"[a-z0-9][a-z0-9-]*")
CATEGORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
ACTION = re.compile(r"[a-z0-9][a-z0-9-]*")
ICON_FAULT = "must be the name of a symbol (small letters, digits and -) or the address of a picture"
CATEGORY_FAULT = f"must begin with a letter or digit and hold letters, digits, dots, - and _, at most {CATEGORY_LIMIT}"
ACTION_FAULT = f"must be small letters, digits and -, at most {NAME_LIMIT} characters"
PATH_FAULT = "must be a path of this application, which is called where no handler is declared"
FIELDS = ("label", "url", "method", "style", "name")


def details_of(
    *,
    icon: str | None = None,
    category: str | None = None,
    image: str | None = None,
    actor: object = None,
    actions: object = (),
) -> dict[str, Any] | None:
    """These as JSON, unchecked; None where nothing is rich. `actor` is an `Actor`, a mapping or a name.

    >>> details_of(icon="truck", actions=[Action("Track", "/orders/7")])["actions"][0]["name"]
    'track'
    """
    picture = {key: value for key in ("image", "url") if (value := _read(actor, key)) is not None}
    found: dict[str, Any] = {"icon": icon, "category": category, "image": image, "actor": picture or None}
    if actions is not None and actions != () and actions != []:
        is_listed = isinstance(actions, Sequence) and not isinstance(actions, str | bytes)
        found["actions"] = [_plain(each) for each in cast("Sequence[object]", actions)] if is_listed else actions
    kept = {name: value for name, value in found.items() if value is not None}
    return kept or None


def actor_name(actor: object) -> Any:
    """The name of an actor, however it was given; what is no actor at all is left to the checks."""
    return _read(actor, "name") if isinstance(actor, Actor | Mapping) else actor


def detail_faults(details: Mapping[str, Any] | None) -> list[Fault]:
    """Everything that is wrong with them, each under its path: `actions[0].url`."""
    if not details:
        return []
    found: list[Fault] = []
    icon, category = details.get("icon"), details.get("category")
    if icon is not None and not (_fits(icon, ICON, ICON_LIMIT) or ("/" in str(icon) and is_safe_url(icon))):
        found.append(Fault("icon", ICON_FAULT))
    if category is not None and not _fits(category, CATEGORY, CATEGORY_LIMIT):
        found.append(Fault("category", CATEGORY_FAULT))
    found += _url_faults("image", details.get("image"))
    for part in ("image", "url"):
        found += _url_faults(f"actor.{part}", details.get("actor", {}).get(part))
    return found + _actions_faults(details.get("actions", []))


def post_actions(details: Mapping[str, Any] | None) -> list[tuple[str, dict[str, Any]]]:
    """Those of checked actions that are answered, each with its path."""
    listed = (details or {}).get("actions", [])
    return [(f"actions[{number}]", each) for number, each in enumerate(listed) if each["method"] == "post"]


def answered_faults(details: Mapping[str, Any] | None, persist: bool) -> list[Fault]:
    """What is wrong with actions that are to be answered, in a notification that nothing can be noted at."""
    if persist or detail_faults(details) or not post_actions(details):
        return []
    return [Fault("actions", "with method post need a notification that is stored")]


def _actions_faults(actions: object) -> list[Fault]:
    if not isinstance(actions, list):
        return [Fault("actions", "must be a list")]
    if len(actions) > MOST_ACTIONS:
        return [Fault("actions", f"must be at most {MOST_ACTIONS}")]
    found = []
    names: set[object] = set()
    for number, each in enumerate(actions):
        path = f"actions[{number}]"
        if not isinstance(each, Mapping):
            found.append(Fault(path, "must be an Action"))
            continue
        found += _action_faults(path, each)
        name = each["name"]
        if name and isinstance(name, str) and name in names:
            found.append(Fault(f"{path}.name", "is that of another action; give each a name of its own"))
        names.add(name if isinstance(name, str) else None)
    return found


def _action_faults(path: str, action: Mapping[str, Any]) -> list[Fault]:
    found = text_faults(f"{path}.label", action["label"], LABEL_LIMIT, required=True)
    if not _fits(action["name"], ACTION, NAME_LIMIT) and not found:
        found.append(Fault(f"{path}.name", ACTION_FAULT))
    method, url = action["method"], action["url"]
    if method not in METHODS:
        found.append(Fault(f"{path}.method", f"must be one of {', '.join(METHODS)}"))
    elif method == "post":
        if url is not None and not (is_safe_url(url) and url.startswith("/")):
            found.append(Fault(f"{path}.url", PATH_FAULT))
    elif not is_safe_url(url):
        found.append(Fault(f"{path}.url", URL_FAULT))
    if action["style"] not in STYLES:
        found.append(Fault(f"{path}.style", f"must be one of {', '.join(STYLES)}"))
    return found


def _url_faults(path: str, url: object) -> list[Fault]:
    return [] if url is None or is_safe_url(url) else [Fault(path, URL_FAULT)]


def _fits(value: object, pattern: re.Pattern[str], limit: int) -> bool:
    return isinstance(value, str) and len(value) <= limit and pattern.fullmatch(value) is not None


def _read(value: object, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    return getattr(value, name) if isinstance(value, Actor) else None


def _plain(action: object) -> Any:
    """An action as JSON with every field; what is none is left as it is, for the checks."""
    if isinstance(action, Action):
        return action.as_dict()
    if not isinstance(action, Mapping):
        return action
    defaults = {"label": "", "url": None, "method": "get", "style": "secondary", "name": None}
    given = {name: action[name] for name in FIELDS if action.get(name) is not None}
    values = defaults | given
    if values["name"] is None and isinstance(values["label"], str):
        values["name"] = name_of(values["label"])
    return values
