"""Own templates: those that an application has for the name of a notification, beside ours."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from jinja2 import Environment, Template, TemplateError, TemplateNotFound

log = logging.getLogger(__name__)

REMEMBER_MISSING = 1_000  # names that have no template, for each folder
BANNERS = "notiway/banners"
# Which folder holds what extends one of ours, by the name of a notification.
FOLDERS = {
    "notiway/item/_item.html": "notiway/items",
    "notiway/toast/_toast.html": "notiway/toasts",
    "events/system-announcement.html": BANNERS,
}
Draw = Callable[[Template], str]


@dataclass(slots=True)
class _Known:
    missing: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)  # those that were logged: each item of the name would log again


_known: WeakKeyDictionary[Environment, _Known] = WeakKeyDictionary()


def find(env: Environment, folder: str, name: str) -> Template | None:
    """The template of this name in a folder of the application; None where it has none.

    Each is looked up once, except in development.
    """
    path = f"{folder}/{name}.html"  # names hold no slash (draft.NAME_PATTERN), so none leads out of the folder
    missing = _known.setdefault(env, _Known()).missing
    if path in missing:
        return None
    try:
        return env.get_template(path)
    except TemplateNotFound as error:
        if error.name != path:
            raise
    if not env.auto_reload and len(missing) < REMEMBER_MISSING:
        missing.add(path)
    return None


def has(env: Environment, folder: str, name: str) -> bool:
    """Whether the application has a template of this name, good or not."""
    try:
        return find(env, folder, name) is not None
    except TemplateError:  # it cannot be compiled, which is told when it is to be drawn
        return True


def draw(env: Environment, ours: str, name: str, values: Mapping[str, Any]) -> str:
    """What the template of a name makes of these values; where there is none, or it fails, what ours makes of them."""
    text = drawn_by_own(env, FOLDERS[ours], name, lambda own: own.render(values))
    return env.get_template(ours).render(values) if text is None else text


def drawn_by_own(env: Environment, folder: str, name: str, make: Draw) -> str | None:
    """What the template of a name makes; None where there is none, or it fails, which is logged once."""
    failing, path = _known.setdefault(env, _Known()).failing, f"{folder}/{name}.html"
    try:
        own = find(env, folder, name)
        text = None if own is None else make(own)
    except Exception:
        if path not in failing:
            failing.add(path)
            log.exception("templates/%s failed; what comes with Notiway is shown instead: fix the template", path)
        return None
    failing.discard(path)
    return text
